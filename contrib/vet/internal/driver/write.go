package driver

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Formats are the formats of [Write]: lines for a person, a JSON array of [Report], the annotations of a GitHub workflow,
// and a SARIF 2.1.0 log.
var Formats = []string{"text", "json", "github", "sarif"}

// Write writes reports in one of [Formats]. Files below root are named relative to it, with slashes.
func Write(w io.Writer, format, root string, reports []Report) error {
	named := make([]Report, len(reports))
	for i, r := range reports {
		named[i] = r
		named[i].File = relative(root, r.File)
	}
	switch format {
	case "text":
		return writeText(w, named)
	case "json":
		return writeJSON(w, named)
	case "github":
		return writeGitHub(w, named)
	case "sarif":
		return writeJSON(w, sarifLog(reports, named))
	}
	return fmt.Errorf("the format %q is none of %s", format, strings.Join(Formats, ", "))
}

func relative(root, file string) string {
	short, err := filepath.Rel(root, file)
	if err != nil || !filepath.IsLocal(short) {
		short = file
	}
	return filepath.ToSlash(short)
}

func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// writeText writes a line for each report, and at the end where each check is explained.
func writeText(w io.Writer, reports []Report) error {
	var text strings.Builder
	var links []string
	for _, r := range reports {
		fmt.Fprintf(&text, "%s:%d:%d: %s: %s (%s)\n", r.File, r.Line, r.Column, r.Severity, r.Message, r.Check)
		if line := r.Check + " is explained at " + r.Link; !slices.Contains(links, line) {
			links = append(links, line)
		}
	}
	for _, line := range links {
		text.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// A command of a workflow escapes these characters of its text, and two more in its properties:
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts (read 30 November 2026).
var (
	inText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	inProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func writeGitHub(w io.Writer, reports []Report) error {
	level := map[Severity]string{Error: "error", Hint: "warning"}
	var text strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&text, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s; see %s\n",
			level[r.Severity], inProperty.Replace(r.File), r.Line, r.EndLine, r.Column, r.EndColumn, inProperty.Replace(r.Check),
			inText.Replace(r.Message), inText.Replace(r.Link))
	}
	_, err := io.WriteString(w, text.String())
	return err
}
