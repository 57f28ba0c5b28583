// Package autofill fills the numbers of the caller into requests that lack them.
package autofill

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Caller has the numbers that fill mchid and sp_mchid, and appid and sp_appid. An empty one fills
// nothing.
type Caller struct{ MchID, AppID string }

// Check says what keeps a client from filling the numbers in. own is its number, brand says that it
// calls as a brand, and facts that it has a catalogue.
func (c Caller) Check(own string, brand, facts bool) error {
	switch {
	case c == Caller{}:
		return nil
	case brand:
		return errors.New("WithDefaults is not for brands, whose calls name neither mchid nor appid of the caller")
	case c.MchID != "" && c.MchID != own:
		return fmt.Errorf("WithDefaults: mchid %s is not the client's own, which is %s", redact.Quote(c.MchID), redact.Quote(own))
	case !facts:
		return errors.New("WithDefaults does not know what an operation requires, since WithCatalog(nil) took the catalogue away")
	}
	return nil
}

// of returns the value of a field, empty if it has none.
func (c Caller) of(name string) string {
	switch name {
	case "mchid", "sp_mchid":
		return c.MchID
	case "appid", "sp_appid":
		return c.AppID
	}
	return ""
}

// open lists the fields that the caller may leave out.
func (c Caller) open(operation *fact.Operation, fields []fact.Field) (open []*fact.Field) {
	if operation.Joined || operation.Unsigned {
		return nil
	}
	for i := range fields {
		field := &fields[i]
		switch {
		case !field.Required || c.of(field.Name) == "":
		case slices.ContainsFunc(fields, func(f fact.Field) bool { return f.Name == "sp_"+field.Name }): // of a direct caller or of a partner
		case slices.Contains(operation.NotCaller, field.Name):
		default:
			open = append(open, field)
		}
	}
	return open
}

// Query adds the numbers that query, which is newest first, lacks.
func (c Caller) Query(operation *fact.Operation, query []target.Param) []target.Param {
	for _, field := range c.open(operation, operation.In.Query) {
		if !slices.ContainsFunc(query, func(p target.Param) bool { return field.Named(p.Name) }) {
			query = slices.Insert(query, 0, target.Param{Name: field.Name, Values: []string{c.of(field.Name)}})
		}
	}
	return query
}

// Body returns text with the numbers that it lacks at the end of its object. A text that is no
// object stays as it is.
func (c Caller) Body(operation *fact.Operation, text []byte) []byte {
	missing := c.open(operation, operation.In.JSON)
	if len(missing) == 0 {
		return text
	}
	s := jsonwalk.Cursor{Text: text}
	if s.Peek() != '{' {
		return text
	}
	empty := true
	for more := s.Enter('}'); more; more = s.More('}') {
		name := s.Name()
		missing = slices.DeleteFunc(missing, func(f *fact.Field) bool { return f.Named(string(name.Key())) })
		s.Skip()
		empty = false
	}
	end := s.At - 1 // of the object
	if s.End(); s.Err != nil || len(missing) == 0 {
		return text
	}
	filled := append(make([]byte, 0, len(text)+64), text[:end]...)
	for _, field := range missing {
		if !empty {
			filled = append(filled, ',')
		}
		filled = jsonwalk.AppendQuote(append(jsonwalk.AppendQuote(filled, field.Name), ':'), c.of(field.Name))
		empty = false
	}
	return append(filled, text[end:]...)
}
