package zh

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The texts of the checks before sending, those about error codes, those of the sandbox about signatures, and those of its
// orders and the console's that are not carried out.
var (
	//go:embed findings.txt
	findingTable string
	//go:embed codes.txt
	codeTable string
	//go:embed clinic.txt
	clinicTable string
	//go:embed orders.txt
	orderTable string
)

// form is a form of a text of the client or the sandbox, and its Chinese.
type form struct {
	before  string // the English before what varies
	english *regexp.Regexp
	texts   []bool // which parts are texts with a Chinese of their own
	chinese string
	letters int // of the English without what varies
}

var varies = regexp.MustCompile(`%[sv]`)

// known are the texts in which nothing varies, and the forms of the others, those with the most letters first.
var known = sync.OnceValues(func() (texts map[string]string, forms []form) {
	texts = make(map[string]string)
	for english, chinese := range read(findingTable + "\n" + codeTable + "\n" + clinicTable + "\n" + orderTable) {
		parts := varies.FindAllString(english, -1)
		if parts == nil {
			texts[english] = chinese
			continue
		}
		f := form{chinese: chinese, letters: len(varies.ReplaceAllString(english, ""))}
		f.before, _, _ = strings.Cut(english, "%")
		for _, part := range parts {
			f.texts = append(f.texts, part == "%v")
		}
		f.english = regexp.MustCompile("(?s)^" + varies.ReplaceAllString(regexp.QuoteMeta(english), "(.+)") + "$")
		forms = append(forms, f)
	}
	slices.SortFunc(forms, func(a, b form) int {
		return cmp.Or(b.letters-a.letters, strings.Compare(a.chinese, b.chinese))
	})
	return texts, forms
})

// Refusal returns the Chinese of why an order of the sandbox or its console was not carried out, line by line.
func Refusal(english string) string {
	lines := strings.Split(english, "\n")
	for i, line := range lines {
		lines[i] = Finding(strings.TrimPrefix(line, "sandbox: "))
	}
	return strings.Join(lines, "\n")
}

// Finding returns the Chinese of a text, or of a part of one, of the checks before sending, about an error code, of the
// sandbox about a signature, or about an order that is not carried out. They are made in English only: findings.txt,
// codes.txt, clinic.txt and orders.txt have their forms, with %s for a value and %v for a text that has a form itself. A text of another form stays as it is.
func Finding(english string) string {
	texts, forms := known()
	if chinese, ok := texts[english]; ok {
		return chinese
	}
	for _, f := range forms {
		if !strings.HasPrefix(english, f.before) {
			continue
		}
		parts := f.english.FindStringSubmatch(english)
		if parts == nil {
			continue
		}
		var values []any
		for i, part := range parts[1:] {
			if f.texts[i] {
				part = Finding(part)
			}
			values = append(values, part)
		}
		return fmt.Sprintf(f.chinese, values...)
	}
	return english
}
