// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The picture and the table of docs/internals/architecture.md are made of the imports and the package comments.
// go test -run TestArchitecturePage -update . brings them up to date.
func TestArchitecturePage(t *testing.T) {
	t.Parallel()
	const name, begin, end = "docs/internals/architecture.md", "<!-- generated -->\n", "<!-- end -->\n"
	have, err := os.ReadFile(name)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(have), begin)
	require.True(t, ok, "%s lacks %s", name, begin)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s lacks %s", name, end)
	packages := readPackages(t)
	page := head + begin + picture(packages) + "\n" + packageTable(packages) + end + tail
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
		return
	}
	assert.True(t, string(have) == page, "%s is stale: go test -run TestArchitecturePage -update .", name)
}

// drawnPackage is a package as the page shows it.
type drawnPackage struct {
	name    string // the path below the module; "wxpay" for the root
	comment string // the first sentence of the package comment
	program bool
	imports []string // names of packages
}

// apart are the modules beside the core. The picture has one box for each.
var apart = []string{
	"cmd/wxpay", "contrib/fleet", "contrib/openssl", "contrib/otel", "contrib/pkcs12", "contrib/redis", "contrib/sm", "contrib/sql", "contrib/vet",
}

func readPackages(t *testing.T) (packages []drawnPackage) {
	t.Helper()
	for _, dir := range append([]string{"."}, apart...) {
		for _, p := range goList[struct {
			ImportPath, Name, Doc string
			Imports               []string
		}](t, dir, "-json=ImportPath,Name,Doc,Imports", "./...") {
			r := drawnPackage{name: shortName(p.ImportPath), comment: p.Doc, program: p.Name == "main"}
			assert.NotEmpty(t, p.Doc, "%s has no package comment", r.name)
			for _, imported := range p.Imports {
				if strings.HasPrefix(imported+"/", module+"/") {
					r.imports = append(r.imports, shortName(imported))
				}
			}
			if !slices.ContainsFunc(packages, func(other drawnPackage) bool { return other.name == r.name }) {
				packages = append(packages, r)
			}
		}
	}
	require.Greater(t, len(packages), 20, "go list found too few packages")
	slices.SortFunc(packages, func(a, b drawnPackage) int { return strings.Compare(a.name, b.name) })
	return packages
}

func shortName(importPath string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"), "wxpay")
}

// picture draws the packages of the core, and each other module as one box. It leaves out programs, helpers of tests, and an arrow
// where others lead the same way.
func picture(packages []drawnPackage) string {
	imported := map[string]bool{}
	for _, r := range packages {
		if strings.HasSuffix(r.name, "test") { // a helper of tests, like httptest
			continue
		}
		for _, name := range r.imports {
			imported[name] = true
		}
	}
	arrows := map[string]map[string]bool{}
	for _, r := range packages {
		box := boxOf(r.name)
		if r.program && box == r.name && !slices.Contains(apart, box) || strings.Contains(box, "internal/") && !imported[box] {
			continue
		}
		if arrows[box] == nil {
			arrows[box] = map[string]bool{}
		}
		for _, imported := range r.imports {
			if to := boxOf(imported); to != box {
				arrows[box][to] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString("```mermaid\ngraph TD\n")
	for _, from := range sortedKeys(arrows) {
		fmt.Fprintf(&b, "    %s[%s]\n", boxID(from), from)
	}
	for _, from := range sortedKeys(arrows) {
		for _, to := range sortedKeys(arrows[from]) {
			if !leadsTo(arrows, from, to) {
				fmt.Fprintf(&b, "    %s --> %s\n", boxID(from), boxID(to))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// boxOf returns the box that shows a package.
func boxOf(name string) string {
	for _, m := range apart {
		if name == m || strings.HasPrefix(name, m+"/") {
			return m
		}
	}
	return name
}

func boxID(name string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(name) }

// leadsTo reports whether another arrow out of from leads to to.
func leadsTo(arrows map[string]map[string]bool, from, to string) bool {
	seen := map[string]bool{}
	var todo []string
	for next := range arrows[from] {
		if next != to {
			todo = append(todo, next)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for next := range arrows[todo[0]] {
			if next == to {
				return true
			}
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return false
}

func packageTable(packages []drawnPackage) string {
	var b strings.Builder
	b.WriteString("| package | |\n| --- | --- |\n")
	for _, r := range packages {
		_, sentence, _ := strings.Cut(r.comment, " ") // Package, or Command
		_, sentence, _ = strings.Cut(sentence, " ")
		sentence = strings.NewReplacer("[", "", "]", "").Replace(strings.TrimSuffix(sentence, "."))
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.name, sentence)
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
