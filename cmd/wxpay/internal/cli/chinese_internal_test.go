package cli

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
)

// Every text of the program has its Chinese, and nothing else does: the help of all commands and flags, and the messages.
func TestChinese(t *testing.T) {
	wanted := make(map[string]string) // English text: where it is
	root := command(shell.New(nil, nil, nil, nil))
	root.InitDefaultHelpCmd()
	helpTexts(root, func(english string) string {
		for paragraph := range strings.SplitSeq(english, "\n\n") {
			wanted[paragraph] = "the help"
		}
		return english
	})
	messages(t, wanted)
	assistantTexts(t, wanted)
	have := zh.All()
	for english, where := range wanted {
		if _, ok := have[english]; !ok && english != "" {
			t.Errorf("%s has a text without its Chinese. Add these lines to internal/zh/zh.txt, with the Chinese beneath the "+
				"equals sign, and an empty line:\n%s\n=\n", where, english)
		}
	}
	for english, chinese := range have {
		if _, ok := wanted[english]; !ok {
			t.Errorf("internal/zh/zh.txt has a text that the program does not have: take it out:\n%s\n", english)
		}
		assert.NotEmpty(t, chinese, english)
		assert.Equal(t, marks(english), marks(chinese), "%s\n%s", english, chinese)
		assert.Equal(t, placeholder(english), placeholder(chinese), english)
	}
}

// messages finds the formats of all messages in the source.
func messages(t *testing.T, wanted map[string]string) {
	files, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !speaks(call.Fun) {
				return true
			}
			format, constant := text(call.Args[0])
			if constant && strings.ContainsFunc(verb.ReplaceAllString(strings.TrimPrefix(format, "wxpay: "), ""), letter) {
				wanted[format] = set.Position(call.Pos()).String()
			}
			return true
		})
	}
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// speaks reports whether a function takes a format that the user reads.
func speaks(function ast.Expr) bool {
	switch f := function.(type) {
	case *ast.Ident: // in package shell itself
		return slices.Contains([]string{"Usage", "Say", "Text"}, f.Name)
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok && of.Name == "shell" {
			return slices.Contains([]string{"Usage", "Say", "Text"}, f.Sel.Name)
		}
		return slices.Contains([]string{"Note", "Words"}, f.Sel.Name)
	}
	return false
}

// text returns the value of a constant text.
func text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		return value, err == nil
	case *ast.BinaryExpr:
		left, ok := text(e.X)
		right, too := text(e.Y)
		return left + right, ok && too
	}
	return "", false
}

var (
	verb = regexp.MustCompile(`%(?:\[(\d+)\])?[+#]?(?:\.\d+)?([a-zA-Z])`)
	mark = regexp.MustCompile(`(?:^|[^\w-])(--[a-z][a-z0-9-]*|WXPAY_[A-Z0-9_]+)`)
)

// marks are what a translation keeps: the verbs with their arguments, and the flags and variables.
func marks(text string) []string {
	var all []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(strings.ReplaceAll(text, "%%", ""), -1) {
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		all = append(all, strconv.Itoa(next)+m[2])
		next++
	}
	for _, m := range mark.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.SortFunc(all, cmp.Compare)
	return slices.Compact(all)
}

// placeholder is the name of a flag's value, between back-ticks.
func placeholder(usage string) string {
	if strings.Count(usage, "`") != 2 {
		return ""
	}
	name, _ := pflag.UnquoteUsage(&pflag.Flag{Usage: usage})
	return name
}
