//go:build go1.25

package catalog_test

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

func TestAllIsSorted(t *testing.T) {
	all := slices.Collect(catalog.V3().All())
	for i := 1; i < len(all); i++ {
		require.Negative(t, text.Compare(all[i-1], all[i]), all[i].Path)
	}
	for range catalog.V3().All() {
		break // an iteration may end early
	}
}

func TestEvent(t *testing.T) {
	count, last := 0, ""
	for event := range catalog.V3().Events() {
		count++
		require.Less(t, last, event.Type)
		last = event.Type
		got, ok := catalog.V3().Event(event.Type)
		require.True(t, ok, event.Type)
		require.Same(t, event, got)
	}
	assert.Equal(t, events, count)
	for _, unknown := range []string{"", "TRANSACTION", "transaction.success", "TRANSACTION.SUCCESS ", "ZZZ"} {
		event, ok := catalog.V3().Event(unknown)
		assert.False(t, ok, unknown)
		assert.Nil(t, event, unknown)
	}
}

func TestCode(t *testing.T) {
	code, ok := catalog.V3().Code("NOTENOUGH")
	require.True(t, ok)
	assert.Equal(t, &fact.Code{Name: "NOTENOUGH", Status: 403, Label: "余额不足", Same: "NOT_ENOUGH"}, code)
	paying, ok := catalog.V3().Described().Code("USERPAYING")
	require.True(t, ok)
	assert.Equal(t, 202, paying.Status, "a signed 202 with a code is no success")
	_, ok = catalog.V3().Code("SUCCESS")
	assert.False(t, ok)
	for code := range catalog.V3().Codes() {
		if code.Same != "" {
			assert.NotEqual(t, code.Name, code.Same)
		}
	}
	refund, ok := catalog.V3().Lookup("POST", "/v3/refund/domestic/refunds")
	require.True(t, ok)
	assert.Contains(t, refund.Codes, fact.OperationCode{Name: "NOT_ENOUGH", Status: 403, Doc: "v3/merchant/4012791903",
		Meaning: "the merchant's balance is too low: top it up, and send the same refund with the same out_refund_no"})
	shares, ok := catalog.V3().Lookup("POST", "/v3/profitsharing/orders")
	require.True(t, ok)
	assert.Contains(t, shares.Codes, fact.OperationCode{Name: "RATELIMIT_EXCEED", Status: 429}, "the facts file alone lists it")
}

// An alias that is a type finds the event of that type, so every alias is one of the types.
func TestAliasesAreTypes(t *testing.T) {
	for event := range catalog.V3().Events() {
		for _, alias := range event.Aliases {
			other, ok := catalog.V3().Event(alias)
			require.True(t, ok, alias)
			assert.NotSame(t, event, other)
			assert.NotEqual(t, event.OriginalTypes, other.OriginalTypes)
		}
	}
}

// One operation and one event in full, so that a fault in reading the data shows as what it is.
func TestOneOperationInFull(t *testing.T) {
	operation, ok := catalog.V3().Lookup("GET", "/global/v3/customs/orders")
	require.True(t, ok)
	short := *operation
	short.Out = nil
	customs := []any{"GUANGZHOU_ZS", "HANGZHOU_ZS", "NINGBO", "ZHENGZHOU_BS", "CHONGQING", "SHANGHAI_ZS", "SHENZHEN",
		"ZHENGZHOU_ZH_ZS", "TIANJIN"}
	assert.Equal(t, fact.Operation{
		Method: "GET", Path: "/global/v3/customs/orders", Name: "报关查询",
		Host: "apihk.mch.weixin.qq.com", HostRequired: true,
		Status: fact.Superseded, ReplacedBy: []string{"GET /v3/global/customs/orders"},
		Tags: []string{"跨境/报关"}, Roles: []string{"直连模式", "机构模式"},
		In: fact.Request{Query: []fact.Field{
			{Name: "appid", Type: fact.String, Required: true},
			{Name: "mchid", Type: fact.String, Required: true},
			{Name: "order_type", Type: fact.String, Required: true,
				Enum: []any{"out_trade_no", "transaction_id", "sub_order_no", "sub_order_id"}},
			{Name: "order_no", Type: fact.String, Required: true},
			{Name: "customs", Type: fact.String, Required: true, Enum: customs},
			{Name: "offset", Type: fact.Integer},
			{Name: "limit", Type: fact.Integer},
		}},
		Response: fact.JSONResponse, Success: 200, Paging: &fact.Paging{By: fact.ByOffset, Place: "offset", Size: "limit", List: "data"},
		Docs: []string{"wiki/doc/api/wxpay/ch/declarecustom_ch/chapter3_3.shtml"},
	}, short)
	require.Len(t, operation.Out, 9)
	assert.Equal(t, "data", operation.Out[8].Name)
	assert.Equal(t, fact.Objects, operation.Out[8].Type)
	assert.Equal(t, fact.Field{Name: "customs", Type: fact.String, Required: true, Enum: customs}, operation.Out[8].Fields[3])
}

func TestOneEventInFull(t *testing.T) {
	event, ok := catalog.V3().Event("ENTRUST.TERMINATE_RETENTION")
	require.True(t, ok)
	short := *event
	short.Resource = nil
	assert.Equal(t, fact.Event{
		Type: "ENTRUST.TERMINATE_RETENTION", Name: event.Name, OriginalTypes: []string{"entrust"},
		Algorithm: "AEAD_AES_256_GCM", Docs: event.Docs,
		Reply: &fact.Reply{Body: []fact.Field{
			{Name: "code", Type: fact.String, Enum: []any{"SUCCESS", "FAIL"}},
			{Name: "message", Type: fact.String},
			{Name: "retention_type", Type: fact.String, Enum: []any{"COUPON"}},
			{Name: "coupon_info", Type: fact.Object, Fields: []fact.Field{
				{Name: "state", Type: fact.String, Enum: []any{"SEND_COUPON", "UNUSED_COUPON", "NOT_SEND_COUPON"}},
				{Name: "coupon_id", Type: fact.String},
			}},
		}},
	}, short)
	assert.NotEmpty(t, event.Name)
	assert.NotEmpty(t, event.Resource)
}

// A program pays for the index and for what it asks for: here the twenty operations of a shop, from all over the catalogue.
func TestACallingProgramPaysForWhatItCalls(t *testing.T) {
	heap := func() int64 {
		runtime.GC() // the second one frees what a pool kept through the first
		runtime.GC()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		return int64(now.HeapAlloc)
	}
	before := heap()
	c := catalog.Load()
	index := heap()
	for _, line := range []string{
		"POST /v3/pay/transactions/jsapi", "POST /v3/pay/transactions/native", "POST /v3/pay/transactions/h5",
		"POST /v3/pay/transactions/app", "GET /v3/pay/transactions/id/1", "GET /v3/pay/transactions/out-trade-no/1",
		"POST /v3/pay/transactions/out-trade-no/1/close", "POST /v3/refund/domestic/refunds",
		"GET /v3/refund/domestic/refunds/1", "GET /v3/bill/tradebill", "GET /v3/bill/fundflowbill",
		"POST /v3/fund-app/mch-transfer/transfer-bills", "POST /v3/profitsharing/orders", "GET /v3/certificates",
		"GET /v3/profitsharing/orders/1", "POST /v3/brand/partner/card-member/user-feeds",
		"POST /v3/merchant/media/upload", "GET /v3/merchant-service/complaints-v2", "POST /v3/payscore/serviceorder",
		"POST /v3/marketing/favor/users/1/coupons",
	} {
		method, path, _ := strings.Cut(line, " ")
		_, ok := c.Lookup(method, path)
		require.True(t, ok, line)
	}
	_, ok := c.Event("TRANSACTION.SUCCESS")
	require.True(t, ok)
	asked := heap()
	runtime.KeepAlive(c)
	t.Logf("index %d kB, with what was asked for %d kB", (index-before)>>10, (asked-before)>>10)
	assert.Less(t, asked-before, int64(2<<20))
}

// Whoever comes first, all get the same row.
func TestRowsAreTheSameForAll(t *testing.T) {
	c := catalog.Load()
	const template = "/v3/apply4subject/applyment/{business_code}/cancel"
	var found [8]*fact.Operation
	var wait sync.WaitGroup
	for i := range found {
		wait.Go(func() {
			var ok bool
			found[i], ok = c.Lookup("POST", template)
			assert.True(t, ok)
			assert.Len(t, found[i].Also, 1)
		})
	}
	wait.Wait()
	for _, operation := range found {
		assert.Same(t, found[0], operation)
	}
	other := found[0].Also[0]
	again, _ := c.Lookup("POST", other.Path)
	assert.Same(t, other, again, "and so has its look-alike")
	assert.Equal(t, []*fact.Operation{found[0]}, other.Also)
}

func TestDescribed(t *testing.T) {
	described := catalog.V3().Described()
	assert.Same(t, described, catalog.V3().Described())
	assert.Same(t, described, described.Described())
	plain, ok := catalog.V3().Lookup("POST", "/v3/pay/transactions/native")
	require.True(t, ok)
	told, ok := described.Lookup("POST", "/v3/pay/transactions/native")
	require.True(t, ok)
	number := func(o *fact.Operation) fact.Field {
		return o.In.JSON[slices.IndexFunc(o.In.JSON, func(f fact.Field) bool { return f.Name == "out_trade_no" })]
	}
	want := number(plain)
	assert.Equal(t, []any{"", nil}, []any{want.Label, want.Sample})
	want.Label, want.Sample = "商户订单号", "1217752501201407033233368018"
	assert.Equal(t, want, number(told))

	event, ok := described.Event("REFUND.SUCCESS")
	require.True(t, ok)
	assert.Equal(t, "微信退款单号", event.Resource[slices.IndexFunc(event.Resource, func(f fact.Field) bool {
		return f.Name == "refund_id"
	})].Label)
}
