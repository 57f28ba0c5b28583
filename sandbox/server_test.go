package sandbox_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// newTransport returns a transport without proxies whose connections end with the test.
func newTransport(t testing.TB) *http.Transport {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestListenIsForLoopback(t *testing.T) {
	s := newSandbox(t)
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "[fe80::1]:0", "127.0.0.1.example.com:0", "0:0", "localhost.:0"} {
		server, err := s.Listen(addr)
		assert.Nil(t, server, addr)
		assert.EqualError(t, err, fmt.Sprintf("sandbox: refusing to listen on %q: its private keys are no secret, so it serves loopback "+
			"addresses only; use 127.0.0.1:PORT", addr))
	}
	for _, addr := range []string{"", "127.0.0.1", "localhost", "::1"} {
		_, err := s.Listen(addr)
		assert.ErrorContains(t, err, "sandbox: the address must be a loopback host and a port, such as 127.0.0.1:8080", addr)
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		server, err := s.Listen(addr)
		require.NoError(t, err, addr)
		a := newCall(s, time.Now(), "GET", "/v3/certificates", nil).sign(s).send(t, newTransport(t), server.URL)
		assert.Equal(t, 200, a.StatusCode)

		_, err = s.Listen(strings.TrimPrefix(server.URL, "http://"))
		assert.ErrorContains(t, err, "sandbox: listen tcp", "the port is taken")
		require.NoError(t, server.Close())
		require.NoError(t, server.Close(), "closing twice")
		_, err = http.Get(server.URL)
		assert.Error(t, err, "it has stopped")
	}
}

// A sandbox that was dropped without Close is not kept by what is due in it in years.
func TestDroppedSandboxIsFreed(t *testing.T) {
	alive := make([]weak.Pointer[sandbox.Sandbox], 10)
	for i := range alive {
		s, err := sandbox.New()
		require.NoError(t, err)
		alive[i] = weak.Make(s)
	}
	left := len(alive)
	for end := time.Now().Add(time.Minute); left > 0 && time.Now().Before(end); {
		runtime.GC()
		left = 0
		for _, p := range alive {
			if p.Value() != nil {
				left++
			}
		}
	}
	assert.Zero(t, left)
}

// TestNothingIsLeftAfterClose holds connections open in every state when the server is closed.
func TestNothingIsLeftAfterClose(t *testing.T) {
	s := newSandbox(t)
	server, err := s.Listen("127.0.0.1:0")
	require.NoError(t, err)
	host := strings.TrimPrefix(server.URL, "http://")
	for _, sent := range []string{
		"",                        // silent
		"POST /v3/a HTTP/1.1\r\n", // in the headers
		"POST /v3/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", // in the body
		"GET /v3/a HTTP/1.1\r\nHost: x\r\n\r\n",                           // answered, idle
	} {
		connection, err := net.Dial("tcp", host)
		require.NoError(t, err)
		defer connection.Close()
		_, err = io.WriteString(connection, sent)
		require.NoError(t, err)
		if strings.HasPrefix(sent, "GET") {
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			assert.Equal(t, 404, response.StatusCode)
		}
	}
	require.NoError(t, server.Close())
	var stacks string
	buffer := make([]byte, 1<<20)
	// Goroutines that have nothing left to do need a turn to end.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		stacks = string(buffer[:runtime.Stack(buffer, true)])
		if !strings.Contains(stacks, "net/http.(*conn)") && !strings.Contains(stacks, "sandbox.(*Server)") && !strings.Contains(stacks, "sandbox.(*Sandbox)") {
			return
		}
	}
	t.Fatalf("goroutines are left:\n%s", stacks)
}

// fatal is a TB that fails.
type fatal struct{ message string }

func (*fatal) Helper()        {}
func (*fatal) Cleanup(func()) {}
func (f *fatal) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	panic(f) // as runtime.Goexit does in a real test, but this one can be caught
}

func TestStartFailsTheTest(t *testing.T) {
	f := new(fatal)
	assert.PanicsWithValue(t, f, func() { sandbox.Start(f, sandbox.WithMerchant("x")) })
	assert.Equal(t, `sandbox: WithMerchant: a merchant number has 8 to 10 digits, unlike "x"`, f.message)
}

func TestStartEndsWithTheTest(t *testing.T) {
	var address string
	t.Run("inner", func(t *testing.T) {
		server := sandbox.Start(t)
		address = server.URL
		assert.Regexp(t, `^http://127\.0\.0\.1:[0-9]+$`, address)
	})
	_, err := http.Get(address)
	assert.Error(t, err)
}

// TestRawRequestLine sends what net/http's client cannot.
func TestRawRequestLine(t *testing.T) {
	server := sandbox.Start(t)
	s := server.Sandbox
	for target, status := range map[string]int{
		"/v3/certificates?algorithm_type=RSA#x":                               400, // a fragment is part of the value on a request line
		"/v3/certificates?a=|*^":                                              200,
		"/v3/pay/transactions/out-trade-no/AB|CD*EF?mchid=" + s.Merchant().ID: 404,
		"http://other/v3/certificates":                                        404,
	} {
		c := newCall(s, time.Now(), "GET", target, nil).sign(s)
		connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		require.NoError(t, err)
		defer connection.Close()
		fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: x\r\n", target)
		require.NoError(t, c.header.Write(connection))
		_, err = io.WriteString(connection, "\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, status, response.StatusCode, "%s: %s", target, body)
		entries := s.Journal.All()
		assert.Equal(t, target, entries[len(entries)-1].Target)
	}
}

// TestServedOnEveryAddress: a server on all addresses is called by the name that others have for it.
func TestServedOnEveryAddress(t *testing.T) {
	for name, test := range map[string]struct {
		names []string
		host  string
	}{"a name": {[]string{"gateway", "other"}, "gateway"}, "no name": {nil, "127.0.0.1"}} {
		s := newSandbox(t, sandbox.WithNetwork(test.names...))
		server, err := s.Listen("0.0.0.0:0")
		require.NoError(t, err, name)
		defer server.Close()
		assert.Regexp(t, `^http://`+test.host+`:\d+$`, server.URL, name)
		insecure, needed := server.LookupEnv("WXPAY_INSECURE_HTTP")
		assert.Equal(t, test.names != nil, needed, name)
		assert.Equal(t, needed, insecure == test.host, name)
		client, err := wxpay.FromLookupEnv(server.LookupEnv, wxpay.WithLogger(slog.New(slog.DiscardHandler)))
		require.NoError(t, err, "a client takes the variables as they are")
		assert.Equal(t, s.Merchant().ID, client.MchID())
	}
}
