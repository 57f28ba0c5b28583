package text

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

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
	words("pages", pagingText, setPaging),
	byHand(list("not-caller", func(o *fact.Operation) *[]string { return &o.NotCaller })),
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

// codeTexts writes CODE STATUS [DOC [# MEANING]], with - for a status that is not told.
func codeTexts(o *fact.Operation) []string {
	var texts []string
	for _, code := range o.Codes {
		s := code.Name + " -"
		if code.Status != 0 {
			s = code.Name + " " + strconv.Itoa(code.Status)
		}
		s = strings.TrimSpace(s + " " + code.Doc)
		if code.Meaning != "" {
			s += " # " + code.Meaning
		}
		texts = append(texts, s)
	}
	return texts
}

func setCode(o *fact.Operation, value string) error {
	value, meaning, _ := strings.Cut(value, " # ")
	list := strings.Split(value, " ")
	if len(list) < 2 || len(list) > 3 || slices.Contains(list, "") {
		return problem("takes a code, its status or -, the page that lists it, and behind # what it means")
	}
	code := fact.OperationCode{Name: list[0], Meaning: meaning}
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

// answerText returns "STATUS KIND [CONTENT] [SIGNATURE]", or nothing as long as the kind is unknown.
func answerText(o *fact.Operation) string {
	if o.Response == "" {
		return ""
	}
	s := strconv.Itoa(o.Success) + " " + string(o.Response)
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
	if o.Response != "" {
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
	case string(fact.JSONResponse):
		o.Response = fact.JSONResponse
	case string(fact.EmptyResponse):
		o.Response = fact.EmptyResponse
	case string(fact.StreamResponse):
		o.Response = fact.StreamResponse
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
