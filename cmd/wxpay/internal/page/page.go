// Package page shows operations and notifications of the catalogue in the manner of the platform's manual, in English or
// Chinese: for a terminal, as Markdown, as JSON, and as a folder with a page for each.
//
// The facts have no prose: the sentences are made of names, fields, constants, labels and links. A field that a page calls
// required is required with high probability, and constants go out of date; what the facts do not say, the page calls not
// known. The same facts give the same bytes, except for numbers in responses of the sandbox. Pages are values and may be
// shared; one goroutine at a time may write a folder.
package page

import (
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
)

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

	State    string   `json:"outcome_state,omitempty"`     // the field of the query with the state
	Means    []Means  `json:"outcome_means,omitempty"`     // what its values mean for this operation
	LookBack int      `json:"outcome_look_back,omitempty"` // how many days the query reaches back; 0: not known
	Only     []string `json:"only_in_answer,omitempty"`    // fields that the query lacks
	NoEffect []string `json:"codes_without_effect,omitempty"`
	List     string   `json:"list,omitempty"` // the field of the answer with the elements of a list, which Each reads whole

	OutcomeOf []string `json:"outcome_of,omitempty"` // the operations whose outcome it tells
	Events    []string `json:"notifications,omitempty"`

	Request  Request  `json:"request"`
	Response Response `json:"answer"`
	Codes    []Code   `json:"codes,omitempty"`
	Docs     []string `json:"docs,omitempty"`
	Go       string   `json:"go"`
	Command  string   `json:"command"`         // the same call in a shell
	Curl     string   `json:"curl,omitempty"`  // the same with curl, without a signature; not for uploads
	Types    string   `json:"types"`           // the command that writes Go types
	Typed    string   `json:"typed,omitempty"` // the types, and the call with them

	// Sandbox is the sandbox's response to the call; nil if it was not asked.
	Sandbox *answer.Answer `json:"-"`

	language language.Language
}

// Means is what a state of the query means for the operation.
type Means struct {
	State   string `json:"state"`
	Meaning string `json:"meaning"` // taken, accepted, succeeded, failed, partial or action
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
