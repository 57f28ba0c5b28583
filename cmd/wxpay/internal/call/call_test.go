package call_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestCallSends sends the request that arguments and flags describe.
func TestCallSends(t *testing.T) {
	t.Parallel()
	g := clitest.NewGateway(t)
	for _, test := range []struct {
		name   string
		args   []string
		method string
		target string
		body   string
	}{
		{"path", []string{"v3/x"}, "GET", "/v3/x", ""},
		{"method", []string{"delete", "v3/x"}, "DELETE", "/v3/x", ""},
		{"body makes a POST", []string{"v3/x", "-d", `{"a": 1}`}, "POST", "/v3/x", `{"a": 1}`},
		{"fields make a POST, in the order of both flags", []string{"v3/x", "-F", "a=1", "-f", "b[c][]=2=3", "--field", "d[]"},
			"POST", "/v3/x", `{"a":1,"b":{"c":["2=3"]},"d":[]}`},
		{"a method is kept with fields", []string{"PUT", "v3/x", "-f", "a="}, "PUT", "/v3/x", `{"a":""}`},
		{"query", []string{"v3/x", "-q", "a=1", "-q", "b=c=d", "-q", "a=2"}, "GET", "/v3/x?a=1&a=2&b=c%3Dd", ""},
		{"variables", []string{"v3/{v}/{w}", "--var", "v=a/b", "--raw-var", "w=%2F"}, "GET", "/v3/a%2Fb/%2F", ""},
		{"timeout", []string{"v3/x", "--timeout", "1m"}, "GET", "/v3/x", ""},
	} {
		before := len(g.Requests())
		code, stdout, stderr := g.Run(append([]string{"call", "--no-check"}, test.args...)...)
		assert.Zero(t, code, "%s: %s", test.name, stderr)
		assert.Equal(t, "{}\n", stdout, test.name)
		require.Len(t, g.Requests(), before+1, test.name)
		got := g.Requests()[before]
		assert.Equal(t, test.method, got.Method, test.name)
		assert.Equal(t, test.target, got.Target, test.name)
		assert.Equal(t, test.body, got.Body, test.name)
	}
	sent := len(g.Requests())
	code, _, stderr := g.Run("call", "--no-check", "v3/x", "-H", "X-A: b: c ")
	assert.Zero(t, code, stderr)
	assert.Equal(t, "b: c", g.Requests()[sent].Header.Get("X-A"))
	code, _, stderr = g.Run("call", "--no-check", "v3/x", "--data=")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "the body is empty")
	code, _, stderr = g.Run("call", "v3/x", "--timeout", "0")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "must be positive")
	assert.Len(t, g.Requests(), sent+1)
}

// TestCallEncrypts encrypts the fields that are documented as encrypted, and sends every other byte as it was typed.
func TestCallEncrypts(t *testing.T) {
	t.Parallel()
	g := clitest.NewGateway(t)
	const path = "v3/profitsharing/receivers/add"
	body := `{"appid":"wx8888888888888888", "type":"MERCHANT_ID","account":"86693852","name":"张三","relation_type":"STORE" }`
	code, _, stderr := g.Run("call", "POST", path, "-d", body)
	require.Equal(t, 0, code, stderr)
	assert.Empty(t, stderr, "there is nothing to warn of")
	require.Len(t, g.Requests(), 1)
	var sent struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(g.Requests()[0].Body), &sent))
	assert.Equal(t, "张三", g.Decrypt(sent.Name))
	assert.Equal(t, body, strings.Replace(g.Requests()[0].Body, sent.Name, "张三", 1))
	assert.Equal(t, clitest.GatewayKeyID, g.Requests()[0].Header.Get(apiv3.HeaderSerial))

	// The same holds for -f, and --plain leaves a field as it is.
	code, _, stderr = g.Run("call", path, "-f", "appid=wx8888888888888888", "-f", "type=MERCHANT_ID", "-f", "account=86693852",
		"-f", "name=张三", "-f", "relation_type=STORE", "--plain", "/name")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, g.Requests()[1].Body, `"name":"张三"`)

	// --encrypt reaches fields that are not documented.
	code, _, stderr = g.Run("call", "--no-check", "v3/new/thing", "-f", "list[][who]=张三", "--encrypt", "/list/*/who")
	require.Equal(t, 0, code, stderr)
	var made struct{ List []struct{ Who string } }
	require.NoError(t, json.Unmarshal([]byte(g.Requests()[2].Body), &made))
	assert.Equal(t, "张三", g.Decrypt(made.List[0].Who))

	// What cannot be encrypted is not sent in clear.
	for name, args := range map[string][]string{
		"too long":      {path, "-f", "name=" + strings.Repeat("长", 100)},
		"wrong type":    {path, "-F", "name=1"},
		"not JSON":      {"POST", path, "-d", `name=张三`},
		"no such one":   {"v3/new/thing", "-f", "a=b", "--encrypt", "/who"},
		"not a pointer": {"v3/new/thing", "-f", "a=b", "--encrypt", "who"},
	} {
		code, stdout, stderr := g.Run(append([]string{"call", "--no-check"}, args...)...)
		assert.Equal(t, 2, code, "%s: %s", name, stderr)
		assert.Empty(t, stdout)
		assert.Len(t, g.Requests(), 3, name)
		assert.NotContains(t, stderr, "张三", name)
	}
}

// TestCallChecks compares calls with their documentation: a warning by default, an error with --strict, nothing with
// --no-check.
func TestCallChecks(t *testing.T) {
	t.Parallel()
	g := clitest.NewGateway(t)
	// The response to a new order, and to a query of one.
	const response = `{"code_url":"weixin://wxpay/bizpayurl","trade_state":"NOTPAY"}`
	g.Respond(response)
	bad := []string{"call", "v3/pay/transactions/native", "-f", "appid=wx1", "-f", "mchid=1900000109", "-f", "description=tea",
		"-f", "out_trade_no=A", "-f", "notify_url=https://example.com/", "-f", "amount[total]=1", "-f", "amonut=2"}
	code, stdout, stderr := g.Run(bad...)
	assert.Equal(t, 0, code)
	assert.Equal(t, response+"\n", stdout)
	assert.Contains(t, stderr, "warning: body /amount/total (总金额, fen): ")
	assert.Contains(t, stderr, "warning: body /amonut: ")
	require.Len(t, g.Requests(), 1)

	code, stdout, stderr = g.Run(append(bad, "--strict")...)
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "\n  body /amount/total (总金额, fen): ")
	assert.Contains(t, stderr, "\n  warning: body /amonut: the operation documents no such field\n")
	assert.Contains(t, stderr, "Nothing was sent.")
	assert.Len(t, g.Requests(), 1)

	code, _, stderr = g.Run(append(bad, "--no-check")...)
	assert.Equal(t, 0, code)
	assert.Empty(t, stderr)
	assert.Len(t, g.Requests(), 2)

	// Warnings alone are no error.
	code, _, stderr = g.Run("call", "--strict", "v3/pay/transactions/id/{transaction_id}", "--var",
		"transaction_id=4200", "-q", "mchid=1900000109", "-q", "new=1")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "warning: query /new: ")

	// Remedies are in the words of the command line.
	_, _, stderr = g.Run("call", "v3/pay/transactions/id/{transaction_id}", "--var", "transaction_id=4200")
	assert.Contains(t, stderr, "warning: query /mchid (直连商户号): it is missing and documented as required: give -q "+
		"mchid=… (confirmed by a second source)\n")
	_, _, stderr = g.Run("call", "v3/pay/transaction/natvie")
	assert.Contains(t, stderr, "near are POST /v3/pay/transactions/native")
	assert.Contains(t, stderr, "if it is new, that is no mistake")
	_, _, stderr = g.Run("call", "GET", "v3/pay/transactions/native")
	assert.Contains(t, stderr, "the path is known with POST only")
}

// TestCallDecrypts prints a response byte for byte, and single values decrypted.
func TestCallDecrypts(t *testing.T) {
	t.Parallel()
	g := clitest.NewGateway(t)
	const name = "李四"
	ciphertext, err := apiv3.RSA().Encrypt(&g.Merchant.PublicKey, []byte(name))
	require.NoError(t, err)
	response := `{"user_name":"` + base64.StdEncoding.EncodeToString(ciphertext) + `"}`
	g.Respond(response)
	args := []string{"call", "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", "--var", "out_bill_no=1"}
	code, stdout, stderr := g.Run(args...)
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, response+"\n", stdout)
	code, stdout, stderr = g.Run(append(args, "--get", "user_name")...)
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, name+"\n", stdout)

	g.Respond(`{"user_name":"` + base64.StdEncoding.EncodeToString(make([]byte, 256)) + `"}`)
	code, _, stderr = g.Run(append(args, "--get", "user_name")...)
	assert.Equal(t, 0, code, "the operation succeeded all the same")
	assert.Contains(t, stderr, "the response is not decrypted in full: ")
}

// A call that is cancelled after its request was sent may have taken effect; one that is cancelled before was not sent.
func TestCancelledCall(t *testing.T) {
	t.Parallel()
	server := sandbox.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer gateway.Close()
	environ := append(server.Env(), "WXPAY_BASE_URL="+gateway.URL)
	call := func() (code int, stderr string) {
		var out, errs bytes.Buffer
		code = cli.Main(ctx, []string{"call", "POST", "v3/x", "-d", "{}"}, strings.NewReader(""), &out, &errs, environ)
		assert.Empty(t, out.String())
		return code, errs.String()
	}

	code, stderr := call()
	assert.Equal(t, 3, code)
	assert.Contains(t, stderr, "outcome unknown")

	code, stderr = call()
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, "not sent")
}
