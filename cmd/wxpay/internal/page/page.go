// Package page shows operations as the platform's manual would, from the catalogue: for a terminal, as Markdown, as
// JSON, and as a folder with a page for every path.
//
// It has no prose to show, because the facts have none: names, members, constants and links only. What is called required
// is a strong hint, and constants go stale. The same facts give the same bytes. Pages are values and may be shared;
// writing a folder is for one goroutine at a time.
package page

import (
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/fact"
)

// defaultHost serves an operation whose facts name no other.
const defaultHost = "api.mch.weixin.qq.com"

// Page is what is shown of one operation, and the document that JSON prints.
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
	Inferred     bool     `json:"inferred,omitempty"` // no official source shows the members
	LookAlikes   []string `json:"look_alikes,omitempty"`
	ByHand       bool     `json:"by_hand,omitempty"`
	Overlay      bool     `json:"overlay,omitempty"` // the user's own word

	MovesMoney bool   `json:"moves_money,omitempty"`
	Repeat     string `json:"repeat,omitempty"` // documented, assumed or no
	Number     string `json:"merchant_number,omitempty"`
	PerSecond  int    `json:"requests_per_second,omitempty"`
	RatePer    string `json:"requests_counted_by,omitempty"`
	Query      string `json:"outcome_query,omitempty"`

	Request Request  `json:"request"`
	Answer  Answer   `json:"answer"`
	Codes   []Code   `json:"codes,omitempty"`
	Docs    []string `json:"docs,omitempty"`
	Go      string   `json:"go"`
}

// Code is an error code that the operation is documented to answer.
type Code struct {
	Name   string `json:"code"`
	Status int    `json:"status,omitempty"` // 0: not told
	Doc    string `json:"doc,omitempty"`    // the page that lists it
}

// Request lists the members of the request by place.
type Request struct {
	Path   []Member `json:"path,omitempty"`
	Query  []Member `json:"query,omitempty"`
	Header []Member `json:"header,omitempty"`
	Body   []Member `json:"body,omitempty"`
	Form   []Member `json:"form,omitempty"`
}

// Answer describes the successful answer.
type Answer struct {
	Status    int      `json:"status"`
	Kind      string   `json:"kind"`
	Content   string   `json:"content,omitempty"`   // of a stream: data, pdf or image
	Signature string   `json:"signature,omitempty"` // of a stream: none or digest
	Members   []Member `json:"members,omitempty"`
}

// Member is one member of a request or an answer.
type Member struct {
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
	Overlay      bool     `json:"overlay,omitempty"` // the user's own word
	Sample       any      `json:"sample,omitempty"`
	Members      []Member `json:"members,omitempty"`

	required string   // the same in one word
	remarks  []string // and in words
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
			Path: members(operation.In.Path, true), Query: members(operation.In.Query, true),
			Header: members(operation.In.Header, true), Body: members(operation.In.JSON, true),
			Form: members(operation.In.Form, true),
		},
		Answer: Answer{
			Status: operation.Success, Kind: string(operation.Response), Content: operation.Content,
			Signature: string(operation.Signature), Members: members(operation.Out, false),
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
		c := Code{Name: code.Name, Status: code.Status}
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

func members(fields []fact.Field, request bool) []Member {
	var list []Member
	for i := range fields {
		field := &fields[i]
		list = append(list, Member{
			Name: field.Name, Type: string(field.Type), Label: field.Label, Required: field.Required, Confirmed: field.Confirmed,
			Format: field.Format, Unit: string(field.Unit), Min: field.Min, Max: field.Max,
			Constants: field.Enum, Labels: field.EnumLabels, Complete: field.Reviewed,
			Cipher: string(field.Cipher), JSONText: field.JSONText, Alternatives: field.Alt,
			ByHand: field.ByHand, Overlay: field.Overlay, Sample: field.Sample, Members: members(field.Fields, request),
			required: required(field, request), remarks: gocode.Remarks(field),
		})
	}
	return list
}

// required tells how sure it is that a member has to be sent, or that an answer has it.
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
