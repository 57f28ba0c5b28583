package fleet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// table is what the first line of a CSV file or a worksheet says.
type table struct {
	sheet   *Sheet
	columns []*tableColumn
	outside []*leaf // of the path and the query
	body    *branch
	text    []byte
	row     int // the current one, as a spreadsheet program counts
	cells   []xlsx.Cell
}

// leaf is a value of the request: of a column, or the same in every row.
type leaf struct {
	to       string
	kind     string
	column   int // -1 for a constant
	constant string
}

// branch is a field of the body, or the body itself.
type branch struct {
	name  string // quoted, with its colon
	inner []*branch
	leaf  *leaf // nil for an object
}

// header reads the names of the columns.
func (s *Sheet) header(names []string) (*table, error) {
	t := &table{sheet: s, body: new(branch)}
	request := membersOf(s.method(), s.Path)
	known := request == nil
	var wrong error // of the first column that cannot go where it should
	var columns []Column
	for i, name := range names {
		name = strings.TrimSpace(name)
		if strings.ContainsAny(name, "\r\n") {
			return nil, fmt.Errorf("the name of column %d goes over several lines: do the lines of the file end with CR alone?", i+1)
		}
		t.columns = append(t.columns, &tableColumn{name: name})
		if name == "" {
			continue
		}
		to, err := s.targets(name, request)
		if err != nil && wrong == nil {
			wrong = fmt.Errorf("column %s (%s): %w", xlsx.Letters(i), name, err)
		}
		columns = append(columns, to...)
		for _, c := range to {
			if c.To == "" {
				continue
			}
			documented, err := t.add(c, i, request)
			if err != nil && wrong == nil {
				wrong = fmt.Errorf("column %s: %w", xlsx.Letters(i), err)
			}
			known = known || documented
		}
	}
	if !known { // and no text of it goes into an error: it may be the first person's
		return nil, errors.New("none of the names in its first line is a field that the operation documents: is the line with the names missing?")
	}
	for _, c := range s.Map { // a name that is misspelt here leaves another column without its unit
		if !c.constant() && c.From != "*" && !slices.ContainsFunc(t.columns, func(have *tableColumn) bool { return have.name == c.From }) {
			return nil, fmt.Errorf("there is no column %q", c.From)
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	for _, c := range s.Map {
		if c.constant() {
			columns = append(columns, c)
			if _, err := t.add(c, -1, request); err != nil {
				return nil, fmt.Errorf("the constant for %s: %w", c.To, err)
			}
		}
	}
	if s.OnHeader != nil {
		s.OnHeader(Header{&Source{Cells: slices.Clone(names)}, columns})
	}
	return t, nil
}

// targets returns where a column goes: by Map, else to the field of its own name, or to the one
// with its label. The error says what is missing for that.
func (s *Sheet) targets(name string, request *members) ([]Column, error) {
	to, told := s.to(name)
	switch {
	case told:
	case strings.HasPrefix(name, "#"):
		to = []Column{{From: name}}
	default:
		member, err := request.find(name)
		if err != nil {
			return nil, err
		}
		to = []Column{{From: name, To: member}}
	}
	for _, c := range to {
		if c.Type == "" && c.To != name && request.unit(c.To) == fact.Fen {
			return to, fmt.Errorf("it goes to %s, an amount: name its unit, yuan or fen", c.To)
		}
	}
	return to, nil
}

// add plants a value, and reports whether its field is documented.
func (t *table) add(c Column, column int, request *members) (documented bool, err error) {
	l := &leaf{to: c.To, kind: c.Type, column: column, constant: c.Value}
	_, variable := fact.Placeholder(c.To)
	query := strings.HasPrefix(c.To, "?")
	if before := t.leaf(c.To); before != nil && !query {
		if before.column >= 0 && column >= 0 {
			return false, fmt.Errorf("it goes to the same field as column %s", xlsx.Letters(before.column))
		}
		return false, fmt.Errorf("%s has a value already", c.To)
	}
	if variable || query {
		documented = true
		t.outside = append(t.outside, l)
	} else {
		var kind string
		if kind, documented = request.kind(c.To); l.kind == "" {
			l.kind = kind
		}
		if column < 0 {
			if _, err := l.value(nil, c.Value); err != nil {
				return false, err
			}
		}
		if err := t.body.grow(strings.Split(c.To, "."), l); err != nil {
			return false, err
		}
	}
	if column >= 0 {
		t.columns[column].used = true
		t.columns[column].text = t.columns[column].text || l.kind == "" || l.kind == string(fact.String)
	}
	return documented, nil
}

// leaf returns the value that goes to a field, nil if there is none yet.
func (t *table) leaf(to string) (found *leaf) {
	for _, l := range t.outside {
		if l.to == to {
			return l
		}
	}
	t.body.each(func(l *leaf) {
		if l.to == to {
			found = l
		}
	})
	return found
}

func (b *branch) each(visit func(*leaf)) {
	if b.leaf != nil {
		visit(b.leaf)
	}
	for _, m := range b.inner {
		m.each(visit)
	}
}

// grow adds a field.
func (b *branch) grow(path []string, l *leaf) error {
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
		b.inner = append(b.inner, &branch{name: name, leaf: l})
		return nil
	}
	if i < 0 {
		i = len(b.inner)
		b.inner = append(b.inner, &branch{name: name})
	}
	if b.inner[i].leaf != nil {
		return errors.New("it is an object and a value")
	}
	return b.inner[i].grow(path[1:], l)
}

// job makes the job of a row; of one that is wrong, its Source. line is where it is in the file,
// row where a spreadsheet program shows it.
func (t *table) job(job *Job, line, row int, cells []xlsx.Cell) error {
	job.Method, job.Path = t.sheet.Method, t.sheet.Path
	t.row, t.cells = row, cells
	job.Source = &Source{Cells: make([]string, len(cells))}
	for i, cell := range cells {
		job.Source.Cells[i] = cell.Text
	}
	var wrong error // of the first cell; each is marked
	for i, cell := range cells {
		var err error
		if i >= len(t.columns) || t.columns[i].name == "" {
			if cell.Text != "" || cell.Wrong != "" {
				err = fmt.Errorf("%s has a value, and its column has no name", xlsx.Name(i, row))
			}
		} else if t.columns[i].used {
			if why := t.columns[i].check(cell); why != "" {
				err = t.bad(i, errors.New(why))
				if spoilt(cell.Text) == "" {
					job.Source.Cells[i] = spoiltMark + " " + cell.Text
				}
			}
		}
		wrong = cmp.Or(wrong, err)
	}
	if wrong != nil {
		return wrong
	}
	for _, l := range t.outside {
		if text := t.value(l); text != "" {
			if _, err := place(job, l.to, gjson.Result{Type: gjson.String, Str: text}); err != nil {
				return err
			}
		}
	}
	if len(t.body.inner) > 0 {
		text, _, err := t.object(t.text[:0], t.body)
		t.text = text
		if err != nil {
			return err
		}
		job.Body = bytes.Clone(text)
	}
	t.sheet.finish(job, line)
	return t.sheet.missing(job)
}

// bad is an error about a cell of the current row.
func (t *table) bad(column int, err error) error {
	return fmt.Errorf("%s (column %s): %w", xlsx.Name(column, t.row), t.columns[column].name, err)
}

// value returns the text of a value in the current row, empty if it is to be left out.
func (t *table) value(l *leaf) string {
	switch {
	case l.column < 0:
		return l.constant
	case l.column < len(t.cells):
		return t.cells[l.column].Text
	}
	return ""
}

// object appends the fields that have a value, and reports whether there are any.
func (t *table) object(dst []byte, b *branch) (_ []byte, some bool, err error) {
	dst = append(dst, '{')
	for _, m := range b.inner {
		before := len(dst)
		if some {
			dst = append(dst, ',')
		}
		dst = append(dst, m.name...)
		has := false
		if m.leaf == nil {
			dst, has, err = t.object(dst, m)
		} else if text := t.value(m.leaf); text != "" {
			has = true
			if dst, err = m.leaf.value(dst, text); err != nil {
				err = t.bad(m.leaf.column, err)
			}
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

// value appends a text as JSON.
func (l *leaf) value(dst []byte, text string) ([]byte, error) {
	switch kind := fact.Type(l.kind); kind {
	case fact.Integer, kindFen:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil && kind == kindFen {
			return dst, errors.New("it is not a whole number of fen")
		}
		if err != nil {
			return dst, errors.New("it is not an integer")
		}
		return strconv.AppendInt(dst, n, 10), nil
	case kindYuan:
		fen, err := wxpay.ParseYuan(text)
		if err != nil {
			return dst, errors.New("it is not an amount in yuan of the form 1234.50")
		}
		return strconv.AppendInt(dst, fen, 10), nil
	case fact.Number:
		if !json.Valid([]byte(text)) || strings.Trim(text, "+-.0123456789eE") != "" {
			return dst, errors.New("it is not a number")
		}
		return append(dst, text...), nil
	case fact.Boolean:
		if text != "true" && text != "false" {
			return dst, errors.New("it is neither true nor false")
		}
		return append(dst, text...), nil
	case "json", fact.Object, fact.Strings, fact.Integers, fact.Numbers, fact.Booleans, fact.Objects:
		if !json.Valid([]byte(text)) {
			return dst, errors.New("it is not JSON")
		}
		return append(dst, text...), nil
	}
	return jsonwalk.AppendQuote(dst, text), nil
}
