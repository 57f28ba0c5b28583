package catalog_test

import (
	"runtime"
	"slices"
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
		Answer: fact.JSONAnswer, Success: 200,
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

// The bound is on everything that loading takes, what it throws away included.
func TestLoadTakesLittleMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := catalog.Load()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(c)
	used := after.TotalAlloc - before.TotalAlloc
	assert.Less(t, used, uint64(12<<20))
	t.Logf("%.1f MB", float64(used)/(1<<20))
}
