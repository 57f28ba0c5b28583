//go:build go1.25

package middleware_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/middleware"
)

// The first attempt begins when the deadline was set if its caller says so, the next ones at their own time.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := &middleware.Call{
			Method: "GET", Fresh: true, Deadline: time.Now().Add(time.Hour),
			Limits: &middleware.TimeLimits{Total: time.Hour, TotalErr: errors.New("total"), Attempt: time.Minute, AttemptErr: errors.New("attempt")},
		}
		begun := time.Now()
		time.Sleep(time.Second)
		var ends []time.Duration
		transport := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call.Reached = true
			end, ok := req.Context().Deadline()
			require.True(t, ok)
			ends = append(ends, end.Sub(begun))
			if len(ends) == 2 {
				assert.Equal(t, time.Since(begun)+time.Minute, ends[1])
			}
			return nil, errors.New("lost")
		})
		req, err := http.NewRequestWithContext(middleware.WithCall(t.Context(), call), "GET", "https://example.com/", nil)
		require.NoError(t, err)
		_, err = middleware.Retry(&middleware.RetryConfig{Attempts: 2})(transport).RoundTrip(req)
		require.Error(t, err)
		require.Len(t, ends, 2)
		assert.Equal(t, time.Minute, ends[0])
		assert.Greater(t, ends[1], time.Minute+time.Second-1)
	})
}
