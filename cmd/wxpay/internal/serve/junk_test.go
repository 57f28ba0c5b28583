package serve_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// TestJunkOnEveryPort sends junk to the sandbox and to its control, and keeps the connections open. Both respond all the
// same, and end.
func TestJunkOnEveryPort(t *testing.T) {
	t.Parallel()
	sh := shell.New(strings.NewReader(""), io.Discard, io.Discard, nil)
	served, err := serve.Start(sh, "127.0.0.1:0", serve.NewForwarder(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, sh))
	require.NoError(t, err)
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{8}).Read(noise)
	var address string
	for _, variable := range served.Env() {
		if value, ok := strings.CutPrefix(variable, serve.Variable+"="); ok {
			address = value
		}
	}
	control, err := url.Parse(address)
	require.NoError(t, err)
	secret := control.Path
	var open sync.WaitGroup
	for _, base := range []string{served.URL, served.ControlURL()} {
		for name, content := range map[string][]byte{
			"nothing": nil, "noise": noise, "TLS hello": append([]byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}, noise[:506]...),
			"half a request": []byte("POST /v3/pay HTTP/1.1\r\nHost"),
			"large header":   []byte("GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 1<<20) + "\r\n\r\n"),
			"huge length": []byte("POST " + secret + "/trigger HTTP/1.1\r\nHost: x\r\nContent-Length: " +
				"9223372036854775807\r\n\r\n{"),
			"an order of noise": append([]byte("POST "+secret+"/trigger HTTP/1.1\r\nHost: x\r\nContent-Length: "+
				"1000\r\n\r\n"),
				bytes.Repeat([]byte{'{'}, 1000)...),
			"an order of nothing": []byte("POST /_sandbox/pay HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
		} {
			connection, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
			require.NoError(t, err, name)
			open.Go(func() {
				defer connection.Close()
				connection.Write(content)
				io.Copy(io.Discard, connection) // until the server closes
			})
		}
	}
	for _, base := range []string{served.URL, served.ControlURL()} {
		request, err := http.NewRequest(http.MethodGet, base+secret+"/nothing", nil)
		require.NoError(t, err)
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		require.NoError(t, err)
		response.Body.Close()
		assert.GreaterOrEqual(t, response.StatusCode, 400)
	}
	served.Close()
	open.Wait()
	assert.Empty(t, served.Ledger.Effects())
	assert.Empty(t, served.Deliveries.All())
}
