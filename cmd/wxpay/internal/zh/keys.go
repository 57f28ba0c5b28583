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

// keyTable has the errors of the client about keys and settings, which a user meets in the first minutes. It has a table of
// its own, so that no error of another kind is taken for one of a form that it happens to have.
//
//go:embed keys.txt
var keyTable string

// keyForm is a form of an error about keys. A %s is one word or a text in quotes, a %v is the rest, with a form of its own.
type keyForm struct {
	letters string // without what varies
	english *regexp.Regexp
	texts   []bool // which parts have a Chinese of their own
	chinese string
}

var keyForms = sync.OnceValue(func() (forms []keyForm) {
	for english, chinese := range read(keyTable) {
		f := keyForm{letters: varies.ReplaceAllString(english, ""), chinese: chinese}
		pattern := varies.ReplaceAllStringFunc(regexp.QuoteMeta(english), func(part string) string {
			f.texts = append(f.texts, part == "%v")
			if part == "%v" {
				return "(.+)"
			}
			return `("(?:[^"\\]|\\.)*"|[^\s"]+)`
		})
		f.english = regexp.MustCompile("^" + pattern + "$")
		forms = append(forms, f)
	}
	slices.SortFunc(forms, func(a, b keyForm) int {
		return cmp.Or(len(b.letters)-len(a.letters), strings.Compare(a.letters, b.letters))
	})
	return forms
})

// setting is the name of a variable, a flag or a field of a profile before what is wrong with it.
var setting = regexp.MustCompile(`^(WXPAY_[A-Z0-9_]+|--[a-z0-9-]+|[a-z0-9_]+): (.+)$`)

// Key returns the Chinese of an error about keys and settings in the words of the command line, and whether there is one.
// Several errors are divided by semicolons, which may stand inside of one too.
func Key(english string) (chinese string, known bool) {
	if chinese, known = oneKey(english); known {
		return chinese, true
	}
	for at := len(english); ; {
		if at = strings.LastIndex(english[:at], "; "); at < 0 {
			return english, false
		}
		if first, known := oneKey(english[:at]); known {
			rest, known := Key(english[at+len("; "):])
			return first + "；" + rest, known
		}
	}
}

func oneKey(english string) (chinese string, known bool) {
	for _, f := range keyForms() {
		parts := f.english.FindStringSubmatch(english)
		if parts == nil {
			continue
		}
		values := make([]any, len(f.texts))
		for i, part := range parts[1:] {
			values[i] = part
			if text, ok := Key(part); ok && f.texts[i] {
				values[i] = text
			}
		}
		return fmt.Sprintf(f.chinese, values...), true
	}
	if parts := setting.FindStringSubmatch(english); parts != nil {
		chinese, known = Key(parts[2])
		return parts[1] + "：" + chinese, known
	}
	return english, false
}
