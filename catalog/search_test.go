package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

func ids(list []*fact.Operation) []string {
	var out []string
	for _, operation := range list {
		out = append(out, operation.Method+" "+operation.Path)
	}
	return out
}

func TestSearchFindsFirst(t *testing.T) {
	for words, want := range map[string]string{
		"申请交易账单":     "GET /v3/bill/tradebill",
		"tradebill":  "GET /v3/bill/tradebill",
		"user-feeds": "POST /v3/brand/partner/card-member/user-feeds",
		"user_feeds": "POST /v3/brand/partner/card-member/user-feeds",
		"userFeeds":  "POST /v3/brand/partner/card-member/user-feeds",
		"UserFeeds":  "POST /v3/brand/partner/card-member/user-feeds",
		"/v3/pay/transactions/id/{transaction_id}": "GET /v3/pay/transactions/id/{transaction_id}",
		"v3/certificates":                          "GET /v3/certificates",
		"POST 退款 domestic":                         "POST /v3/refund/domestic/refunds",
		"GET 基础支付/退款":                              "GET /v3/refund/domestic/refunds/{out_refund_no}",
		"domestic 查询退款":                            "GET /v3/refund/domestic/refunds/{out_refund_no}",
		"cell_message":                             "POST /v3/brand/partner/card-member/user-feeds",
		"JSAPI下单":                                  "POST /v3/pay/transactions/jsapi",
		"jsapi下单":                                  "POST /v3/pay/transactions/jsapi",
	} {
		found := ids(catalog.V3().Search(words))
		if assert.NotEmpty(t, found, words) {
			assert.Equal(t, want, found[0], words)
		}
	}
}

// What people type, and the three operations that they find first; fewer where fewer are found.
func TestSearchFindsByWhatPeopleSay(t *testing.T) {
	queries := []struct {
		words string
		first []string
	}{
		{"jsapi", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/partner/transactions/jsapi",
			"POST /v3/combine-transactions/jsapi",
		}},
		{"小程序支付", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/partner/transactions/jsapi",
			"POST /v3/pay/partner/transactions/miniprogram",
		}},
		{"公众号支付", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/partner/transactions/jsapi",
			"POST /v3/global/transactions/jsapi",
		}},
		{"native", []string{
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/combine-transactions/native",
		}},
		{"native pay", []string{
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/combine-transactions/native",
		}},
		{"扫码支付", []string{
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/pay/partner/transactions/scannedpos",
		}},
		{"微信扫码", []string{
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/global/transactions/native",
		}},
		{"微信 扫码", []string{
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/global/transactions/native",
		}},
		{"h5", []string{
			"POST /v3/pay/transactions/h5",
			"POST /v3/pay/partner/transactions/h5",
			"POST /v3/combine-transactions/h5",
		}},
		{"h5支付", []string{
			"POST /v3/pay/transactions/h5",
			"POST /v3/pay/partner/transactions/h5",
			"POST /v3/global/transactions/mweb",
		}},
		{"app支付", []string{
			"POST /v3/pay/transactions/app",
			"POST /v3/pay/partner/transactions/app",
			"POST /v3/global/transactions/app",
		}},
		{"付款码", []string{
			"POST /v3/pay/transactions/codepay",
			"POST /v3/pay/partner/transactions/codepay",
			"POST /v3/global/micropay/transactions/pay",
		}},
		{"刷卡支付", []string{
			"POST /v3/pay/transactions/codepay",
			"POST /v3/pay/partner/transactions/codepay",
			"POST /v3/global/micropay/transactions/pay",
		}},
		{"下单", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/transactions/app",
		}},
		{"统一下单", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/transactions/app",
		}},
		{"unifiedorder", []string{
			"POST /v3/pay/transactions/jsapi",
			"POST /v3/pay/transactions/native",
			"POST /v3/pay/transactions/app",
		}},
		{"查询订单", []string{
			"GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
			"GET /v3/pay/transactions/id/{transaction_id}",
			"GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}",
		}},
		{"订单查询", []string{
			"GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
			"GET /v3/pay/transactions/id/{transaction_id}",
			"GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}",
		}},
		{"query order", []string{
			"GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
			"GET /v3/pay/transactions/id/{transaction_id}",
			"GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}",
		}},
		{"查单", []string{
			"GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
			"GET /v3/pay/transactions/id/{transaction_id}",
			"GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}",
		}},
		{"关闭订单", []string{
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
		}},
		{"关单", []string{
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/repayment/combine-transactions/partner/out-trade-no/{combine_out_trade_no}/close",
		}},
		{"close order", []string{
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/repayment/combine-transactions/partner/out-trade-no/{combine_out_trade_no}/close",
		}},
		{"撤销订单", []string{
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/reverse",
			"POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/reverse",
			"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		}},
		{"退款", []string{
			"POST /v3/refund/domestic/refunds",
			"GET /v3/refund/domestic/refunds/{out_refund_no}",
			"POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
		}},
		{"refund", []string{
			"POST /v3/refund/domestic/refunds",
			"GET /v3/refund/domestic/refunds/{out_refund_no}",
			"POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
		}},
		{"申请退款", []string{
			"POST /v3/refund/domestic/refunds",
			"POST /v3/global/refunds",
			"POST /hk/v3/refunds",
		}},
		{"查询退款", []string{
			"GET /v3/refund/domestic/refunds/{out_refund_no}",
			"GET /v3/global/refunds/out-refund-no/{out_refund_no}",
			"GET /hk/v3/refunds/out-refund-no/{out_refund_no}",
		}},
		{"退款查询", []string{
			"GET /v3/refund/domestic/refunds/{out_refund_no}",
			"GET /v3/global/refunds/out-refund-no/{out_refund_no}",
			"GET /hk/v3/refunds/out-refund-no/{out_refund_no}",
		}},
		{"退款接口", []string{
			"POST /v3/refund/domestic/refunds",
			"GET /v3/refund/domestic/refunds/{out_refund_no}",
			"POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
		}},
		{"异常退款", []string{
			"POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
			"POST /v3/ecommerce/refunds/{refund_id}/apply-abnormal-refund",
		}},
		{"对账单", []string{
			"GET /v3/bill/tradebill",
			"GET /v3/bill/fundflowbill",
			"GET /v3/global/statements",
		}},
		{"交易账单", []string{
			"GET /v3/bill/tradebill",
		}},
		{"资金账单", []string{
			"GET /v3/bill/fundflowbill",
			"GET /v3/ecommerce/bill/fundflowbill",
			"GET /v3/bill/sub-merchant-fundflowbill",
		}},
		{"账单", []string{
			"GET /v3/bill/tradebill",
			"GET /v3/bill/fundflowbill",
			"GET /v3/profitsharing/bills",
		}},
		{"bill", []string{
			"GET /v3/bill/tradebill",
			"GET /v3/bill/fundflowbill",
			"GET /v3/bill/sub-merchant-fundflowbill",
		}},
		{"企业付款", []string{
			"POST /v3/fund-app/mch-transfer/transfer-bills",
			"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
			"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		}},
		{"转账到零钱", []string{
			"POST /v3/fund-app/mch-transfer/transfer-bills",
			"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
			"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		}},
		{"商家转账", []string{
			"POST /v3/fund-app/mch-transfer/transfer-bills",
			"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
			"POST /v3/platsolution/insurance/mch-transfer/batches/apply",
		}},
		{"转账", []string{
			"POST /v3/fund-app/mch-transfer/transfer-bills",
			"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
			"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		}},
		{"transfer", []string{
			"POST /v3/fund-app/mch-transfer/transfer-bills",
			"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
			"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		}},
		{"分账", []string{
			"POST /v3/profitsharing/orders",
			"GET /v3/profitsharing/orders/{out_order_no}",
			"POST /v3/profitsharing/return-orders",
		}},
		{"profitsharing", []string{
			"POST /v3/profitsharing/orders",
			"POST /v3/brand/profitsharing/orders",
			"POST /v3/ecommerce/profitsharing/orders",
		}},
		{"分账回退", []string{
			"POST /v3/profitsharing/return-orders",
			"GET /v3/profitsharing/return-orders/{out_return_no}",
			"POST /v3/brand/profitsharing/returnorders",
		}},
		{"分账解冻", []string{
			"POST /v3/profitsharing/orders/unfreeze",
			"POST /v3/global/profit-sharing/orders/unfreeze",
		}},
		{"分账接收方", []string{
			"POST /v3/profitsharing/receivers/add",
			"POST /v3/profitsharing/receivers/delete",
			"POST /v3/brand/profitsharing/receivers/add",
		}},
		{"投诉", []string{
			"GET /v3/merchant-service/complaints-v2",
			"GET /v3/merchant-service/complaints-v2/{complaint_id}",
			"GET /v3/merchant-service/complaints-v2/{complaint_id}/negotiation-historys",
		}},
		{"complaint", []string{
			"GET /v3/merchant-service/complaints-v2",
			"GET /v3/merchant-service/complaints-v2/{complaint_id}",
			"GET /v3/merchant-service/complaints-v2/{complaint_id}/negotiation-historys",
		}},
		{"平台证书", []string{
			"GET /v3/certificates",
			"GET /hk/v3/certificates",
			"GET /v3/global/certificates",
		}},
		{"certificates", []string{
			"GET /v3/certificates",
			"GET /hk/v3/certificates",
			"GET /v3/global/certificates",
		}},
		{"会员卡", []string{
			"POST /v3/brand/partner/card-member/cards",
			"GET /v3/brand/partner/card-member/cards",
			"GET /v3/brand/partner/card-member/user-cards",
		}},
		{"会员动态", []string{
			"POST /v3/brand/partner/card-member/user-feeds",
			"POST /brand/card-member/user-feeds",
		}},
		{"代金券", []string{
			"POST /v3/marketing/favor/users/{openid}/coupons",
			"POST /v3/marketing/favor/coupon-stocks",
			"POST /v3/marketing/favor/stocks/{stock_id}/start",
		}},
		{"发券", []string{
			"POST /v3/marketing/favor/users/{openid}/coupons",
			"POST /v3/marketing/busifavor/coupons/send",
			"POST /v3/brand/partner/card-member/membership-activities",
		}},
		{"商家券", []string{
			"POST /v3/marketing/busifavor/stocks",
			"GET /v3/marketing/busifavor/stocks/{stock_id}",
			"PATCH /v3/marketing/busifavor/stocks/{stock_id}",
		}},
		{"支付分", []string{
			"POST /v3/payscore/serviceorder",
			"GET /v3/payscore/serviceorder",
			"POST /v3/payscore/serviceorder/{out_order_no}/complete",
		}},
		{"payscore", []string{
			"POST /v3/payscore/serviceorder",
			"GET /v3/payscore/serviceorder",
			"POST /v3/payscore/serviceorder/{out_order_no}/complete",
		}},
		{"进件", []string{
			"POST /v3/applyment4sub/applyment/",
			"POST /v3/ecommerce/applyments/",
			"POST /v3/parking/reminders/application",
		}},
		{"特约商户进件", []string{
			"POST /v3/applyment4sub/applyment/",
			"GET /v3/applyment4sub/applyment/business_code/{business_code}",
			"GET /v3/applyment4sub/applyment/applyment_id/{applyment_id}",
		}},
		{"合单支付", []string{
			"POST /v3/combine-transactions/jsapi",
			"POST /v3/combine-transactions/native",
			"POST /v3/combine-transactions/app",
		}},
		{"委托代扣", []string{
			"POST /v3/papay/sign/contracts/pre-entrust-sign",
			"POST /v3/papay/pay/transactions/apply",
			"POST /v3/ecommerce/combine-papay/transactions",
		}},
		{"自动续费", []string{
			"POST /v3/papay/pay/transactions/apply",
			"POST /v3/papay/sign/contracts/pre-entrust-sign",
			"POST /v3/papay/insurance-pay/policy-periods/contract-id/{contract_id}/policy-period-id/{policy_period_id}/schedule",
		}},
		{"上传图片", []string{
			"POST /v3/merchant/media/upload",
			"POST /v3/global/merchant-service/images/upload",
			"POST /v3/merchant-service/images/upload",
		}},
		{"发票", []string{
			"POST /v3/new-tax-control-fapiao/fapiao-applications",
			"GET /invoicing/fapiao/fapiao-file",
			"GET /v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}",
		}},
		{"余额", []string{
			"GET /v3/merchant/fund/balance/{account_type}",
			"POST /v3/brand/partner/card-member/user-points/sync",
			"GET /v3/ecommerce/fund/balance/{sub_mchid}",
		}},
		{"提现", []string{
			"POST /v3/ecommerce/fund/withdraw",
			"POST /v3/merchant/fund/withdraw",
			"POST /v3/ecommerce/account/apply-cancel-withdraw",
		}},
		{"服务商下单", []string{
			"POST /v3/pay/partner/transactions/jsapi",
			"POST /v3/pay/partner/transactions/native",
			"POST /v3/pay/partner/transactions/app",
		}},
		{"医保", []string{
			"POST /v3/med-ins/orders",
			"POST /v3/med-ins/refunds/notify",
			"GET /v3/med-ins/orders/mix-trade-no/{mix_trade_no}",
		}},
		{"电子回单", []string{
			"POST /v3/transfer/bill-receipt",
			"GET /v3/transfer/bill-receipt/{out_batch_no}",
			"GET /v3/transferdownload/signfile",
		}},
		{"out_trade_no", []string{
			"GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close",
			"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/reverse",
		}},
		{"红包", []string{
			"POST /v3/fund-app/brand-redpacket/brand-merchant-batches",
			"GET /v3/fund-app/brand-redpacket/brand-merchant-batches/{batch_no}",
			"GET /v3/fund-app/brand-redpacket/brand-merchant-batches/{batch_no}/details/{detail_no}",
		}},
		{"coupon", []string{
			"POST /v3/marketing/favor/users/{openid}/coupons",
			"POST /v3/marketing/favor/coupon-stocks",
			"POST /v3/marketing/favor/stocks/{stock_id}/start",
		}},
	}
	require.GreaterOrEqual(t, len(queries), 60)
	for _, query := range queries {
		found := ids(catalog.V3().Search(query.words))
		require.GreaterOrEqual(t, len(found), len(query.first), query.words)
		assert.Equal(t, query.first, found[:len(query.first)], query.words)
	}
}

// Every word leads somewhere, and every operation that is said to be common is there.
func TestWordsOfSearches(t *testing.T) {
	for i, line := range catalog.Common {
		method, path, _ := strings.Cut(line, " ")
		operation, ok := catalog.V3().Lookup(method, path)
		require.True(t, ok, line)
		assert.Equal(t, path, operation.Path)
		assert.NotContains(t, catalog.Common[:i], line)
	}
	searched := map[string]bool{}
	search := func(words string) {
		if !searched[words] {
			assert.NotEmpty(t, catalog.V3().Search(words), words)
		}
		searched[words] = true
	}
	for word, phrases := range catalog.Synonyms {
		assert.Equal(t, catalog.Fold(strings.ReplaceAll(word, " ", "")), word, "a key is folded")
		for _, phrase := range phrases {
			search(phrase)
			if strings.HasPrefix(phrase, "/") {
				assert.NotEmpty(t, catalog.V3().Methods(phrase), "%s: %s", word, phrase)
			}
		}
		search(word)
	}
}

func TestSearchNeedsEveryWord(t *testing.T) {
	c := catalog.V3()
	both := ids(c.Search("退款 out_refund_no"))
	require.NotEmpty(t, both)
	assert.Subset(t, ids(c.Search("退款")), both)
	assert.Subset(t, ids(c.Search("out_refund_no")), both)
	assert.Empty(t, c.Search("退款 nosuchword"))
	assert.Empty(t, c.Search("nosuchword"))
}

func TestSearchByMethod(t *testing.T) {
	deletions := catalog.V3().Search("DELETE")
	assert.NotEmpty(t, deletions)
	for _, operation := range deletions {
		assert.Equal(t, "DELETE", operation.Method)
	}
	assert.NotEqual(t, ids(deletions), ids(catalog.V3().Search("delete")), "in lower case it is a word")
}

func TestSearchRanksPlaces(t *testing.T) {
	// Names before paths before tags before members: a hit further down the list is never in a better place.
	rank := func(o *fact.Operation) int {
		switch {
		case strings.Contains(strings.ToLower(o.Name), "native"):
			return 0
		case strings.Contains(o.Path, "native"):
			return 1
		}
		return 2
	}
	found := catalog.V3().Search("native")
	require.NotEmpty(t, found)
	assert.True(t, slices.IsSortedFunc(found, func(a, b *fact.Operation) int { return rank(a) - rank(b) }), "%v", ids(found))
}

func TestSearchPutsWhatIsReplacedLastAmongEquals(t *testing.T) {
	found := ids(catalog.V3().Search("POST 申请退款"))
	old, current := slices.Index(found, "POST /hk/v3/refunds"), slices.Index(found, "POST /v3/global/refunds")
	require.GreaterOrEqual(t, old, 0)
	require.GreaterOrEqual(t, current, 0)
	assert.Less(t, current, old)
}

func TestSearchForNothing(t *testing.T) {
	for _, words := range []string{"", " ", "-", "_ -", "\n\t"} {
		assert.Empty(t, catalog.V3().Search(words), "%q", words)
	}
	assert.NotPanics(t, func() { catalog.V3().Search(strings.Repeat("x ", 100_000)) })
	assert.NotPanics(t, func() { catalog.V3().Search("\xff\xfe 退\xff") })
}

func TestSearchReturnsItsOwnSlice(t *testing.T) {
	first := catalog.V3().Search("退款")
	want := ids(first)
	clear(first)
	assert.Equal(t, want, ids(catalog.V3().Search("退款")))
}
