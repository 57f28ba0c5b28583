package cli

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
)

// TestJunkOnEveryPort sends to the sandbox and to its control what belongs to neither, holds the connections open, and wants both
// to answer all the same, and to end.
func TestJunkOnEveryPort(t *testing.T) {
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	served, err := p.serveSandbox("127.0.0.1:0", newForwarder(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, p.note))
	require.NoError(t, err)
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{8}).Read(noise)
	control, err := url.Parse(served.control.url)
	require.NoError(t, err)
	secret := control.Path
	var open sync.WaitGroup
	for _, base := range []string{served.server.URL, served.control.address} {
		for name, content := range map[string][]byte{
			"nothing": nil, "noise": noise, "TLS hello": append([]byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}, noise[:506]...),
			"half a request": []byte("POST /v3/pay HTTP/1.1\r\nHost"),
			"large header":   []byte("GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 1<<20) + "\r\n\r\n"),
			"huge length":    []byte("POST " + secret + "/trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n{"),
			"an order of noise": append([]byte("POST "+secret+"/trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"),
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
	for _, base := range []string{served.server.URL, served.control.address} {
		answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(must(http.NewRequest(http.MethodGet, base+secret+"/nothing", nil)))
		require.NoError(t, err)
		answer.Body.Close()
		assert.GreaterOrEqual(t, answer.StatusCode, 400)
	}
	served.close()
	open.Wait()
	assert.Empty(t, served.server.Ledger())
	assert.Empty(t, served.server.Deliveries())
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
