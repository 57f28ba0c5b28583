// Package page shows operations from the catalogue in the manner of the platform's manual: for a terminal, as Markdown, as
// JSON, and as a folder with a page for every path.
//
// The facts have no prose, so a page has names, fields, constants and links only. A field that it calls required is
// required with high probability, and constants go out of date. The same facts give the same bytes. Pages are values and
// may be shared; one goroutine at a time may write a folder.
package page

import (
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/fact"
)

// defaultHost serves an operation whose facts name no other.
const defaultHost = "api.mch.weixin.qq.com"

// Page describes one operation. As JSON it is the document that is printed.
type Page struct {
	Method       string   `json:"method"`
	Path         string   `json:"path"`
	Name         string   `json:"name"`
	Status       string   `json:"status,omitempty"`
	ReplacedBy   []string `json:"replaced_by,omitempty"`
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

	Request  Request  `json:"request"`
	Response Response `json:"answer"`
	Codes    []Code   `json:"codes,omitempty"`
	Docs     []string `json:"docs,omitempty"`
	Go       string   `json:"go"`
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

// New returns the page of an operation, with the Go sample of a writer.
func New(operation *fact.Operation, writer *gocode.Writer) Page {
	page := Page{
		Method: operation.Method, Path: operation.Path, Name: operation.Name,
		Status: string(operation.Status), ReplacedBy: operation.ReplacedBy,
		Host: operation.Host, HostRequired: operation.HostRequired, Unsigned: operation.Unsigned,
		Scheme: string(operation.Scheme), Inferred: operation.Inferred,
		Tags: operation.Tags, Roles: operation.Roles, Joined: operation.Joined,
		ByHand: operation.ByHand, Overlay: operation.Overlay,
		MovesMoney: operation.MovesMoney, Repeat: string(operation.Repeat), Number: operation.Number.Field,
		PerSecond: operation.Rate.PerSecond, RatePer: operation.Rate.Per,
		Request: Request{
			Path: fieldsOf(operation.In.Path, true), Query: fieldsOf(operation.In.Query, true),
			Header: fieldsOf(operation.In.Header, true), Body: fieldsOf(operation.In.JSON, true),
			Form: fieldsOf(operation.In.Form, true),
		},
		Response: Response{
			Status: operation.Success, Kind: string(operation.Response), Content: operation.Content,
			Signature: string(operation.Signature), Fields: fieldsOf(operation.Out, false),
		},
		Go: writer.Sample(operation),
	}
	if page.Host == "" {
		page.Host = defaultHost
	}
	if operation.Link != nil {
		page.Query = "GET " + operation.Link.Query
	}
	for _, other := range operation.Also {
		page.LookAlikes = append(page.LookAlikes, other.Method+" "+other.Path)
	}
	for _, code := range operation.Codes {
		c := Code{Name: code.Name, Status: code.Status, Meaning: code.Meaning}
		if code.Doc != "" {
			c.Doc = fact.DocURL(code.Doc)
		}
		page.Codes = append(page.Codes, c)
	}
	for _, id := range operation.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	return page
}

func fieldsOf(fields []fact.Field, request bool) []Field {
	var list []Field
	for i := range fields {
		field := &fields[i]
		list = append(list, Field{
			Name: field.Name, Type: string(field.Type), Label: field.Label, Required: field.Required, Confirmed: field.Confirmed,
			Format: field.Format, Unit: string(field.Unit), Min: field.Min, Max: field.Max,
			Constants: field.Enum, Labels: field.EnumLabels, Complete: field.Reviewed,
			Cipher: string(field.Cipher), JSONText: field.JSONText, Alternatives: field.Alt,
			ByHand: field.ByHand, Overlay: field.Overlay, Sample: field.Sample, Fields: fieldsOf(field.Fields, request),
			required: required(field, request), remarks: gocode.Remarks(field),
		})
	}
	return list
}

// required tells how certain it is that a request needs a field, or that a response has it.
func required(field *fact.Field, request bool) string {
	switch {
	case !field.Required:
		return ""
	case !request:
		return "always"
	case field.Sure():
		return "yes"
	}
	return "documented"
}
