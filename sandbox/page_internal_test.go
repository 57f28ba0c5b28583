package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
)

// TestPage holds the lists of docs/sandbox.md against the code: the orders of the control API, and the operations with state.
// WXPAY_UPDATE=1 writes them anew.
func TestPage(t *testing.T) {
	file := filepath.Join("..", "docs", "sandbox.md")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(content)
	for name, list := range map[string]string{"control": controlTable(), "operations": stateTable()} {
		head, rest, found := strings.Cut(page, "<!-- "+name+" -->\n")
		require.True(t, found, name)
		_, rest, found = strings.Cut(rest, "<!-- end -->\n")
		require.True(t, found, name)
		page = head + "<!-- " + name + " -->\n" + list + "<!-- end -->\n" + rest
	}
	if os.Getenv("WXPAY_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
		return
	}
	assert.True(t, page == string(content), "docs/sandbox.md is behind the code: WXPAY_UPDATE=1 go test ./sandbox -run TestPage")
	for _, rule := range Rules() {
		assert.Contains(t, page, "`"+string(rule)+"`", "the page names every rule")
	}
}

func controlTable() string {
	var table strings.Builder
	table.WriteString("| order | parameters | answer | does |\n| --- | --- | --- | --- |\n")
	for _, c := range controls {
		code := func(names string) string {
			if names == "" {
				return ""
			}
			return "`" + strings.ReplaceAll(names, "*", "…") + "`"
		}
		fmt.Fprintf(&table, "| `%s %s%s` | %s | %s | `%s` |\n", c.method, ControlPath, c.path, code(c.in), code(c.out), c.does)
	}
	return table.String()
}

func stateTable() string {
	var rows []string
	var walk func(*node)
	walk = func(n *node) {
		for _, o := range n.operations {
			if o.canned {
				continue
			}
			source := "told by another answer"
			if len(o.Docs) > 0 {
				source = "[" + o.Name + "](" + fact.DocURL(o.Docs[0]) + ")"
			}
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", o.Path, o.Method, source))
		}
		for _, next := range n.literal {
			walk(next)
		}
		if n.any != nil {
			walk(n.any)
		}
	}
	walk(routes())
	slices.Sort(rows)
	return "| path | method | source |\n| --- | --- | --- |\n" + strings.Join(slices.Compact(rows), "")
}
