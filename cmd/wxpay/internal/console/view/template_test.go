package view

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// action is one action of a template, with the text of the page before it.
var (
	action   = regexp.MustCompile(`\{\{[^}]*\}\}`)
	branches = regexp.MustCompile(`^\{\{-? ?(if|else|end|range|with|define|template|\$\w+ :=)`)
	openTag  = regexp.MustCompile(`<[a-zA-Z!/][^<>]*$`)
	quoted   = regexp.MustCompile(`([a-zA-Z-]+)="[^"]*$`)
)

// TestPlacesOfValues: a value stands in text or in an attribute in quotes, and in an address only with the function for it. A
// page has no script and no style of its own.
func TestPlacesOfValues(t *testing.T) {
	names, err := fs.Glob(pages, "pages/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	count := 0
	for _, name := range names {
		content, err := fs.ReadFile(pages, name)
		require.NoError(t, err)
		text := string(content)
		assert.NotRegexp(t, `<style|<script>|<script [^s]|style="| on[a-z]+="|javascript:`, text, name)
		for _, at := range action.FindAllStringIndex(text, -1) {
			value := text[at[0]:at[1]]
			if branches.MatchString(value) {
				continue
			}
			count++
			before := action.ReplaceAllString(text[:at[0]], "") // what other actions write has no tags
			tag := openTag.FindString(before)
			if tag == "" {
				continue
			}
			attribute := quoted.FindStringSubmatch(tag)
			if !assert.NotNil(t, attribute, "%s: %s is in a tag and not in quotes: %s", name, value, tag) {
				continue
			}
			switch attribute[1] {
			case "href", "src", "action", "formaction":
				assert.Regexp(t, `^\{\{(q|url) `, value, "%s: %s in %s", name, value, tag)
				if strings.HasPrefix(value, "{{url ") {
					assert.True(t, strings.HasSuffix(tag, attribute[1]+`="`), "%s: %s is not all of the address", name, value)
				}
			}
		}
	}
	require.Greater(t, count, 100)
}

func TestTemplate(t *testing.T) {
	type inner struct {
		Name string
		List []string
	}
	set, err := parsePages(fstest.MapFS{"a": {Data: []byte(
		`{{define "all"}}{{$x := .Name}}{{.Name}}|{{range .List}}[{{.}}{{$x}}]{{else}}none{{end}}|{{if eq .Name "a<b"}}yes{{else}}no{{end}}|` +
			`{{with .Name}}{{.}}{{end}}|{{template "part" .List}}|{{if ge 2 1}}2{{end}}{{if not .List}}empty{{end}}|{{len .List}}|{{url .Name}}|{{q .Name}}{{end}}` +
			`{{define "part"}}{{range .}}{{.}}{{end}}{{end}}` +
			`{{define "field"}}{{.None}}{{end}}{{define "struct"}}{{.}}{{end}}{{define "pipe"}}{{.Name | len}}{{end}}{{define "method"}}{{.Name "x"}}{{end}}`,
	)}}, "*", map[string]function{"eq": equal, "ge": atLeast, "not": not, "len": length, "url": address, "q": component})
	require.NoError(t, err)
	for _, test := range []struct {
		data inner
		want string
	}{
		{inner{"a<b", []string{"1", "&"}}, "a&lt;b|[1a&lt;b][&amp;a&lt;b]|yes|a&lt;b|1&amp;|2|2|#|a%3Cb"},
		{inner{"", nil}, "|none|no|||2empty|0|#|"},
		{inner{"javascript:alert(1)", nil}, "javascript:alert(1)|none|no|javascript:alert(1)||2empty|0|#|javascript%3Aalert%281%29"},
		{inner{"//evil.example", nil}, "//evil.example|none|no|//evil.example||2empty|0|#|%2F%2Fevil.example"},
		{inner{"/here?a=b", nil}, "/here?a=b|none|no|/here?a=b||2empty|0|/here?a=b|%2Fhere%3Fa%3Db"},
	} {
		var out strings.Builder
		require.NoError(t, set.execute(&out, "all", test.data))
		assert.Equal(t, test.want, out.String())
	}
	for _, name := range []string{"field", "struct", "pipe", "method", "nothing"} {
		require.Error(t, set.execute(new(strings.Builder), name, inner{}), name)
	}
}
