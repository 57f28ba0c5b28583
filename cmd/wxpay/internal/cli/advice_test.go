package cli_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
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

// advice returns what a pattern finds in the texts of the repository's code, with a place of each.
func advice(t *testing.T, pattern *regexp.Regexp) (found map[string]string) {
	t.Helper()
	found = make(map[string]string)
	files := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
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
				for _, command := range pattern.FindAllStringSubmatch(text, -1) {
					found[command[1]] = files.Position(literal.Pos()).String()
				}
			}
			return true
		})
		return nil
	}))
	return found
}

const repository = "../../../.."

// installs is a program of this project as go install takes it in a clone, with or without the command.
var installs = regexp.MustCompile(`((?:-C \w+ )?\./[\w/-]*cmd/wxpay[\w-]*)\b`)

// Every program that a text says how to install is a program that go finds there.
func TestAdvisedInstalls(t *testing.T) {
	t.Parallel()
	found := advice(t, installs)
	require.GreaterOrEqual(t, len(found), 3, "too few were found: %v", found)
	for program, where := range found {
		directory, path := ".", program
		if place, ok := strings.CutPrefix(program, "-C "); ok {
			directory, path, _ = strings.Cut(place, " ")
		}
		list := exec.CommandContext(t.Context(), "go", "list", "-C", directory, "-f", "{{.Name}}", path)
		list.Dir = repository
		out, err := list.CombinedOutput()
		assert.NoError(t, err, "%s: go install %s: %s", where, program, out)
		assert.Equal(t, "main\n", string(out), "%s: go install %s", where, program)
	}
}

// chmods is the advice of a message to change a mode.
var chmods = regexp.MustCompile(`chmod (\S+) (\S+)`)

// What a message says about modes makes the command work that it stopped.
func TestAdvisedModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	a := newAccount(t)
	environ, profile := home(t, profiles(a, a), 0o644)
	environ = append(environ, "SHOP_KEY="+a.Merchant().APIv3Key)
	kept := t.TempDir()
	code, _, stderr := clitest.Run(t, nil, "sandbox", "--data", kept, "--", "true")
	require.Zero(t, code, stderr)
	files, err := filepath.Glob(filepath.Join(kept, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Chmod(file, 0o666))
	}
	for name, c := range map[string]struct {
		args []string
		it   string // what "it" is in the message
	}{
		"a profile":  {[]string{"call", "v3/certificates", "--dry-run"}, profile},
		"kept state": {[]string{"sandbox", "--data", kept, "--", "true"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for range len(files) + 1 {
				code, _, stderr := clitest.Run(t, environ, c.args...)
				if code == 0 {
					return
				}
				advice := chmods.FindStringSubmatch(stderr)
				require.NotNil(t, advice, stderr)
				file := advice[2]
				if file == "it" {
					file = c.it
				}
				out, err := exec.CommandContext(t.Context(), "chmod", advice[1], file).CombinedOutput()
				require.NoError(t, err, "%s: %s", stderr, out)
			}
			t.Error("the advice does not help")
		})
	}
}

// Every command that a text advises is there, with its flags.
func TestAdvisedCommands(t *testing.T) {
	t.Parallel()
	found := advice(t, advised)
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
