package ecommerce_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	shares   = "/v3/ecommerce/profitsharing/"
	receiver = "1900000120"
)

// related is a bench whose platform has a merchant and a person as receivers.
func related(t *testing.T) bench {
	t.Helper()
	b := newBench(t)
	assert.Equal(t, map[string]any{"type": "MERCHANT_ID", "account": receiver}, b.Do("POST", shares+"receivers/add", map[string]any{
		"appid": "wx1", "type": "MERCHANT_ID", "account": receiver, "name": "某商户", "relation_type": "SUPPLIER",
	}))
	b.Do("POST", shares+"receivers/add", map[string]any{
		"appid": "wx1", "type": "PERSONAL_OPENID", "account": "o1", "encrypted_name": b.EncryptForPlatform("张三"), "relation_type": "OTHERS",
	})
	return b
}

// sharing shares the order with the merchant, and with the person if that is above 0.
func (b bench) sharing(number string, merchant, person int, more map[string]any) map[string]any {
	to := []any{map[string]any{"type": "MERCHANT_ID", "receiver_account": receiver, "amount": merchant, "description": "分给商户"}}
	if person > 0 {
		to = append(to, map[string]any{"type": "PERSONAL_OPENID", "receiver_account": "o1", "amount": person, "description": "分给个人"})
	}
	body := map[string]any{
		"appid": "wx1", "sub_mchid": sub, "transaction_id": b.transaction, "out_order_no": number, "receivers": to, "finish": false,
		"notify_url": "https://platform.example/share",
	}
	maps.Copy(body, more)
	return body
}

func (b bench) query(number string) map[string]any {
	return b.Do("GET", shares+"orders"+ofSub+"&transaction_id="+b.transaction+"&out_order_no="+number, nil)
}

func (b bench) left() any {
	return b.Do("GET", shares+"orders/"+b.transaction+"/amounts", nil)["unsplit_amount"]
}

func results(told map[string]any) (list []string) {
	for _, to := range told["receivers"].([]any) {
		to := to.(map[string]any)
		list = append(list, fmt.Sprint(to["receiver_account"], " ", to["amount"], " ", to["result"]))
	}
	return list
}

// TestShare follows an order that is shared twice and then finished. Each step survives a reload.
func TestShare(t *testing.T) {
	t.Parallel()
	b := related(t)
	b.ends("share", "", time.Minute)
	first := b.Do("POST", shares+"orders", b.sharing("P1", 30, 20, nil))
	assert.Equal(t, []any{"PROCESSING", sub, b.transaction, "P1"},
		[]any{first["status"], first["sub_mchid"], first["transaction_id"], first["out_order_no"]})
	assert.Equal(t, []string{receiver + " 30 PENDING", "o1 20 PENDING"}, results(first))
	b.Reload()
	assert.Equal(t, first, b.Do("POST", shares+"orders", b.sharing("P1", 30, 20, nil)), "a repetition gets the same response")
	b.Pass(time.Minute)
	done := b.query("P1")
	assert.Equal(t, "FINISHED", done["status"])
	assert.Equal(t, []string{receiver + " 30 SUCCESS", "o1 20 SUCCESS"}, results(done))
	assert.InDelta(t, 50, b.left(), 0)
	told := b.Notified("PROFITSHARING.SUCCESS")
	require.Len(t, told, 2, "each receiver's share is told where the request says")
	assert.Equal(t, []any{b.ID, sub, "P1"}, []any{told[0]["sp_mchid"], told[0]["sub_mchid"], told[0]["out_order_no"]})

	b.Do("POST", shares+"orders", b.sharing("P2", 10, 0, nil))
	end := map[string]any{"sub_mchid": sub, "transaction_id": b.transaction, "out_order_no": "F1", "description": "分账完结"}
	finished := b.Do("POST", shares+"finish-order", end)
	assert.Equal(t, map[string]any{
		"sub_mchid": sub, "transaction_id": b.transaction, "out_order_no": "F1", "order_id": finished["order_id"],
	}, finished)
	b.Pass(time.Minute)
	assert.Equal(t, finished, b.Do("POST", shares+"finish-order", end))
	told1 := b.query("F1")
	assert.Equal(t, []any{"FINISHED", 40.0, "分账完结"}, []any{told1["status"], told1["finish_amount"], told1["finish_description"]})
	assert.NotContains(t, told1, "receivers")
	assert.InDelta(t, 0, b.left(), 0)
	assert.Equal(t, "403 NOT_ENOUGH", b.Rejected("POST", shares+"orders", b.sharing("P3", 1, 0, nil)))
}

// TestShareFinish shares a part, and the rest goes back to the sub-merchant at once.
func TestShareFinish(t *testing.T) {
	t.Parallel()
	b := related(t)
	b.Do("POST", shares+"orders", b.sharing("P1", 30, 0, map[string]any{"finish": true}))
	b.Pass(time.Minute)
	assert.Equal(t, []string{receiver + " 30 SUCCESS"}, results(b.query("P1")))
	assert.InDelta(t, 0, b.left(), 0)
}

// TestPlatformReceivers holds that a receiver of the platform gets a share of every sub-merchant's
// order, and none once the relation has ended.
func TestPlatformReceivers(t *testing.T) {
	t.Parallel()
	b := related(t)
	b.ends("share", "", time.Minute)
	b.Do("POST", shares+"orders", b.sharing("P1", 10, 10, nil))
	b.Do("POST", shares+"receivers/delete", map[string]any{"appid": "wx1", "type": "PERSONAL_OPENID", "account": "o1"})
	b.Pass(time.Minute)
	assert.Equal(t, []string{receiver + " 10 SUCCESS", "o1 10 CLOSED"}, results(b.query("P1")))
	assert.InDelta(t, 90, b.left(), 0)
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", shares+"orders", b.sharing("P2", 1, 1, nil)))

	ordinary := map[string]any{
		"sub_mchid": sub, "appid": "wx1", "transaction_id": b.transaction, "out_order_no": "P3", "unfreeze_unsplit": false,
		"receivers": []any{map[string]any{"type": "MERCHANT_ID", "account": receiver, "amount": 1, "description": "x"}},
	}
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", "/v3/profitsharing/orders", ordinary), "the sub-merchant itself has no receiver")
	for name, body := range map[string]map[string]any{
		"a merchant without a name": {"appid": "wx1", "type": "MERCHANT_ID", "account": receiver, "relation_type": "SUPPLIER"},
		"a type of others":          {"appid": "wx1", "type": "PERSONAL_SUB_OPENID", "account": "o1", "relation_type": "SUPPLIER"},
	} {
		assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", shares+"receivers/add", body), name)
	}
}

func TestShareRejections(t *testing.T) {
	t.Parallel()
	b := related(t)
	b.Do("POST", shares+"orders", b.sharing("P1", 60, 0, nil))
	for name, test := range map[string]struct {
		body map[string]any
		want string
	}{
		"same number, other content": {b.sharing("P1", 61, 0, nil), "400 INVALID_REQUEST"},
		"more than is left":          {b.sharing("P2", 41, 0, nil), "403 NOT_ENOUGH"},
		"nothing":                    {b.sharing("P2", 0, 0, nil), "400 PARAM_ERROR"},
		"no receivers":               {b.sharing("P2", 1, 0, map[string]any{"receivers": []any{}}), "400 PARAM_ERROR"},
		"unknown order":              {b.sharing("P2", 1, 0, map[string]any{"transaction_id": "4200"}), "404 RESOURCE_NOT_EXISTS"},
		"a stranger":                 {b.sharing("P2", 1, 0, map[string]any{"sub_mchid": "1900000111"}), "403 NO_AUTH"},
		"notify_url with a query":    {b.sharing("P2", 1, 0, map[string]any{"notify_url": "https://a.example/?x"}), "400 PARAM_ERROR"},
	} {
		assert.Equal(t, test.want, b.Rejected("POST", shares+"orders", test.body), name)
	}
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", shares+"orders"+ofSub+"&transaction_id=4200&out_order_no=P1", nil))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", shares+"finish-order",
		map[string]any{"sub_mchid": sub, "transaction_id": b.transaction, "out_order_no": "P1", "description": "x"}), "a number of a sharing")
	assert.InDelta(t, 40, b.left(), 0, "a rejected sharing has no effect")
}

func TestShareReturn(t *testing.T) {
	t.Parallel()
	b := related(t)
	require.NoError(t, b.shares.NotifySharesAt("https://platform.example/returns"))
	id := b.Do("POST", shares+"orders", b.sharing("P1", 30, 0, nil))["order_id"].(string)
	b.Pass(time.Minute)
	back := func(number string, amount int, more map[string]any) map[string]any {
		body := map[string]any{"sub_mchid": sub, "order_id": id, "out_return_no": number, "return_mchid": receiver, "amount": amount, "description": "退"}
		maps.Copy(body, more)
		return body
	}
	query := func(number string) map[string]any {
		return b.Do("GET", shares+"returnorders"+ofSub+"&order_id="+id+"&out_return_no="+number, nil)
	}
	made := b.Do("POST", shares+"returnorders", back("B1", 10, map[string]any{"transaction_id": b.transaction}))
	assert.NotEmpty(t, made["return_no"])
	assert.Equal(t, []any{id, "P1", receiver, 10.0, "PROCESSING"},
		[]any{made["order_id"], made["out_order_no"], made["return_mchid"], made["amount"], made["result"]})
	b.Reload()
	b.Pass(time.Minute)
	assert.Equal(t, "SUCCESS", query("B1")["result"])
	assert.Equal(t, query("B1"), b.Do("GET", shares+"returnorders"+ofSub+"&out_order_no=P1&out_return_no=B1", nil))
	require.Len(t, b.Notified("PROFITSHARING.RETURN"), 1)

	b.ends("return", "FAILED", 0)
	b.Do("POST", shares+"returnorders", back("B2", 20, nil))
	b.Pass(time.Minute)
	assert.Equal(t, []any{"FAIL", "ACCOUNT_ABNORMAL"}, []any{query("B2")["result"], query("B2")["fail_reason"]})

	for name, test := range map[string]struct {
		body map[string]any
		want string
	}{
		"same number, other content": {back("B1", 11, nil), "400 INVALID_REQUEST"},
		"more than is left":          {back("B3", 21, nil), "403 NOT_ENOUGH"},
		"another order":              {back("B3", 1, map[string]any{"transaction_id": "4200"}), "404 RESOURCE_NOT_EXISTS"},
		"numbers of two sharings":    {back("B3", 1, map[string]any{"out_order_no": "P2"}), "404 RESOURCE_NOT_EXISTS"},
		"neither number":             {back("B3", 1, map[string]any{"order_id": ""}), "400 PARAM_ERROR"},
		"nobody's":                   {back("B3", 1, map[string]any{"return_mchid": "1900000111"}), "400 INVALID_REQUEST"},
	} {
		assert.Equal(t, test.want, b.Rejected("POST", shares+"returnorders", test.body), name)
	}
	for query, want := range map[string]string{
		"&out_return_no=B1": "400 PARAM_ERROR", "&out_return_no=B1&out_order_no=P2": "404 RESOURCE_NOT_EXISTS",
		"&out_return_no=B9&order_id=" + id: "404 RESOURCE_NOT_EXISTS",
	} {
		assert.Equal(t, want, b.Rejected("GET", shares+"returnorders"+ofSub+query, nil), query)
	}
}
