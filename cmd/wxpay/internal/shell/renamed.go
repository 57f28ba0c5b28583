package shell

import (
	"slices"
	"strings"
)

// inProfile is an error about the credentials of a profile, whose keys it names in place of the variables.
type inProfile struct {
	error
	path string
}

func (p inProfile) Error() string { return p.of(p.error.Error()) }

func (p inProfile) Unwrap() error { return p.error }

// MarshalText returns the English.
func (p inProfile) MarshalText() ([]byte, error) { return []byte(OneLine(p.Error())), nil }

func (p inProfile) of(text string) string {
	text = inKeys.Replace(strings.TrimPrefix(text, "wxpay: "))
	return strings.NewReplacer("not set in the environment: ", "not set in "+p.path+": ", "环境变量没有设置：", p.path+" 里没有设置：").Replace(text)
}

// inKeys replaces the variables in a text by the keys of the file of profiles.
var inKeys = func() *strings.Replacer {
	var fields []field
	for value := range new(Profile).values() {
		fields = append(fields, value)
	}
	// Of two names with one beginning the longer comes first.
	slices.SortFunc(fields, func(a, b field) int { return len(b.variable) - len(a.variable) })
	var pairs []string
	for _, f := range fields {
		pairs = append(pairs, f.variable, f.key)
	}
	return strings.NewReplacer(pairs...)
}()
