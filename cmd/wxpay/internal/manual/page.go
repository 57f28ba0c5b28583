// Package manual shows operations as the platform's manual would, from the catalogue: for a terminal, as Markdown, as
// JSON, and as a folder with a page for every path.
//
// It has no prose to show, because the facts have none: names, members, constants and links only. What is called required
// is a strong hint, and constants go stale. The same facts give the same bytes. Pages are values and may be shared;
// writing a folder is for one goroutine at a time.
package manual

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
	Tags         []string `json:"tags,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	Joined       bool     `json:"joined,omitempty"` // direct and partner callers are described together
	LookAlikes   []string `json:"look_alikes,omitempty"`
	ByHand       bool     `json:"by_hand,omitempty"`

	MovesMoney bool   `json:"moves_money,omitempty"`
	Repeat     string `json:"repeat,omitempty"` // documented, assumed or no
	Number     string `json:"merchant_number,omitempty"`
	PerSecond  int    `json:"requests_per_second,omitempty"`
	RatePer    string `json:"requests_counted_by,omitempty"`
	Query      string `json:"outcome_query,omitempty"`

	Request Request  `json:"request"`
	Answer  Answer   `json:"answer"`
	Docs    []string `json:"docs,omitempty"`
	Go      string   `json:"go"`
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
	Required     bool     `json:"required,omitempty"`
	Format       string   `json:"format,omitempty"`
	Constants    []any    `json:"constants,omitempty"`
	Complete     bool     `json:"constants_reviewed,omitempty"`
	Cipher       string   `json:"cipher,omitempty"`
	JSONText     bool     `json:"json_text,omitempty"`
	Alternatives []string `json:"alternatives,omitempty"`
	ByHand       bool     `json:"by_hand,omitempty"`
	Members      []Member `json:"members,omitempty"`

	remarks []string // the same in words
}

// New returns the page of an operation, with the Go sample of a writer.
func New(operation *fact.Operation, writer *gocode.Writer) Page {
	page := Page{
		Method: operation.Method, Path: operation.Path, Name: operation.Name,
		Status: string(operation.Status), ReplacedBy: operation.ReplacedBy,
		Host: operation.Host, HostRequired: operation.HostRequired, Unsigned: operation.Unsigned,
		Tags: operation.Tags, Roles: operation.Roles, Joined: operation.Joined, ByHand: operation.ByHand,
		MovesMoney: operation.MovesMoney, Repeat: string(operation.Repeat), Number: operation.Number.Member,
		PerSecond: operation.Rate.PerSecond, RatePer: operation.Rate.Per,
		Request: Request{
			Path: members(operation.In.Path), Query: members(operation.In.Query), Header: members(operation.In.Header),
			Body: members(operation.In.JSON), Form: members(operation.In.Form),
		},
		Answer: Answer{
			Status: operation.Success, Kind: string(operation.Answer), Content: operation.Content,
			Signature: string(operation.Signature), Members: members(operation.Out),
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
	for _, id := range operation.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	return page
}

func members(fields []fact.Field) []Member {
	var list []Member
	for i := range fields {
		field := &fields[i]
		list = append(list, Member{
			remarks: gocode.Remarks(field),
			Name:    field.Name, Type: string(field.Type), Required: field.Required, Format: field.Format,
			Constants: field.Enum, Complete: field.Reviewed, Cipher: string(field.Cipher), JSONText: field.JSONText,
			Alternatives: field.Alt, ByHand: field.ByHand, Members: members(field.Fields),
		})
	}
	return list
}
