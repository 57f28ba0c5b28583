package wxotel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// errorTypes are the values of error.type for the errors of a pipeline.
var errorTypes = map[error]string{
	unverified(apiv3.ErrClock):                  "clock",
	unverified(apiv3.ErrUnknownSerial):          "unknown_key",
	unverified(apiv3.ErrExpired):                "expired_key",
	unverified(apiv3.ErrUnsigned):               "unsigned",
	unverified(apiv3.ErrSignatureHeader):        "signature_header",
	unverified(apiv3.ErrSignature):              "signature",
	unverified(middleware.ErrForeign):           "foreign",
	unverified(middleware.ErrDigest):            "digest",
	unverified(middleware.ErrResponseTooLarge):  "too_large",
	unverified(middleware.ErrResponseTruncated): "truncated",
	unverified(middleware.ErrResponseCoded):     "compressed",
	unverified(middleware.ErrResponseAmbiguous): "ambiguous",
	unverified(errors.New("something else")):    "unverified",
	&middleware.SignError{Err: errors.New("x")}: "signing",
	middleware.ErrLimited:                       "limit",
	context.Canceled:                            "cancelled",
	context.DeadlineExceeded:                    "timeout",
	errors.New("anything"):                      "transport",
}

func unverified(reason error) error {
	return &middleware.VerifyError{Status: 200, Reason: fmt.Errorf("because: %w", reason)}
}

// fail makes a call whose only attempt ends with err.
func fail(t *testing.T, s *shop, err error) {
	t.Helper()
	transport := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CallFrom(req.Context()).Reached = true
		return nil, err
	})
	call := &middleware.Call{Method: http.MethodGet, Template: "/v3/x"}
	req, failure := http.NewRequestWithContext(middleware.WithCall(t.Context(), call), http.MethodGet, "https://api.mch.weixin.qq.com/v3/x", nil)
	require.NoError(t, failure)
	_, got := s.Middleware()(middleware.Retry(&middleware.RetryConfig{Attempts: 1})(transport)).RoundTrip(req)
	assert.ErrorIs(t, got, err)
}

func TestErrorTypes(t *testing.T) {
	for err, want := range errorTypes {
		s := open(t)
		fail(t, s, err)
		for _, span := range s.spans.Ended() {
			assert.Equal(t, want, attributes(span.Attributes())["error.type"])
		}
		metrics := measured(t, s.reader)
		assert.Equal(t, want, metrics["wxpay.client.call.duration"][0].labels["error.type"])
		assert.Equal(t, want, metrics["http.client.request.duration"][0].labels["error.type"])
	}
}
