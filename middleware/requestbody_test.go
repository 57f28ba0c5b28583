package middleware_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/middleware"
)

// A transport may still read an earlier request when the call makes its next one: neither takes the other's bytes.
func TestSetBodyAgain(t *testing.T) {
	var call middleware.Call
	request := func(body string) *http.Request {
		req, err := http.NewRequest(http.MethodPost, "https://api.mch.weixin.qq.com/v3/x", nil)
		require.NoError(t, err)
		call.SetBody(req, []byte(body), []byte(body))
		return req
	}
	first, second := request("first"), request("second, and longer")
	for _, tt := range []struct {
		req  *http.Request
		body string
	}{{first, "first"}, {second, "second, and longer"}} {
		again, err := tt.req.GetBody()
		require.NoError(t, err)
		for _, reader := range []io.Reader{tt.req.Body, again} {
			got, err := io.ReadAll(reader)
			require.NoError(t, err)
			assert.Equal(t, tt.body, string(got))
		}
	}
}
