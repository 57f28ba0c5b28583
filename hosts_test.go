//go:build go1.25

package wxpay_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// perHost answers by host.
type perHost map[string]http.RoundTripper

func (p perHost) RoundTrip(req *http.Request) (*http.Response, error) {
	return p[req.URL.Host].RoundTrip(req)
}

const (
	primaryHost = "api.mch.weixin.qq.com"
	backupHost  = "api2.mch.weixin.qq.com"
)

// After trouble with a host a repeat goes to the other one; what may not be repeated does not.
func TestRepeatGoesToTheOtherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			trouble answer
			hosts   []string // that took the requests of a read
		}{
			"reset":         {resetConnection, []string{primaryHost, backupHost}},
			"no connection": {refusedConnection, []string{primaryHost, backupHost}},
			"502":           {badGateway, []string{primaryHost, backupHost}},
			"500":           {systemError, []string{primaryHost, primaryHost}},
			"429":           {limited, []string{primaryHost, primaryHost}},
			"probe":         {probed, []string{primaryHost, primaryHost}},
		} {
			gateway := play(tt.trouble, ok("{}"))
			_, err := newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Get(context.Background())
			require.NoError(t, err, name)
			require.Len(t, gateway.seen, 2, name)
			assert.Equal(t, tt.hosts, []string{gateway.seen[0].host, gateway.seen[1].host}, name)
		}
		gateway := play(resetConnection)
		_, err := newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Len(t, gateway.seen, 1)
	})
}

// After three failures in a row the backup goes first. Reads look every half minute whether the primary is back, writes
// that must not be repeated only after five minutes.
func TestBackupGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := perHost{primaryHost: resetConnection, backupHost: ok("{}")}
		gateway := play(hosts)
		client := newClient(t, wxpay.WithTransport(gateway))
		read := func() []string {
			gateway.seen = nil
			_, err := client.Chain("v3/x").Get(context.Background())
			require.NoError(t, err)
			var to []string
			for _, s := range gateway.seen {
				to = append(to, s.host)
			}
			return to
		}
		write := func() string {
			gateway.seen = nil
			_, _ = client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
			require.Len(t, gateway.seen, 1)
			return gateway.seen[0].host
		}
		for range 3 {
			assert.Equal(t, []string{primaryHost, backupHost}, read())
		}
		assert.Equal(t, []string{backupHost}, read())
		assert.Equal(t, backupHost, write())
		time.Sleep(31 * time.Second)
		assert.Equal(t, backupHost, write(), "a write is not the one to look with")
		assert.Equal(t, []string{primaryHost, backupHost}, read(), "the look")
		assert.Equal(t, []string{backupHost}, read())

		hosts[primaryHost] = ok("{}")
		time.Sleep(31 * time.Second)
		assert.Equal(t, []string{primaryHost}, read(), "the look, and it is back")
		assert.Equal(t, primaryHost, write())

		// Where nothing but writes is called, one of them looks after five minutes.
		hosts[primaryHost] = resetConnection
		for range 3 {
			assert.Equal(t, primaryHost, write())
		}
		assert.Equal(t, backupHost, write())
		time.Sleep(6 * time.Minute)
		assert.Equal(t, primaryHost, write())
		assert.Equal(t, backupHost, write())
	})
}

func TestWithBaseURL(t *testing.T) {
	gateway := play(ok("{}"))
	client := newClient(t, wxpay.WithTransport(gateway), wxpay.WithBaseURL("https://apihk.mch.weixin.qq.com", "https://api.mch.weixin.qq.com"))
	_, err := client.Chain("v3/x").Get(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "apihk.mch.weixin.qq.com", gateway.seen[0].host)

	for name, option := range map[string]wxpay.Option{
		"not of the form https://host": wxpay.WithBaseURL("apihk"),
		"has more than scheme":         wxpay.WithBaseURL("https://a", "https://b/v3"),
		"appears twice":                wxpay.WithBaseURL("https://a", "https://b", "https://a"),
		"differ in their scheme":       wxpay.WithBaseURL("https://a", "http://127.0.0.1:1"),
		"it must be positive":          wxpay.WithAttempts(0),
	} {
		_, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
			wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), option)
		assert.ErrorContains(t, err, name)
	}
}

// A kept connection that the server closes in the moment it is used again must not surface where a repeat does no harm.
func TestStaleConnectionDoesNotSurface(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer{}.sign(w.Header(), string(body))
		_, _ = w.Write(body)
	}))
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			_ = c.Close() // as late as it can be: the client may be writing its next request already
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, wxpay.WithBaseURL(server.URL), wxpay.WithAttempts(10))
	defer client.Close()
	for range 200 {
		res, err := client.Chain("v3/x").Idempotent().Post(context.Background(), wxpay.JSON{"a": 1})
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(res.Raw()))
	}
}

// The client's own transport goes on to the backup by itself, whatever the call, since nothing was sent.
func TestTransportGoesOnToTheBackup(t *testing.T) {
	const nobody = "http://127.0.0.1:1"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer{}.sign(w.Header(), "{}")
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	client := newClient(t, wxpay.WithBaseURL(nobody, server.URL), wxpay.WithAttempts(1))
	defer client.Close()
	_, err := client.Chain("v3/pay/transactions/codepay").Unbind().Post(context.Background(), wxpay.JSON{})
	require.NoError(t, err)
}
