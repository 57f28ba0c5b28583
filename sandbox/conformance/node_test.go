package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
)

// breadth is what the Node.js client calls besides its flows, with sampled values: method and template.
var breadth = []string{
	"GET /v3/marketing/favor/stocks/{stock_id}/merchants",
	"GET /v3/marketing/favor/stocks/{stock_id}/items",
	"POST /v3/marketing/busifavor/stocks",
	"GET /v3/marketing/busifavor/stocks/{stock_id}",
	"PATCH /v3/marketing/busifavor/stocks/{stock_id}/budget",
	"GET /v3/marketing/busifavor/stocks/{stock_id}/couponcodes",
	"DELETE /v3/marketing/busifavor/stocks/{stock_id}/couponcodes/{coupon_code}",
	"POST /v3/marketing/busifavor/coupons/use",
	"POST /v3/marketing/busifavor/coupons/return",
	"GET /v3/marketing/busifavor/users/{openid}/coupons/{coupon_code}/appids/{appid}",
	"POST /v3/payroll-card/authentications/pre-order",
	"GET /v3/payroll-card/authentications/{authenticate_number}",
	"GET /v3/payroll-card/relations/{openid}",
	"GET /v3/transfer/batches/batch-id/{batch_id}",
	"GET /v3/transfer/batches/batch-id/{batch_id}/details/detail-id/{detail_id}",
	"GET /v3/lovefeast/brands/{brand_id}",
	"GET /v3/merchant-service/complaints-v2",
}

// operation is one of breadth with its values, as the script takes it.
type operation struct {
	Method string         `json:"method"`
	Path   string         `json:"path"`
	Vars   map[string]any `json:"vars"`
	Query  map[string]any `json:"query"`
	Body   map[string]any `json:"body,omitempty"`
}

func sampled(t testing.TB, name string) operation {
	method, path, _ := strings.Cut(name, " ")
	facts, known := catalog.V3().Lookup(method, path)
	require.True(t, known, name)
	o := operation{method, path, sampleObject(facts.In.Path), sampleObject(facts.In.Query), sampleObject(facts.In.JSON)}
	if _, asked := o.Query["begin_date"]; asked {
		o.Query["begin_date"], o.Query["end_date"] = "2025-01-01", "2025-01-20"
	}
	return o
}

// node returns the folder where the client is installed.
func node(t *testing.T) string {
	missing := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("CI") != "" || os.Getenv("WXPAY_TEST_LONG") != "" {
			t.Fatalf(format, args...)
		}
		t.Skipf("NOT TESTED with the Node.js client: "+format, args...)
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing("%s is not installed; the tests of the Node.js client need node 18 or newer, and npm", program)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "conformance.js"} {
		content, err := os.ReadFile(filepath.Join("node", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
		"--fetch-retries=5", "--loglevel=error")
	install.Dir = dir
	if output, err := install.CombinedOutput(); err != nil {
		missing("npm could not install the client: %v\n%s", err, output)
	}
	return dir
}

// nodeInput is what the script reads: operations to try, and what it cannot ask for.
func nodeInput(t *testing.T, s *sandbox.Sandbox) []byte {
	transaction, err := s.Users.AddPaidOrder("NODE-PAID", 100)
	require.NoError(t, err)
	certificates := make(map[string]string)
	for _, certificate := range s.Keys.Certificates() {
		certificates[apiv3.Serial(certificate)] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	operations := make([]operation, len(breadth))
	for i, name := range breadth {
		operations[i] = sampled(t, name)
	}
	input, err := json.Marshal(map[string]any{
		"operations": operations, "certificates": certificates, "bills": billDay(),
		"paid": map[string]string{"number": "NODE-PAID", "transaction": transaction},
	})
	require.NoError(t, err)
	return input
}

// TestNode is the Node.js client over the same ground.
func TestNode(t *testing.T) {
	t.Parallel()
	dir := node(t)
	server := sandbox.Start(t, sandbox.WithBillRows(3))
	script := exec.CommandContext(t.Context(), "node", "conformance.js")
	script.Dir, script.Stdin = dir, bytes.NewReader(nodeInput(t, server.Sandbox))
	script.Env = append(append(os.Environ(), "NO_PROXY=127.0.0.1"), server.Env()...)
	started := time.Now()
	output, err := script.CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Empty(t, string(output))
	t.Logf("the script took %s", time.Since(started).Round(time.Millisecond))
	requireOperations(t, server)
}

// TestFixedHost is the same client without the address of the sandbox: it calls api.mch.weixin.qq.com, and the proxy of the
// program wxpay answers there. Nothing of the client is changed; variables lead it to the proxy.
func TestFixedHost(t *testing.T) {
	t.Parallel()
	dir := node(t)
	program := filepath.Join(dir, "wxpay")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", "cmd", "wxpay")
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)

	data := filepath.Join(dir, "data")
	directory, err := sandbox.OpenDirectory(data)
	require.NoError(t, err)
	before, err := sandbox.New(sandbox.WithStore(directory))
	require.NoError(t, err)
	input := nodeInput(t, before)
	require.NoError(t, before.Close())
	require.NoError(t, directory.Close())

	const steps = `env -u WXPAY_BASE_URL node conformance.js && exec ./wxpay sandbox control journal >journal.json`
	script := exec.CommandContext(t.Context(), program, "sandbox", "--transparent", "--data", data, "--rows", "3", "--", "sh", "-c", steps)
	script.Dir, script.Stdin = dir, bytes.NewReader(input)
	output, err = script.CombinedOutput()
	require.NoError(t, err, "%s", output)

	content, err := os.ReadFile(filepath.Join(dir, "journal.json"))
	require.NoError(t, err)
	var journal struct {
		Entries []struct {
			Method, Target string
			Status         int
		}
	}
	require.NoError(t, json.Unmarshal(content, &journal))
	done := make(map[string]bool)
	for _, entry := range journal.Entries {
		path, _, _ := strings.Cut(entry.Target, "?")
		if facts, known := catalog.V3().Lookup(entry.Method, path); known && entry.Status < 300 {
			done[facts.Method+" "+facts.Path] = true
		}
		assert.NotEqual(t, http.StatusUnauthorized, entry.Status, "%s %s", entry.Method, entry.Target)
	}
	t.Logf("%d operations through the proxy", len(done))
	require.GreaterOrEqual(t, len(done), leastOperations)
}
