// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In one package, a file may use the names of another only if that one does not use its own. A reader who starts at the
// bottom never has to look up.
func TestFilesFormNoCircles(t *testing.T) {
	t.Parallel()
	c := newSourceChecker(t, ".", "cmd/wxpay", "contrib/fleet", "contrib/otel", "contrib/redis", "contrib/sql",
		"contrib/openssl", "contrib/pkcs12", "contrib/sm", "contrib/vet", "tools")
	checked := 0
	for _, p := range c.own {
		if p.DepOnly {
			continue
		}
		checked++
		uses := c.fileUses(t, p)
		var text strings.Builder
		for _, ring := range uses.circles() {
			uses.print(&text, ring)
		}
		assert.Empty(t, text.String(), "%s: files in circles", p.ImportPath)
	}
	require.Greater(t, checked, 20, "go list found too few packages")
}

func TestFindsCircles(t *testing.T) {
	uses := fileGraph{
		"top.go":   {"left.go": {"Left": true}},
		"left.go":  {"right.go": {"Right": true}, "low.go": {"Low": true}},
		"right.go": {"far.go": {"Far": true}},
		"far.go":   {"left.go": {"left": true, "Lefts": true}},
		"low.go":   {},
	}
	rings := uses.circles()
	require.Equal(t, [][]string{{"far.go", "left.go", "right.go"}}, rings)
	var text strings.Builder
	uses.print(&text, rings[0])
	assert.Equal(t, `  3 files: far.go left.go right.go
    far.go → left.go: Lefts, left
    left.go → right.go: Right
    right.go → far.go: Far
`, text.String())
	assert.Empty(t, fileGraph{"a.go": {"b.go": {"B": true}}, "b.go": {}}.circles())
}

type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard, DepOnly       bool
}

// A sourceChecker checks the types of the repository's packages. It reads them from source, and the standard library
// as it is compiled. What comes from other modules is unknown to it: to compile it here as well would cost as much as all
// of the tests.
type sourceChecker struct {
	own       map[string]listedPackage
	positions *token.FileSet
	standard  types.Importer
	known     map[string]*types.Package
}

// newSourceChecker finds the packages of the modules in dirs.
func newSourceChecker(t *testing.T, dirs ...string) *sourceChecker {
	t.Helper()
	c := &sourceChecker{own: map[string]listedPackage{}, positions: token.NewFileSet(), known: map[string]*types.Package{}}
	standard := map[string]string{} // files of export data
	for _, dir := range dirs {
		for _, p := range goList[listedPackage](t, dir, "-deps", "-json=ImportPath,Dir,GoFiles,Standard,DepOnly", "./...") {
			if p.Standard {
				standard[p.ImportPath] = ""
			} else if before, seen := c.own[p.ImportPath]; strings.HasPrefix(p.ImportPath+"/", module+"/") && (!seen || before.DepOnly) {
				c.own[p.ImportPath] = p
			}
		}
	}
	arguments := append([]string{"-export", "-json=ImportPath,Export"}, slices.Sorted(maps.Keys(standard))...)
	for _, p := range goList[listedPackage](t, ".", arguments...) {
		standard[p.ImportPath] = p.Export
	}
	c.standard = importer.ForCompiler(c.positions, "gc", func(path string) (io.ReadCloser, error) { return os.Open(standard[path]) })
	for path := range standard {
		c.known[path] = nil
	}
	return c
}

// Import returns the exported names of a package; of one from another module, none.
func (c *sourceChecker) Import(name string) (*types.Package, error) {
	p, known := c.known[name]
	switch own, ours := c.own[name]; {
	case p != nil:
		return p, nil
	case known:
		return c.standard.Import(name)
	case ours:
		files, err := c.parse(own)
		if err != nil {
			return nil, err
		}
		p = c.check(name, files, nil)
	default:
		p = types.NewPackage(name, path.Base(name))
		p.MarkComplete()
	}
	c.known[name] = p
	return p, nil
}

func (c *sourceChecker) parse(p listedPackage) (files []*ast.File, err error) {
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(c.positions, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// check checks a package, with the bodies of its functions if info is wanted. Names of other modules are no errors: go vet
// has looked for those.
func (c *sourceChecker) check(name string, files []*ast.File, info *types.Info) *types.Package {
	config := types.Config{Importer: c, IgnoreFuncBodies: info == nil, Error: func(error) {}}
	p, _ := config.Check(name, c.positions, files, info)
	return p
}

// A fileGraph says of each hand-written file whose names it uses: file → file → names.
type fileGraph map[string]map[string]map[string]bool

func (c *sourceChecker) fileUses(t *testing.T, p listedPackage) fileGraph {
	t.Helper()
	files, err := c.parse(p)
	require.NoError(t, err)
	uses := fileGraph{}
	for i, name := range p.GoFiles {
		if !ast.IsGenerated(files[i]) {
			uses[name] = map[string]map[string]bool{}
		}
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	checked := c.check(p.ImportPath, files, &info)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool { // keys of a literal whose type is unknown
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok && info.Uses[key] == nil && checked.Scope().Lookup(key.Name) != nil {
					info.Uses[key] = checked.Scope().Lookup(key.Name)
				}
			}
			return true
		})
	}
	for name, object := range info.Uses {
		if object.Pkg() != checked {
			continue
		}
		from := filepath.Base(c.positions.Position(name.Pos()).Filename)
		to := filepath.Base(c.positions.Position(object.Pos()).Filename)
		if uses[from] == nil || uses[to] == nil || from == to {
			continue
		}
		if uses[from][to] == nil {
			uses[from][to] = map[string]bool{}
		}
		uses[from][to][name.Name] = true
	}
	return uses
}

// circles returns the sets of files that all reach each other, sorted.
func (g fileGraph) circles() (rings [][]string) {
	reached := map[string]map[string]bool{}
	for file := range g {
		reached[file] = map[string]bool{}
		for todo := []string{file}; len(todo) > 0; todo = todo[1:] {
			for next := range g[todo[0]] {
				if !reached[file][next] {
					reached[file][next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	done := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(g)) {
		if done[file] || !reached[file][file] {
			continue
		}
		var ring []string
		for _, other := range slices.Sorted(maps.Keys(reached[file])) {
			if reached[other][file] {
				ring = append(ring, other)
				done[other] = true
			}
		}
		rings = append(rings, ring)
	}
	return rings
}

// print writes each arrow inside a circle with the names that make it.
func (g fileGraph) print(w io.Writer, ring []string) {
	fmt.Fprintf(w, "  %d files: %s\n", len(ring), strings.Join(ring, " "))
	for _, from := range ring {
		for _, to := range slices.Sorted(maps.Keys(g[from])) {
			if slices.Contains(ring, to) {
				fmt.Fprintf(w, "    %s → %s: %s\n", from, to, strings.Join(slices.Sorted(maps.Keys(g[from][to])), ", "))
			}
		}
	}
}
