package clinic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// spelling is another text for the same JSON document, and what writes it so.
type spelling struct{ how, text string }

// spellings are the ways in which common libraries write a JSON document.
func spellings(body string) []spelling {
	var buffer bytes.Buffer
	if json.Compact(&buffer, []byte(body)) != nil {
		return nil
	}
	compact := buffer.String()
	list := []spelling{{"without white space", compact}}
	add := func(how, text string) { list = append(list, spelling{how, text}) }

	add("with <, > and & escaped, as Go's encoding/json does", escapeHTML(compact))
	add("with <, > and & escaped and a line feed at the end, as Go's json.Encoder does", escapeHTML(compact)+"\n")
	add("with \\u003c, \\u003e and \\u0026 in plain", unescapeHTML.Replace(compact))
	add("with a blank behind each comma and colon, as Python's json.dumps does", respell(compact, spaced|ascii))
	add("with a blank behind each comma and colon", respell(compact, spaced))
	add("with \\u escapes for all that is not ASCII", respell(compact, ascii))
	add("with \\u escapes and \\/, as PHP's json_encode does", respell(compact, ascii|slashes))
	add("with \\/ for each slash", respell(compact, slashes))
	if plain, ok := unescapeText(compact); ok {
		add("with escaped characters in plain", plain)
		add("with escaped characters in plain and a blank behind each comma and colon", respell(plain, spaced))
	}
	for _, indent := range []struct{ name, text string }{{"two blanks", "  "}, {"four blanks", "    "}, {"tabs", "\t"}} {
		buffer.Reset()
		if json.Indent(&buffer, []byte(body), "", indent.text) == nil {
			add("indented with "+indent.name, buffer.String())
		}
	}
	if sorted, ok := sortFields(body); ok {
		add("with the fields sorted", sorted)
		add("with the fields sorted and <, > and & escaped, as Go writes a map", escapeHTML(sorted))
		add("with the fields sorted and \\u escapes", respell(sorted, ascii))
		add("with the fields sorted and a blank behind each comma and colon", respell(sorted, spaced|ascii))
	}
	return list
}

func escapeHTML(text string) string {
	var buffer bytes.Buffer
	json.HTMLEscape(&buffer, []byte(text))
	return buffer.String()
}

var unescapeHTML = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u003C`, "<", `\u003E`, ">", `\u0026`, "&")

// Ways of writing that respell knows.
const (
	spaced  = 1 << iota // a blank behind commas and colons
	ascii               // \u escapes for all that is not ASCII
	slashes             // \/ for /
)

// respell writes compact JSON in another way.
func respell(compact string, how int) string {
	var out strings.Builder
	quoted := false
	for i := 0; i < len(compact); {
		r, size := utf8.DecodeRuneInString(compact[i:])
		switch {
		case quoted && r == '\\' && i+1 < len(compact):
			size = 2
			out.WriteString(compact[i : i+2])
		case r == '"':
			quoted = !quoted
			out.WriteByte('"')
		case quoted && r == '/' && how&slashes != 0:
			out.WriteString(`\/`)
		case quoted && r > 0xFFFF && how&ascii != 0:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		case quoted && r >= 0x80 && how&ascii != 0:
			fmt.Fprintf(&out, `\u%04x`, r)
		case !quoted && (r == ',' || r == ':') && how&spaced != 0:
			out.WriteString(compact[i:i+1] + " ")
		default:
			out.WriteString(compact[i : i+size])
		}
		i += size
	}
	return out.String()
}

// unescapeText writes compact JSON with every character in plain that may stand so.
func unescapeText(compact string) (string, bool) {
	if !strings.Contains(compact, `\`) {
		return "", false
	}
	var out strings.Builder
	for rest := compact; rest != ""; {
		start := strings.IndexByte(rest, '"')
		if start < 0 {
			out.WriteString(rest)
			break
		}
		end := start + 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		var text string
		if end >= len(rest) || json.Unmarshal([]byte(rest[start:end+1]), &text) != nil {
			return "", false
		}
		out.WriteString(rest[:start])
		out.Write(say.JSON(text))
		rest = rest[end+1:]
	}
	return out.String(), true
}

// sortFields writes JSON with the fields of every object sorted by name, and without white space.
func sortFields(body string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil {
		return "", false
	}
	return string(say.JSON(document)), true
}

// formOf writes a flat JSON object as a form.
func formOf(body string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	if decoder.Decode(&object) != nil || len(object) == 0 {
		return "", false
	}
	form := make(url.Values, len(object))
	for name, value := range object {
		form.Set(name, fmt.Sprint(value))
	}
	return form.Encode(), true
}
