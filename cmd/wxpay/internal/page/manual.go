package page

import (
	"iter"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
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

// Page returns the page of an operation.
func (m *Manual) Page(operation *fact.Operation) Page {
	call := example.Of(operation)
	page := Page{
		Method: operation.Method, Path: operation.Path, Name: operation.Name,
		Status: string(operation.Status), ReplacedBy: operation.ReplacedBy, Replaces: m.replaces[key(operation)],
		Host: operation.Host, HostRequired: operation.HostRequired, Unsigned: operation.Unsigned,
		Scheme: string(operation.Scheme), Inferred: operation.Inferred,
		Tags: operation.Tags, Roles: operation.Roles, Joined: operation.Joined,
		ByHand: operation.ByHand, Overlay: operation.Overlay,
		MovesMoney: operation.MovesMoney, Repeat: string(operation.Repeat), Number: operation.Number.Field,
		PerSecond: operation.Rate.PerSecond, RatePer: operation.Rate.Per,
		OutcomeOf: m.outcomeOf[key(operation)], Events: m.eventsOf(operation),
		Request: Request{
			Path: m.fieldsOf(operation.In.Path, true), Query: m.fieldsOf(operation.In.Query, true),
			Header: m.fieldsOf(operation.In.Header, true), Body: m.fieldsOf(operation.In.JSON, true),
			Form: m.fieldsOf(operation.In.Form, true),
		},
		Response: Response{
			Status: operation.Success, Kind: string(operation.Response), Content: operation.Content,
			Signature: string(operation.Signature), Fields: m.fieldsOf(operation.Out, false),
		},
		Go: m.writer.Sample(operation, m.language), Command: call.Command(),
		Types:    "wxpay gen types " + operation.Method + " " + example.ShellWord(operation.Path[1:]),
		Typed:    gocode.Typed(operation, m.language),
		language: m.language,
	}
	if page.Host == "" {
		page.Host = fact.DefaultHost
	}
	page.Curl = call.Curl(page.Host)
	if operation.Link != nil {
		page.Query, page.State = "GET "+operation.Link.Query, operation.Link.State
		page.LookBack, page.Only = operation.Link.LookBack, operation.Link.Only
		for _, m := range operation.Link.Means {
			page.Means = append(page.Means, Means{m.Value, string(m.Meaning)})
		}
	}
	for _, code := range operation.Excludes {
		page.NoEffect = append(page.NoEffect, code.Code)
	}
	if operation.Paging != nil {
		page.List = operation.Paging.List
	}
	for _, other := range operation.Also {
		page.LookAlikes = append(page.LookAlikes, key(other))
	}
	for _, code := range operation.Codes {
		c := Code{Name: code.Name, Status: code.Status, Meaning: Meaning(code.Meaning, m.language)}
		if code.Doc != "" {
			c.Doc = fact.DocURL(code.Doc)
		}
		page.Codes = append(page.Codes, c)
	}
	for _, id := range operation.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	page.When = page.when()
	return page
}

func (m *Manual) fieldsOf(fields []fact.Field, request bool) []Field {
	var list []Field
	for i := range fields {
		field := &fields[i]
		list = append(list, Field{
			Name: field.Name, Type: string(field.Type), Label: field.Label, Required: field.Required, Confirmed: field.Confirmed,
			Format: field.Format, Unit: string(field.Unit), Min: field.Min, Max: field.Max,
			Constants: field.Enum, Labels: field.EnumLabels, Complete: field.Reviewed,
			Cipher: string(field.Cipher), JSONText: field.JSONText, Alternatives: field.Alt,
			ByHand: field.ByHand, Overlay: field.Overlay, Sample: field.Sample, Fields: m.fieldsOf(field.Fields, request),
			required: required(field, request, m.language), remarks: gocode.Remarks(field, m.language),
		})
	}
	return list
}

// required tells how certain it is that a request needs a field, or that a response has it.
func required(field *fact.Field, request bool, l language.Language) string {
	switch {
	case !field.Required && request:
		return l.Say("no", "否")
	case !field.Required:
		return ""
	case !request:
		return l.Say("always", "总有")
	case field.Sure():
		return l.Say("yes", "是")
	}
	return l.Say("documented", "文档要求")
}
