package gocode_test

import (
	"context"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"iter"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode/testdata/refunds"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// of returns the operations of a tag or beneath it.
func of(tag string) iter.Seq[*fact.Operation] {
	return func(yield func(*fact.Operation) bool) {
		for op := range catalog.V3().Described().All() {
			within := func(t string) bool { return t == tag || strings.HasPrefix(t, tag+"/") }
			if (tag == "" && len(op.Tags) == 0 || slices.ContainsFunc(op.Tags, within)) && !yield(op) {
				return
			}
		}
	}
}

// with returns the events of a family.
func with(tag string) iter.Seq[*fact.Event] {
	return func(yield func(*fact.Event) bool) {
		for event := range catalog.V3().Described().Events() {
			if slices.ContainsFunc(gocode.Families(event), func(t string) bool { return strings.HasPrefix(t, tag) || strings.HasPrefix(tag, t) }) && !yield(event) {
				return
			}
		}
	}
}

// Each event of the catalogue belongs to families that exist, and each row of the table to events.
func TestFamiliesOfEvents(t *testing.T) {
	tags, rows := map[string]bool{}, map[string]bool{}
	for op := range catalog.V3().All() {
		for _, tag := range op.Tags {
			tags[tag] = true
		}
	}
	for event := range catalog.V3().Events() {
		row, ok := gocode.FamilyRow(event)
		assert.True(t, ok, "no row for %s", event.Type)
		rows[row] = true
		for _, tag := range gocode.Families(event) {
			assert.True(t, tags[tag], "%s: no operation is of %s", event.Type, tag)
		}
	}
	assert.Len(t, rows, gocode.FamilyRows, "a row has no event")
}

// The package of each family compiles, and has every operation and notification.
func TestFamiliesCompile(t *testing.T) {
	tops := map[string]bool{"": true}
	for op := range catalog.V3().All() {
		for _, tag := range op.Tags {
			top, _, _ := strings.Cut(tag, "/")
			tops[top] = true
		}
	}
	files := token.NewFileSet()
	config := types.Config{Importer: compiled(t, files, "encoding/json")}
	operations, events, longest := map[*fact.Operation]bool{}, 0, ""
	for _, top := range slices.Sorted(maps.Keys(tops)) {
		family := gocode.Family{Package: "sample", Tag: top, Operations: of(top), Events: with(top)}
		if top == "" {
			family.Events = func(func(*fact.Event) bool) {}
		}
		written, err := family.Files()
		require.NoError(t, err, top)
		var parsed []*ast.File
		for _, name := range slices.Sorted(maps.Keys(written)) {
			code := written[name]
			require.True(t, strings.HasPrefix(string(code), gocode.Mark), name)
			again, err := format.Source(code)
			require.NoError(t, err, name)
			require.Equal(t, string(again), string(code), name)
			file, err := parser.ParseFile(files, top+"/"+name, code, parser.ParseComments)
			require.NoError(t, err)
			require.True(t, ast.IsGenerated(file), name)
			parsed = append(parsed, file)
			if strings.ContainsAny(name, "_") {
				t.Errorf("%s: an underscore may mean a system or a test", name)
			}
		}
		of, err := config.Check("sample", files, parsed, nil)
		require.NoError(t, err, top)
		for _, name := range of.Scope().Names() {
			if len(name) > len(longest) {
				longest = name
			}
		}
		for op := range family.Operations {
			operations[op] = true
			assert.Contains(t, string(written["doc.go"]), gocode.Name(op)+":")
		}
		for range family.Events {
			events++
		}
	}
	assert.Greater(t, len(operations), 1000)
	assert.Greater(t, events, 100)
	t.Logf("%d families, %d operations, %d events; the longest name is %s", len(tops), len(operations), events, longest)
}

// The golden package is that of a family as the command writes it.
func TestGoldenFamily(t *testing.T) {
	const tag = "基础支付/退款"
	written, err := gocode.Family{Package: "refunds", Tag: tag, Operations: of(tag), Events: with(tag)}.Files()
	require.NoError(t, err)
	for name, code := range written {
		golden(t, filepath.Join("refunds", name), code)
	}
	kept, err := filepath.Glob("testdata/refunds/*.go")
	require.NoError(t, err)
	assert.Len(t, kept, len(written), "the golden package has a file that nothing writes")
	context := build.Default
	context.CgoEnabled = false
	for name := range written {
		matches, err := context.MatchFile("testdata/refunds", name)
		require.NoError(t, err)
		assert.True(t, matches, name)
	}
}

// A newer catalogue adds names and changes none: with another operation, field and constant, each old name has its type.
func TestNamesStay(t *testing.T) {
	field := func(name string, enum ...any) fact.Field {
		return fact.Field{Name: name, Type: fact.String, Enum: enum}
	}
	object := func(name string, fields ...fact.Field) fact.Field {
		return fact.Field{Name: name, Type: fact.Object, Required: true, Fields: fields}
	}
	op := func(path string, in, out []fact.Field) *fact.Operation {
		return &fact.Operation{Method: "POST", Path: path, Response: fact.JSONResponse, In: fact.Request{JSON: in}, Out: out}
	}
	amount := object("amount", field("total"), field("state", "A", "B"))
	before := []*fact.Operation{op("/v3/a/things", []fact.Field{amount}, []fact.Field{amount, field("state", "A", "B")})}
	larger := object("amount", field("new", "X"), field("total"), field("state", "A", "B", "C"))
	after := []*fact.Operation{
		op("/v3/a/new", []fact.Field{amount}, []fact.Field{field("amount")}),
		op("/v3/a/things", []fact.Field{larger}, []fact.Field{amount, field("state", "A", "B")}),
		op("/v3/a/things/{thing_id}", nil, []fact.Field{amount}),
	}
	names := func(operations []*fact.Operation) map[string]string {
		files := token.NewFileSet()
		written, err := gocode.Family{Package: "p", Tag: "t", Operations: slices.Values(operations), Events: with("-")}.Files()
		require.NoError(t, err)
		var parsed []*ast.File
		for name, code := range written {
			file, err := parser.ParseFile(files, name, code, 0)
			require.NoError(t, err)
			parsed = append(parsed, file)
		}
		p, err := new(types.Config).Check("p", files, parsed, nil)
		require.NoError(t, err)
		found := map[string]string{}
		for _, name := range p.Scope().Names() {
			object := p.Scope().Lookup(name)
			found[name] = object.Type().String()
			if structure, ok := object.Type().Underlying().(*types.Struct); ok {
				for i := range structure.NumFields() {
					found[name+"."+structure.Field(i).Name()] = structure.Field(i).Type().String()
				}
			}
		}
		return found
	}
	old, now := names(before), names(after)
	require.NotEmpty(t, old)
	for name, is := range old {
		assert.Equal(t, is, now[name], name)
	}
	assert.Greater(t, len(now), len(old))
}

func TestName(t *testing.T) {
	for line, want := range map[string]string{
		"POST /v3/pay/transactions/native":                                 "PayTransactionsNative",
		"GET /v3/pay/transactions/id/{transaction_id}":                     "GetPayTransactionsID",
		"GET /v3/pay/transactions/out-trade-no/{out_trade_no}":             "GetPayTransactionsOutTradeNo",
		"GET /v3/refund/domestic/refunds/{out_refund_no}":                  "GetRefundDomesticRefundsOutRefundNo",
		"POST /v3/ecommerce/applyments/":                                   "EcommerceApplyments",
		"GET /hk/v3/transactions/{id}":                                     "GetHKV3TransactionsID",
		"DELETE /v3/marketing/goods-subsidy-activity/{id}/stores/{shop_a}": "DeleteMarketingGoodsSubsidyActivityIDStoresShopA",
	} {
		method, path, _ := strings.Cut(line, " ")
		assert.Equal(t, want, gocode.Name(&fact.Operation{Method: method, Path: path}), line)
	}
	_, err := gocode.Family{Package: "p", Tag: "t", Events: with("-"), Operations: slices.Values([]*fact.Operation{
		{Method: "POST", Path: "/v3/a_b"}, {Method: "POST", Path: "/v3/a-b"},
	})}.Files()
	assert.ErrorContains(t, err, "POST /v3/a_b")
	assert.ErrorContains(t, err, "have the same name")
}

// The generated types fit Post, Queries, Into, Decode and webhook.On as they are.
func TestFamilyWorks(t *testing.T) {
	gateway, err := sandbox.New()
	require.NoError(t, err)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	require.NoError(t, err)
	_, err = gateway.Users.AddPaidOrder("ABC-001", 500)
	require.NoError(t, err)

	res, err := client.Chain("v3/refund/domestic/refunds").Post(t.Context(), refunds.RefundDomesticRefundsRequest{
		OutTradeNo: "ABC-001", OutRefundNo: "ABC-001-R1", Reason: "商品已售完",
		Amount: refunds.RefundDomesticRefundsRequestAmount{Refund: 100, Total: 500, Currency: "CNY"},
	})
	require.NoError(t, err)
	var made refunds.RefundDomesticRefundsResponse
	require.NoError(t, res.Decode(&made))
	assert.Equal(t, "ABC-001-R1", made.OutRefundNo)
	assert.EqualValues(t, 100, made.Amount.Refund)

	found, err := wxpay.Into[refunds.GetRefundDomesticRefundsOutRefundNoResponse](
		client.Chain("v3/refund/domestic/refunds/{out_refund_no}", "ABC-001-R1").
			Queries(refunds.GetRefundDomesticRefundsOutRefundNoQuery{}).Get(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", found.Status)

	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: gateway.Keys.PublicKeyID(), Key: gateway.Keys.PublicKey()})
	require.NoError(t, err)
	merchant := gateway.Merchant()
	handler, err := webhook.New(webhook.Merchant{ID: merchant.ID, APIv3Key: merchant.APIv3Key, Keys: webhook.Static(keys)})
	require.NoError(t, err)
	var got refunds.RefundSuccessResource
	webhook.On(handler, webhook.RefundSuccess, func(_ context.Context, _ *webhook.Event, resource refunds.RefundSuccessResource) error {
		got = resource
		return nil
	})
	notification, err := gateway.Deliveries.Notify(webhook.RefundSuccess, wxpay.JSON{
		"mchid": merchant.ID, "out_trade_no": "ABC-001", "transaction_id": made.TransactionID, "out_refund_no": "ABC-001-R1",
		"refund_id": made.RefundID, "refund_status": "SUCCESS", "user_received_account": "支付用户零钱",
		"amount": wxpay.JSON{"total": 500, "refund": 100, "payer_total": 500, "payer_refund": 100},
	})
	require.NoError(t, err)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, notification)
	require.Equal(t, 204, answer.Code, answer.Body)
	assert.Equal(t, refunds.RefundSuccessResourceRefundStatusSuccess, got.RefundStatus)
	assert.EqualValues(t, 500, got.Amount.Total)
}
