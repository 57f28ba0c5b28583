// Package clinic explains why a request was rejected: likely causes, what to do, and how sure that
// is.
package clinic

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// explanation is what the journal tells at length about a rejection: likely causes, what to do, how
// sure that is, and the message of the signature. It never shows keys, signatures, or what stands
// in encrypted values.
type explanation struct {
	causes []mistake
	sure   string // how sure that is
	built  string // the message as the platform built it; empty where it does not matter
	signed string // the message as the client signed it; empty if that is not known
}

func (e *explanation) add(cause, remedy string) {
	e.causes = append(e.causes, mistake{cause, remedy})
}

// headline is the likeliest cause.
func (e *explanation) headline() string {
	if len(e.causes) == 0 {
		return ""
	}
	return e.causes[0].cause
}

func (e *explanation) String() string {
	var out strings.Builder
	line := func(label, text string) {
		if text != "" {
			out.WriteString(label + ": " + text + "\n")
		}
	}
	told := make(map[string]bool)
	for _, m := range e.causes {
		line("likely cause", m.cause)
		if !told[m.remedy] {
			line("what to do", m.remedy)
			told[m.remedy] = true
		}
	}
	line("how sure", e.sure)
	if e.built != "" {
		e.table(&out)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// messageLines names the lines of a message.
var messageLines = [...]string{"1 method", "2 target", "3 timestamp", "4 nonce", "5 body"}

// table writes the five lines of the platform beside those of the client.
func (e *explanation) table(out *strings.Builder) {
	out.WriteByte('\n')
	if e.signed == "" {
		for i, text := range fiveLines(e.built) {
			fmt.Fprintf(out, "%-12s platform  %s\n", messageLines[i], quoteAround(text, 0))
		}
		return
	}
	at := firstDifference(e.built, e.signed)
	row, column := place(e.built, at)
	platform, client := fiveLines(e.built), fiveLines(e.signed)
	for i, name := range messageLines {
		from := 0
		if i == row {
			from = column
		}
		if platform[i] == client[i] {
			fmt.Fprintf(out, "%-12s both      %s\n", name, quoteAround(platform[i], from))
			continue
		}
		fmt.Fprintf(out, "%-12s platform  %s\n%-12s client    %s\n", name, quoteAround(platform[i], from), "", quoteAround(client[i], from))
	}
	if e.built != e.signed {
		fmt.Fprintf(out, "first difference: line %d, byte %d: the platform has %s, the client signed %s\n",
			row+1, column+1, byteAt(e.built, at), byteAt(e.signed, at))
	}
}

// fiveLines cuts a message into its lines with their ends. The body may hold further line feeds.
func fiveLines(message string) (lines [5]string) {
	copy(lines[:], strings.SplitAfterN(message, "\n", len(lines)))
	return lines
}

func firstDifference(a, b string) int {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at
}

// place returns the line and the byte in it, both from 0, where a byte of a message stands.
func place(message string, at int) (row, column int) {
	lines := fiveLines(message)
	for row = range lines {
		if at < len(lines[row]) || row == len(lines)-1 {
			break
		}
		at -= len(lines[row])
	}
	return row, at
}

func byteAt(message string, at int) string {
	switch {
	case at >= len(message):
		return "nothing more"
	case message[at] < utf8.RuneSelf:
		return strconv.Quote(message[at : at+1])
	}
	return fmt.Sprintf("the byte 0x%02x", message[at])
}

// shownText is how many bytes of a line are shown.
const shownText = 160

// quoteAround quotes the part of a text around a byte.
func quoteAround(text string, at int) string {
	if text == "" {
		return "nothing"
	}
	start := max(0, min(at-shownText/2, len(text)-shownText))
	end := min(len(text), start+shownText)
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	quoted := strconv.Quote(text[start:end])
	if start > 0 {
		quoted = fmt.Sprintf("(%d bytes before) %s", start, quoted)
	}
	if end < len(text) {
		quoted = fmt.Sprintf("%s (%d bytes after)", quoted, len(text)-end)
	}
	return quoted
}
