package coupon_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/coupon"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const base = "/v3/marketing/favor/"

// bench is a merchant with the flow, and its order over 100 fen, which is paid.
type bench struct {
	*sandboxtest.Bench
	flow   *coupon.Flow
	orders *order.Flow
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := sandboxtest.New(t)
	orders := order.Open(b.Merchant)
	_, err := orders.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	return bench{Bench: b, flow: coupon.Open(b.Merchant, orders), orders: orders}
}

// stock is the body that makes a stock of two coupons over 30 fen, one for each user.
func stock(number string, rule, use map[string]any) map[string]any {
	rules := map[string]any{"max_coupons": 2, "max_amount": 60, "max_coupons_per_user": 1, "natural_person_limit": false, "prevent_api_abuse": false}
	maps.Copy(rules, rule)
	uses := map[string]any{"fixed_normal_coupon": map[string]any{"coupon_amount": 30, "transaction_minimum": 100}}
	maps.Copy(uses, use)
	return map[string]any{
		"stock_name": "满减", "belong_merchant": sandboxtest.MerchantID, "out_request_no": number, "no_cash": true, "stock_type": "NORMAL",
		"available_begin_time": sandboxtest.Start.Format(time.RFC3339), "available_end_time": sandboxtest.Start.Add(48 * time.Hour).Format(time.RFC3339),
		"stock_use_rule": rules, "coupon_use_rule": uses, "pattern_info": map[string]any{"description": "说明"},
	}
}

// act starts, pauses, restarts or stops a stock.
func (b bench) act(id, what string) (string, map[string]any) {
	return base + "stocks/" + id + "/" + what, map[string]any{"stock_creator_mchid": b.ID}
}

func (b bench) status(id string) any {
	return b.Do("GET", base+"stocks/"+id+"?stock_creator_mchid="+b.ID, nil)["status"]
}

// started is a stock that is active.
func (b bench) started(rule, use map[string]any) (id string) {
	id = b.Do("POST", base+"coupon-stocks", stock("S-1", rule, use))["stock_id"].(string)
	path, body := b.act(id, "start")
	b.Do("POST", path, body)
	return id
}

// sending is the body that sends a coupon.
func (b bench) sending(stock, number string) map[string]any {
	return map[string]any{"stock_id": stock, "out_request_no": number, "appid": "wx1", "stock_creator_mchid": b.ID}
}

func to(openID string) string { return base + "users/" + openID + "/coupons" }

func (b bench) coupon(openID, id string) map[string]any {
	return b.Do("GET", to(openID)+"/"+id+"?appid=wx1", nil)
}

// TestStock leads a stock through its states. Each step survives a reload.
func TestStock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	made := b.Do("POST", base+"coupon-stocks", stock("S-1", nil, nil))
	b.Reload()
	assert.Equal(t, made, b.Do("POST", base+"coupon-stocks", stock("S-1", nil, nil)), "a repetition gets the same response")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", base+"coupon-stocks", stock("S-1", map[string]any{"max_coupons": 3}, nil)))
	id := made["stock_id"].(string)
	for _, step := range []struct{ what, status, rejected string }{
		{"pause", "unactivated", "400 INVALID_REQUEST"}, {"restart", "unactivated", "400 INVALID_REQUEST"},
		{"start", "running", ""}, {"start", "running", ""}, {"pause", "paused", ""}, {"start", "paused", "400 INVALID_REQUEST"},
		{"restart", "running", ""}, {"stop", "stoped", ""}, {"restart", "stoped", "400 INVALID_REQUEST"},
	} {
		path, body := b.act(id, step.what)
		if step.rejected != "" {
			assert.Equal(t, step.rejected, b.Rejected("POST", path, body), step.what)
		} else {
			assert.Equal(t, id, b.Do("POST", path, body)["stock_id"], step.what)
		}
		assert.Equal(t, step.status, b.status(id), step.what)
	}
	told := b.Do("GET", base+"stocks/"+id+"?stock_creator_mchid="+b.ID, nil)
	assert.Equal(t, "说明", told["description"])
	assert.Equal(t, map[string]any{"coupon_amount": 30.0, "transaction_minimum": 100.0}, told["stock_use_rule"].(map[string]any)["fixed_normal_coupon"])
	assert.NotEmpty(t, told["start_time"])
	assert.NotEmpty(t, told["stop_time"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", base+"stocks/"+id+"?stock_creator_mchid=1900000111", nil), "somebody else's")
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", base+"stocks/1?stock_creator_mchid="+b.ID, nil))
}

func TestStockRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, change := range map[string]map[string]any{
		"no time":               {"available_begin_time": "tomorrow"},
		"the end is first":      {"available_end_time": sandboxtest.Start.Add(-time.Hour).Format(time.RFC3339)},
		"no face value":         {"coupon_use_rule": map[string]any{"combine_use": true}},
		"a face value of 0":     {"coupon_use_rule": map[string]any{"fixed_normal_coupon": map[string]any{"coupon_amount": 0, "transaction_minimum": 1}}},
		"a blank in the number": {"out_request_no": "S 1"},
	} {
		body := stock("S-1", nil, nil)
		maps.Copy(body, change)
		assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", base+"coupon-stocks", body), name)
	}
}

// TestStocksInPages counts pages from 0.
func TestStocksInPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 3 {
		b.Do("POST", base+"coupon-stocks", stock(fmt.Sprint("S-", i), nil, nil))
	}
	list := func(query string) (names int, told map[string]any) {
		told = b.Do("GET", base+"stocks?stock_creator_mchid="+b.ID+query, nil)
		return len(told["data"].([]any)), told
	}
	for query, want := range map[string]int{
		"&offset=0&limit=2": 2, "&offset=1&limit=2": 1, "&offset=2&limit=2": 0, "&offset=9223372036854775807&limit=2": 0,
		"&offset=0&limit=10&status=unactivated": 3, "&offset=0&limit=10&status=running": 0,
	} {
		n, _ := list(query)
		assert.Equal(t, want, n, query)
	}
	_, told := list("&offset=1&limit=2")
	assert.Equal(t, []any{3.0, 1.0, 2.0}, []any{told["total_count"], told["offset"], told["limit"]})
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("GET", base+"stocks?offset=0&limit=11&stock_creator_mchid="+b.ID, nil))
}

// TestCoupon sends a coupon, which its user uses. Each step survives a reload.
func TestCoupon(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", base+"callbacks?mchid="+b.ID, nil))
	b.Do("POST", base+"callbacks", map[string]any{"mchid": b.ID, "notify_url": "https://merchant.example/coupons", "switch": true})
	assert.Equal(t, map[string]any{"mchid": b.ID, "notify_url": "https://merchant.example/coupons"}, b.Do("GET", base+"callbacks?mchid="+b.ID, nil))
	assert.Equal(t, "403 NO_AUTH", b.Rejected("GET", base+"callbacks?mchid=1900000111", nil))

	stock := b.started(nil, nil)
	sent := b.Do("POST", to("o1"), b.sending(stock, "C-1"))
	b.Reload()
	assert.Equal(t, sent, b.Do("POST", to("o1"), b.sending(stock, "C-1")), "a repetition gets the same coupon")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", to("o2"), b.sending(stock, "C-1")), "the number is another user's")
	id := sent["coupon_id"].(string)
	told := b.coupon("o1", id)
	assert.Equal(t, []any{"SENDED", "满减", "C-1", stock}, []any{told["status"], told["coupon_name"], told["out_request_no"], told["stock_id"]})
	assert.Equal(t, map[string]any{"coupon_amount": 30.0, "transaction_minimum": 100.0}, told["normal_coupon_information"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", to("o2")+"/"+id+"?appid=wx1", nil), "somebody else's")

	shown := b.flow.Coupons()
	require.Len(t, shown, 1)
	assert.Equal(t, []any{id, "满减", "o1", "SENDED", int64(30), int64(100)},
		[]any{shown[0].ID, shown[0].Name, shown[0].OpenID, shown[0].State, shown[0].Amount, shown[0].Minimum})
	require.NoError(t, b.flow.UseCoupon(id, "ORDER-0001"))
	b.Reload()
	assert.Equal(t, "USED", b.flow.Coupons()[0].State)
	told = b.coupon("o1", id)
	assert.Equal(t, "USED", told["status"])
	o, _ := b.orders.Get("ORDER-0001")
	assert.Equal(t, []any{o.Transaction, b.ID},
		[]any{told["consume_information"].(map[string]any)["transaction_id"], told["consume_information"].(map[string]any)["consume_mchid"]})
	notified := b.Notified("COUPON.USE")
	require.Len(t, notified, 1)
	assert.Equal(t, []any{id, "USED", 30.0},
		[]any{notified[0]["coupon_id"], notified[0]["status"], notified[0]["consume_information"].(map[string]any)["consume_amount"]})
	assert.EqualError(t, b.flow.UseCoupon(id, "ORDER-0001"), fmt.Sprintf("sandbox: use the coupon %q: it is USED", id))

	effects := b.Ledger.Effects("coupon")
	require.Len(t, effects, 1)
	assert.Equal(t, []any{"C-1", int64(30), "USED"}, []any{effects[0].Number, effects[0].Amount, effects[0].State})
}

func TestSendRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	idle := b.Do("POST", base+"coupon-stocks", stock("S-0", nil, nil))["stock_id"].(string)
	id := b.started(nil, nil)
	b.Do("POST", to("o1"), b.sending(id, "C-1"))
	assert.Equal(t, "403 REQUEST_BLOCKED", b.Rejected("POST", to("o1"), b.sending(id, "C-2")), "one for a user")
	b.Do("POST", to("o2"), b.sending(id, "C-3"))
	assert.Equal(t, "403 NOT_ENOUGH", b.Rejected("POST", to("o3"), b.sending(id, "C-4")), "two in all")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", to("o3"), b.sending(idle, "C-4")), "not active")
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", to("o3"), b.sending("1", "C-4")), "unknown")
	require.Len(t, b.Ledger.Effects("coupon"), 2, "a rejected one has no effect")
	require.NoError(t, b.orders.BindAppID("wx2"))
	assert.Equal(t, "400 APPID_MCHID_NOT_MATCH", b.Rejected("POST", to("o3"), b.sending(id, "C-4")))
}

// TestBudget sends until max_amount is reached.
func TestBudget(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.started(map[string]any{"max_coupons": 9, "max_amount": 59}, nil)
	b.Do("POST", to("o1"), b.sending(id, "C-1"))
	assert.Equal(t, "403 NOT_ENOUGH", b.Rejected("POST", to("o2"), b.sending(id, "C-2")))
}

// TestCouponsEnd holds that coupons expire, and stocks end, as time passes.
func TestCouponsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.started(nil, map[string]any{"coupon_available_time": map[string]any{"available_time_after_receive": 60}})
	first := b.Do("POST", to("o1"), b.sending(id, "C-1"))["coupon_id"].(string)
	b.Pass(time.Hour)
	assert.Equal(t, "EXPIRED", b.coupon("o1", first)["status"])
	assert.ErrorContains(t, b.flow.UseCoupon(first, "ORDER-0001"), "it is EXPIRED")
	b.Pass(48 * time.Hour)
	assert.Equal(t, "stoped", b.status(id))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", to("o2"), b.sending(id, "C-2")))
}

// TestCouponsOfUser filters them.
func TestCouponsOfUser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.started(map[string]any{"max_coupons_per_user": 2}, map[string]any{"available_merchants": []any{"1900000111"}})
	first := b.Do("POST", to("o1"), b.sending(id, "C-1"))["coupon_id"].(string)
	b.Do("POST", to("o1"), b.sending(id, "C-2"))
	for query, want := range map[string]int{
		"": 2, "&status=SENDED": 2, "&status=USED": 0, "&stock_id=" + id: 2, "&stock_id=1": 0, "&creator_mchid=1900000111": 0,
		"&available_mchid=1900000111": 2, "&available_mchid=" + b.ID: 0, "&offset=1&limit=1": 1,
	} {
		assert.Len(t, b.Do("GET", to("o1")+"?appid=wx1"+query, nil)["data"], want, query)
	}
	assert.Empty(t, b.Do("GET", to("o2")+"?appid=wx1", nil)["data"])
	assert.ErrorContains(t, b.flow.UseCoupon(first, "ORDER-0001"), "is not among the merchants")
}

func TestUseRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.orders.AddPaidOrder("ORDER-SMALL", 99)
	require.NoError(t, err)
	id := b.Do("POST", to("o1"), b.sending(b.started(nil, nil), "C-1"))["coupon_id"].(string)
	for name, test := range map[string]struct{ coupon, order, want string }{
		"unknown coupon": {"1", "ORDER-0001", "there is no such coupon"},
		"unpaid order":   {id, "ORDER-0002", `no order "ORDER-0002" is paid`},
		"small order":    {id, "ORDER-SMALL", "it is for orders from 100 fen, and this one is over 99"},
	} {
		assert.ErrorContains(t, b.flow.UseCoupon(test.coupon, test.order), test.want, name)
	}
	require.NoError(t, b.flow.UseCoupon(id, "ORDER-0001"))
	assert.Empty(t, b.Notified("COUPON.USE"), "nobody asked to be told")
}

// TestBindingMeanwhile binds appids while coupons are sent. The race detector finds a request that
// reads them without the book.
func TestBindingMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.started(map[string]any{"max_coupons": 20, "max_amount": 600}, nil)
	require.NoError(t, b.orders.BindAppID("wx1"))
	stop := sandboxtest.Meanwhile(func(i int) { assert.NoError(t, b.orders.BindAppID(fmt.Sprint("wx-", i))) })
	for i := range 20 {
		b.Do("POST", to(fmt.Sprint("o", i)), b.sending(id, fmt.Sprint("C-", i)))
	}
	stop()
}
