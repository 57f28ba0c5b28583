package sandbox_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	complaintsPath    = "/v3/merchant-service/complaints-v2"
	notificationsPath = "/v3/merchant-service/complaint-notifications"
)

func TestComplaint(t *testing.T) {
	g := newGate(t)
	mchid := g.Merchant().ID
	g.do("POST", notificationsPath, map[string]any{"url": "https://merchant.example/complaints"})
	_, err := g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001"})
	assert.ErrorContains(t, err, "there is no paid order")
	transaction, err := g.Users.AddPaidOrder("ORDER-0001", 300)
	require.NoError(t, err)
	_, err = g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001", Type: "REFUND", RefundAmount: 301})
	assert.ErrorContains(t, err, "over 300 fen")
	id, err := g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001", Detail: "没收到", Type: "REFUND", Phone: "13900139000"})
	require.NoError(t, err)
	_, err = g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001"})
	assert.ErrorContains(t, err, "there is a complaint")
	assert.Equal(t, []map[string]any{{"complaint_id": id, "action_type": "CREATE_COMPLAINT"}}, g.noticed("COMPLAINT.CREATE"))

	path := complaintsPath + "/" + id
	told := g.do("GET", path, nil)
	assert.Equal(t, "PENDING", told["complaint_state"])
	assert.Equal(t, "没收到", told["complaint_detail"])
	assert.Equal(t, "13900139000", g.opened(told["payer_phone"]))
	assert.Equal(t, []any{map[string]any{"transaction_id": transaction, "out_trade_no": "ORDER-0001", "amount": 300.0}}, told["complaint_order_info"])
	assert.Equal(t, false, told["complaint_full_refunded"])
	assert.Equal(t, true, told["incoming_user_response"])
	assert.EqualValues(t, 300, told["apply_refund_amount"])

	reply := map[string]any{"complainted_mchid": mchid, "response_content": "已联系", "response_images": []any{"img-1"}}
	assert.Equal(t, "403 NO_AUTH", g.refused("POST", path+"/response", map[string]any{"complainted_mchid": "1900000999", "response_content": "x"}))
	g.do("POST", path+"/response", reply)
	told = g.do("GET", path, nil)
	assert.Equal(t, "PROCESSING", told["complaint_state"])
	assert.Equal(t, false, told["incoming_user_response"])
	require.NoError(t, g.Users.ContinueComplaint(id, "还没有"))
	assert.Equal(t, true, g.do("GET", path, nil)["incoming_user_response"])

	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", path+"/update-refund-progress", map[string]any{"action": "REJECT"}), "a reason is needed")
	g.do("POST", path+"/update-refund-progress", map[string]any{"action": "APPROVE", "launch_refund_day": 0})
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", path+"/update-refund-progress", map[string]any{"action": "APPROVE"}), "it was answered")
	refund := map[string]any{"out_trade_no": "ORDER-0001", "out_refund_no": "R-1", "amount": map[string]any{"refund": 300, "total": 300, "currency": "CNY"}}
	g.do("POST", "/v3/refund/domestic/refunds", refund)
	assert.Equal(t, true, g.do("GET", path, nil)["complaint_full_refunded"])

	complete := map[string]any{"complainted_mchid": mchid}
	g.do("POST", path+"/complete", complete)
	g.do("POST", path+"/complete", complete)
	assert.Equal(t, "PROCESSED", g.do("GET", path, nil)["complaint_state"])
	require.NoError(t, g.Users.ContinueComplaint(id, "又来"))
	told = g.do("GET", path, nil)
	assert.Equal(t, "PENDING", told["complaint_state"])
	assert.EqualValues(t, 2, told["user_complaint_times"])
	assert.Equal(t, []map[string]any{{"complaint_id": id, "action_type": "USER_RESPONSE"}, {"complaint_id": id, "action_type": "CONTINUE_COMPLAINT"}},
		g.noticed("COMPLAINT.STATE_CHANGE"), "what the merchant does is not notified")

	history := g.do("GET", path+"/negotiation-historys", nil)
	assert.EqualValues(t, 6, history["total_count"])
	var kinds []string
	for _, step := range history["data"].([]any) {
		kinds = append(kinds, step.(map[string]any)["operate_type"].(string))
	}
	assert.Equal(t, []string{"USER_CONTINUE_COMPLAINT", "MERCHANT_CONFIRM_COMPLETE", "MERCHANT_APPROVE_REFUND", "USER_RESPONSE",
		"MERCHANT_RESPONSE", "USER_CREATE_COMPLAINT"}, kinds)
	first := g.do("GET", path+"/negotiation-historys?offset=4&limit=1", nil)
	assert.NotContains(t, first, "total_count", "it comes with the first page")
	assert.Equal(t, []any{inProcess + "/v3/merchant-service/images/img-1"}, first["data"].([]any)[0].(map[string]any)["image_list"])
	assert.Equal(t, "400 PARAM_ERROR", g.refused("GET", path+"/negotiation-historys?limit=301", nil))

	for method, target := range map[string]string{"GET": complaintsPath + "/1", "POST": complaintsPath + "/1/complete"} {
		var body any
		if method == http.MethodPost {
			body = complete
		}
		assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused(method, target, body))
	}
	assert.ErrorContains(t, g.Users.ContinueComplaint("1", ""), "no complaint")
	assert.Equal(t, "PENDING", g.Users.Complaints()[0].State)
}

func TestComplaintList(t *testing.T) {
	g := newGate(t)
	for day := range 4 {
		number := fmt.Sprintf("ORDER-%04d", day)
		_, err := g.Users.AddPaidOrder(number, 100)
		require.NoError(t, err)
		_, err = g.Users.Complain(sandbox.Complaint{OutTradeNo: number})
		require.NoError(t, err)
		g.now = g.now.AddDate(0, 0, 1)
	}
	for query, want := range map[string]string{
		"begin_date=2025-01-01&end_date=2025-01-31":                              "4",
		"begin_date=2025-01-02&end_date=2025-01-03":                              "2",
		"begin_date=2025-01-02&end_date=2025-01-03&complainted_mchid=1900000999": "0",
		"begin_date=2025-01-01&end_date=2025-02-01":                              "400 PARAM_ERROR",
		"begin_date=2025-01-02&end_date=2025-01-01":                              "400 PARAM_ERROR",
		"begin_date=20250101&end_date=2025-01-01":                                "400 PARAM_ERROR",
		"begin_date=2025-01-01&end_date=2025-01-01&limit=51":                     "400 PARAM_ERROR",
	} {
		if want[0] == '4' && len(want) > 1 {
			assert.Equal(t, want, g.refused("GET", complaintsPath+"?"+query, nil), query)
			continue
		}
		assert.Equal(t, want, fmt.Sprint(g.do("GET", complaintsPath+"?"+query, nil)["total_count"]), query)
	}
	newest := g.do("GET", complaintsPath+"?begin_date=2025-01-01&end_date=2025-01-31&limit=1", nil)["data"].([]any)
	assert.Equal(t, "ORDER-0003", newest[0].(map[string]any)["complaint_order_info"].([]any)[0].(map[string]any)["out_trade_no"])
}

func TestComplaintAddress(t *testing.T) {
	g := newGate(t)
	one, two := map[string]any{"url": "https://merchant.example/1"}, map[string]any{"url": "https://merchant.example/2"}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		var body any
		if method == "PUT" {
			body = one
		}
		assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused(method, notificationsPath, body), method)
	}
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", notificationsPath, map[string]any{"url": "https://merchant.example/1?a=b"}))
	g.do("POST", notificationsPath, one)
	g.do("POST", notificationsPath, one)
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", notificationsPath, two))
	g.do("PUT", notificationsPath, two)
	assert.Equal(t, map[string]any{"mchid": g.Merchant().ID, "url": two["url"]}, g.do("GET", notificationsPath, nil))
	g.do("DELETE", notificationsPath, nil)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", notificationsPath, nil))
	_, err := g.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	_, err = g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001"})
	require.NoError(t, err)
	assert.Empty(t, g.Deliveries.All(), "nobody is told")
}

// TestReplyAtOnce replies in blocks, twice under one id.
func TestReplyAtOnce(t *testing.T) {
	g := newGate(t)
	_, err := g.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	id, err := g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001"})
	require.NoError(t, err)
	path := complaintsPath + "/" + id
	message := map[string]any{"blocks": []any{map[string]any{"type": "TEXT", "text": map[string]any{"text": "您好"}}}}
	reply := map[string]any{"complainted_mchid": g.Merchant().ID, "message": message, "idempotent_id": "I-1"}
	log := g.do("POST", path+"/response-immediate-service", reply)["log_id"]
	assert.NotEmpty(t, log)
	assert.Equal(t, log, g.do("POST", path+"/response-immediate-service", reply)["log_id"])
	reply["idempotent_id"] = "I-2"
	assert.NotEqual(t, log, g.do("POST", path+"/response-immediate-service", reply)["log_id"])
	history := g.do("GET", path+"/negotiation-historys", nil)["data"].([]any)
	require.Len(t, history, 3)
	assert.Equal(t, message, history[1].(map[string]any)["normal_message"])
	assert.Equal(t, "PROCESSING", g.do("GET", path, nil)["complaint_state"])
}

// TestComplaintAboutASubMerchant is one that a service provider answers.
func TestComplaintAboutASubMerchant(t *testing.T) {
	g := newGate(t)
	require.NoError(t, g.AddSubMerchant(subMerchant))
	g.do("POST", "/v3/pay/partner/transactions/jsapi", partnerOrder("ORDER-0001"))
	transaction, err := g.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	id, err := g.Users.Complain(sandbox.Complaint{OutTradeNo: subMerchant + "/ORDER-0001"})
	require.NoError(t, err)

	told := g.do("GET", complaintsPath+"/"+id, nil)
	assert.Equal(t, subMerchant, told["complainted_mchid"])
	assert.Equal(t, []any{map[string]any{"transaction_id": transaction, "out_trade_no": "ORDER-0001", "amount": 100.0}}, told["complaint_order_info"])
	day := g.Clock.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	list := func(merchant string) any {
		return g.do("GET", complaintsPath+"?begin_date="+day+"&end_date="+day+"&complainted_mchid="+merchant, nil)["total_count"]
	}
	assert.EqualValues(t, 1, list(subMerchant))
	assert.EqualValues(t, 0, list(g.Merchant().ID))
	reply := map[string]any{"complainted_mchid": subMerchant, "response_content": "已联系"}
	g.do("POST", complaintsPath+"/"+id+"/response", reply)
	assert.Equal(t, "403 NO_AUTH", g.refused("POST", complaintsPath+"/"+id+"/response", with(reply, "complainted_mchid", g.Merchant().ID)))
}
