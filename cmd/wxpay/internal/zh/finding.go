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

//go:embed findings.txt
var findingTable string

// pattern is a form of a text of the client, and its Chinese.
type pattern struct {
	english *regexp.Regexp
	chinese string
	letters int // of the English without what varies
}

var patterns = sync.OnceValue(func() (all []pattern) {
	for english, chinese := range read(findingTable) {
		form := "^" + strings.ReplaceAll(regexp.QuoteMeta(english), "%s", "(.+)") + "$"
		all = append(all, pattern{regexp.MustCompile(form), chinese, len(strings.ReplaceAll(english, "%s", ""))})
	}
	slices.SortFunc(all, func(a, b pattern) int {
		return cmp.Or(b.letters-a.letters, strings.Compare(a.chinese, b.chinese))
	})
	return all
})

// Finding returns the Chinese of a text, or of a part of one, of the checks before sending. The client has these texts in
// English only: findings.txt has their forms, with %s for what varies. A text of another form stays as it is.
func Finding(english string) string {
	for _, p := range patterns() {
		parts := p.english.FindStringSubmatch(english)
		if parts == nil {
			continue
		}
		var values []any
		for _, part := range parts[1:] {
			values = append(values, Finding(part))
		}
		return fmt.Sprintf(p.chinese, values...)
	}
	return english
}
