// Package page shows operations and notifications of the catalogue in the manner of the platform's manual, in English or
// Chinese: for a terminal, as Markdown, as JSON, and as a folder with a page for each.
//
// The facts have no prose: the sentences are made of names, fields, constants, labels and links. A field that a page calls
// required is required with high probability, and constants go out of date; what the facts do not say, the page calls not
// known. The same facts give the same bytes, except for numbers in responses of the sandbox. Pages are values and may be shared; one goroutine at a time may write a folder.
package page

import (
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// defaultHost serves an operation whose facts name no other.
const defaultHost = "api.mch.weixin.qq.com"

// Page describes one operation. As JSON it is the document that is printed.
type Page struct {
	Method       string   `json:"method"`
	Path         string   `json:"path"`
	Name         string   `json:"name"`
	When         string   `json:"when"` // when to call it, in a few sentences
	Status       string   `json:"status,omitempty"`
	ReplacedBy   []string `json:"replaced_by,omitempty"`
	Replaces     []string `json:"replaces,omitempty"`
	Host         string   `json:"host"`
	HostRequired bool     `json:"host_required,omitempty"`
	Unsigned     bool     `json:"unsigned,omitempty"`
	Scheme       string   `json:"scheme,omitempty"` // brand
	Tags         []string `json:"tags,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	Joined       bool     `json:"joined,omitempty"`   // direct and partner callers are described together
	Inferred     bool     `json:"inferred,omitempty"` // no official source shows the fields
	LookAlikes   []string `json:"look_alikes,omitempty"`
	ByHand       bool     `json:"by_hand,omitempty"`
	Overlay      bool     `json:"overlay,omitempty"` // from the overlay

	MovesMoney bool   `json:"moves_money,omitempty"`
	Repeat     string `json:"repeat,omitempty"` // documented, assumed or no
	Number     string `json:"merchant_number,omitempty"`
	PerSecond  int    `json:"requests_per_second,omitempty"`
	RatePer    string `json:"requests_counted_by,omitempty"`
	Query      string `json:"outcome_query,omitempty"`

	OutcomeOf []string `json:"outcome_of,omitempty"` // the operations whose outcome it tells
	Events    []string `json:"notifications,omitempty"`

	Request  Request  `json:"request"`
	Response Response `json:"answer"`
	Codes    []Code   `json:"codes,omitempty"`
	Docs     []string `json:"docs,omitempty"`
	Go       string   `json:"go"`
	Command  string   `json:"command"`        // the same call in a shell
	Curl     string   `json:"curl,omitempty"` // the same with curl, without a signature; not for uploads
	Types    string   `json:"types"`          // the command that writes Go types

	// Sandbox is the sandbox's response to the call; nil if it was not asked.
	Sandbox *answer.Answer `json:"-"`

	language language.Language
}

// Code is a documented error code of the operation.
type Code struct {
	Name    string `json:"code"`
	Status  int    `json:"status,omitempty"`  // 0: unknown
	Meaning string `json:"meaning,omitempty"` // what this operation means by it
	Doc     string `json:"doc,omitempty"`     // the page that lists it
}

// Request lists the fields of the request by place.
type Request struct {
	Path   []Field `json:"path,omitempty"`
	Query  []Field `json:"query,omitempty"`
	Header []Field `json:"header,omitempty"`
	Body   []Field `json:"body,omitempty"`
	Form   []Field `json:"form,omitempty"`
}

// Response describes the response of a success.
type Response struct {
	Status    int     `json:"status"`
	Kind      string  `json:"kind"`
	Content   string  `json:"content,omitempty"`   // of a stream: data, pdf or image
	Signature string  `json:"signature,omitempty"` // of a stream: none or digest
	Fields    []Field `json:"members,omitempty"`
}

// Field is one field of a request or a response.
type Field struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Label        string   `json:"label,omitempty"`
	Required     bool     `json:"required,omitempty"`
	Confirmed    bool     `json:"confirmed,omitempty"` // that it is required; of requests only
	Format       string   `json:"format,omitempty"`
	Unit         string   `json:"unit,omitempty"`
	Min          int64    `json:"min,omitempty"`
	Max          int64    `json:"max,omitempty"`
	Constants    []any    `json:"constants,omitempty"`
	Labels       []string `json:"constant_labels,omitempty"` // one for each constant
	Complete     bool     `json:"constants_reviewed,omitempty"`
	Cipher       string   `json:"cipher,omitempty"`
	JSONText     bool     `json:"json_text,omitempty"`
	Alternatives []string `json:"alternatives,omitempty"`
	ByHand       bool     `json:"by_hand,omitempty"`
	Overlay      bool     `json:"overlay,omitempty"` // from the overlay
	Sample       any      `json:"sample,omitempty"`
	Fields       []Field  `json:"members,omitempty"`

	required string   // the same in one word
	remarks  []string // in words
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
		language: m.language,
	}
	if page.Host == "" {
		page.Host = defaultHost
	}
	page.Curl = call.Curl(page.Host)
	if operation.Link != nil {
		page.Query = "GET " + operation.Link.Query
	}
	for _, other := range operation.Also {
		page.LookAlikes = append(page.LookAlikes, key(other))
	}
	for _, code := range operation.Codes {
		c := Code{Name: code.Name, Status: code.Status, Meaning: code.Meaning}
		if chinese := meanings[code.Meaning]; chinese != "" {
			c.Meaning = m.language.Say(code.Meaning, chinese)
		}
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
