package journal

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Detail is one request, taken apart.
type Detail struct {
	sandbox.Entry
	Name          string // of the operation
	Template      string
	Authorization apiv3.Authorization
	Message       string // that a right client signs; empty for an upload, whose meta part is signed
	Lines         []Line // the clinic; nil where the signature is not the cause
	Known         bool   // what the client signed is known
	Test, CLI     string
	Headers       []Header
	Answered      []Header
	Binary        bool // the body is no text
}

// Header is one line of headers.
type Header struct{ Name, Value string }

// DetailOf takes an entry apart.
func DetailOf(facts *catalog.Catalog, e sandbox.Entry) Detail {
	d := Detail{Entry: e, Headers: headers(e.Header), Answered: headers(e.ResponseHeader), Binary: !utf8.Valid(e.Body)}
	path, _, _ := strings.Cut(e.Target, "?")
	if operation, ok := facts.Lookup(e.Method, path); ok {
		d.Name, d.Template = operation.Name, operation.Path
	}
	d.Authorization, _ = apiv3.ParseAuthorization(e.Header.Get("Authorization")) // the zero value shows nothing
	upload := strings.HasPrefix(e.Header.Get("Content-Type"), "multipart/")
	if d.Authorization.ID != "" && !upload {
		d.Message = string(apiv3.AppendRequestMessage(nil, e.Method, e.Target, d.Authorization.Timestamp, d.Authorization.Nonce, e.Body))
	}
	if e.PlatformMessage != "" {
		d.Lines, d.Known = compare(e.PlatformMessage, e.ClientMessage), e.ClientMessage != ""
	}
	if !d.Binary && !upload {
		call := send.CallOf(facts, e.Method, e.Target, string(e.Body), e.Header.Get(apiv3.HeaderSerial), e.Merchant)
		d.Test, d.CLI = call.Test(), call.Line()
	}
	return d
}

func headers(header http.Header) []Header {
	var list []Header
	for name, values := range header {
		for _, value := range values {
			list = append(list, Header{name, value})
		}
	}
	slices.SortFunc(list, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Line is one of the five lines of a signed message, as both sides have it.
type Line struct {
	Name             string
	Same             bool
	Platform, Client Text
}

// Text is a text with a place to look at. Ends of lines are visible in it.
type Text struct{ Before, Mark, After string }

var lineNames = [...]string{"method", "target", "timestamp", "nonce", "body"}

// compare lays two messages side by side, and marks the first byte in which they differ. The second may be unknown.
func compare(platform, client string) []Line {
	ours, theirs := cut(platform), cut(client)
	list := make([]Line, len(lineNames))
	marked := client == ""
	for i, name := range lineNames {
		line := Line{Name: name, Same: ours[i] == theirs[i] || client == ""}
		if line.Same || marked {
			line.Platform, line.Client = around(ours[i], -1), around(theirs[i], -1)
		} else {
			at := 0
			for at < len(ours[i]) && at < len(theirs[i]) && ours[i][at] == theirs[i][at] {
				at++
			}
			line.Platform, line.Client = around(ours[i], at), around(theirs[i], at)
			marked = true
		}
		list[i] = line
	}
	return list
}

// cut cuts a message into its lines, with their ends. The body may have further ones.
func cut(message string) (lines [5]string) {
	copy(lines[:], strings.SplitAfterN(message, "\n", len(lines)))
	return lines
}

// shown is how many bytes are shown before and after the mark.
const shown = 400

// around returns a text with the character at a byte marked; a negative place marks nothing.
func around(text string, at int) Text {
	visible := strings.NewReplacer("\r", `\r`, "\n", "↵\n", "\t", `\t`).Replace
	if at < 0 {
		if len(text) > 2*shown {
			return Text{Before: visible(strings.ToValidUTF8(text[:2*shown], "")) + "…"}
		}
		return Text{Before: visible(text)}
	}
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	from := max(0, at-shown)
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	t := Text{Before: visible(text[from:at]), Mark: "∅"}
	if from > 0 {
		t.Before = "…" + t.Before
	}
	if at < len(text) {
		_, size := utf8.DecodeRuneInString(text[at:])
		t.Mark = visible(text[at : at+size])
		rest := text[at+size:]
		if len(rest) > shown {
			rest = strings.ToValidUTF8(rest[:shown], "") + "…"
		}
		t.After = visible(rest)
	}
	return t
}
