package redact_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/redact"
)

func TestTexts(t *testing.T) {
	long := strings.Repeat("长", 500)
	for _, tt := range []struct{ name, text, quoted, oneLine, pointer, printable string }{
		{"usual", "/a/b", `"/a/b"`, "/a/b", "/a/b", "/a/b"},
		{"empty", "", `""`, "", "", ""},
		{"Chinese", "参数错误 1", `"参数错误 1"`, "参数错误 1", "参数错误 1", "参数错误 1"},
		{"line break", "a\nb", `"a\nb"`, `"a\nb"`, `"a\nb"`, "ab"},
		{"terminal", "a\x1b[31mb", `"a\x1b[31mb"`, `"a\x1b[31mb"`, `"a\x1b[31mb"`, "a[31mb"},
		{"C1 control", "a\u0085b", `"a\u0085b"`, `"a\u0085b"`, `"a\u0085b"`, "ab"},
		{"invisible", "a\u200b\u00a0\ufeffb", `"a\u200b\u00a0\ufeffb"`, `"a\u200b\u00a0\ufeffb"`, `"a\u200b\u00a0\ufeffb"`, "ab"},
		{"right to left", "a\u202eb", `"a\u202eb"`, `"a\u202eb"`, `"a\u202eb"`, "ab"},
		{"line separator", "a\u2028b", `"a\u2028b"`, `"a\u2028b"`, `"a\u2028b"`, "ab"},
		{"not UTF-8", "a\xffb", `"a\xffb"`, `"a\xffb"`, `"a\xffb"`, "ab"},
		{"long", long, `"` + strings.Repeat("长", 26) + `…"`, strings.Repeat("长", 341) + "…", strings.Repeat("长", 66) + "…", strings.Repeat("长", 21) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.quoted, redact.Quote(tt.text))
			assert.Equal(t, tt.oneLine, redact.OneLine(tt.text))
			assert.Equal(t, tt.pointer, redact.Pointer(tt.text))
			assert.Equal(t, tt.printable, redact.Printable(tt.text))
		})
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = redact.Printable("EV-2018022511223320873") + redact.OneLine("") }))
}

type secret struct{ text string }

func (s secret) Format(f fmt.State, verb rune) { redact.Format(f, verb, "secret of "+`"one"`) }

func TestFormat(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		assert.Equal(t, `secret of "one"`, fmt.Sprintf(verb, secret{"gold"}), verb)
	}
	assert.Equal(t, `"secret of \"one\""`, fmt.Sprintf("%q", secret{"gold"}))
}

// What is hidden stays so where no method is called: in an unexported field, at any depth.
func TestHide(t *testing.T) {
	type holder struct{ hidden func() string }
	type outer struct{ inner any }
	h := holder{redact.Hide("gold")}
	require.Equal(t, "gold", h.hidden())
	for _, v := range []any{h, &h, outer{h}, outer{&h}, &outer{&h}, []any{h}, map[string]any{"h": &h}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), "gold")
		}
		var b bytes.Buffer
		require.NoError(t, template.Must(template.New("").Parse("{{.}}")).Execute(&b, v))
		text, err := json.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, b.String()+string(text), "gold")
	}
}
