package complaint_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/complaint"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	complaints    = "/v3/merchant-service/complaints-v2"
	notifications = "/v3/merchant-service/complaint-notifications"
)

// bench is a merchant with the flow.
type bench struct {
	*sandboxtest.Bench
	flow   *complaint.Flow
	orders *order.Flow
	t      *testing.T
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := sandboxtest.New(t)
	orders := order.Open(b.Merchant)
	refund.Open(b.Merchant, orders)
	return bench{Bench: b, flow: complaint.Open(b.Merchant, orders), orders: orders, t: t}
}

// complain lets the user of a new order over total fen complain.
func (b bench) complain(number string, total int64, about complaint.Complaint) (id, transaction string) {
	b.t.Helper()
	transaction, err := b.orders.AddPaidOrder(number, total)
	require.NoError(b.t, err)
	about.OutTradeNo = number
	id, err = b.flow.Complain(about)
	require.NoError(b.t, err)
	return id, transaction
}

// kinds are the steps in the history of a complaint, the newest first.
func (b bench) kinds(id string) (list []any) {
	b.t.Helper()
	data, _ := b.Do("GET", complaints+"/"+id+"/negotiation-historys", nil)["data"].([]any)
	for _, step := range data {
		list = append(list, step.(map[string]any)["operate_type"])
	}
	return list
}

// TestComplaint follows a complaint to its end, and from there to its next end. Each step survives a reload.
func TestComplaint(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Do("POST", notifications, map[string]any{"url": "https://merchant.example/complaints"})
	b.Reload()
	about := complaint.Complaint{Detail: "没收到", Type: "REFUND", Phone: "13900139000"}
	id, transaction := b.complain("ORDER-0001", 300, about)
	assert.Equal(t, []map[string]any{{"complaint_id": id, "action_type": "CREATE_COMPLAINT"}}, b.Notified("COMPLAINT.CREATE"))
	path := complaints + "/" + id
	b.Reload()
	told := b.Do("GET", path, nil)
	assert.Equal(t, "13900139000", b.Decrypt(told["payer_phone"]))
	assert.Equal(t, "PENDING", told["complaint_state"])
	assert.Equal(t, "没收到", told["complaint_detail"])
	assert.Equal(t, sandboxtest.MerchantID, told["complainted_mchid"])
	assert.NotEmpty(t, told["payer_openid"])
	assert.Equal(t, []any{
		map[string]any{"transaction_id": transaction, "out_trade_no": "ORDER-0001", "amount": 300.0},
	}, told["complaint_order_info"])
	assert.Equal(t, false, told["complaint_full_refunded"])
	assert.Equal(t, true, told["incoming_user_response"])
	assert.EqualValues(t, 300, told["apply_refund_amount"], "the whole order")
	assert.EqualValues(t, 1, told["user_complaint_times"])

	own := map[string]any{"complainted_mchid": sandboxtest.MerchantID}
	reply := map[string]any{
		"complainted_mchid": sandboxtest.MerchantID, "response_content": "已联系", "response_images": []any{"img-1"},
	}
	others := map[string]any{"complainted_mchid": "1900000999", "response_content": "x"}
	assert.Equal(t, "403 NO_AUTH", b.Rejected("POST", path+"/response", others))
	b.Do("POST", path+"/response", reply)
	b.Reload()
	told = b.Do("GET", path, nil)
	assert.Equal(t, "PROCESSING", told["complaint_state"])
	assert.Equal(t, false, told["incoming_user_response"])
	require.NoError(t, b.flow.ContinueComplaint(id, "还没有"))
	assert.Equal(t, true, b.Do("GET", path, nil)["incoming_user_response"])

	progress := path + "/update-refund-progress"
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", progress, map[string]any{"action": "REJECT"}), "a reason is needed")
	b.Do("POST", progress, map[string]any{"action": "APPROVE", "launch_refund_day": 0})
	b.Reload()
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", progress, map[string]any{"action": "APPROVE"}), "once only")
	b.Do("POST", "/v3/refund/domestic/refunds", map[string]any{
		"out_trade_no": "ORDER-0001", "out_refund_no": "R-1",
		"amount": map[string]any{"refund": 300, "total": 300, "currency": "CNY"},
	})
	assert.Equal(t, true, b.Do("GET", path, nil)["complaint_full_refunded"])

	b.Do("POST", path+"/complete", own)
	b.Do("POST", path+"/complete", own)
	assert.Equal(t, "PROCESSED", b.Do("GET", path, nil)["complaint_state"])
	b.Reload()
	require.NoError(t, b.flow.ContinueComplaint(id, "又来"))
	told = b.Do("GET", path, nil)
	assert.Equal(t, "PENDING", told["complaint_state"])
	assert.EqualValues(t, 2, told["user_complaint_times"])
	assert.Equal(t, []map[string]any{
		{"complaint_id": id, "action_type": "USER_RESPONSE"}, {"complaint_id": id, "action_type": "CONTINUE_COMPLAINT"},
	}, b.Notified("COMPLAINT.STATE_CHANGE"), "the merchant's own acts are not notified")

	assert.Equal(t, []any{
		"USER_CONTINUE_COMPLAINT", "MERCHANT_CONFIRM_COMPLETE", "MERCHANT_APPROVE_REFUND", "USER_RESPONSE", "MERCHANT_RESPONSE",
		"USER_CREATE_COMPLAINT",
	}, b.kinds(id))
	assert.EqualValues(t, 6, b.Do("GET", path+"/negotiation-historys", nil)["total_count"])
	page := b.Do("GET", path+"/negotiation-historys?offset=4&limit=1", nil)
	assert.NotContains(t, page, "total_count", "the first page has it")
	data, _ := page["data"].([]any)
	require.Len(t, data, 1)
	images := data[0].(map[string]any)["image_list"]
	assert.Equal(t, []any{sandboxtest.Host + "/v3/merchant-service/images/img-1"}, images)
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("GET", path+"/negotiation-historys?limit=301", nil))
	require.Len(t, b.flow.Complaints(), 1)
	assert.Equal(t, "PENDING", b.flow.Complaints()[0].State)
}

func TestUnknownComplaint(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", complaints+"/1", nil))
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", complaints+"/1/negotiation-historys", nil))
	own := map[string]any{"complainted_mchid": sandboxtest.MerchantID}
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", complaints+"/1/complete", own))
	assert.ErrorContains(t, b.flow.ContinueComplaint("1", ""), "there is no complaint")
}

// TestUsersMistakes asks for complaints that no user can make.
func TestUsersMistakes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.orders.AddPaidOrder("ORDER-0001", 300)
	require.NoError(t, err)
	for want, about := range map[string]complaint.Complaint{
		"there is no paid order":        {OutTradeNo: "ORDER-0002"},
		"the order is over 300 fen":     {OutTradeNo: "ORDER-0001", Type: "REFUND", RefundAmount: 301},
		"the type is REFUND, SERVICE_N": {OutTradeNo: "ORDER-0001", Type: "ANGER"},
	} {
		_, err := b.flow.Complain(about)
		assert.ErrorContains(t, err, want)
	}
	assert.Empty(t, b.flow.Complaints())
	_, err = b.flow.Complain(complaint.Complaint{OutTradeNo: "ORDER-0001"})
	require.NoError(t, err)
	_, err = b.flow.Complain(complaint.Complaint{OutTradeNo: "ORDER-0001"})
	assert.ErrorContains(t, err, "there is a complaint about the order")
}

// TestRefundProgress tells users who want a refund, and one who wants none, whether they get it.
func TestRefundProgress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	progress := func(id string) string { return complaints + "/" + id + "/update-refund-progress" }
	rejected, _ := b.complain("ORDER-0001", 300, complaint.Complaint{Type: "REFUND", RefundAmount: 100})
	assert.EqualValues(t, 100, b.Do("GET", complaints+"/"+rejected, nil)["apply_refund_amount"])
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", progress(rejected), map[string]any{"action": "PERHAPS"}))
	b.Do("POST", progress(rejected), map[string]any{"action": "REJECT", "reject_reason": "x"})
	assert.Equal(t, []any{"MERCHANT_REFUSE_RERUND", "USER_CREATE_COMPLAINT"}, b.kinds(rejected), "the platform spells it so")

	other, _ := b.complain("ORDER-0002", 300, complaint.Complaint{RefundAmount: 100})
	assert.NotContains(t, b.Do("GET", complaints+"/"+other, nil), "apply_refund_amount", "this user wants none")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", progress(other), map[string]any{"action": "APPROVE"}))
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for day := range 4 {
		b.complain(fmt.Sprintf("ORDER-%04d", day), 100, complaint.Complaint{})
		b.Pass(24 * time.Hour)
	}
	for query, want := range map[string]float64{
		"begin_date=2025-01-01&end_date=2025-01-31":                                             4,
		"begin_date=2025-01-02&end_date=2025-01-03":                                             2,
		"begin_date=2025-01-02&end_date=2025-01-03&complainted_mchid=1900000999":                0,
		"begin_date=2025-01-02&end_date=2025-01-03&complainted_mchid=" + sandboxtest.MerchantID: 2,
		"begin_date=2025-01-01&end_date=2025-01-01&limit=50":                                    1,
		"begin_date=2025-01-05&end_date=2025-01-05&limit=50":                                    0,
	} {
		assert.Equal(t, want, b.Do("GET", complaints+"?"+query, nil)["total_count"], query)
	}
	for _, query := range []string{
		"begin_date=2025-01-01&end_date=2025-02-01", "begin_date=2025-01-02&end_date=2025-01-01",
		"begin_date=20250101&end_date=2025-01-01", "begin_date=2025-01-01&end_date=2025-01-01&limit=51",
	} {
		assert.Equal(t, "400 PARAM_ERROR", b.Rejected("GET", complaints+"?"+query, nil), query)
	}
	newest, _ := b.Do("GET", complaints+"?begin_date=2025-01-01&end_date=2025-01-31&limit=1", nil)["data"].([]any)
	require.Len(t, newest, 1)
	info, _ := newest[0].(map[string]any)["complaint_order_info"].([]any)
	require.Len(t, info, 1)
	assert.Equal(t, "ORDER-0003", info[0].(map[string]any)["out_trade_no"])
}

func TestAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := map[string]any{"url": "https://merchant.example/1"}, map[string]any{"url": "https://merchant.example/2"}
	for method, body := range map[string]any{"GET": nil, "PUT": one, "DELETE": nil} {
		assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected(method, notifications, body), method)
	}
	query := map[string]any{"url": "https://merchant.example/1?a=b"}
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", notifications, query))
	b.Do("POST", notifications, one)
	b.Do("POST", notifications, one)
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", notifications, two), "PUT changes it")
	b.Do("PUT", notifications, two)
	b.Reload()
	assert.Equal(t, map[string]any{"mchid": sandboxtest.MerchantID, "url": two["url"]}, b.Do("GET", notifications, nil))
	b.Do("DELETE", notifications, nil)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", notifications, nil))
	b.complain("ORDER-0001", 100, complaint.Complaint{})
	assert.Empty(t, b.Office.Deliveries(), "nobody is notified")
}

// TestReplyAtOnce replies in blocks, twice under one id.
func TestReplyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id, _ := b.complain("ORDER-0001", 100, complaint.Complaint{})
	path := complaints + "/" + id + "/response-immediate-service"
	message := map[string]any{"blocks": []any{map[string]any{"type": "TEXT", "text": map[string]any{"text": "您好"}}}}
	reply := map[string]any{"complainted_mchid": sandboxtest.MerchantID, "message": message, "idempotent_id": "I-1"}
	log := b.Do("POST", path, reply)["log_id"]
	assert.NotEmpty(t, log)
	b.Reload()
	assert.Equal(t, log, b.Do("POST", path, reply)["log_id"])
	reply["idempotent_id"] = "I-2"
	assert.NotEqual(t, log, b.Do("POST", path, reply)["log_id"])
	history, _ := b.Do("GET", complaints+"/"+id+"/negotiation-historys", nil)["data"].([]any)
	require.Len(t, history, 3)
	assert.Equal(t, message, history[1].(map[string]any)["normal_message"])
	assert.Equal(t, log, history[1].(map[string]any)["log_id"])
}

// TestSubMerchant complains about the sub-merchant of a service provider.
func TestSubMerchant(t *testing.T) {
	t.Parallel()
	const sub = "1900000110"
	b := newBench(t)
	require.NoError(t, b.AddSub(sub))
	b.Do("POST", "/v3/pay/partner/transactions/native", map[string]any{
		"sp_appid": "wx8888888888888888", "sp_mchid": sandboxtest.MerchantID, "sub_mchid": sub, "description": "d",
		"out_trade_no": "ORDER-0001", "notify_url": "https://merchant.example/pay", "amount": map[string]any{"total": 100},
	})
	_, err := b.orders.Pay(sub + "/ORDER-0001")
	require.NoError(t, err)
	id, err := b.flow.Complain(complaint.Complaint{OutTradeNo: sub + "/ORDER-0001"})
	require.NoError(t, err)
	assert.Equal(t, sub, b.Do("GET", complaints+"/"+id, nil)["complainted_mchid"])
	own := map[string]any{"complainted_mchid": sandboxtest.MerchantID}
	assert.Equal(t, "403 NO_AUTH", b.Rejected("POST", complaints+"/"+id+"/complete", own))
	b.Do("POST", complaints+"/"+id+"/complete", map[string]any{"complainted_mchid": sub})
}
