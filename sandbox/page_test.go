package sandbox_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
	entrance "github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// The guide in both languages.
const (
	englishPage = "../docs/sandbox.md"
	chinesePage = "../docs/zh/sandbox.md"
)

// TestOperationsPage: the guide lists the operations with state, and names every rule.
// WXPAY_UPDATE=1 writes the lists anew.
func TestOperationsPage(t *testing.T) {
	s := newSandbox(t)
	for name, table := range map[string]string{
		englishPage: operationsTable(s, "| path | method | source |", "told by another response"),
		chinesePage: operationsTable(s, "| 路径 | 方法 | 来源 |", "由其他应答给出"),
	} {
		have, err := os.ReadFile(name)
		require.NoError(t, err)
		const begin, end = "<!-- operations -->\n", "<!-- end -->\n"
		head, rest, ok := strings.Cut(string(have), begin)
		require.True(t, ok)
		_, tail, ok := strings.Cut(rest, end)
		require.True(t, ok)
		page := head + begin + table + end + tail
		if os.Getenv("WXPAY_UPDATE") != "" {
			require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
		}
		assert.True(t, page == string(have), "%s is stale: WXPAY_UPDATE=1 go test -run TestOperationsPage ./sandbox", name)
		for _, rule := range s.Rules.All() {
			assert.Contains(t, head, "`"+string(rule)+"`")
		}
	}
}

// The code in "Adding a flow" is that of the smallest flow.
func TestFlowPage(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("internal", "flow", "security", "security.go"))
	require.NoError(t, err)
	for name, heading := range map[string]string{englishPage: "## Adding a flow\n", chinesePage: "## 新增一个流程\n"} {
		page, err := os.ReadFile(name)
		require.NoError(t, err)
		_, section, found := strings.Cut(string(page), heading)
		require.True(t, found)
		_, code, _ := strings.Cut(section, "```go\n")
		code, _, found = strings.Cut(code, "```\n")
		require.True(t, found)
		assert.Contains(t, string(source), code, name)
	}
}

// operationsTable lists what the sandbox itself says it has state for, under the titles. An operation without a page of its
// own has the source told.
func operationsTable(s *sandbox.Sandbox, titles, told string) string {
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	stateful := func(method, path string) bool {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, placeholder.ReplaceAllString(path, "1"), nil))
		return w.Header().Get(sandbox.HeaderSandbox) == "stateful"
	}
	var rows []string
	seen := make(map[string]bool)
	add := func(o *fact.Operation) {
		shape := o.Method + placeholder.ReplaceAllString(o.Path, "{}")
		if seen[shape] || !stateful(o.Method, o.Path) {
			return
		}
		seen[shape] = true
		source := told
		if len(o.Docs) > 0 {
			source = "[" + o.Name + "](" + fact.DocURL(o.Docs[0]) + ")"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", o.Path, o.Method, source))
	}
	for o := range catalog.V3().All() {
		add(o)
	}
	for _, path := range []string{entrance.EncryptedBills, entrance.PayScoreBills, entrance.FapiaoFiles} {
		add(entrance.Documented("GET", path))
	}
	slices.Sort(rows)
	return titles + "\n| --- | --- | --- |\n" + strings.Join(rows, "")
}
