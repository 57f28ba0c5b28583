package shell

import (
	"slices"
	"strings"
)

// renamed is an error about credentials, which names what the user gave in place of the variables.
type renamed struct {
	error
	of func(text string) string
}

func (r renamed) Error() string { return r.of(r.error.Error()) }

func (r renamed) Unwrap() error { return r.error }

// MarshalText returns the English.
func (r renamed) MarshalText() ([]byte, error) { return []byte(OneLine(r.Error())), nil }

// inProfile names the keys of the file of profiles at a path in place of the variables.
func inProfile(err error, path string) error {
	set := []string{"not set in the environment: ", "not set in " + path + ": ", "环境变量没有设置：", path + " 里没有设置："}
	return renamed{err, func(text string) string {
		return strings.NewReplacer(set...).Replace(inKeys.Replace(strings.TrimPrefix(text, "wxpay: ")))
	}}
}

// asGiven names flags in place of the variables that they stand for.
func asGiven(err error, given map[string]string) error {
	if err == nil || len(given) == 0 {
		return err
	}
	var pairs []string
	for variable, name := range given {
		pairs = append(pairs, variable, name)
	}
	flags := strings.NewReplacer(pairs...)
	return renamed{err, func(text string) string { return flags.Replace(InFlags(text)) }}
}

// inKeys replaces the variables in a text by the keys of the file of profiles.
var inKeys = func() *strings.Replacer {
	var fields []field
	for value := range new(Profile).values() {
		fields = append(fields, value)
	}
	// The longer of two names with the same beginning comes first.
	slices.SortFunc(fields, func(a, b field) int { return len(b.variable) - len(a.variable) })
	var pairs []string
	for _, f := range fields {
		pairs = append(pairs, f.variable, f.key)
	}
	return strings.NewReplacer(pairs...)
}()
