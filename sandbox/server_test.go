package sandbox_test

import (
	"net/http"
	"testing"
)

// newTransport returns a transport without proxies whose connections end with the test.
func newTransport(t testing.TB) *http.Transport {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
