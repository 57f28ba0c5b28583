//go:build go1.25

package sandbox

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipeListener is a listener whose connections are pipes, so that they work in a bubble.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// TestIdleConnectionsEnd needs the server on pipes, where time can pass at will.
func TestIdleConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New()
		require.NoError(t, err)
		listener := &pipeListener{connections: make(chan net.Conn), closed: make(chan struct{})}
		server := s.serve(listener)
		ours, theirs := net.Pipe()
		listener.connections <- theirs
		answers := bufio.NewReader(ours)
		ask := func() {
			t.Helper()
			_, err := io.WriteString(ours, "GET /v3/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			response, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			assert.Equal(t, 404, response.StatusCode)
			assert.Equal(t, "timeout=8", response.Header.Get("Keep-Alive"))
		}
		ask()
		time.Sleep(8*time.Second - time.Nanosecond)
		ask() // still open, and idle anew
		start := time.Now()
		_, err = answers.ReadByte()
		assert.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 8*time.Second, time.Since(start))
		require.NoError(t, server.Close())
	})
}
