package tree_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

const root = "../../.."

func workflows(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	texts := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// Tags of actions move; digests do not. Each workflow says what it may do, and no more than reading by default.
func TestWorkflowsArePinned(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	pinned := regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for name, text := range workflows(t) {
		found := uses.FindAllStringSubmatch(text, -1)
		assert.NotEmpty(t, found, name)
		for _, use := range found {
			assert.Regexp(t, pinned, use[1], name)
		}
		assert.Contains(t, text, "\npermissions:\n  contents: read\njobs:", name)
	}
}

// Every released module is tested, tested with the newest dependencies, and searched for known vulnerabilities.
func TestWorkflowsNameEveryModule(t *testing.T) {
	modules, err := tree.Read(root)
	require.NoError(t, err)
	texts := workflows(t)
	lists := regexp.MustCompile(`(?m)^\s*module: \[(.*)\]$`)
	for _, name := range []string{"ci.yml", "weekly.yml", "security.yml"} {
		list := lists.FindStringSubmatch(texts[name])
		require.NotNil(t, list, name)
		named := strings.Split(list[1], ", ")
		for _, m := range modules {
			if m.Released() {
				assert.Contains(t, named, m.Dir, name)
			}
		}
	}
}

// A module is tested with Go 1.25 exactly if its go.mod allows it.
func TestWorkflowFitsGoLines(t *testing.T) {
	modules, err := tree.Read(root)
	require.NoError(t, err)
	text := workflows(t)["ci.yml"]
	for _, m := range modules {
		if m.Released() {
			excluded := regexp.MustCompile(`- go: "1\.25".*\n\s+module: ` + regexp.QuoteMeta(m.Dir) + `\n`).MatchString(text)
			assert.Equal(t, strings.HasPrefix(m.File.Go.Version, "1.26"), excluded, m.Dir)
		}
	}
}

// The paths of CODEOWNERS exist: a line for one that does not would ask nobody.
func TestOwnersOwnSomething(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github/CODEOWNERS"))
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^/(\S+)(?: +@wxpay-go/[a-z]+)+$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, lines, strings.Count(string(text), "\n/"))
	for _, line := range lines {
		_, err := os.Stat(filepath.Join(root, line[1]))
		assert.NoError(t, err)
	}
}
