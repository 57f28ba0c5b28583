package fleet

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// members are the fields that the catalogue knows of a request, as a Column names them. nil knows
// nothing.
type members struct {
	fields map[string]fact.Field
	labels map[string][]string
}

// membersOf returns those of an operation, nil if the catalogue does not know it or its body.
func membersOf(method, path string) *members {
	operation, _ := catalog.V3().Described().Lookup(method, "/"+strings.TrimPrefix(path, "/"))
	if operation == nil || len(operation.In.JSON) == 0 {
		return nil
	}
	m := &members{make(map[string]fact.Field), make(map[string][]string)}
	for _, f := range operation.In.Path {
		m.add("{"+f.Name+"}", f)
	}
	for _, f := range operation.In.Query {
		m.add("?"+f.Name, f)
	}
	m.addAll("", operation.In.JSON)
	return m
}

func (m *members) addAll(within string, fields []fact.Field) {
	for _, f := range fields {
		for _, name := range append([]string{f.Name}, f.Alt...) {
			m.fields[within+name] = f
		}
		m.add(within+f.Name, f)
		if f.Type == fact.Object { // no column can reach into an array
			m.addAll(within+f.Name+".", f.Fields)
		}
	}
}

func (m *members) add(name string, f fact.Field) {
	m.fields[name] = f
	if label := plain(f.Label); label != "" && f.Type != fact.Object {
		m.labels[label] = append(m.labels[label], name)
	}
}

// plain is a label as it is compared: white space and capitals do not matter.
func plain(label string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, label)
}

// find returns the field to which a column goes by its name alone: the one of that name, else the
// one with that label. A name in letters of ASCII may be a field that the catalogue lacks.
func (m *members) find(name string) (string, error) {
	if m == nil {
		return name, nil
	}
	if _, ok := m.fields[name]; ok {
		return name, nil
	}
	switch found := m.labels[plain(name)]; {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", fmt.Errorf("it is the label of %s: name the one that is meant", strings.Join(found, " and of "))
	case strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }):
		return "", errors.New("no field of the request has this name or label: name the field where it goes, or leave it out")
	}
	return name, nil
}

// unit returns the unit of a field, empty if nobody knows.
func (m *members) unit(name string) fact.Unit {
	if m == nil {
		return ""
	}
	return m.fields[name].Unit
}

// kind returns the type that a column of the field has, and whether it is documented.
func (m *members) kind(name string) (kind string, documented bool) {
	if m == nil {
		return "", false
	}
	f, documented := m.fields[name]
	if f.Unit == fact.Fen {
		return string(kindFen), documented
	}
	return string(f.Type), documented
}
