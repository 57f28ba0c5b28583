// Package facts takes over what facts files say: JSON Lines of operations, events and error codes, with the short keys that its
// row types list. It reads them, merges them into the catalogue's texts, and tells what that changes.
package facts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// operationRow is the line of an operation in a facts file.
type operationRow struct {
	Method       string   `json:"m"`
	Path         string   `json:"p"`
	Name         string   `json:"n"`
	Host         string   `json:"h"`
	HostRequired one      `json:"hr"`
	Signing      string   `json:"sg"`
	Scheme       string   `json:"sch"`
	Status       string   `json:"st"`
	ReplacedBy   []string `json:"rp"`
	Tags         []string `json:"tag"`
	Roles        []string `json:"role"`
	Joined       one      `json:"mm"`
	Inferred     one      `json:"inf"`
	In           struct {
		Path   []fieldRow `json:"path"`
		Query  []fieldRow `json:"query"`
		Header []fieldRow `json:"header"`
		JSON   []fieldRow `json:"json"`
		Form   []fieldRow `json:"form"`
	} `json:"in"`
	Answer    string     `json:"rs"`
	Success   int        `json:"sc"`
	Content   string     `json:"sm"`
	Signature string     `json:"rv"`
	Out       []fieldRow `json:"out"`
	Docs      []string   `json:"doc"`
}

// eventRow is the line of an event in a facts file.
type eventRow struct {
	Type          string     `json:"ev"`
	Aliases       []string   `json:"al"`
	Name          string     `json:"n"`
	Scheme        string     `json:"sch"`
	ResourceTypes []string   `json:"rt"`
	OriginalTypes []string   `json:"ot"`
	Algorithm     string     `json:"alg"`
	Variants      []string   `json:"va"`
	Joined        one        `json:"mm"`
	Inferred      one        `json:"inf"`
	Resource      []fieldRow `json:"res"`
	Reply         *struct {
		Body   []fieldRow `json:"body"`
		Header []fieldRow `json:"header"`
	} `json:"re"`
	Docs []string `json:"doc"`
}

// codeRow is the line of an error code in a facts file.
type codeRow struct {
	Name   string `json:"c"`
	Status int    `json:"st"`
	Label  string `json:"l"`
	Same   string `json:"as"`
}

// operationCodesRow is the line of the error codes of an operation: statuses by code, 0 where it is not told.
type operationCodesRow struct {
	Method string         `json:"m"`
	Path   string         `json:"p"`
	Codes  map[string]int `json:"c"`
}

// Said is what facts files say.
type Said struct {
	text.Document
	// OperationCodes are error codes by operation, METHOD /path.
	OperationCodes map[string][]fact.OperationCode
}

// fieldRow is a field in a facts file.
type fieldRow struct {
	Name       string            `json:"n"`
	Label      string            `json:"l"`
	Type       string            `json:"t"`
	Required   one               `json:"r"`
	Confirmed  one               `json:"rr"`
	Cipher     string            `json:"x"`
	JSONText   one               `json:"j"`
	Format     string            `json:"fm"`
	Unit       string            `json:"u"`
	Min        int64             `json:"min"`
	Max        int64             `json:"max"`
	Enum       []any             `json:"e"`
	EnumLabels map[string]string `json:"el"`
	Sample     any               `json:"s"`
	Fields     []fieldRow        `json:"f"`
	Alt        []string          `json:"alt"`
}

// one is a flag: the number 1, or absent.
type one bool

func (o *one) UnmarshalJSON(b []byte) error {
	if string(b) != "1" {
		return fmt.Errorf("a flag is %s; it is 1 or left out", b)
	}
	*o = true
	return nil
}

// Read reads facts files into one sorted document. They are taken to be complete for the kinds they hold. An error names file
// and line.
func Read(names []string) (*Said, error) {
	if len(names) == 0 {
		return nil, errors.New("name at least one facts file")
	}
	all := &Said{OperationCodes: map[string][]fact.OperationCode{}}
	places := map[string]string{} // of operations and events, as file:line
	for _, name := range names {
		if err := readFile(name, all, places); err != nil {
			return nil, err
		}
	}
	for _, operation := range all.Operations {
		for _, other := range operation.ReplacedBy {
			if places[other] == "" {
				id := operation.Method + " " + operation.Path
				return nil, fmt.Errorf("%s: %s is replaced by %q, which is in no line", places[id], id, other)
			}
		}
	}
	for id := range all.OperationCodes {
		if len(all.Operations) > 0 && places[id] == "" {
			return nil, fmt.Errorf("%s: %s is in no line", places["codes of "+id], id)
		}
	}
	Sort(&all.Document)
	return all, nil
}

func readFile(name string, all *Said, places map[string]string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := 0
	lines := bufio.NewReader(f)
	for number := 1; err != io.EOF; number++ {
		var line []byte
		if line, err = lines.ReadBytes('\n'); err != nil && err != io.EOF {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		place := name + ":" + strconv.Itoa(number)
		id, problem := readRow(line, all)
		if problem != nil {
			return fmt.Errorf("%s: %w", place, problem)
		}
		if other := places[id]; other != "" {
			return fmt.Errorf("%s: %s stands already in %s", place, id, other)
		}
		places[id] = place
		rows++
	}
	if rows == 0 {
		return fmt.Errorf("%s: no facts in it", name)
	}
	return nil
}

// readRow appends one line to all and returns what it is about.
func readRow(line []byte, all *Said) (string, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return "", fmt.Errorf("not a JSON object: %w", err)
	}
	switch {
	case keys["c"] != nil && keys["m"] != nil:
		var row operationCodesRow
		if err := decode(line, &row); err != nil {
			return "", err
		}
		id := row.Method + " " + row.Path
		for _, name := range slices.Sorted(maps.Keys(row.Codes)) {
			all.OperationCodes[id] = append(all.OperationCodes[id], fact.OperationCode{Name: name, Status: row.Codes[name]})
		}
		return "codes of " + id, nil
	case keys["c"] != nil:
		var row codeRow
		if err := decode(line, &row); err != nil {
			return "", err
		}
		code := &fact.Code{Name: row.Name, Status: row.Status, Label: row.Label, Same: row.Same}
		all.Codes = append(all.Codes, code)
		return "code " + code.Name, text.Check(&text.Document{Codes: []*fact.Code{code}})
	case keys["ev"] != nil:
		var row eventRow
		if err := decode(line, &row); err != nil {
			return "", err
		}
		event := row.event()
		all.Events = append(all.Events, event)
		return event.Type, text.Check(&text.Document{Events: []*fact.Event{event}})
	}
	var row operationRow
	if err := decode(line, &row); err != nil {
		return "", err
	}
	operation, err := row.operation()
	if err != nil {
		return "", err
	}
	all.Operations = append(all.Operations, operation)
	alone := *operation
	alone.ReplacedBy = nil // may stand further down
	alone.Joined = false   // identities that it requires may be corrected: they are checked after that
	return operation.Method + " " + operation.Path, text.Check(&text.Document{Operations: []*fact.Operation{&alone}})
}

// decode is strict: a key this program does not know would be lost silently.
func decode(line []byte, row any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	d.UseNumber()
	return d.Decode(row)
}

func (r *operationRow) operation() (*fact.Operation, error) {
	o := &fact.Operation{
		Method: r.Method, Path: r.Path, Name: r.Name,
		Host: r.Host, HostRequired: bool(r.HostRequired),
		Scheme: fact.Scheme(r.Scheme), Status: fact.Status(r.Status), ReplacedBy: r.ReplacedBy,
		Tags: r.Tags, Roles: r.Roles, Joined: bool(r.Joined), Inferred: bool(r.Inferred),
		In: fact.Request{
			Path: fieldList(r.In.Path), Query: fieldList(r.In.Query), Header: fieldList(r.In.Header),
			JSON: fieldList(r.In.JSON), Form: fieldList(r.In.Form),
		},
		Response: fact.ResponseKind(r.Answer), Success: r.Success, Content: r.Content, Signature: fact.Signature(r.Signature),
		Out: fieldList(r.Out), Docs: r.Docs,
	}
	switch r.Signing {
	case "":
	case "none":
		o.Unsigned = true
	default:
		return nil, fmt.Errorf(`"sg" is %q; it is "none" or left out`, r.Signing)
	}
	if o.Success == 0 {
		o.Success = 200
	}
	return o, nil
}

func (r *eventRow) event() *fact.Event {
	e := &fact.Event{
		Type: r.Type, Aliases: r.Aliases, Name: r.Name, Scheme: fact.Scheme(r.Scheme),
		ResourceTypes: r.ResourceTypes, OriginalTypes: r.OriginalTypes, Algorithm: r.Algorithm, Variants: r.Variants,
		Joined: bool(r.Joined), Inferred: bool(r.Inferred), Resource: fieldList(r.Resource), Docs: r.Docs,
	}
	if r.Reply != nil {
		e.Reply = &fact.Reply{Body: fieldList(r.Reply.Body), Header: fieldList(r.Reply.Header)}
	}
	return e
}

func fieldList(rows []fieldRow) []fact.Field {
	var list []fact.Field
	for _, r := range rows {
		f := fact.Field{
			Name: r.Name, Type: fact.Type(r.Type), Required: bool(r.Required), Confirmed: bool(r.Confirmed),
			Format: r.Format, Unit: fact.Unit(r.Unit), Min: r.Min, Max: r.Max,
			Cipher: fact.Cipher(r.Cipher), JSONText: bool(r.JSONText), Fields: fieldList(r.Fields), Alt: r.Alt,
			Label: r.Label, Sample: constantValue(r.Sample),
		}
		labelled := len(r.EnumLabels) > 0
		for _, constant := range r.Enum {
			f.Enum = append(f.Enum, constantValue(constant))
			if labelled {
				name := fmt.Sprint(constant)
				f.EnumLabels = append(f.EnumLabels, r.EnumLabels[name])
				delete(r.EnumLabels, name)
			}
		}
		for _, label := range r.EnumLabels { // of no constant: too many labels, which Check reports
			f.EnumLabels = append(f.EnumLabels, label)
		}
		list = append(list, f)
	}
	return list
}

// constantValue turns a number into int64 when it is written as a whole number, and into float64 otherwise.
func constantValue(v any) any {
	number, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return i
	}
	if f, err := number.Float64(); err == nil && strings.ContainsAny(number.String(), ".eE") {
		return f
	}
	return number.String()
}

// Sort puts rows into the order in which they are written.
func Sort(doc *text.Document) {
	slices.SortStableFunc(doc.Operations, text.Compare)
	slices.SortStableFunc(doc.Codes, func(a, b *fact.Code) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(doc.Events, func(a, b *fact.Event) int { return strings.Compare(a.Type, b.Type) })
}
