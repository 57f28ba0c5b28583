package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
)

// breadth is what the Node.js client calls besides its flows, with sampled values: method and template.
var breadth = []string{
	"POST /v3/marketing/favor/coupon-stocks",
	"GET /v3/marketing/favor/stocks",
	"GET /v3/marketing/favor/stocks/{stock_id}",
	"GET /v3/marketing/favor/stocks/{stock_id}/merchants",
	"GET /v3/marketing/favor/stocks/{stock_id}/items",
	"POST /v3/marketing/favor/stocks/{stock_id}/start",
	"POST /v3/marketing/favor/stocks/{stock_id}/pause",
	"POST /v3/marketing/favor/stocks/{stock_id}/restart",
	"POST /v3/marketing/favor/users/{openid}/coupons",
	"GET /v3/marketing/favor/users/{openid}/coupons/{coupon_id}",
	"POST /v3/marketing/favor/callbacks",
	"GET /v3/marketing/favor/callbacks",
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

// TestNode is the Node.js client over the same ground.
func TestNode(t *testing.T) {
	t.Parallel()
	dir := node(t)
	server := sandbox.Start(t, sandbox.WithBillRows(3))
	transaction, err := server.Users.AddPaidOrder("NODE-PAID", 100)
	require.NoError(t, err)
	certificates := make(map[string]string)
	for _, certificate := range server.Keys.Certificates() {
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

	script := exec.CommandContext(t.Context(), "node", "conformance.js")
	script.Dir, script.Stdin = dir, bytes.NewReader(input)
	script.Env = append(append(os.Environ(), "NO_PROXY=127.0.0.1"), server.Env()...)
	started := time.Now()
	output, err := script.CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Empty(t, string(output))
	t.Logf("the script took %s", time.Since(started).Round(time.Millisecond))
	requireOperations(t, server)
}
