package smoke_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/smoke"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

const appID = "wxd678efh567hg6787"

// The embedded sandbox is tried without a question, with a notification over the network and a transcript.
func TestSandbox(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	record := filepath.Join(t.TempDir(), "smoke.json")
	code, stdout, stderr := clitest.Run(t, nil, "smoke", "--appid", appID, "--sandbox",
		"--notify-url", "http://"+address+"/notify", "--listen", address, "--record", record)
	assert.Zero(t, code, stderr)
	for _, step := range []string{"keys", "echo", "order", "payment", "refund", "notification"} {
		assert.Regexp(t, `(?m)^✓ done     `+step+` `, stdout)
	}
	assert.Contains(t, stdout, "\nOne fen was taken and given back.\n")
	assert.Contains(t, stderr, "█", "the QR code")
	plan, _, _ := strings.Cut(stderr, "Scan this")
	assert.Regexp(t, `out_trade_no SMOKE\w{22}, appid `+appID, plan, "the number comes first")

	text, err := os.ReadFile(record)
	require.NoError(t, err)
	var transcript struct {
		Gateway       string
		Calls         []struct{ Path string }
		Notifications []struct{ Event string }
	}
	require.NoError(t, json.Unmarshal(text, &transcript))
	assert.Equal(t, "another gateway", transcript.Gateway, "a sandbox is no evidence about the platform")
	var paths, events []string
	for _, call := range transcript.Calls {
		paths = append(paths, call.Path)
	}
	for _, notice := range transcript.Notifications {
		events = append(events, notice.Event)
	}
	assert.Subset(t, paths, []string{"/v3/security/echo", "/v3/pay/transactions/native", "/v3/refund/domestic/refunds"})
	assert.Equal(t, []string{"SECURITY_ECHO.SUCCESS", "TRANSACTION.SUCCESS"}, events)

	code, _, stderr = clitest.Run(t, nil, "smoke", "--appid", appID, "--sandbox", "--record", record)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "exists already")
}

// Without somebody who can be asked nothing is sent, and without a connection nothing was.
func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	gateway := clitest.NewGateway(t)
	code, stdout, stderr := gateway.Run("smoke", "--appid", appID)
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "This takes 1 fen (0.01 yuan) from your phone for merchant 1900000109 at http://127.0.0.1:")
	assert.Contains(t, stderr, "nothing was sent; --yes goes on without asking")
	assert.Empty(t, gateway.Requests())

	code, stdout, _ = clitest.Run(t, append(gateway.Environ, "WXPAY_BASE_URL=http://127.0.0.1:1"), "smoke", "--appid", appID, "--yes")
	assert.Equal(t, 4, code)
	assert.Regexp(t, `(?m)^✗ failed   keys `, stdout)
	assert.Contains(t, stdout, "No money moved.")
}

// The commands that a run without a refund prints give the fen back.
func TestAdvice(t *testing.T) {
	t.Parallel()
	server := sandbox.Start(t)
	rule, err := fault.Parse("429 status=403 code=NOT_ENOUGH path=/v3/refund/domestic/refunds")
	require.NoError(t, err)
	require.NoError(t, server.Faults.Inject(rule))
	paid := make(chan error, 1)
	go func() {
		for t.Context().Err() == nil {
			if orders := server.Ledger.Effects(sandbox.OrderEffect); len(orders) > 0 {
				_, err := server.Users.Pay(orders[0].Number)
				paid <- err
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	code, stdout, _ := clitest.Run(t, server.Env(), "smoke", "--appid", appID, "--yes", "--wait", "1m")
	require.NoError(t, <-paid)
	assert.Equal(t, 7, code, stdout)
	_, command, found := strings.Cut(stdout, "To give it back: wxpay ")
	require.True(t, found, stdout)
	server.Faults.Clear()
	args := strings.Fields(strings.ReplaceAll(command, "'", ""))
	code, _, stderr := clitest.Run(t, server.Env(), args...)
	assert.Zero(t, code, stderr)
	code, _, stderr = clitest.Run(t, server.Env(), append(args, "--sent-before")...) // as after an unknown outcome
	assert.Zero(t, code, stderr)
	refunds := server.Ledger.Effects(sandbox.RefundEffect)
	require.Len(t, refunds, 1, "it was given back once")
	assert.Equal(t, "SUCCESS", refunds[0].State)

	number := strings.TrimSuffix(refunds[0].Number, "-R")
	code, state, stderr := clitest.Run(t, server.Env(), "resolve", "POST", "v3/pay/transactions/native", number, "--get", "trade_state")
	assert.Zero(t, code, stderr)
	assert.Equal(t, "REFUND\n", state)
	code, _, stderr = clitest.Run(t, server.Env(), "resolve", "POST", "v3/refund/domestic/refunds", refunds[0].Number)
	assert.Zero(t, code, stderr)
}

// Whatever a gateway sends, the transcript has names of fields in the platform's spelling, types, and known texts.
func TestTranscriptIsRedacted(t *testing.T) {
	t.Parallel()
	body := wxpay.JSON{
		"code": "MARKED_CODE", "message": "marked", "detail": wxpay.JSON{"field_name": "marked", "13800138000": 1, "oMarkedOpenid": nil, "marked-name": true},
		"list": []any{1, 2.5, "marked", "marked too", wxpay.JSON{"a_b": []any{}}},
	}
	for _, status := range []int{200, 403} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"X-Marked-Proxy", "Via", "Server", "Content-Language", "Keep-Alive", "Set-Cookie"} {
				w.Header().Set(name, "marked")
			}
			wxpaytest.Answer(status, body).ServeHTTP(w, r)
		})
		text, err := smoke.Recorded(func(option wxpay.Option) {
			client := wxpaytest.Client(t, handler, option)
			_, _ = client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "marked-number").Query("mchid", client.MchID()).Unbind().Get(t.Context())
			_, _ = client.Chain("v3/marked/path").Query("q", "marked").Get(t.Context())
		})
		require.NoError(t, err)
		lower := strings.ToLower(text)
		for _, secret := range []string{"marked", "13800138000", wxpaytest.MchID} {
			assert.NotContains(t, lower, secret)
		}
		assert.Contains(t, text, `"path":"/v3/pay/transactions/out-trade-no/{out_trade_no}"`)
		assert.Contains(t, text, `"path":"(another path)"`)
		assert.Contains(t, text, `"field_name":"string"`)
		assert.Contains(t, text, `"(another name)":`)
		assert.Contains(t, text, `"list":["integer","number","string",{"a_b":[]}]`)
		assert.Contains(t, text, `"Server":"(a value)"`)
		assert.Contains(t, text, `"(others)":"(left out)"`)
		if status == 403 {
			assert.Contains(t, text, `"code":"(another code)"`)
		}
	}
}
