package cli_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
)

// gateway is a gateway of the test's own: it keeps what arrives and answers with a text, signed.
type gateway struct {
	t        *testing.T
	platform *rsa.PrivateKey
	merchant *rsa.PrivateKey
	environ  []string
	answer   string

	mu      sync.Mutex // of what arrives, and of answer
	bodies  []string
	queries []string
	serials []string
}

const gatewayKeyID = "PUB_KEY_ID_0119000001092025010100000000000001"

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{t: t, answer: "{}"}
	var err error
	g.platform, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g.merchant, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(g.merchant)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&g.platform.PublicKey)
	require.NoError(t, err)
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.environ = []string{
		"WXPAY_MCHID=1900000109",
		"WXPAY_SERIAL=5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B",
		"WXPAY_PRIVATE_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"WXPAY_PUBLIC_KEY_ID=" + gatewayKeyID,
		"WXPAY_PUBLIC_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"WXPAY_BASE_URL=" + server.URL,
	}
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(g.t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bodies, g.queries = append(g.bodies, string(body)), append(g.queries, r.URL.RawQuery)
	g.serials = append(g.serials, r.Header.Get(apiv3.HeaderSerial))
	now := strconv.FormatInt(time.Now().Unix(), 10)
	message := apiv3.AppendResponseMessage(nil, now, "nonce", []byte(g.answer))
	signature, err := apiv3.RSA().Sign(g.platform, message)
	assert.NoError(g.t, err)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Wechatpay-Timestamp", now)
	header.Set("Wechatpay-Nonce", "nonce")
	header.Set("Wechatpay-Serial", gatewayKeyID)
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	io.WriteString(w, g.answer)
}

// run runs the program against the gateway. What the test reads and writes of it between two runs is ordered by the lock.
func (g *gateway) run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Main(g.t.Context(), args, strings.NewReader(""), &out, &errs, g.environ)
	g.mu.Lock()
	defer g.mu.Unlock()
	return code, out.String(), errs.String()
}

// open decrypts what the program encrypted for the platform.
func (g *gateway) open(text string) string {
	ciphertext, err := base64.StdEncoding.DecodeString(text)
	require.NoError(g.t, err)
	plain, err := apiv3.RSA().Decrypt(g.platform, ciphertext)
	require.NoError(g.t, err)
	return string(plain)
}

// TestCallEncrypts sends members that are documented as encrypted as ciphertext, and every other byte as it was typed.
func TestCallEncrypts(t *testing.T) {
	g := newGateway(t)
	const path = "v3/profitsharing/receivers/add"
	body := `{"appid":"wx8888888888888888", "type":"MERCHANT_ID","account":"86693852","name":"张三","relation_type":"STORE" }`
	code, _, stderr := g.run("call", "POST", path, "-d", body)
	require.Equal(t, 0, code, stderr)
	assert.Empty(t, stderr, "there is nothing to warn of")
	require.Len(t, g.bodies, 1)
	var sent struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(g.bodies[0]), &sent))
	assert.Equal(t, "张三", g.open(sent.Name))
	assert.Equal(t, body, strings.Replace(g.bodies[0], sent.Name, "张三", 1))
	assert.Equal(t, gatewayKeyID, g.serials[0])

	// Fields are no different, and --plain leaves a member alone.
	code, _, stderr = g.run("call", path, "-f", "appid=wx8888888888888888", "-f", "type=MERCHANT_ID", "-f", "account=86693852",
		"-f", "name=张三", "-f", "relation_type=STORE", "--plain", "/name")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, g.bodies[1], `"name":"张三"`)

	// --encrypt reaches members that no documentation speaks of.
	code, _, stderr = g.run("call", "--no-check", "v3/new/thing", "-f", "list[][who]=张三", "--encrypt", "/list/*/who")
	require.Equal(t, 0, code, stderr)
	var made struct{ List []struct{ Who string } }
	require.NoError(t, json.Unmarshal([]byte(g.bodies[2]), &made))
	assert.Equal(t, "张三", g.open(made.List[0].Who))

	// What cannot be encrypted is not sent in clear.
	for name, args := range map[string][]string{
		"too long":      {path, "-f", "name=" + strings.Repeat("长", 100)},
		"wrong type":    {path, "-F", "name=1"},
		"not JSON":      {"POST", path, "-d", `name=张三`},
		"no such one":   {"v3/new/thing", "-f", "a=b", "--encrypt", "/who"},
		"not a pointer": {"v3/new/thing", "-f", "a=b", "--encrypt", "who"},
	} {
		code, stdout, stderr := g.run(append([]string{"call", "--no-check"}, args...)...)
		assert.Equal(t, 2, code, "%s: %s", name, stderr)
		assert.Empty(t, stdout)
		assert.Len(t, g.bodies, 3, name)
		assert.NotContains(t, stderr, "张三", name)
	}
}

// TestCallChecks compares calls with their documentation: a warning by default, a refusal with --strict, nothing with
// --no-check.
func TestCallChecks(t *testing.T) {
	g := newGateway(t)
	g.answer = `{"code_url":"weixin://wxpay/bizpayurl","trade_state":"NOTPAY"}` // of an order that is made, and of one that is asked for
	bad := []string{"call", "v3/pay/transactions/native", "-f", "appid=wx1", "-f", "mchid=1900000109", "-f", "description=tea",
		"-f", "out_trade_no=A", "-f", "notify_url=https://example.com/", "-f", "amount[total]=1", "-f", "amonut=2"}
	code, stdout, stderr := g.run(bad...)
	assert.Equal(t, 0, code)
	assert.Equal(t, g.answer, stdout)
	assert.Contains(t, stderr, "warning: body /amount/total (总金额, fen): ")
	assert.Contains(t, stderr, "warning: body /amonut: ")
	require.Len(t, g.bodies, 1)

	code, stdout, stderr = g.run(append(bad, "--strict")...)
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "\n  body /amount/total (总金额, fen): ")
	assert.Contains(t, stderr, "\n  warning: body /amonut: the operation documents no such member\n")
	assert.Contains(t, stderr, "Nothing was sent.")
	assert.Len(t, g.bodies, 1)

	code, _, stderr = g.run(append(bad, "--no-check")...)
	assert.Equal(t, 0, code)
	assert.Empty(t, stderr)
	assert.Len(t, g.bodies, 2)

	// Warnings alone are no reason to refuse.
	code, _, stderr = g.run("call", "--strict", "v3/pay/transactions/id/{transaction_id}", "--var", "transaction_id=4200", "-q", "mchid=1900000109", "-q", "new=1")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "warning: query /new: ")

	// Remedies are in the words of the command line.
	_, _, stderr = g.run("call", "v3/pay/transactions/id/{transaction_id}", "--var", "transaction_id=4200")
	assert.Contains(t, stderr, "warning: query /mchid (直连商户号): it is missing and documented as required: give -q mchid=… (confirmed by a second source)\n")
	_, _, stderr = g.run("call", "v3/pay/transaction/natvie")
	assert.Contains(t, stderr, "near are POST /v3/pay/transactions/native")
	assert.Contains(t, stderr, "if it is new, that is no mistake")
	_, _, stderr = g.run("call", "GET", "v3/pay/transactions/native")
	assert.Contains(t, stderr, "the path is known with POST only")
}

// TestCallDecrypts prints an answer as it was verified, and single values decrypted.
func TestCallDecrypts(t *testing.T) {
	g := newGateway(t)
	const name = "李四"
	ciphertext, err := apiv3.RSA().Encrypt(&g.merchant.PublicKey, []byte(name))
	require.NoError(t, err)
	g.answer = `{"user_name":"` + base64.StdEncoding.EncodeToString(ciphertext) + `"}`
	args := []string{"call", "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", "--var", "out_bill_no=1"}
	code, stdout, stderr := g.run(args...)
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, g.answer, stdout)
	code, stdout, stderr = g.run(append(args, "--get", "user_name")...)
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, name+"\n", stdout)

	g.answer = `{"user_name":"` + base64.StdEncoding.EncodeToString(make([]byte, 256)) + `"}`
	code, _, stderr = g.run(append(args, "--get", "user_name")...)
	assert.Equal(t, 0, code, "the operation succeeded all the same")
	assert.Contains(t, stderr, "the answer is not decrypted in full: ")
}
