package wxpay

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/invoke"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// WithDefaults fills in who calls: mchid, and sp_mchid of a service provider, with mchid, which is the client's own number;
// appid and sp_appid with appid. A member is filled where the catalogue calls it required at the top of the body, or in the
// query, and the call lacks it. Either argument may be empty, for nothing to be filled.
//
// The caller's values stay as they are: what is filled is added to the text that is sent, as [Chain.Request] shows. A body
// given as text or bytes is never changed, a nil body stays none, and a member that is there is left alone, whatever it holds.
// Where direct and partner callers share one description, and where the member names somebody else, such as the one who
// receives a store's payments, nothing is filled. A client that [Client.As] makes for another merchant has no defaults.
func WithDefaults(mchid, appid string) Option {
	return func(c *config) error {
		if mchid == "" && appid == "" {
			return errors.New("WithDefaults: both numbers are empty")
		}
		if appid != "" && !invoke.IsAppID(appid) {
			return fmt.Errorf("WithDefaults: %s is not an appid such as wx8888888888888888", redact.Quote(appid))
		}
		c.defaults = callerDefaults{mchid, appid}
		return nil
	}
}

// callerDefaults are what WithDefaults fills in.
type callerDefaults struct{ mchid, appid string }

// check says what keeps a client from filling in defaults.
func (d callerDefaults) check(c *Client) error {
	switch {
	case d == callerDefaults{}:
		return nil
	case c.isBrand():
		return errors.New("WithDefaults is not for brands, whose calls name neither mchid nor appid of the caller")
	case d.mchid != "" && d.mchid != c.merchant.ID:
		return fmt.Errorf("WithDefaults: mchid %s is not the client's own, which is %s", redact.Quote(d.mchid), redact.Quote(c.merchant.ID))
	case !c.embedded && c.catalog == nil:
		return errors.New("WithDefaults does not know what an operation requires, since WithCatalog(nil) took the catalogue away")
	}
	return nil
}

// of returns the default of a member, empty if it has none.
func (d callerDefaults) of(name string) string {
	switch name {
	case "mchid", "sp_mchid":
		return d.mchid
	case "appid", "sp_appid":
		return d.appid
	}
	return ""
}

// missing lists those of fields that the caller may leave to the defaults.
func (d callerDefaults) missing(operation *fact.Operation, fields []fact.Field) (names []*fact.Field) {
	if operation.Joined || operation.Unsigned {
		return nil
	}
	for i := range fields {
		field := &fields[i]
		switch {
		case !field.Required || d.of(field.Name) == "":
		case slices.ContainsFunc(fields, func(f fact.Field) bool { return f.Name == "sp_"+field.Name }): // of a direct caller or of a partner
		case slices.Contains(operation.NotCaller, field.Name):
		default:
			names = append(names, field)
		}
	}
	return names
}

// fillQuery adds the defaults that query, which is newest first, lacks.
func (d callerDefaults) fillQuery(operation *fact.Operation, query []*setting) []*setting {
	for _, field := range d.missing(operation, operation.In.Query) {
		if !slices.ContainsFunc(query, func(q *setting) bool { return named(field, q.name) }) {
			query = slices.Insert(query, 0, &setting{kind: settingQuery, name: field.Name, values: []string{d.of(field.Name)}})
		}
	}
	return query
}

// fillBody returns text with the defaults that it lacks at the end of its object. What is no object stays as it is.
func (d callerDefaults) fillBody(operation *fact.Operation, text []byte) []byte {
	missing := d.missing(operation, operation.In.JSON)
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
		missing = slices.DeleteFunc(missing, func(f *fact.Field) bool { return named(f, string(name.Key())) })
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
		filled = appendString(append(appendString(filled, field.Name), ':'), d.of(field.Name))
		empty = false
	}
	return append(filled, text[end:]...)
}

// isVerbatim reports whether a body travels as it is.
func isVerbatim(body any) bool {
	switch body.(type) {
	case []byte, json.RawMessage, string:
		return true
	}
	return false
}
