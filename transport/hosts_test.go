package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/transport"
)

// A request goes to the next host only when no connection could be had: after that it may have arrived.
func TestHosts(t *testing.T) {
	const nobody = "127.0.0.1:1" // a port that is free might be another test's a moment later
	var bodies []string
	good := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Host+" "+string(body))
	}))
	defer good.Close()
	backup := strings.TrimPrefix(good.URL, "http://")
	hangsUp := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })

	send := func(rt http.RoundTripper, host string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+host+"/v3/x", strings.NewReader(`{"a":1}`))
		require.NoError(t, err)
		res, err := rt.RoundTrip(req)
		if err == nil {
			require.NoError(t, res.Body.Close())
		}
		assert.Equal(t, host, req.URL.Host, "the caller's request stays as it is")
		return res, err
	}
	t.Run("refused", func(t *testing.T) {
		bodies = nil
		pool := transport.New(transport.Config{Hosts: []string{nobody, backup}})
		defer pool.CloseIdleConnections()
		res, err := send(pool, nobody)
		require.NoError(t, err)
		assert.Equal(t, backup, res.Request.URL.Host)
		assert.Equal(t, []string{backup + ` {"a":1}`}, bodies)
	})
	t.Run("hung up", func(t *testing.T) {
		bodies = nil
		_, err := send(transport.New(transport.Config{Hosts: []string{hangsUp, backup}}), hangsUp)
		var sent *transport.SentError
		require.ErrorAs(t, err, &sent)
		assert.Equal(t, hangsUp, sent.ServedBy())
		assert.Empty(t, bodies)
	})
	t.Run("refused, then hung up", func(t *testing.T) {
		_, err := send(transport.New(transport.Config{Hosts: []string{nobody, hangsUp}}), nobody)
		var sent *transport.SentError
		require.ErrorAs(t, err, &sent)
		assert.Equal(t, hangsUp, sent.ServedBy())
		var unsent *transport.UnsentError
		assert.False(t, errors.As(err, &unsent), "the second host had a connection")
	})
	t.Run("all refused", func(t *testing.T) {
		_, err := send(transport.New(transport.Config{Hosts: []string{nobody, nobody}}), nobody)
		var unsent *transport.UnsentError
		require.ErrorAs(t, err, &unsent)
		assert.True(t, unsent.Unsent())
	})
	t.Run("a host that is not one of them", func(t *testing.T) {
		_, err := send(transport.New(transport.Config{Hosts: []string{backup}}), nobody)
		var unsent *transport.UnsentError
		require.ErrorAs(t, err, &unsent)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := get(t, ctx, transport.New(transport.Config{Hosts: []string{nobody, backup}}), "http://"+nobody)
		var unsent *transport.UnsentError
		require.ErrorAs(t, err, &unsent)
	})
}
