package page

import (
	"iter"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// Manual writes the pages of operations and notifications in one language. It knows how they belong together, which the
// facts say of one side only. It does not change, and may be shared.
type Manual struct {
	language   language.Language
	writer     *gocode.Writer
	operations []*fact.Operation
	events     []*fact.Event
	replaces   map[string][]string // the operations that one replaces; both as METHOD /path
	outcomeOf  map[string][]string // the operations whose outcome one tells
}

// New returns the manual of operations and events, in their order.
func New(operations iter.Seq[*fact.Operation], events iter.Seq[*fact.Event], l language.Language) *Manual {
	m := &Manual{
		language: l, writer: gocode.New(catalog.V3().All()), // package api is made of them
		operations: slices.Collect(operations), events: slices.Collect(events),
		replaces: make(map[string][]string), outcomeOf: make(map[string][]string),
	}
	for _, operation := range m.operations {
		for _, newer := range operation.ReplacedBy {
			m.replaces[newer] = append(m.replaces[newer], key(operation))
		}
		if operation.Link != nil {
			query := "GET " + operation.Link.Query
			m.outcomeOf[query] = append(m.outcomeOf[query], key(operation))
		}
	}
	return m
}

// key is the name of an operation as the facts write it.
func key(operation *fact.Operation) string { return operation.Method + " " + operation.Path }

// eventsOf returns the types of the notifications that tell how an operation went on: those of its product family, if the
// request says where to send them.
func (m *Manual) eventsOf(operation *fact.Operation) []string {
	if !slices.ContainsFunc(operation.In.JSON, func(field fact.Field) bool { return field.Name == "notify_url" }) {
		return nil
	}
	var list []string
	for _, event := range m.events {
		if slices.ContainsFunc(gocode.Families(event), func(family string) bool { return slices.ContainsFunc(operation.Tags, within(family)) }) {
			list = append(list, event.Type)
		}
	}
	return list
}

// within returns a function that reports whether a family is this one, or beneath it.
func within(family string) func(string) bool {
	return func(tag string) bool { return tag == family || strings.HasPrefix(tag, family+"/") }
}
