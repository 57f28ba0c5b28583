//go:build go1.25

package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestManyClients has two thousand clients, each on a connection of its own, order and query at the same time. They sign
// without RSA, which is measured elsewhere; WXPAY_TEST_LONG has them sign for real.
func TestManyClients(t *testing.T) {
	const clients = 2000
	scheme := apiv3.Scheme(quick{apiv3.RSA()})
	if os.Getenv("WXPAY_TEST_LONG") != "" {
		scheme = apiv3.RSA()
	}
	server := sandbox.Start(t, sandbox.WithScheme(scheme))
	var ready, done sync.WaitGroup
	ready.Add(clients)
	start := make(chan struct{})
	failed := make(chan error, clients)
	for i := range clients {
		done.Go(func() {
			client := oneClient{server, scheme, fmt.Sprintf("MANY-%06d", i)}
			ready.Done()
			<-start
			if err := client.order(); err != nil {
				failed <- fmt.Errorf("%s: %w", client.number, err)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	numbers := make(map[string]bool)
	for _, effect := range server.Ledger.Effects(sandbox.OrderEffect) {
		numbers[effect.Number] = true
	}
	assert.Len(t, numbers, clients)
	assert.Len(t, server.Journal.All(), 1000, "the journal is bounded")
}

// oneClient is a client with one connection.
type oneClient struct {
	server *sandbox.Server
	scheme apiv3.Scheme
	number string
}

func (c oneClient) order() error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	order := native(c.server.Sandbox)
	order["out_trade_no"] = c.number
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	if _, err := c.call(transport, "POST", "/v3/pay/transactions/native", body); err != nil {
		return err
	}
	answer, err := c.call(transport, "GET", "/v3/pay/transactions/out-trade-no/"+c.number+"?mchid="+c.server.Merchant().ID, nil)
	if err != nil {
		return err
	}
	var queried struct {
		Number string `json:"out_trade_no"`
		State  string `json:"trade_state"`
	}
	if err := json.Unmarshal(answer, &queried); err != nil {
		return err
	}
	if queried.Number != c.number || queried.State != "NOTPAY" {
		return fmt.Errorf("the query told of another order: %s", answer)
	}
	return nil
}

func (c oneClient) call(transport http.RoundTripper, method, target string, body []byte) ([]byte, error) {
	merchant := c.server.Merchant()
	header, _, err := apiv3.SignRequest(c.scheme, merchant.PrivateKey, apiv3.Authorization{
		ID: merchant.ID, Serial: merchant.Serial, Timestamp: strconv.FormatInt(time.Now().Unix(), 10), Nonce: strconv.FormatUint(rand.Uint64(), 36),
	}, method, target, body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(method, c.server.URL+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {"many"}, "Authorization": {header},
		"Wechatpay-Serial": {c.server.Keys.PublicKeyID()}}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, answer)
	}
	signature, err := apiv3.ReadSignature(response.Header)
	if err != nil {
		return nil, err
	}
	return answer, signature.Verify(c.scheme, c.server.Keys.PublicKey(), answer)
}

// junk is what arrives at an open port.
func junk() map[string][]byte {
	random := rand.NewChaCha8([32]byte{8})
	noise := make([]byte, 64<<10)
	random.Read(noise)
	head := "POST /v3/pay/transactions/native HTTP/1.1\r\nHost: x\r\n"
	return map[string][]byte{
		"noise":                 noise,
		"nothing":               nil,
		"zeros":                 make([]byte, 8<<10),
		"TLS hello":             append([]byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03}, noise[:502]...),
		"HTTP/2 preface":        []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
		"half a request line":   []byte("POST /v3/pay/tra"),
		"half a header":         []byte(head + "Authoriz"),
		"half a body":           []byte(head + "Content-Length: 100\r\n\r\n{"),
		"long request line":     []byte("GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\n\r\n"),
		"large header":          []byte(head + "A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n"),
		"many headers":          []byte(head + strings.Repeat("A: b\r\n", 50_000) + "\r\n"),
		"no line ends":          []byte(strings.Repeat("A", 200<<10)),
		"negative length":       []byte(head + "Content-Length: -1\r\n\r\n"),
		"overflowing length":    []byte(head + "Content-Length: 99999999999999999999\r\n\r\n"),
		"huge length":           []byte(head + "Content-Length: 9223372036854775807\r\n\r\n{}"),
		"two lengths":           []byte(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
		"length and chunks":     []byte(head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		"broken chunks":         []byte(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
		"header with zero byte": []byte(head + "A: \x00\r\n\r\n"),
		"deep JSON":             []byte(head + "Content-Length: 200000\r\n\r\n" + strings.Repeat("[", 200_000)),
		"other protocol":        []byte("SSH-2.0-OpenSSH_9.9\r\n"),
		"path with noise":       append(append([]byte("GET /"), noise[:100]...), " HTTP/1.1\r\nHost: x\r\n\r\n"...),
		"unending pipeline":     []byte(strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2000)),
		"authorization noise": append(append([]byte(head+"Accept: */*\r\nUser-Agent: x\r\nAuthorization: "),
			bytes.Map(printable, noise[:30_000])...), "\r\n\r\n"...),
	}
}

func printable(r rune) rune { return ' ' + r%95 }

// TestJunk sends to the port what does not belong there, and holds the connections open. A good client is served all the
// same, and nothing is left in the end.
func TestJunk(t *testing.T) {
	before := runtime.NumGoroutine()
	server, err := newSandbox(t).Listen("127.0.0.1:0")
	require.NoError(t, err)
	host := strings.TrimPrefix(server.URL, "http://")
	var open sync.WaitGroup
	for name, content := range junk() {
		for _, slow := range []bool{false, true} {
			connection, err := net.Dial("tcp", host)
			require.NoError(t, err, name)
			open.Go(func() {
				defer connection.Close()
				if slow && len(content) > 0 { // all but the end, which never comes
					connection.Write(content[:len(content)-1])
				} else {
					connection.Write(content)
					connection.(*net.TCPConn).CloseWrite()
				}
				answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
				if err == nil {
					assert.GreaterOrEqual(t, answer.StatusCode, 400, name)
				}
				io.Copy(io.Discard, connection) // until the server closes
			})
		}
	}
	transport := &http.Transport{}
	for range 20 {
		a := newCall(server.Sandbox, time.Now(), "GET", "/v3/certificates", nil).sign(server.Sandbox).send(t, transport, server.URL)
		require.Equal(t, 200, a.StatusCode)
	}
	transport.CloseIdleConnections()
	require.NoError(t, server.Close())
	server.Sandbox.Close()
	open.Wait()
	// Goroutines that have nothing left to do need a turn to end.
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
	assert.Empty(t, server.Ledger.Effects(), "junk has no effect")
	for _, entry := range server.Journal.All() {
		if entry.Verified {
			continue
		}
		assert.GreaterOrEqual(t, entry.Status, 400)
		assert.LessOrEqual(t, len(entry.Header.Get("Authorization")), 64<<10)
	}
}

// FuzzAuthorization gives the clinic any header and any signature.
func FuzzAuthorization(f *testing.F) {
	s := newSandbox(f)
	good := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
	value := good.header.Get("Authorization")
	f.Add(value, "{}")
	f.Add(strings.Replace(value, `mchid="`, `mchid=`, 1), "")
	f.Add("WECHATPAY2-SHA256-RSA2048 ", `{"a":"\ud800"}`)
	f.Add(strings.Replace(value, good.authorization.Nonce, "", 1), "{\"a\":\"\\\\\"}\n")
	f.Add(value[:len(value)-20]+base64.StdEncoding.EncodeToString([]byte("x"))+`"`, `[1, 2]`)
	f.Fuzz(func(t *testing.T, authorization, body string) {
		s.Journal.Reset()
		c := *good
		c.header, c.body = c.header.Clone(), []byte(body)
		c.header["Authorization"] = []string{authorization}
		request, err := http.NewRequest(c.method, inProcess+c.target, bytes.NewReader(c.body))
		require.NoError(t, err)
		request.Header = c.header
		answer, err := s.Transport().RoundTrip(request)
		if err != nil {
			return // no client can send it
		}
		answer.Body.Close()
		entry := s.Journal.All()[0]
		if entry.Status == http.StatusUnauthorized {
			assert.NotEmpty(t, entry.Explanation)
			assert.Less(t, len(entry.Explanation), 16<<10)
			return
		}
		assert.Equal(t, string(good.body), body, "another body was accepted")
	})
}
