// Package edition tells what newer facts files change in the catalogue that this module has embedded. It serves the command
// line and whoever reviews a new edition; a program that makes calls has no use for it.
package edition

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/catalog/internal/facts"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

//go:embed corrections.txt
var corrections string

// Diff writes, as Markdown, what the facts files say differently from the embedded catalogue: operations and events
// that are new, gone or changed, with every field and mark. It reports whether there is anything. A facts file has a
// JSON object a line, all of the operations or all of the events. An import keeps the facts that are kept by hand,
// corrections included, so they are no difference; a correction for which the facts have no place is listed at the end.
func Diff(w io.Writer, files ...string) (bool, error) {
	said, err := facts.Read(files)
	if err != nil {
		return false, err
	}
	have := &text.Document{}
	for operation := range catalog.V3().Described().All() {
		have.Operations = append(have.Operations, operation)
	}
	for event := range catalog.V3().Described().Events() {
		have.Events = append(have.Events, event)
	}
	for code := range catalog.V3().Codes() {
		have.Codes = append(have.Codes, code)
	}
	kept, err := text.ParseCorrections(corrections)
	if err != nil {
		return false, err
	}
	next, _, misfits := facts.Merge(have, said, kept)
	changes := facts.Differences(have, next)
	told := markdown(changes, next)
	if misfits != nil {
		told += "\n## Corrections without a place\n\n"
		for line := range strings.SplitSeq(misfits.Error(), "\n") {
			told += "- " + code(line) + "\n"
		}
	}
	_, err = io.WriteString(w, told)
	return len(changes) > 0, err
}

// markdown lists changes by what became of a row. The official names of new rows are in next.
func markdown(changes []facts.Change, next *text.Document) string {
	var b strings.Builder
	b.WriteString("# What the facts change\n\n")
	if len(changes) == 0 {
		b.WriteString("Nothing.\n")
		return b.String()
	}
	rows := map[byte][]facts.Change{}
	last := ""
	for _, change := range changes {
		if change.Row != last {
			rows[change.Kind] = append(rows[change.Kind], change)
		}
		last = change.Row
	}
	fmt.Fprintf(&b, "%d added, %d removed, %d changed; then %d operations and %d events.\n",
		len(rows['+']), len(rows['-']), len(rows['~']), len(next.Operations), len(next.Events))
	for _, part := range []struct {
		kind  byte
		title string
	}{{'+', "Added"}, {'-', "Removed"}} {
		if len(rows[part.kind]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", part.title)
		for _, change := range rows[part.kind] {
			fmt.Fprintf(&b, "- `%s` %s\n", change.Row, change.Name)
		}
	}
	if len(rows['~']) == 0 {
		return b.String()
	}
	b.WriteString("\n## Changed\n")
	last = ""
	for _, change := range changes {
		if change.Kind != '~' {
			continue
		}
		if change.Row != last {
			fmt.Fprintf(&b, "\n### `%s` %s\n\n", change.Row, change.Name)
		}
		last = change.Row
		fmt.Fprintf(&b, "- %s\n", code(change.Text))
	}
	return b.String()
}

// code writes text as Markdown shows it letter by letter.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if fence != "`" {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}
