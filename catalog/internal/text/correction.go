package text

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Correction is one line that says what a facts file has wrong. The form is described in CONTRIBUTING.md:
//
//	ROW WHAT CHANGE <SOURCE>...
//
// ROW is METHOD /path or event TYPE. WHAT is the place of a field and its path in it, such as json.amount.total, or the
// key of a line, such as status. CHANGE of a field is "added" and what stands behind the name in a text, "removed", "label"
// and constants with their new labels, or the marks that change. CHANGE of a line is its values, divided by " | "; none
// removes it.
type Correction struct {
	Line    int
	Row     string
	What    string
	Change  string
	Sources []string
}

// String is the correction as it is written, without its sources.
func (c Correction) String() string {
	return strings.TrimSpace(c.Row + " " + c.What + " " + c.Change)
}

// ParseCorrections reads one correction a line. Empty lines and lines that begin with # say nothing. An error names the line.
func ParseCorrections(src string) ([]Correction, error) {
	var list []Correction
	number := 0
	for line := range strings.SplitSeq(src, "\n") {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		c, err := parseCorrection(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		c.Line = number
		list = append(list, c)
	}
	return list, nil
}

func parseCorrection(line string) (Correction, error) {
	text, sources, _ := strings.Cut(line, " <")
	var c Correction
	for source := range strings.SplitSeq(sources, " <") {
		source, closed := strings.CutSuffix(source, ">")
		if !closed || !strings.Contains(source, "/") || strings.ContainsAny(source, " <>") {
			return c, problem("ends with its source in angle brackets: a documentation id or an address")
		}
		c.Sources = append(c.Sources, source)
	}
	words := strings.SplitN(text, " ", 4)
	if len(words) < 3 || words[2] == "" {
		return c, problem("begins with METHOD /path or event TYPE, and says what is wrong there")
	}
	c.Row, c.What = words[0]+" "+words[1], words[2]
	if len(words) == 4 {
		c.Change = words[3]
	}
	if method(words[0]) == "" && words[0] != "event" {
		return c, fmt.Errorf("%q is neither a method nor the word event", words[0])
	}
	return c, nil
}

// Apply changes a document as the corrections say, and returns those that changed nothing: the document said so already.
// Rows are replaced, never changed in place. The error names the lines of those that could not be made; the others are made.
func Apply(doc *Document, corrections []Correction) (idle []Correction, misfits error) {
	for _, c := range corrections {
		changed, err := false, error(nil)
		if eventType, ok := strings.CutPrefix(c.Row, "event "); ok {
			i := slices.IndexFunc(doc.Events, func(e *fact.Event) bool { return e.Type == eventType })
			changed, err = correctRow(doc.Events, i, c, EventKeys, func(e *fact.Event) *Document { return &Document{Events: []*fact.Event{e}} },
				func(d *Document) *fact.Event { return d.Events[0] })
		} else {
			i := slices.IndexFunc(doc.Operations, func(o *fact.Operation) bool { return o.Method+" "+o.Path == c.Row })
			changed, err = correctRow(doc.Operations, i, c, OperationKeys,
				func(o *fact.Operation) *Document { return &Document{Operations: []*fact.Operation{o}} },
				func(d *Document) *fact.Operation { return d.Operations[0] })
		}
		if err != nil {
			misfits = errors.Join(misfits, fmt.Errorf("line %d: %s: %w", c.Line, c, err))
		} else if !changed {
			idle = append(idle, c)
		}
	}
	return idle, misfits
}

// correctRow works on a copy of a row, which is made by writing and reading it.
func correctRow[T any](rows []*T, i int, c Correction, keys []Key[T], alone func(*T) *Document, only func(*Document) *T) (bool, error) {
	if i < 0 {
		return false, problem("there is no such row")
	}
	before := Format(alone(rows[i]))
	name, path, ofMember := strings.Cut(c.What, ".")
	key := find(keys, name)
	if key == nil {
		return false, fmt.Errorf("%q is no place and no line of a row", name)
	}
	if key.ByHand {
		return false, fmt.Errorf("%q is kept by hand in the texts themselves", name)
	}
	after := before
	if !ofMember {
		if key.SetFields != nil && name != "answer" {
			return false, problem("names no field")
		}
		after = correctLines(before, name, c.Change)
	}
	doc, err := Parse(after)
	if err != nil {
		return false, err
	}
	row := only(doc)
	if ofMember {
		if key.SetFields == nil {
			return false, fmt.Errorf("%q has no fields", name)
		}
		list, err := correctMember(key.Fields(row), path, c.Change)
		if err != nil {
			return false, err
		}
		key.SetFields(row, list)
	}
	rows[i] = row
	return Format(alone(row)) != before, nil
}

// correctLines replaces the lines of a key in the text of a row. The fields below a line stay.
func correctLines(row, key, values string) string {
	var added []string
	if values != "" {
		for value := range strings.SplitSeq(values, " | ") {
			added = append(added, "  "+key+" "+value)
		}
	}
	lines := strings.Split(row, "\n")
	matches := func(line string) bool { return line == "  "+key || strings.HasPrefix(line, "  "+key+" ") }
	at := slices.IndexFunc(lines, matches)
	lines = slices.DeleteFunc(lines, matches)
	if at < 0 {
		at = 1 // behind the head: order is the writer's
	}
	return strings.Join(slices.Insert(lines, at, added...), "\n")
}

// correctMember changes the field at a dotted path, or adds it at the end of its level.
func correctMember(list []fact.Field, path, change string) ([]fact.Field, error) {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(list, func(f fact.Field) bool { return f.Name == name })
	if deeper {
		if i < 0 {
			return nil, fmt.Errorf("there is no field %q", name)
		}
		below, err := correctMember(list[i].Fields, rest, change)
		list[i].Fields = below
		return list, err
	}
	kind, line, _ := strings.Cut(change, " ")
	switch {
	case kind == "added" && i < 0:
		field, err := new(parser).fieldOf(name + " " + line)
		if err != nil {
			return nil, err
		}
		field.ByHand = true
		return append(list, field), nil
	case kind == "added":
		return list, nil // the facts have it, and know more
	case change == "removed" && i >= 0:
		return slices.Delete(list, i, i+1), nil
	case change == "removed":
		return list, nil
	case i < 0:
		return nil, fmt.Errorf("there is no field %q", name)
	}
	return list, correctField(&list[i], change)
}

// fieldOf reads one line that stands alone.
func (p *parser) fieldOf(line string) (fact.Field, error) {
	p.text, p.enums = line, map[string]constantList{}
	field, err := p.field()
	if err != nil {
		return field, problem(strings.TrimPrefix(err.Error(), "line 0: "))
	}
	return field, nil
}

// correctField changes what the marks say and leaves the rest.
func correctField(field *fact.Field, change string) error {
	if labelled, ok := strings.CutPrefix(change, "label "); ok {
		return correctLabels(field, labelled)
	}
	facts, texts, hasTexts := strings.Cut(" "+change, " #")
	marks, constants, hasEnum := strings.Cut(facts, " = ")
	for mark := range strings.FieldsSeq(marks) {
		if !correctMark(field, mark) {
			return fmt.Errorf("the mark %q is unknown", mark)
		}
	}
	if hasEnum {
		list, err := (&parser{enums: map[string]constantList{}}).constants(field.Type.Element(), constants)
		if err != nil {
			return err
		}
		field.Enum, field.EnumLabels = list.values, keptLabels(field, list)
	}
	if hasTexts {
		return setTexts(field, texts)
	}
	return nil
}

// correctLabels changes the labels of some constants and leaves the others.
func correctLabels(field *fact.Field, labelled string) error {
	list, err := (&parser{enums: map[string]constantList{}}).constants(field.Type.Element(), labelled)
	if err != nil {
		return err
	}
	labels := make([]string, len(field.Enum))
	copy(labels, field.EnumLabels)
	for i, constant := range list.values {
		k := slices.Index(field.Enum, constant)
		if k < 0 || list.labels == nil || list.labels[i] == "" {
			return fmt.Errorf("%v is no constant of the field, or has no label behind it", constant)
		}
		labels[k] = list.labels[i]
	}
	field.EnumLabels = labels
	return nil
}

func correctMark(field *fact.Field, mark string) bool {
	switch mark {
	case "required":
		field.Required = true
		return true
	case "confirmed":
		field.Required, field.Confirmed = true, true
		return true
	case "unconfirmed":
		field.Confirmed = false
		return true
	case "optional":
		field.Required, field.Confirmed = false, false
		return true
	case "plain":
		field.Cipher = fact.Plain
		return true
	}
	if kind := fieldType(mark); kind != "" {
		field.Type = kind
		return true
	}
	// A mark takes the place of the one of its kind.
	var alone fact.Field
	if !setMark(&alone, mark) || alone.ByHand {
		return false
	}
	field.JSONText = field.JSONText || alone.JSONText
	field.Reviewed = field.Reviewed || alone.Reviewed
	if alone.Cipher != fact.Plain {
		field.Cipher, field.Sample = alone.Cipher, nil
	}
	if alone.Format != "" {
		field.Format = alone.Format
	}
	if alone.Unit != "" {
		field.Unit = alone.Unit
	}
	if alone.Min != 0 || alone.Max != 0 {
		field.Min, field.Max = alone.Min, alone.Max
	}
	for _, other := range alone.Alt {
		if !slices.Contains(field.Alt, other) {
			field.Alt = append(field.Alt, other)
		}
	}
	return true
}

// keptLabels returns the labels of a new list of constants, with those that the field had where the list has none.
func keptLabels(field *fact.Field, list constantList) []string {
	labels := make([]string, len(list.values))
	copy(labels, list.labels)
	for i, constant := range list.values {
		if k := slices.Index(field.Enum, constant); k >= 0 && labels[i] == "" && field.EnumLabels != nil {
			labels[i] = field.EnumLabels[k]
		}
	}
	if !slices.ContainsFunc(labels, func(label string) bool { return label != "" }) {
		return nil
	}
	return labels
}
