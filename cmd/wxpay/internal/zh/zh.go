// Package zh has the Chinese of the program's texts: its help, its messages and its hints. The English in the source is the
// key, so a changed text has no translation until somebody looks at it again; a test of package cli names such texts.
//
// zh.txt has a block for each text: the English, a line with an equals sign alone, the Chinese, and an empty line. A text of
// several paragraphs is looked up one by one. Verbs of package fmt are the same on both sides; %[2]s changes their order.
package zh

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed zh.txt
var table string

var texts = sync.OnceValue(func() map[string]string { return read(table) })

func read(table string) map[string]string {
	texts := make(map[string]string)
	for block := range strings.SplitSeq(strings.TrimRight(table, "\n"), "\n\n") {
		english, chinese, _ := strings.Cut(block, "\n=\n")
		texts[english] = chinese
	}
	return texts
}

// Text returns the Chinese of a text of one paragraph.
func Text(english string) (string, bool) {
	chinese, ok := texts()[english]
	return chinese, ok
}

// Paragraphs returns the Chinese of a text, paragraph by paragraph, and those that have none.
func Paragraphs(english string) (chinese string, missing []string) {
	paragraphs := strings.Split(english, "\n\n")
	for i, paragraph := range paragraphs {
		if text, ok := Text(paragraph); ok {
			paragraphs[i] = text
		} else {
			missing = append(missing, paragraph)
		}
	}
	return strings.Join(paragraphs, "\n\n"), missing
}

// All returns every English text that has a Chinese one.
func All() map[string]string { return texts() }
