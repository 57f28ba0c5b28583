package shell_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// The program speaks the language of the environment; errors of the client, and of the system, stay English.
func TestLanguage(t *testing.T) {
	for name, test := range map[string]struct {
		environ []string
		chinese bool
	}{
		"nothing":                 {nil, false},
		"the locale":              {[]string{"LANG=zh_CN.UTF-8"}, true},
		"another locale":          {[]string{"LANG=de_DE.UTF-8"}, false},
		"the messages' locale":    {[]string{"LANG=zh_CN.UTF-8", "LC_MESSAGES=en_US.UTF-8"}, false},
		"the locale over all":     {[]string{"LANG=en_US.UTF-8", "LC_MESSAGES=en_US.UTF-8", "LC_ALL=zh_TW.UTF-8"}, true},
		"the program's own":       {[]string{"LANG=en_US.UTF-8", "WXPAY_LANG=zh"}, true},
		"the program's own, back": {[]string{"LC_ALL=zh_CN.UTF-8", "WXPAY_LANG=en"}, false},
		"an empty one":            {[]string{"WXPAY_LANG=", "LC_ALL=", "LANG=zh_CN"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			sh := shell.New(nil, nil, &stderr, test.environ)
			err := shell.Usage("the body: %w", shell.Say("field %s: %w", "a", fs.ErrNotExist))
			assert.Equal(t, shell.ExitUsage, sh.Report("wxpay call", err))
			want := "wxpay: the body: field a: file does not exist\nSee \"wxpay call --help\".\n"
			if test.chinese {
				want = "wxpay: 请求体：字段 a：file does not exist\n参见 \"wxpay call --help\"。\n"
			}
			assert.Equal(t, want, stderr.String())
		})
	}
}

// What is said in two languages is one error.
func TestSayWraps(t *testing.T) {
	err := shell.Say("the body: %w", fs.ErrNotExist)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.EqualError(t, fmt.Errorf("outer: %w", err), "outer: the body: file does not exist")
	var exit *shell.ExitError
	require.ErrorAs(t, shell.Usage("%w", err), &exit)
	assert.Equal(t, shell.ExitUsage, exit.Code)
	require.ErrorIs(t, shell.Say("%w, %w", fs.ErrExist, err), fs.ErrNotExist)
}
