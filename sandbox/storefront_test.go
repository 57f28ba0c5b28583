package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// TestShop tests a service of the user's own against the sandbox: order, payment, notification, refund, notification. It is all
// that such a test needs, in parallel with any others.
func TestShop(t *testing.T) {
	t.Parallel()
	gateway := sandbox.Start(t) // on a free port, until the test ends
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv)
	require.NoError(t, err)
	shop := httptest.NewServer(newStorefront(t, client, gateway.Merchant().APIv3Key))
	defer shop.Close()

	postTo(t, shop.URL+"/orders", `{"number": "ORDER-0001", "total": 100}`)
	_, err = gateway.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	_, err = gateway.Deliveries.Await(t.Context(), gateway.Deliveries.All()[0].ID, 1)
	require.NoError(t, err)
	assert.Equal(t, "paid 100", getFrom(t, shop.URL+"/orders/ORDER-0001"))

	postTo(t, shop.URL+"/refunds", `{"number": "ORDER-0001", "total": 100, "refund": 30}`)
	_, err = gateway.Deliveries.Await(t.Context(), gateway.Deliveries.All()[1].ID, 1)
	require.NoError(t, err)
	assert.Equal(t, "refunded 30", getFrom(t, shop.URL+"/orders/ORDER-0001"))
	assert.EqualValues(t, 30, gateway.Ledger.Effects(sandbox.RefundEffect)[0].Amount)
}

// TestShopIsShort holds the test above to its promise: under 30 lines.
func TestShopIsShort(t *testing.T) {
	source, err := os.ReadFile("storefront_test.go")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(source), "\nfunc TestShop(")
	require.True(t, found)
	body, _, found := strings.Cut(rest, "\n}\n")
	require.True(t, found)
	assert.Less(t, strings.Count(body, "\n")+2, 30)
}

// storefront is the service that is tested: what a user has, and the sandbox knows nothing of.
type storefront struct {
	client *wxpay.Client
	mu     sync.Mutex
	states map[string]string
}

func newStorefront(t *testing.T, client *wxpay.Client, apiv3Key string) http.Handler {
	s := &storefront{client: client, states: make(map[string]string)}
	notified, err := webhook.New(webhook.Merchant{ID: merchantID, APIv3Key: apiv3Key, Keys: client})
	require.NoError(t, err)
	notified.On("TRANSACTION.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		s.set(e.Get("out_trade_no").String(), "paid "+e.Get("amount.total").String())
		return nil
	})
	notified.On("REFUND.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		s.set(e.Get("out_trade_no").String(), "refunded "+e.Get("amount.refund").String())
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("POST /notify", notified)
	mux.HandleFunc("POST /orders", s.order)
	mux.HandleFunc("POST /refunds", s.refund)
	mux.HandleFunc("GET /orders/{number}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Write([]byte(s.states[r.PathValue("number")]))
	})
	return mux
}

const merchantID = "1900000109"

func (s *storefront) set(number, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[number] = state
}

// wish is what the shop's customers send.
type wish struct {
	Number string `json:"number"`
	Total  int    `json:"total"`
	Refund int    `json:"refund"`
}

func (s *storefront) order(w http.ResponseWriter, r *http.Request) {
	s.call(w, r, "v3/pay/transactions/native", func(wish wish) wxpay.JSON {
		return wxpay.JSON{
			"appid": "wxd678efh567hg6787", "mchid": merchantID, "description": "T-shirt", "out_trade_no": wish.Number,
			"notify_url": "http://" + r.Host + "/notify", "amount": wxpay.JSON{"total": wish.Total},
		}
	})
}

func (s *storefront) refund(w http.ResponseWriter, r *http.Request) {
	s.call(w, r, "v3/refund/domestic/refunds", func(wish wish) wxpay.JSON {
		return wxpay.JSON{
			"out_trade_no": wish.Number, "out_refund_no": wish.Number + "-REFUND", "notify_url": "http://" + r.Host + "/notify",
			"amount": wxpay.JSON{"refund": wish.Refund, "total": wish.Total, "currency": "CNY"},
		}
	})
}

func (s *storefront) call(w http.ResponseWriter, r *http.Request, path string, body func(wish) wxpay.JSON) {
	var wish wish
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := s.client.Chain(path).Post(r.Context(), body(wish)); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func postTo(t *testing.T, url, body string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	whole(t, answer)
}

func getFrom(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	return whole(t, answer)
}

func whole(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", body)
	return string(body)
}
