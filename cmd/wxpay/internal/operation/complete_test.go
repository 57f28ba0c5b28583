package operation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
)

// TestEveryPathCanBeCompleted goes down to every path by what is offered, one segment typed at a time, and never sees more
// offers than a terminal can show.
func TestEveryPathCanBeCompleted(t *testing.T) {
	const most = 100
	seen := make(map[string][]string)
	offers := func(method, text string) []string {
		key := method + " " + text
		if _, known := seen[key]; !known {
			var places []string
			for _, offer := range operation.CompletePath(catalog.V3(), method, text) {
				place, _, _ := strings.Cut(offer, "\t")
				places = append(places, place)
			}
			assert.LessOrEqual(t, len(places), most, text)
			seen[key] = places
		}
		return seen[key]
	}
	count := 0
	for op := range catalog.V3().All() {
		path := op.Path[1:]
		at := ""
		for steps := 0; at != path; steps++ {
			require.Less(t, steps, 20, path)
			next := ""
			for _, place := range offers(op.Method, at) {
				if place == path || strings.HasSuffix(place, "/") && strings.HasPrefix(path, place) && len(place) > len(at) {
					next = place
				}
			}
			require.NotEmpty(t, next, "%s behind %q", path, at)
			at = next
		}
		count++
	}
	assert.Greater(t, count, 1000)
}

// FuzzCompletePath completes any text, and every offer begins with the text.
func FuzzCompletePath(f *testing.F) {
	for _, text := range []string{
		"", "/", "//", "v3", "/v3/pay/", "v3//x", "v3/pay/transactions/id/4", "v3/applyment4sub/applyment/", "{", "v3/{a}/{b}/",
	} {
		f.Add("GET", text)
	}
	f.Fuzz(func(t *testing.T, method, text string) {
		for _, offer := range operation.CompletePath(catalog.V3(), method, text) {
			assert.True(t, strings.HasPrefix(offer, text), "%q for %q", offer, text)
		}
	})
}
