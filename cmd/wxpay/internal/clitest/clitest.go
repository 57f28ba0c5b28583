// Package clitest runs the program wxpay in tests, and gives it a gateway to call.
package clitest

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/internal/sparekey"
)

// Run runs the program with an environment and an empty stdin.
func Run(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return RunWith(t, environ, "", args...)
}

// RunWith is [Run] with a text as stdin.
func RunWith(t *testing.T, environ []string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), args, strings.NewReader(stdin), &out, &errs, environ)
	return code, out.String(), errs.String()
}

// WriterFunc is a function as a writer.
type WriterFunc func([]byte) (int, error)

// Write calls the function.
func (w WriterFunc) Write(p []byte) (int, error) { return w(p) }

// PEM returns a block of PEM text.
func PEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// Request is a request that arrived at a [Gateway].
type Request struct {
	Method, Target string
	Header         http.Header
	Body           string
}

// Gateway is a gateway that keeps each request, and responds with one text, signed.
type Gateway struct {
	Platform *rsa.PrivateKey
	Merchant *rsa.PrivateKey
	Environ  []string // for a client of the gateway

	t        *testing.T
	mu       sync.Mutex
	respond  func(Request) string
	status   int
	requests []Request
}

// GatewayKeyID is the id of the gateway's public key.
const GatewayKeyID = "PUB_KEY_ID_0119000001092025010100000000000001"

// NewGateway serves a gateway that responds with {} until the test ends.
func NewGateway(t *testing.T) *Gateway {
	t.Helper()
	g := &Gateway{t: t}
	g.Respond("{}")
	g.Platform, g.Merchant = sparekey.Named("gateway's platform").Private(), sparekey.Named("gateway's merchant").Private()
	private, err := x509.MarshalPKCS8PrivateKey(g.Merchant)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&g.Platform.PublicKey)
	require.NoError(t, err)
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.Environ = []string{
		"WXPAY_MCHID=1900000109",
		"WXPAY_SERIAL=5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B",
		"WXPAY_PRIVATE_KEY=" + PEM("PRIVATE KEY", private),
		"WXPAY_PUBLIC_KEY_ID=" + GatewayKeyID,
		"WXPAY_PUBLIC_KEY=" + PEM("PUBLIC KEY", public),
		"WXPAY_BASE_URL=" + server.URL,
	}
	return g
}

// Query returns the query of the request.
func (r Request) Query() url.Values {
	_, query, _ := strings.Cut(r.Target, "?")
	values, _ := url.ParseQuery(query)
	return values
}

// Respond sets the response to every request.
func (g *Gateway) Respond(body string) { g.RespondTo(func(Request) string { return body }) }

// RespondTo sets the response to each request.
func (g *Gateway) RespondTo(respond func(Request) string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.respond, g.status = respond, http.StatusOK
}

// Reject sets the response to every request: an API error.
func (g *Gateway) Reject(status int, code string) {
	g.Respond(`{"code":"` + code + `","message":"no"}`)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status = status
}

// Requests returns the requests that arrived so far.
func (g *Gateway) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

// ServeHTTP keeps the request and responds.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(g.t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	request := Request{r.Method, r.RequestURI, r.Header, string(body)}
	g.requests = append(g.requests, request)
	response := g.respond(request)
	now := strconv.FormatInt(time.Now().Unix(), 10)
	message := apiv3.AppendResponseMessage(nil, now, "nonce", []byte(response))
	signature, err := apiv3.RSA().Sign(g.Platform, message)
	assert.NoError(g.t, err)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Wechatpay-Timestamp", now)
	header.Set("Wechatpay-Nonce", "nonce")
	header.Set("Wechatpay-Serial", GatewayKeyID)
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	w.WriteHeader(g.status)
	io.WriteString(w, response)
}

// Run runs the program against the gateway.
func (g *Gateway) Run(args ...string) (code int, stdout, stderr string) {
	g.t.Helper()
	return Run(g.t, g.Environ, args...)
}

// Decrypt returns the plain text of a field that the program encrypted for the platform.
func (g *Gateway) Decrypt(text string) string {
	g.t.Helper()
	ciphertext, err := base64.StdEncoding.DecodeString(text)
	require.NoError(g.t, err)
	plain, err := apiv3.RSA().Decrypt(g.Platform, ciphertext)
	require.NoError(g.t, err)
	return string(plain)
}

// Golden compares a text with a file. WXPAY_TEST_UPDATE=1 writes the file.
func Golden(t *testing.T, path, text string) {
	t.Helper()
	if os.Getenv("WXPAY_TEST_UPDATE") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text)
}
