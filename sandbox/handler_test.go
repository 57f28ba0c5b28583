package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHandlerByHand calls the handler without server and transport, as a user's own test may.
func TestHandlerByHand(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	c := newCall(s, noon, "GET", "/v3/certificates?algorithm_type=RSA", nil).sign(s)
	request, err := http.NewRequest(c.method, inProcess+c.target, nil) // no RequestURI, no Body
	require.NoError(t, err)
	request.Header = c.header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request)
	assert.Equal(t, 200, w.Code, "%s", w.Body)
	assert.Equal(t, c.target, s.Journal.All()[0].Target)

	c = newCall(s, noon, "POST", feedPath, feed()).sign(s)
	request = httptest.NewRequest(c.method, c.target, iotest.ErrReader(errors.New("reset by peer")))
	request.Header = c.header
	w = httptest.NewRecorder()
	s.ServeHTTP(w, request)
	assert.Equal(t, 400, w.Code)
	assert.JSONEq(t, `{"code":"INVALID_REQUEST","message":"读取请求体失败"}`, w.Body.String())
	assert.False(t, s.Journal.All()[1].Verified)
	assert.Equal(t, "the body did not arrive whole", s.Journal.All()[1].Reason)
}
