// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"bytes"
	"go/ast"
	"os"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A hand-written file outside tests has at most 600 lines, and one of the root 400: the root reads as a table of
// contents.
func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	repository := readSources(t)
	for _, p := range repository.packages {
		for _, file := range p.files {
			if ast.IsGenerated(file) {
				continue
			}
			name := repository.positions.Position(file.Pos()).Filename
			source, err := os.ReadFile(name)
			require.NoError(t, err)
			lines, most := bytes.Count(source, []byte("\n")), 600
			if path.Dir(name) == "." {
				most = 400
			}
			assert.LessOrEqual(t, lines, most, "%s has too many lines", name)
		}
	}
}
