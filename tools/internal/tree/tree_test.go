package tree_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod": "module github.com/wxpay-go/wxpay\n\ngo 1.24\n",
		"cmd/a/go.mod": "module github.com/wxpay-go/wxpay/cmd/a\n\ngo 1.24\n\nrequire (\n\tgithub.com/wxpay-go/wxpay v0.0.0\n" +
			"\tgithub.com/wxpay-go/wxpay/contrib/z v0.0.0\n)\n",
		"contrib/z/go.mod": "module github.com/wxpay-go/wxpay/contrib/z\n\ngo 1.24\n\nrequire github.com/wxpay-go/wxpay v0.0.0\n",
		"bench/b/go.mod":   "module github.com/wxpay-go/wxpay/bench/b\n\ngo 1.24\n",
		"testdata/go.mod":  "not read",
	})
	modules, err := tree.Read(dir)
	require.NoError(t, err)
	var got []string
	for _, m := range modules {
		got = append(got, m.Dir+" "+m.Record()+" "+m.Tag("v1.2.3"))
	}
	assert.Equal(t, []string{
		". docs/exported/wxpay.txt v1.2.3", "bench/b docs/exported/bench-b.txt bench/b/v1.2.3",
		"contrib/z docs/exported/contrib-z.txt contrib/z/v1.2.3", "cmd/a docs/exported/cmd-a.txt cmd/a/v1.2.3",
	}, got)
	assert.True(t, modules[0].Released())
	assert.False(t, modules[1].Released())
}

func TestReadRejects(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"another path": {"go.mod": "module example.com/x\n\ngo 1.24\n"},
		"no go line":   {"go.mod": "module github.com/wxpay-go/wxpay\n"},
		"no such module": {"go.mod": "module github.com/wxpay-go/wxpay\n\ngo 1.24\n\n" +
			"require github.com/wxpay-go/wxpay/contrib/none v0.0.0\n"},
		"no go.mod": {"go.mod": "hello\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, files)
			_, err := tree.Read(dir)
			require.Error(t, err)
		})
	}
}

func TestOwns(t *testing.T) {
	assert.True(t, tree.Owns(tree.Root))
	assert.True(t, tree.Owns(tree.Root+"/contrib/sm"))
	assert.False(t, tree.Owns(tree.Root+"-other"))
}
