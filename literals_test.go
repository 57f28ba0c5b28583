// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The hosts of the platform stand in package fact, and nowhere else in code.
func TestHostsAreFacts(t *testing.T) {
	t.Parallel()
	host := regexp.MustCompile(`^(https://)?[a-z0-9]+\.(mch\.weixin\.qq\.com|wechatpay\.cn)(/|$)`)
	elsewhere := []string{
		"bench/…",                      // other clients
		"internal/calltest",            // tests
		"sandbox/internal/clinic",      // hosts that people sign by mistake
		"sandbox/internal/sandboxtest", // tests
	}
	found := 0
	repository := readSources(t)
	for _, p := range repository.packages {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				position := repository.positions.Position(literal.Pos())
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				switch dir := path.Dir(position.Filename); {
				case !host.MatchString(text):
				case dir == "fact":
					found++
				case ast.IsGenerated(file) || slices.Contains(elsewhere, dir) || slices.Contains(elsewhere, firstOf(dir)+"/…"):
				default:
					assert.Fail(t, "a host outside of package fact", "%s: %s", position, text)
				}
				return true
			})
		}
	}
	require.Greater(t, found, 5, "package fact was not read")
}

// firstOf returns the first folder of a path.
func firstOf(dir string) string {
	for path.Dir(dir) != "." {
		dir = path.Dir(dir)
	}
	return dir
}
