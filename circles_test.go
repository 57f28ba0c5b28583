// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In one package, a file may use the names of another only if that one does not use its own, so that a reader who
// starts at the bottom never has to look up.
func TestFilesFormNoCircles(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, dir := range []string{".", "cmd/wxpay", "contrib/fleet", "contrib/otel"} {
		packages, exports := listExports(t, dir)
		for _, p := range packages {
			name := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/"), ".")
			if seen[name] {
				continue
			}
			seen[name] = true
			uses := fileUses(t, p, exports)
			var text strings.Builder
			for _, ring := range uses.circles() {
				uses.print(&text, ring)
			}
			assert.Empty(t, text.String(), "%s: files in circles", name)
		}
	}
	require.Greater(t, len(seen), 20, "go list found too few packages")
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
	GoFiles, Imports        []string
	DepOnly                 bool
}

// listExports returns the packages of the module in dir, and the files of export data of all that they need.
func listExports(t *testing.T, dir string) (own []listedPackage, exports map[string]string) {
	t.Helper()
	exports = map[string]string{}
	for _, p := range goList[listedPackage](t, dir, "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Imports,DepOnly") {
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			own = append(own, p)
		}
	}
	return own, exports
}

// A fileGraph says of each hand-written file whose names it uses: file → file → names.
type fileGraph map[string]map[string]map[string]bool

func fileUses(t *testing.T, p listedPackage, exports map[string]string) fileGraph {
	t.Helper()
	positions := token.NewFileSet()
	var files []*ast.File
	uses := fileGraph{}
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
		if !ast.IsGenerated(file) {
			uses[name] = map[string]map[string]bool{}
		}
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(positions, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	checked, err := config.Check(p.ImportPath, positions, files, &info)
	require.NoError(t, err)
	for name, object := range info.Uses {
		if object.Pkg() != checked {
			continue
		}
		from := filepath.Base(positions.Position(name.Pos()).Filename)
		to := filepath.Base(positions.Position(object.Pos()).Filename)
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
