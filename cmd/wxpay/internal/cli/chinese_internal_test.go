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

	"github.com/spf13/cobra"
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
	messages(t, wanted, examples(root))
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

// messages finds the formats of all messages in the source, and prose that does not pass through the table.
func messages(t *testing.T, wanted map[string]string, help string) {
	for text := range wanted {
		help += text + "\n"
	}
	files, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		folder := filepath.Base(filepath.Dir(name))
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		exempt := slices.Contains(english, folder) || slices.Contains(translators, filepath.ToSlash(name))
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		spoken := make(map[ast.Expr]bool)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec, *ast.Field:
				return false
			case *ast.CallExpr:
				place, ok := speaks(folder, n.Fun)
				if !ok || place >= len(n.Args) {
					return true
				}
				spoken[n.Args[place]] = true
				format, constant := text(n.Args[place])
				if constant && strings.ContainsFunc(verb.ReplaceAllString(strings.TrimPrefix(format, "wxpay: "), ""), letter) {
					wanted[format] = set.Position(n.Pos()).String()
				}
			case ast.Expr:
				literal, constant := text(n)
				if spoken[n] {
					return false
				}
				if constant && prose.MatchString(invocation.ReplaceAllString(literal, "")) && !exempt && !inHelp(help, literal) {
					t.Errorf("%s: this text is English in every language: pass it to Words, Say, Usage or Note, or mark it with "+
						"Text: %q", set.Position(n.Pos()), literal)
				}
				return !constant
			}
			return true
		})
	}
}

// english are the packages whose words are not in the table: they write Go, OpenAPI and pages, which choose between their
// own two languages, speak to programs, or are the tables.
var english = []string{"answer", "clitest", "console", "example", "gocode", "language", "mcp", "openapi", "ordered", "page",
	"transparent", "zh"}

// translators are the files that hold English texts for a reason: they put those of the client and of cobra into other
// words, write a transcript for anybody, or respond to the platform.
var translators = []string{"../cli/chinese.go", "../shell/renamed.go", "../shell/words.go", "../smoke/record.go", "../smoke/receiver.go"}

// prose is a text for people: words in a row that are no command.
var (
	prose      = regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`)
	invocation = regexp.MustCompile(`wxpay( [a-z]+)+`)
)

// examples returns the examples of a command and those beneath it, which are the same in every language.
func examples(command *cobra.Command) string {
	text := command.Example + "\n"
	for _, child := range command.Commands() {
		text += examples(child)
	}
	return text
}

// inHelp reports whether a literal is part of the help, whose texts the table has as wholes.
func inHelp(help, literal string) bool {
	for line := range strings.SplitSeq(literal, "\n") {
		if line = strings.TrimSpace(verb.ReplaceAllString(line, "")); !strings.Contains(help, line) {
			return false
		}
	}
	return true
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// speaks tells which argument of a function is a format that the user reads.
func speaks(folder string, function ast.Expr) (place int, ok bool) {
	switch f := function.(type) {
	case *ast.Ident: // in package shell itself
		return 0, slices.Contains([]string{"Usage", "Say", "Text"}, f.Name)
	case *ast.SelectorExpr:
		of, named := f.X.(*ast.Ident)
		switch {
		case named && of.Name == "shell":
			return 0, slices.Contains([]string{"Group", "Usage", "Say", "Text"}, f.Sel.Name)
		case folder == "keys" && named && of.Name == "k":
			return 1, slices.Contains([]string{"ok", "fail", "note"}, f.Sel.Name)
		case folder == "webhook" && named && of.Name == "v":
			return 2, f.Sel.Name == "add"
		}
		return 0, slices.Contains([]string{"Note", "Words"}, f.Sel.Name)
	}
	return 0, false
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
