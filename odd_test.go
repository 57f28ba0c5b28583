//go:build go1.25

package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
)

// stubborn refuses in both directions, and repeats what it was given.
type stubborn struct{ value string }

func (*stubborn) UnmarshalJSON(text []byte) error { return fmt.Errorf("bad value %s", text) }
func (s stubborn) MarshalJSON() ([]byte, error)   { return nil, fmt.Errorf("bad value %s", s.value) }

// encoding/json and the types that it calls repeat values in their errors. Those of calls hold none.
func TestCodingErrorsHoldNoValues(t *testing.T) {
	ctx := context.Background()
	hold := func(err error, says string) {
		t.Helper()
		require.ErrorContains(t, err, says)
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			assert.NotContains(t, fmt.Sprintf(verb, err), "987654321")
		}
	}
	client := newClient(t, wxpay.WithTransport(answer{body: `{"name":"987654321","many":987654321}`}))
	call := func() (*wxpay.Response, error) { return client.Chain("v3/x").Get(ctx) }
	_, err := wxpay.Into[struct{ Name stubborn }](call())
	hold(err, "the target's own unmarshaling failed")
	_, err = wxpay.Into[struct {
		Name bool `json:"name,string"`
	}](call())
	hold(err, "the target's own unmarshaling failed")
	_, err = wxpay.Into[struct{ Many int8 }](call())
	hold(err, `field "Many" is a JSON number, which does not fit int8`)
	_, err = wxpay.Into[struct{ Name time.Time }](call())
	hold(err, "the target's own unmarshaling failed")

	for says, body := range map[string]any{
		"stubborn refused to be written": wxpay.JSON{"name": stubborn{"987654321"}},
		"a value refused to be written":  wxpay.JSON{"many": json.Number("987654321x")},
	} {
		_, err := client.Chain("v3/x").Post(ctx, body)
		require.ErrorIs(t, err, wxpay.StageBuild)
		hold(err, says)
	}
}

// Anybody on the way may answer with an error page, and nothing in it ends the process.
func TestErrorPageWithoutEnd(t *testing.T) {
	page := strings.Repeat("[", 16<<20)
	_, err := newClient(t, wxpay.WithTransport(answer{status: 502, body: page, unsigned: true}), wxpay.WithAttempts(1)).Chain("v3/x").Get(context.Background())
	var refusal *wxpay.APIError
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, 502, refusal.Status)
	assert.Empty(t, refusal.Code)
}

// A gateway that changes the protocol gives the connection for a body, which nobody may wait for.
func TestSwitchedProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		switched := roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: r, Request: req}, nil
		})
		began := time.Now()
		_, err := newClient(t, wxpay.WithTransport(switched), wxpay.WithAttempts(1)).Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.ErrorContains(t, err, "status 101")
		assert.Zero(t, time.Since(began))
		_, err = w.Write([]byte("x"))
		assert.True(t, errors.Is(err, io.ErrClosedPipe), "the connection is closed")
	})
}

// What a proxy asks for is waited for only as long as something else would end the wait.
func TestUploadDoesNotSleepForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		busy := answer{status: 503, unsigned: true, header: http.Header{"Retry-After": {"86400"}}, trip: func(*http.Request) { attempts++ }}
		began := time.Now()
		_, err := newClient(t, wxpay.WithTransport(busy)).Chain("v3/merchant/media/upload").
			Upload(context.Background(), wxpay.FileFrom("a.png", strings.NewReader("x"), 1))
		var refusal *wxpay.APIError
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, 1, attempts)
		assert.Less(t, time.Since(began), time.Minute)
	})
}

// A number that fits no type is none for any reader: gjson would end at the greatest integer, which looks like an amount.
func TestNumberTooLarge(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{body: `{"total":25000000000000000000}`}))
	_, err := client.Chain("v3/x").Get(context.Background())
	assert.ErrorIs(t, err, middleware.ErrResponseAmbiguous)
}
