package cli_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// The commands of this program that texts of the repository advise, quoted as in: say "wxpay keys check".
var (
	advised = regexp.MustCompile(`["“]wxpay ([a-z]+[^"”]*)["”]`)
	flagIn  = regexp.MustCompile(`(?:^|\s)(--?[a-z][a-z-]*)`)
	word    = regexp.MustCompile(`^[a-z]+$`)
)

// Every command that a text advises is there, with its flags.
func TestAdvisedCommands(t *testing.T) {
	t.Parallel()
	found := make(map[string]string) // and where it stands
	files := token.NewFileSet()
	require.NoError(t, filepath.WalkDir("../../../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				for _, command := range advised.FindAllStringSubmatch(text, -1) {
					found[command[1]] = files.Position(literal.Pos()).String()
				}
			}
			return true
		})
		return nil
	}))
	require.Greater(t, len(found), 15, "too few were found: %v", found)
	for command, where := range found {
		var words []string
		for _, w := range strings.Fields(command) {
			if !word.MatchString(w) {
				break
			}
			words = append(words, w)
		}
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			code, help, stderr := clitest.Run(t, nil, append(words, "--help")...)
			require.Zero(t, code, "%s: %s: %s", where, command, stderr)
			_, usage, _ := strings.Cut(help, "wxpay "+words[0])
			if len(words) > 1 && strings.Contains(help, "Available Commands:") {
				assert.Contains(t, usage, words[1], "%s: %s", where, command)
			}
			for _, flag := range flagIn.FindAllStringSubmatch(strings.SplitN(command+" ", " -- ", 2)[0], -1) {
				assert.Contains(t, help, flag[1], "%s: %s", where, command)
			}
		})
	}
}
