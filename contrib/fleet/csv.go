package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// CSV reads a table whose first line names the columns. Fields may be quoted, with quotes doubled and line breaks inside. An
// empty field leaves its member out.
func (s Sheet) CSV(r io.Reader) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		if s.Path == "" {
			yield(Job{}, errors.New("fleet: jobs from CSV need a path"))
			return
		}
		if s.Comma == 0 {
			s.Comma = ','
		}
		var table *table
		var fields []string
		width := func() int {
			if table == nil {
				return 0
			}
			return len(table.columns)
		}
		for record, err := range records(r, s.Comma, width) {
			if err != nil {
				yield(Job{}, err)
				return
			}
			if record.err == nil {
				fields, record.err = splitRecord(fields[:0], record.text, s.Comma)
			}
			if table == nil {
				if record.err == nil {
					table, record.err = s.header(fields)
				}
				if record.err != nil {
					yield(Job{}, fmt.Errorf("%w: %w", ErrColumns, record.err))
					return
				}
				continue
			}
			var job Job
			if err = record.err; err == nil {
				if err = table.row(&job, fields); err == nil {
					s.finish(&job, record.number)
					err = s.missing(&job)
				}
			}
			if err != nil {
				err = s.bad(record.number, err)
			}
			if !yield(job, err) {
				return
			}
		}
		if table == nil {
			yield(Job{}, fmt.Errorf("%w: there is none", ErrColumns))
		}
	}
}

// table is what the first line of a CSV file says.
type table struct {
	sheet   *Sheet
	columns []Column
	body    *branch
	text    []byte
}

// branch is a member of the body, or the body itself.
type branch struct {
	name   string // quoted, with its colon
	inner  []*branch
	column int
	kind   string
}

func (s *Sheet) header(names []string) (*table, error) {
	t := &table{sheet: s, body: new(branch)}
	operation, _ := catalog.V3().Lookup(s.method(), "/"+strings.TrimPrefix(s.Path, "/"))
	targets := make(map[string]int)
	known := operation == nil || len(operation.In.JSON) == 0
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		if strings.ContainsAny(name, "\r\n") {
			return nil, fmt.Errorf("the name of column %d goes over several lines: do the lines of the file end with CR alone?", i+1)
		}
		c := s.to(name)
		t.columns = append(t.columns, c)
		if c.To == "" {
			continue
		}
		_, variable := fact.Placeholder(c.To)
		query := strings.HasPrefix(c.To, "?")
		if before := targets[c.To]; before > 0 && !query {
			return nil, fmt.Errorf("the columns %d and %d go to the same member", before, i+1)
		}
		targets[c.To] = i + 1
		if variable || query {
			known = true
			continue
		}
		kind, documented := kindOf(c, operation)
		known = known || documented
		if err := t.body.grow(strings.Split(c.To, "."), i, kind); err != nil {
			return nil, fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	if !known { // and no text of it goes into an error: it may be the first person's
		return nil, errors.New("none of its fields is a member that the operation documents: is the line with the names missing?")
	}
	for _, c := range s.Map {
		if c.From != "*" && !slices.ContainsFunc(t.columns, func(have Column) bool { return have.From == c.From }) {
			return nil, fmt.Errorf("there is no column %q", c.From)
		}
	}
	return t, nil
}

func (s *Sheet) method() string {
	if s.Method == "" {
		return "POST"
	}
	return s.Method
}

// kindOf is the JSON type of a column, and whether its member is documented.
func kindOf(c Column, o *fact.Operation) (kind string, documented bool) {
	if o == nil {
		return c.Type, false
	}
	fields := o.In.JSON
	for parts := strings.Split(c.To, "."); ; parts = parts[1:] {
		i := slices.IndexFunc(fields, func(f fact.Field) bool { return f.Name == parts[0] })
		switch {
		case i < 0:
			return c.Type, false
		case len(parts) > 1:
			fields = fields[i].Fields
		case c.Type != "":
			return c.Type, true
		default:
			return string(fields[i].Type), true
		}
	}
}

// grow adds a member.
func (b *branch) grow(path []string, column int, kind string) error {
	if path[0] == "" {
		return errors.New("a name in it is empty")
	}
	quoted, _ := json.Marshal(path[0])
	name := string(quoted) + ":"
	i := slices.IndexFunc(b.inner, func(inner *branch) bool { return inner.name == name })
	if len(path) == 1 {
		if i >= 0 {
			return errors.New("it is an object and a value")
		}
		b.inner = append(b.inner, &branch{name: name, column: column, kind: kind})
		return nil
	}
	if i < 0 {
		i = len(b.inner)
		b.inner = append(b.inner, &branch{name: name, column: -1})
	}
	if b.inner[i].column >= 0 {
		return errors.New("it is an object and a value")
	}
	return b.inner[i].grow(path[1:], column, kind)
}

// row makes the job of a record.
func (t *table) row(job *Job, fields []string) error {
	if len(fields) != len(t.columns) {
		return fmt.Errorf("it has %d fields, the first line names %d columns", len(fields), len(t.columns))
	}
	job.Method, job.Path = t.sheet.Method, t.sheet.Path
	for i, c := range t.columns {
		if !utf8.ValidString(fields[i]) {
			return fmt.Errorf("column %s is not UTF-8", c.From)
		}
		if c.To != "" {
			if why := spoilt(fields[i]); why != "" {
				return fmt.Errorf("column %s: %s", c.From, why)
			}
		}
		if fields[i] != "" {
			if _, err := place(job, c.To, gjson.Result{Type: gjson.String, Str: fields[i]}); err != nil {
				return err
			}
		}
	}
	if len(t.body.inner) == 0 {
		return nil
	}
	text, _, err := t.body.object(t.text[:0], fields)
	t.text = text
	job.Body = bytes.Clone(text)
	return err
}

// object appends the members that have a value, and reports whether there are any.
func (b *branch) object(dst []byte, fields []string) (_ []byte, some bool, err error) {
	dst = append(dst, '{')
	for _, m := range b.inner {
		before := len(dst)
		if some {
			dst = append(dst, ',')
		}
		dst = append(dst, m.name...)
		has := false
		if m.column < 0 {
			dst, has, err = m.object(dst, fields)
		} else if has = fields[m.column] != ""; has {
			dst, err = m.value(dst, fields[m.column])
		}
		if err != nil {
			return dst, some, err
		}
		if !has {
			dst = dst[:before]
		}
		some = some || has
	}
	return append(dst, '}'), some, nil
}

// value appends a field as JSON.
func (b *branch) value(dst []byte, field string) ([]byte, error) {
	name := strings.TrimSuffix(b.name, ":")
	switch fact.Type(b.kind) {
	case fact.Integer:
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return dst, fmt.Errorf("%s is not an integer", name)
		}
		return strconv.AppendInt(dst, n, 10), nil
	case fact.Number:
		if !json.Valid([]byte(field)) || strings.Trim(field, "+-.0123456789eE") != "" {
			return dst, fmt.Errorf("%s is not a number", name)
		}
		return append(dst, field...), nil
	case fact.Boolean:
		if field != "true" && field != "false" {
			return dst, fmt.Errorf("%s is neither true nor false", name)
		}
		return append(dst, field...), nil
	case "json", fact.Object, fact.Strings, fact.Integers, fact.Numbers, fact.Booleans, fact.Objects:
		if !json.Valid([]byte(field)) {
			return dst, fmt.Errorf("%s is not JSON", name)
		}
		return append(dst, field...), nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(field); err != nil {
		return dst, err
	}
	return append(dst, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...), nil
}
