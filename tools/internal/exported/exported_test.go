package exported_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/exported"
	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

var update = flag.Bool("update", false, "write docs/exported")

const root = "../../.."

// The texts in docs/exported list what each released module exports: a change of the surface shows in review.
func TestExportedNames(t *testing.T) {
	modules, err := tree.Read(root)
	require.NoError(t, err)
	recorded := make(map[string]bool)
	for _, m := range modules {
		if !m.Released() {
			continue
		}
		lines, err := exported.Names(filepath.Join(root, m.Dir))
		require.NoError(t, err)
		if len(lines) == 0 {
			continue // a program
		}
		name := filepath.Join(root, m.Record())
		recorded[name] = true
		now := strings.Join(lines, "\n") + "\n"
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(now), 0o644))
			continue
		}
		then, err := os.ReadFile(name)
		require.NoError(t, err)
		more, less := difference(string(then), now)
		if len(more)+len(less) > 0 {
			t.Errorf("%s exports other names than %s says.\nmore:\n\t%s\nless:\n\t%s\nIf that is meant: go test -C tools -run TestExportedNames "+
				"./internal/exported -update",
				m.Path(), m.Record(), strings.Join(more, "\n\t"), strings.Join(less, "\n\t"))
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "docs/exported/*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 5)
	for _, file := range files {
		assert.True(t, recorded[file], "%s belongs to no module", file)
	}
}

func difference(then, now string) (more, less []string) {
	old := make(map[string]bool)
	for line := range strings.Lines(then) {
		old[line] = true
	}
	for line := range strings.Lines(now) {
		if !old[line] {
			more = append(more, strings.TrimSpace(line))
		}
		delete(old, line)
	}
	for line := range strings.Lines(then) {
		if old[line] {
			less = append(less, strings.TrimSpace(line))
		}
	}
	return more, less
}

// What the page calls experimental says so itself, where its users read.
func TestExperimentalSaysSo(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/compatibility.md"))
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(page), "\n## Experimental\n")
	section, _, _ = strings.Cut(section, "\n## ")
	places := map[string]string{
		"contrib/fleet":   "contrib/fleet/doc.go",
		"sandbox.Rules":   "sandbox/rules.go",
		"sandbox.Journal": "sandbox/journal.go",
		"wxpay openapi":   "cmd/wxpay/internal/manual/openapi.go",
		"wxpay gen types": "cmd/wxpay/internal/manual/gen.go",
	}
	assert.Equal(t, len(places), strings.Count(section, "`")/2)
	for name, file := range places {
		assert.Contains(t, section, "`"+name+"`")
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		assert.Contains(t, string(text), "experimental: ", file)
	}
}

func TestNames(t *testing.T) {
	const source = `package p
import "io"
const A, b = 1, 2
const C Kind = "x"
type Kind string
func (k Kind) String() string { return "" }
var V, v io.Reader
type T[X any] struct { F func(a int, more ...X) (n int, err error); g int; io.Reader }
func (t *T[X]) Do(x X) {}
func (t *T[X]) do() {}
type I interface { M(name string) error; hidden() }
type Other = io.Writer
func New[X any](from io.Reader, options ...func(t *T[X])) *T[X] { return nil }
type inner struct{ E int }
`
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/p\n\ngo 1.26\n", "p.go": source,
		"internal/q/q.go": "package q\n\nconst Q = 1\n", "cmd/r/r.go": "package main\n\nconst R = 1\n\nfunc main() {}\n",
	} {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	t.Setenv("GOWORK", "off")
	lines, err := exported.Names(dir)
	require.NoError(t, err)
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "pkg example.com/p, ")
	}
	assert.Equal(t, []string{
		"const A untyped int",
		"const C Kind",
		"func New[X any](io.Reader, ...func(*T[X])) *T[X]",
		"method (*T) Do(X)",
		"method (Kind) String() string",
		"type I interface",
		"type I interface, M(string) error",
		"type I interface, unexported methods",
		"type Kind string",
		"type Other = io.Writer",
		"type T[X any] struct",
		"type T[X any] struct, F func(int, ...X) (int, error)",
		"type T[X any] struct, embedded io.Reader",
		"var V io.Reader",
	}, lines)
}
