// Package text reads and writes the catalogue's own form: plain text that a person can review, one operation or event a
// block. The form is described in package catalog.
//
// Parse is what a program runs when it first uses the catalogue, so it is quick and checks the grammar only; Check tells
// whether the facts make sense, and is for tests and for the maintenance command. Both may be called from several
// goroutines. It is the wrong choice for anything but the catalogue's data.
package text

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Document is the content of one or several texts.
type Document struct {
	Operations []*fact.Operation
	Events     []*fact.Event
	Codes      []*fact.Code
}

// Methods are the HTTP methods the catalogue knows, in the order in which operations of one path are listed.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// Key is a keyed line of a block. A new kind of fact is one more row in OperationKeys or EventKeys.
type Key[T any] struct {
	// Name begins the line.
	Name string
	// ByHand says that facts files know nothing of this line: it is written and kept by hand.
	ByHand bool
	// Values returns the texts to print, a line for each; no text, no line. A flag has the single text "".
	Values func(*T) []string
	// Set takes the text of one line.
	Set func(*T, string) error
	// Fields returns the members listed below the line, and SetFields takes them; both are nil for a key without members.
	Fields    func(*T) []fact.Field
	SetFields func(*T, []fact.Field)
}

// OperationKeys are the lines of an operation in the order in which they are written.
var OperationKeys = []Key[fact.Operation]{
	flag("hand", true, func(o *fact.Operation) *bool { return &o.ByHand }),
	word("name", func(o *fact.Operation) *string { return &o.Name }),
	{
		Name: "host",
		Values: func(o *fact.Operation) []string {
			if o.HostRequired {
				return []string{o.Host + " only"}
			}
			return one(o.Host)
		},
		Set: func(o *fact.Operation, value string) error {
			if o.Host != "" {
				return errTwice
			}
			if o.Host, o.HostRequired = strings.CutSuffix(value, " only"); o.Host == "" {
				return errBare
			}
			return nil
		},
	},
	flag("unsigned", false, func(o *fact.Operation) *bool { return &o.Unsigned }),
	word("scheme", func(o *fact.Operation) *fact.Scheme { return &o.Scheme }),
	word("status", func(o *fact.Operation) *fact.Status { return &o.Status }),
	list("replaced-by", func(o *fact.Operation) *[]string { return &o.ReplacedBy }),
	list("tag", func(o *fact.Operation) *[]string { return &o.Tags }),
	list("role", func(o *fact.Operation) *[]string { return &o.Roles }),
	flag("joined", false, func(o *fact.Operation) *bool { return &o.Joined }),
	flag("inferred", false, func(o *fact.Operation) *bool { return &o.Inferred }),
	fields("path", func(o *fact.Operation) *[]fact.Field { return &o.In.Path }),
	fields("query", func(o *fact.Operation) *[]fact.Field { return &o.In.Query }),
	fields("header", func(o *fact.Operation) *[]fact.Field { return &o.In.Header }),
	fields("json", func(o *fact.Operation) *[]fact.Field { return &o.In.JSON }),
	fields("form", func(o *fact.Operation) *[]fact.Field { return &o.In.Form }),
	{
		Name:      "answer",
		Values:    func(o *fact.Operation) []string { return one(answerText(o)) },
		Set:       setAnswer,
		Fields:    func(o *fact.Operation) []fact.Field { return o.Out },
		SetFields: func(o *fact.Operation, out []fact.Field) { o.Out = out },
	},
	list("doc", func(o *fact.Operation) *[]string { return &o.Docs }),
	words("code", codeTexts, setCode),
	flag("money", true, func(o *fact.Operation) *bool { return &o.MovesMoney }),
	byHand(word("repeat", func(o *fact.Operation) *fact.Repeat { return &o.Repeat })),
	words("number", numberText, setNumber),
	words("rate", rateText, setRate),
	words("link", linkText, setLink),
	linked("acts", func(l *fact.Link) []string { return yes(l.Acts) }, setActs),
	linked("copy", func(l *fact.Link) []string { return copyTexts(l.Copy) }, func(l *fact.Link, v string) error { return setCopy(&l.Copy, v) }),
	linked("missing", func(l *fact.Link) []string { return l.Missing }, setMissing),
	linked("state", func(l *fact.Link) []string { return one(l.State) }, setState),
	linked("means", meansTexts, setMeans),
	linked("parts", partsText, setParts),
	linked("same", func(l *fact.Link) []string { return copyTexts(l.Same) }, func(l *fact.Link, v string) error { return setCopy(&l.Same, v) }),
	linked("only", func(l *fact.Link) []string { return l.Only }, setOnly),
	linked("look-back", lookBackText, setLookBack),
	words("bind", func(o *fact.Operation) []string { return copyTexts(o.Bind) }, func(o *fact.Operation, v string) error { return setCopy(&o.Bind, v) }),
	words("excludes", excludesTexts, setExcludes),
}

// EventKeys are the lines of an event in the order in which they are written.
var EventKeys = []Key[fact.Event]{
	flag("hand", true, func(e *fact.Event) *bool { return &e.ByHand }),
	word("name", func(e *fact.Event) *string { return &e.Name }),
	list("alias", func(e *fact.Event) *[]string { return &e.Aliases }),
	word("scheme", func(e *fact.Event) *fact.Scheme { return &e.Scheme }),
	list("resource-type", func(e *fact.Event) *[]string { return &e.ResourceTypes }),
	list("original-type", func(e *fact.Event) *[]string { return &e.OriginalTypes }),
	word("algorithm", func(e *fact.Event) *string { return &e.Algorithm }),
	list("variant", func(e *fact.Event) *[]string { return &e.Variants }),
	flag("joined", false, func(e *fact.Event) *bool { return &e.Joined }),
	flag("inferred", false, func(e *fact.Event) *bool { return &e.Inferred }),
	fields("resource", func(e *fact.Event) *[]fact.Field { return &e.Resource }),
	reply("reply-header", func(r *fact.Reply) *[]fact.Field { return &r.Header }),
	reply("reply-body", func(r *fact.Reply) *[]fact.Field { return &r.Body }),
	list("doc", func(e *fact.Event) *[]string { return &e.Docs }),
}

// CodeKeys are the lines of an error code in the order in which they are written.
var CodeKeys = []Key[fact.Code]{
	number("status", func(c *fact.Code) *int { return &c.Status }),
	word("label", func(c *fact.Code) *string { return &c.Label }),
	word("same-as", func(c *fact.Code) *string { return &c.Same }),
}

// What a key's Set says; the parser puts line and key before it.
const (
	errTwice = problem("is given twice")
	errBare  = problem("lacks its value")
	errValue = problem("takes no value")
)

type problem string

func (p problem) Error() string { return string(p) }

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func flag[T any](name string, byHand bool, at func(*T) *bool) Key[T] {
	return Key[T]{
		Name:   name,
		ByHand: byHand,
		Values: func(t *T) []string {
			if *at(t) {
				return []string{""}
			}
			return nil
		},
		Set: func(t *T, value string) error {
			if value != "" {
				return errValue
			}
			if *at(t) {
				return errTwice
			}
			*at(t) = true
			return nil
		},
	}
}

func word[T any, S ~string](name string, at func(*T) *S) Key[T] {
	return Key[T]{
		Name:   name,
		Values: func(t *T) []string { return one(string(*at(t))) },
		Set: func(t *T, value string) error {
			if value == "" {
				return errBare
			}
			if *at(t) != "" {
				return errTwice
			}
			*at(t) = S(value)
			return nil
		},
	}
}

func number[T any](name string, at func(*T) *int) Key[T] {
	return Key[T]{
		Name: name,
		Values: func(t *T) []string {
			if *at(t) == 0 {
				return nil
			}
			return []string{strconv.Itoa(*at(t))}
		},
		Set: func(t *T, value string) error {
			n, err := strconv.Atoi(value)
			switch {
			case err != nil || n <= 0:
				return fmt.Errorf("has %q; it is a number above 0", value)
			case *at(t) != 0:
				return errTwice
			}
			*at(t) = n
			return nil
		},
	}
}

// codeTexts writes CODE STATUS [DOC], with - for a status that is not told.
func codeTexts(o *fact.Operation) []string {
	var texts []string
	for _, code := range o.Codes {
		s := code.Name + " -"
		if code.Status != 0 {
			s = code.Name + " " + strconv.Itoa(code.Status)
		}
		texts = append(texts, strings.TrimSpace(s+" "+code.Doc))
	}
	return texts
}

func setCode(o *fact.Operation, value string) error {
	list := strings.Split(value, " ")
	if len(list) < 2 || len(list) > 3 || slices.Contains(list, "") {
		return problem("takes a code, its status or -, and the page that lists it")
	}
	code := fact.OperationCode{Name: list[0]}
	if list[1] != "-" {
		status, err := strconv.Atoi(list[1])
		if err != nil || status <= 0 {
			return fmt.Errorf("has the status %q; it is a number, or - where it is not told", list[1])
		}
		code.Status = status
	}
	if len(list) == 3 {
		code.Doc = list[2]
	}
	o.Codes = append(o.Codes, code)
	return nil
}

func list[T any](name string, at func(*T) *[]string) Key[T] {
	return Key[T]{
		Name:   name,
		Values: func(t *T) []string { return *at(t) },
		Set: func(t *T, value string) error {
			if value == "" {
				return errBare
			}
			*at(t) = append(*at(t), value)
			return nil
		},
	}
}

func fields[T any](name string, at func(*T) *[]fact.Field) Key[T] {
	return members(name, func(t *T) []fact.Field { return *at(t) }, func(t *T, list []fact.Field) { *at(t) = list })
}

// reply is fields for one part of an event's Reply, which comes into being with its first part.
func reply(name string, at func(*fact.Reply) *[]fact.Field) Key[fact.Event] {
	return members(name,
		func(e *fact.Event) []fact.Field {
			if e.Reply == nil {
				return nil
			}
			return *at(e.Reply)
		},
		func(e *fact.Event, list []fact.Field) {
			if e.Reply == nil {
				e.Reply = &fact.Reply{}
			}
			*at(e.Reply) = list
		})
}

func members[T any](name string, get func(*T) []fact.Field, set func(*T, []fact.Field)) Key[T] {
	return Key[T]{
		Name: name,
		Values: func(t *T) []string {
			if len(get(t)) > 0 {
				return []string{""}
			}
			return nil
		},
		Set: func(t *T, value string) error {
			if value != "" {
				return errValue
			}
			if get(t) != nil {
				return errTwice
			}
			return nil
		},
		Fields:    get,
		SetFields: set,
	}
}

// answerText returns "STATUS KIND [CONTENT] [SIGNATURE]", or nothing as long as the kind is unknown.
func answerText(o *fact.Operation) string {
	if o.Answer == "" {
		return ""
	}
	s := strconv.Itoa(o.Success) + " " + string(o.Answer)
	if o.Content != "" {
		s += " " + o.Content
	}
	switch o.Signature {
	case fact.NoSignature:
		s += " unsigned"
	case fact.OverDigest:
		s += " digest"
	}
	return s
}

func setAnswer(o *fact.Operation, value string) error {
	if o.Answer != "" {
		return errTwice
	}
	status, rest, _ := strings.Cut(value, " ")
	kind, rest, more := strings.Cut(rest, " ")
	switch status {
	case "200":
		o.Success = 200
	case "202":
		o.Success = 202
	case "204":
		o.Success = 204
	default:
		return fmt.Errorf("has the status %q; 200, 202 and 204 are known", status)
	}
	switch kind {
	case string(fact.JSONAnswer):
		o.Answer = fact.JSONAnswer
	case string(fact.EmptyAnswer):
		o.Answer = fact.EmptyAnswer
	case string(fact.StreamAnswer):
		o.Answer = fact.StreamAnswer
	default:
		return fmt.Errorf("has the kind %q; json, empty and stream are known", kind)
	}
	for more {
		var next string
		next, rest, more = strings.Cut(rest, " ")
		switch {
		case next == "unsigned" && o.Signature == fact.OverBody:
			o.Signature = fact.NoSignature
		case next == "digest" && o.Signature == fact.OverBody:
			o.Signature = fact.OverDigest
		case (next == "data" || next == "pdf" || next == "image") && o.Content == "" && o.Signature == fact.OverBody:
			o.Content = next
		default:
			return fmt.Errorf("does not know %q here", next)
		}
	}
	return nil
}
