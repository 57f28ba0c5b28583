package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axe returns the script of axe-core, which npm fetches.
func axe(t *testing.T) string {
	t.Helper()
	const script = "node/node_modules/axe-core/axe.min.js"
	if _, err := os.Stat(script); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--silent", "--ignore-scripts")
		install.Dir = "node"
		out, err := install.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	return string(text)
}

// axe-core finds nothing serious on any page, in both themes.
func TestPagesAreAccessible(t *testing.T) {
	d := open(t)
	script := axe(t)
	b := browse(t)
	b.enter(d)
	d.order(t, "native", "ORDER-0001", "一件衣服")
	_, err := d.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	response, err := http.Get(d.URL + "/v3/certificates") // rejected
	require.NoError(t, err)
	response.Body.Close()
	for _, theme := range []string{"light", "dark"} {
		eval[any](b, fmt.Sprintf(`document.cookie = "theme=%s;path=/"`, theme))
		for _, path := range []string{
			"/journal", "/journal/1", "/journal/2", "/phone", "/phone/pay?link=ORDER-0001", "/explorer?q=native",
			"/explorer/operation?method=POST&path=/v3/pay/transactions/native", "/objects", "/objects/one?kind=order&number=ORDER-0001",
			"/deliveries", "/deliveries/" + d.Deliveries.All()[0].ID, "/events", "/platform",
		} {
			b.goTo(d.base + path)
			b.wait(`document.readyState === "complete"`)
			eval[any](b, script+"; axe.run().then(r => { window.passed = r.passes.length; window.found = JSON.stringify(r.violations.filter(v => "+
				`["serious", "critical"].includes(v.impact)).map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | "))) }); 0`)
			b.wait("window.found")
			var found []string
			require.NoError(t, json.Unmarshal([]byte(eval[string](b, "window.found")), &found))
			assert.Greater(t, eval[int](b, "window.passed"), 10, path)
			assert.Empty(t, found, "%s in %s", path, theme)
		}
	}
}
