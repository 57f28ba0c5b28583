package conformance

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/downloader"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/cashcoupons"
	"github.com/wechatpay-apiv3/wechatpay-go/services/certificates"
	"github.com/wechatpay-apiv3/wechatpay-go/services/fileuploader"
	"github.com/wechatpay-apiv3/wechatpay-go/services/lovefeast"
	"github.com/wechatpay-apiv3/wechatpay-go/services/merchantexclusivecoupon"
	partnerjsapi "github.com/wechatpay-apiv3/wechatpay-go/services/partnerpayments/jsapi"
	partnernative "github.com/wechatpay-apiv3/wechatpay-go/services/partnerpayments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/app"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/h5"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payrollcard"
	"github.com/wechatpay-apiv3/wechatpay-go/services/profitsharing"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/services/transferbatch"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

const appID = "wxd678efh567hg6787"

// official is the official SDK, connected to a sandbox.
type official struct {
	*core.Client
	t       *testing.T
	ctx     context.Context
	server  *sandbox.Server
	handler *notify.Handler
}

// withCertificates connects the SDK as most merchants have it: it downloads the platform certificates and keeps them.
func withCertificates(t *testing.T) *official {
	server := sandbox.Start(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithBillRows(3))
	merchant, client := server.Merchant(), httpClient(t, server)
	ctx := t.Context()

	first, err := core.NewClient(ctx, option.WithMerchantCredential(merchant.ID, merchant.Serial, merchant.PrivateKey),
		option.WithWechatPayCertificate(server.Keys.Certificates()), option.WithHTTPClient(client))
	require.NoError(t, err)
	manager := downloader.NewCertificateDownloaderMgr(ctx)
	t.Cleanup(manager.Stop)
	require.NoError(t, manager.RegisterDownloaderWithClient(ctx, first, merchant.ID, merchant.APIv3Key))
	require.Len(t, manager.GetCertificateMap(ctx, merchant.ID), len(server.Keys.Certificates()))

	c, err := core.NewClient(ctx, option.WithWechatPayAutoAuthCipherUsingDownloaderMgr(merchant.ID, merchant.Serial, merchant.PrivateKey, manager),
		option.WithHTTPClient(client))
	require.NoError(t, err)
	handler, err := notify.NewRSANotifyHandler(merchant.APIv3Key, verifiers.NewSHA256WithRSAVerifier(manager.GetCertificateVisitor(merchant.ID)))
	require.NoError(t, err)
	return &official{c, t, ctx, server, handler}
}

// withPublicKey connects the SDK as new merchants have it.
func withPublicKey(t *testing.T) *official {
	server := sandbox.Start(t, sandbox.WithKeyMode(sandbox.PublicKeyOnly))
	merchant := server.Merchant()
	c, err := core.NewClient(t.Context(), option.WithWechatPayPublicKeyAuthCipher(merchant.ID, merchant.Serial,
		merchant.PrivateKey, server.Keys.PublicKeyID(), server.Keys.PublicKey()),
		option.WithHTTPClient(httpClient(t, server)))
	require.NoError(t, err)
	handler, err := notify.NewRSANotifyHandler(merchant.APIv3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(server.Keys.PublicKeyID(), *server.Keys.PublicKey()))
	require.NoError(t, err)
	return &official{c, t, t.Context(), server, handler}
}

// as makes a request of the SDK's own type.
func as[Request any](t testing.TB, values map[string]any) (request Request) {
	t.Helper()
	text, err := json.Marshal(values)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &request))
	return request
}

// try calls an operation, named by method and path, through the SDK's method for it.
func try[Request, Answer any](o *official, operation string, method func(context.Context, Request) (Answer, *core.APIResult,
	error), given map[string]any) (answer Answer) {
	o.t.Helper()
	verb, path, _ := strings.Cut(operation, " ")
	answer, result, err := method(o.ctx, as[Request](o.t, sample(o.t, verb, path, given)))
	require.NoError(o.t, err, operation)
	require.Less(o.t, result.Response.StatusCode, 300, operation)
	return answer
}

// bare is try for methods without a response.
func bare[Request any](method func(context.Context, Request) (*core.APIResult, error)) func(context.Context, Request) (struct{}, *core.APIResult, error) {
	return func(ctx context.Context, request Request) (struct{}, *core.APIResult, error) {
		result, err := method(ctx, request)
		return struct{}{}, result, err
	}
}

// values is short for the members of a request.
type values = map[string]any

// TestOfficialWithCertificates is the official SDK over the breadth of its services.
func TestOfficialWithCertificates(t *testing.T) {
	t.Parallel()
	o := withCertificates(t)
	t.Run("orders", func(t *testing.T) { o.orders(t) })
	t.Run("certificates", func(t *testing.T) { o.certificates(t) })
	t.Run("transfers", func(t *testing.T) { o.transfers(t) })
	t.Run("profit sharing", func(t *testing.T) { o.sharing(t) })
	t.Run("sub-merchants", func(t *testing.T) { o.forSubMerchants(t) })
	t.Run("cash coupons", func(t *testing.T) { o.cashCoupons(t) })
	t.Run("merchant coupons", func(t *testing.T) { o.merchantCoupons(t) })
	t.Run("payroll cards", func(t *testing.T) { o.payroll(t) })
	t.Run("love feast", func(t *testing.T) { o.loveFeast(t) })
	t.Run("uploads", func(t *testing.T) { o.uploads(t) })
	t.Run("bills", func(t *testing.T) { o.bills(t) })
	t.Run("complaints", func(t *testing.T) { o.complaints(t) })
	t.Run("notifications", func(t *testing.T) { o.notifications(t) })
	requireOperations(t, o.server)
	t.Run("errors", func(t *testing.T) { o.errors(t) })
}

// TestOfficialWithPublicKey is the official SDK where keys make a difference.
func TestOfficialWithPublicKey(t *testing.T) {
	t.Parallel()
	o := withPublicKey(t)
	t.Run("orders", func(t *testing.T) { o.orders(t) })
	t.Run("transfers", func(t *testing.T) { o.transfers(t) })
	t.Run("payroll cards", func(t *testing.T) { o.payroll(t) })
	t.Run("uploads", func(t *testing.T) { o.uploads(t) })
	t.Run("notifications", func(t *testing.T) { o.notifications(t) })
	t.Run("errors", func(t *testing.T) { o.errors(t) })
	_, _, err := (&certificates.CertificatesApiService{Client: o.Client}).DownloadCertificates(o.ctx)
	require.True(t, core.IsAPIError(err, "RESOURCE_NOT_EXISTS"), "%v", err)
}

func (o *official) in(t *testing.T) *official {
	in := *o
	in.t, in.ctx = t, t.Context()
	return &in
}

func (o *official) order(number string, given values) values {
	order := values{
		"appid": appID, "mchid": merchantID, "description": "T-shirt & <trousers>", "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": values{"total": 100, "currency": "CNY"},
	}
	for name, value := range given {
		order[name] = value
	}
	return order
}

func (o *official) orders(t *testing.T) {
	o = o.in(t)
	inJSAPI, inNative := jsapi.JsapiApiService{Client: o.Client}, native.NativeApiService{Client: o.Client}
	inApp, inH5 := app.AppApiService{Client: o.Client}, h5.H5ApiService{Client: o.Client}
	const mchid = merchantID

	prepay := try(o, "POST /v3/pay/transactions/jsapi", inJSAPI.Prepay, o.order("JSAPI-1", values{"payer": values{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}))
	assert.NotEmpty(t, *prepay.PrepayId)
	launch := try(o, "POST /v3/pay/transactions/jsapi", inJSAPI.PrepayWithRequestPayment,
		o.order("JSAPI-2", values{"payer": values{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}))
	assert.Equal(t, "prepay_id="+*launch.PrepayId, *launch.Package)
	code := try(o, "POST /v3/pay/transactions/native", inNative.Prepay, o.order("NATIVE-1", nil))
	assert.True(t, strings.HasPrefix(*code.CodeUrl, "weixin://"), *code.CodeUrl)
	assert.NotEmpty(t, *try(o, "POST /v3/pay/transactions/app", inApp.Prepay, o.order("ORDER-APP-1", nil)).PrepayId)
	assert.NotEmpty(t, *try(o, "POST /v3/pay/transactions/h5", inH5.Prepay,
		o.order("ORDER-H5-1", values{"scene_info": values{"payer_client_ip": "14.23.150.211", "h5_info": values{"type": "Wap"}}})).H5Url)

	byNumber := values{"out_trade_no": "JSAPI-1", "mchid": mchid}
	queried := try(o, "GET /v3/pay/transactions/out-trade-no/JSAPI-1", inJSAPI.QueryOrderByOutTradeNo, byNumber)
	assert.Equal(t, "NOTPAY", *queried.TradeState)
	_, err := o.server.Users.Pay("JSAPI-1")
	require.NoError(t, err)
	queried = try(o, "GET /v3/pay/transactions/out-trade-no/JSAPI-1", inJSAPI.QueryOrderByOutTradeNo, byNumber)
	assert.Equal(t, "SUCCESS", *queried.TradeState)
	assert.EqualValues(t, 100, *queried.Amount.Total)
	again := try(o, "GET /v3/pay/transactions/id/1", inJSAPI.QueryOrderById, values{"transaction_id": *queried.TransactionId, "mchid": mchid})
	assert.Equal(t, queried, again)

	try(o, "POST /v3/pay/transactions/out-trade-no/NATIVE-1/close", bare(inNative.CloseOrder), values{"out_trade_no": "NATIVE-1", "mchid": mchid})
	closed := try(o, "GET /v3/pay/transactions/out-trade-no/NATIVE-1", inNative.QueryOrderByOutTradeNo, values{"out_trade_no": "NATIVE-1", "mchid": mchid})
	assert.Equal(t, "CLOSED", *closed.TradeState)

	refunds := refunddomestic.RefundsApiService{Client: o.Client}
	refund := try(o, "POST /v3/refund/domestic/refunds", refunds.Create, values{
		"out_trade_no": "JSAPI-1", "out_refund_no": "REFUND-1", "amount": values{"refund": 30, "total": 100, "currency": "CNY"},
	})
	assert.EqualValues(t, 30, *refund.Amount.Refund)
	refund = try(o, "GET /v3/refund/domestic/refunds/REFUND-1", refunds.QueryByOutRefundNo, values{"out_refund_no": "REFUND-1"})
	assert.Equal(t, refunddomestic.STATUS_SUCCESS, *refund.Status)
}

func (o *official) certificates(t *testing.T) {
	o = o.in(t)
	list, _, err := (&certificates.CertificatesApiService{Client: o.Client}).DownloadCertificates(o.ctx)
	require.NoError(t, err)
	require.Len(t, list.Data, 2)
	for i, entry := range list.Data {
		encrypted := entry.EncryptCertificate
		text, err := utils.DecryptAES256GCM(o.server.Merchant().APIv3Key, *encrypted.AssociatedData, *encrypted.Nonce, *encrypted.Ciphertext)
		require.NoError(t, err)
		certificate, err := utils.LoadCertificate(text)
		require.NoError(t, err)
		assert.Equal(t, o.server.Keys.Certificates()[i].Raw, certificate.Raw)
		assert.Equal(t, *entry.SerialNo, utils.GetCertificateSerialNumber(*certificate))
	}
}

func (o *official) transfers(t *testing.T) {
	o = o.in(t)
	batches, details := transferbatch.TransferBatchApiService{Client: o.Client}, transferbatch.TransferDetailApiService{Client: o.Client}
	try(o, "POST /v3/transfer/batches", batches.InitiateBatchTransfer, values{
		"appid": appID, "out_batch_no": "BATCH1", "total_amount": 40000, "total_num": 1,
		"transfer_detail_list": []values{{"out_detail_no": "DETAIL1", "transfer_amount": 40000, "transfer_remark": "wages",
			"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "user_name": "张三"}},
	})
	try(o, "GET /v3/transfer/batches/out-batch-no/BATCH1", batches.GetTransferBatchByOutNo,
		values{"out_batch_no": "BATCH1", "need_query_detail": true, "detail_status": "ALL"})
	try(o, "GET /v3/transfer/batches/batch-id/1030", batches.GetTransferBatchByNo, values{"batch_id": "1030", "need_query_detail": true, "detail_status": "ALL"})
	detail := try(o, "GET /v3/transfer/batches/out-batch-no/BATCH1/details/out-detail-no/DETAIL1",
		details.GetTransferDetailByOutNo, values{"out_batch_no": "BATCH1", "out_detail_no": "DETAIL1"})
	assert.Less(t, len(*detail.UserName), 100, "it came encrypted and was decrypted")
	try(o, "GET /v3/transfer/batches/batch-id/1030/details/detail-id/1040", details.GetTransferDetailByNo, values{"batch_id": "1030", "detail_id": "1040"})
}

func (o *official) payroll(t *testing.T) {
	o = o.in(t)
	tokens, authentications := payrollcard.TokensApiService{Client: o.Client}, payrollcard.AuthenticationsApiService{Client: o.Client}
	relations := payrollcard.RelationsApiService{Client: o.Client}
	try(o, "POST /v3/payroll-card/tokens", tokens.CreateToken, values{"user_name": "张三", "id_card_number": "110101199003070000"})
	try(o, "POST /v3/payroll-card/authentications/pre-order-with-auth", authentications.PreOrderAuthenticationWithAuth,
		values{"user_name": "张三", "id_card_number": "110101199003070000", "employment_type": "LONG_TERM_EMPLOYMENT"}) // the SDK wants it, the facts do not
	try(o, "POST /v3/payroll-card/authentications/pre-order", authentications.PreOrderAuthentication, nil)
	try(o, "GET /v3/payroll-card/authentications/A1", authentications.GetAuthentication, nil)
	try(o, "GET /v3/payroll-card/authentications", authentications.ListAuthentications, nil)
	try(o, "GET /v3/payroll-card/relations/O1", relations.GetRelation, nil)
}

func (o *official) sharing(t *testing.T) {
	o = o.in(t)
	receivers, shares := profitsharing.ReceiversApiService{Client: o.Client}, profitsharing.OrdersApiService{Client: o.Client}
	returns, amounts := profitsharing.ReturnOrdersApiService{Client: o.Client}, profitsharing.TransactionsApiService{Client: o.Client}
	inNative := native.NativeApiService{Client: o.Client}

	added := try(o, "POST /v3/profitsharing/receivers/add", receivers.AddReceiver,
		values{"appid": appID, "type": "MERCHANT_ID", "account": "1900000110", "name": "张三网络公司", "relation_type": "PARTNER"})
	assert.Equal(t, "张三网络公司", *added.Name, "it came encrypted and was decrypted")
	try(o, "POST /v3/pay/transactions/native", inNative.Prepay, o.order("SHARED-1", values{"settle_info": values{"profit_sharing": true}}))
	transaction, err := o.server.Users.Pay("SHARED-1")
	require.NoError(t, err)
	require.NoError(t, o.server.Clock.Jump(2*time.Minute))

	shared := try(o, "POST /v3/profitsharing/orders", shares.CreateOrder, values{
		"appid": appID, "transaction_id": transaction, "out_order_no": "SHARE1", "unfreeze_unsplit": false,
		"receivers": []values{{"type": "MERCHANT_ID", "account": "1900000110", "name": "张三网络公司", "amount": 10, "description": "part"}},
	})
	assert.NotEmpty(t, *shared.OrderId)
	queried := try(o, "GET /v3/profitsharing/orders/SHARE1", shares.QueryOrder, values{"transaction_id": transaction, "out_order_no": "SHARE1"})
	assert.Equal(t, profitsharing.ORDERSTATUS_FINISHED, *queried.State)
	assert.EqualValues(t, 10, *queried.Receivers[0].Amount)
	left := try(o, "GET /v3/profitsharing/transactions/1/amounts", amounts.QueryOrderAmount, values{"transaction_id": transaction})
	assert.EqualValues(t, 90, *left.UnsplitAmount)

	back := values{"out_order_no": "SHARE1", "out_return_no": "RETURN1", "return_mchid": "1900000110", "amount": 10, "description": "back"}
	try(o, "POST /v3/profitsharing/return-orders", returns.CreateReturnOrder, back)
	returned := try(o, "GET /v3/profitsharing/return-orders/RETURN1", returns.QueryReturnOrder, values{"out_order_no": "SHARE1", "out_return_no": "RETURN1"})
	assert.EqualValues(t, 10, *returned.Amount)
	try(o, "POST /v3/profitsharing/orders/unfreeze", shares.UnfreezeOrder,
		values{"transaction_id": transaction, "out_order_no": "UNFREEZE1", "description": "done"})
	try(o, "POST /v3/profitsharing/receivers/delete", receivers.DeleteReceiver, values{"appid": appID, "type": "MERCHANT_ID", "account": "1900000110"})
}

// forSubMerchants is the life of an order of a service provider.
func (o *official) forSubMerchants(t *testing.T) {
	o = o.in(t)
	const sub = "1900000120"
	require.NoError(t, o.server.AddSubMerchant(sub))
	inNative, inJSAPI := partnernative.NativeApiService{Client: o.Client}, partnerjsapi.JsapiApiService{Client: o.Client}
	order := func(number string, given values) values {
		return values{
			"sp_appid": appID, "sp_mchid": merchantID, "sub_mchid": sub, "description": "T-shirt", "out_trade_no": number,
			"notify_url": "https://shop.example.com/notify", "amount": values{"total": 100, "currency": "CNY"}, "payer": given,
		}
	}
	prepay := try(o, "POST /v3/pay/partner/transactions/jsapi", inJSAPI.Prepay, order("SUB-JSAPI-1", values{"sp_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}))
	assert.NotEmpty(t, *prepay.PrepayId)
	try(o, "POST /v3/pay/partner/transactions/native", inNative.Prepay, order("SUB-NATIVE-1", nil))
	transaction, err := o.server.Users.Pay("SUB-JSAPI-1")
	require.NoError(t, err)
	byNumber := values{"sp_mchid": merchantID, "sub_mchid": sub}
	paid := try(o, "GET /v3/pay/partner/transactions/out-trade-no/SUB-JSAPI-1", inJSAPI.QueryOrderByOutTradeNo, with(byNumber, "out_trade_no", "SUB-JSAPI-1"))
	assert.Equal(t, "SUCCESS", *paid.TradeState)
	again := try(o, "GET /v3/pay/partner/transactions/id/1", inJSAPI.QueryOrderById, with(byNumber, "transaction_id", transaction))
	assert.Equal(t, paid, again)
	try(o, "POST /v3/pay/partner/transactions/out-trade-no/SUB-NATIVE-1/close", bare(inNative.CloseOrder), with(byNumber, "out_trade_no", "SUB-NATIVE-1"))
}

func with(given values, name string, value any) values {
	given = maps.Clone(given)
	given[name] = value
	return given
}

func (o *official) cashCoupons(t *testing.T) {
	o = o.in(t)
	stocks, coupons := cashcoupons.StockApiService{Client: o.Client}, cashcoupons.CouponApiService{Client: o.Client}
	callbacks := cashcoupons.CallBackUrlApiService{Client: o.Client}
	const users = "/v3/marketing/favor/users/O1/coupons"
	made := try(o, "POST /v3/marketing/favor/coupon-stocks", stocks.CreateCouponStock, values{
		"available_begin_time": "2025-01-02T03:04:05+08:00", "available_end_time": "2099-01-02T03:04:05+08:00",
		"coupon_use_rule": values{"fixed_normal_coupon": values{"coupon_amount": 1, "transaction_minimum": 100}},
	})
	const stock = "/v3/marketing/favor/stocks/1"
	creator := values{"stock_id": *made.StockId, "stock_creator_mchid": merchantID}
	page := values{"stock_id": *made.StockId, "stock_creator_mchid": merchantID, "offset": 0, "limit": 10}
	try(o, "GET /v3/marketing/favor/stocks", stocks.ListStocks, page)
	try(o, "GET "+stock, stocks.QueryStock, creator)
	try(o, "GET "+stock+"/merchants", stocks.ListAvailableMerchants, page)
	try(o, "GET "+stock+"/items", stocks.ListAvailableSingleitems, page)
	try(o, "POST "+stock+"/start", stocks.StartStock, creator)
	try(o, "POST "+stock+"/pause", stocks.PauseStock, creator)
	try(o, "POST "+stock+"/restart", stocks.RestartStock, creator)
	try(o, "GET "+stock+"/use-flow", stocks.UseFlow, nil)
	try(o, "GET "+stock+"/refund-flow", stocks.RefundFlow, nil)
	sent := try(o, "POST "+users, coupons.SendCoupon, values{
		"openid": "O1", "stock_id": *made.StockId, "appid": appID, "stock_creator_mchid": merchantID,
	})
	try(o, "GET "+users, coupons.ListCouponsByFilter, values{"openid": "O1", "appid": appID, "offset": 0, "limit": 10})
	got := try(o, "GET "+users+"/1", coupons.QueryCoupon, values{"openid": "O1", "coupon_id": *sent.CouponId, "appid": appID})
	assert.Equal(t, "SENDED", *got.Status)
	try(o, "POST /v3/marketing/favor/callbacks", callbacks.SetCallback, nil)
	try(o, "GET /v3/marketing/favor/callbacks", callbacks.QueryCallback, nil)
}

func (o *official) merchantCoupons(t *testing.T) {
	o = o.in(t)
	stocks, coupons := merchantexclusivecoupon.BusiFavorApiService{Client: o.Client}, merchantexclusivecoupon.CouponApiService{Client: o.Client}
	callbacks, subsidies := merchantexclusivecoupon.CallBackApiService{Client: o.Client}, merchantexclusivecoupon.SubsidyApiService{Client: o.Client}
	const stock, users = "/v3/marketing/busifavor/stocks/9856000", "/v3/marketing/busifavor/users/O1/coupons"
	try(o, "POST /v3/marketing/busifavor/stocks", stocks.CreateBusifavorStock, nil)
	try(o, "GET "+stock, stocks.QueryStock, nil)
	try(o, "PATCH "+stock, bare(stocks.ModifyStockInfo), nil)
	try(o, "PATCH "+stock+"/budget", stocks.ModifyBudget, nil)
	try(o, "POST "+stock+"/couponcodes", stocks.UploadCouponCode, values{"coupon_code_list": []string{"CODE1"}})
	try(o, "GET "+stock+"/couponcodes", stocks.QueryCouponCodeList, nil)
	try(o, "GET "+stock+"/couponcodes/1", stocks.CouponCodeInfo, nil)
	try(o, "DELETE "+stock+"/couponcodes/1", stocks.DeleteCouponCode, nil)
	try(o, "POST /v3/marketing/busifavor/coupons/use", coupons.UseCoupon, nil)
	try(o, "POST /v3/marketing/busifavor/coupons/return", coupons.ReturnCoupon, nil)
	try(o, "POST /v3/marketing/busifavor/coupons/deactivate", coupons.DeactivateCoupon, nil)
	try(o, "POST /v3/marketing/busifavor/coupons/associate", coupons.AssociateTradeInfo, nil)
	try(o, "POST /v3/marketing/busifavor/coupons/disassociate", coupons.DisassociateTradeInfo, nil)
	try(o, "GET "+users, coupons.ListCouponsByFilter, nil)
	try(o, "GET "+users+"/1/appids/"+appID, coupons.QueryCoupon, nil)
	try(o, "POST /v3/marketing/busifavor/callbacks", callbacks.SetCouponNotify, nil)
	try(o, "GET /v3/marketing/busifavor/callbacks", callbacks.GetCouponNotify, nil)
	try(o, "POST /v3/marketing/busifavor/subsidy/pay-receipts", subsidies.SubsidyPay, nil)
	try(o, "GET /v3/marketing/busifavor/subsidy/pay-receipts/1", subsidies.PayReceiptInfo, nil)
}

func (o *official) loveFeast(t *testing.T) {
	o = o.in(t)
	brands := lovefeast.BrandsApiService{Client: o.Client}
	try(o, "GET /v3/lovefeast/brands/1", brands.GetBrand, values{"brand_id": 1})
}

func (o *official) uploads(t *testing.T) {
	o = o.in(t)
	file := func() io.Reader { return bytes.NewReader([]byte("\x89PNG\r\n\x1a\nnot much of a picture")) }
	image, _, err := (&fileuploader.ImageUploader{Client: o.Client}).Upload(o.ctx, file(), "图片.png", "image/png")
	require.NoError(t, err)
	assert.NotEmpty(t, *image.MediaId)
	video, _, err := (&fileuploader.VideoUploader{Client: o.Client}).Upload(o.ctx, file(), "film.mp4", "video/mp4")
	require.NoError(t, err)
	assert.NotEmpty(t, *video.MediaId)
	picture, _, err := (&fileuploader.MarketingImageUploader{Client: o.Client}).Upload(o.ctx, file(), "picture.jpg", "image/jpg")
	require.NoError(t, err)
	assert.NotEmpty(t, *picture.MediaUrl)
}

// get reads a path that the SDK has no service for.
func (o *official) get(path string, to any) {
	o.t.Helper()
	result, err := o.Get(o.ctx, "https://api.mch.weixin.qq.com"+path)
	require.NoError(o.t, err)
	require.NoError(o.t, core.UnMarshalResponse(result.Response, to))
}

func (o *official) bills(t *testing.T) {
	o = o.in(t)
	for _, path := range []string{"/v3/bill/tradebill?bill_date=" + billDay(), "/v3/bill/fundflowbill?bill_date=" + billDay()} {
		var bill struct {
			DownloadURL string `json:"download_url"`
			HashType    string `json:"hash_type"`
			HashValue   string `json:"hash_value"`
		}
		o.get(path, &bill)
		assert.Equal(t, "SHA1", bill.HashType)

		// The file has no signature, so its client verifies none.
		merchant := o.server.Merchant()
		loader, err := core.NewClient(o.ctx, option.WithMerchantCredential(merchant.ID, merchant.Serial, merchant.PrivateKey),
			option.WithoutValidator(), option.WithHTTPClient(httpClient(t, o.server)))
		require.NoError(t, err)
		result, err := loader.Get(o.ctx, bill.DownloadURL)
		require.NoError(t, err, path)
		content, err := io.ReadAll(result.Response.Body)
		require.NoError(t, err)
		sum := sha1.Sum(content)
		assert.Equal(t, bill.HashValue, hex.EncodeToString(sum[:]))
		assert.NotEmpty(t, content)
	}
}

func (o *official) complaints(t *testing.T) {
	o = o.in(t)
	var list struct {
		Data  []map[string]any `json:"data"`
		Total *int             `json:"total_count"`
	}
	o.get("/v3/merchant-service/complaints-v2?begin_date=2025-01-01&end_date=2025-01-20&limit=10&offset=0", &list)
	assert.NotNil(t, list.Total)
}

func (o *official) notifications(t *testing.T) {
	o = o.in(t)
	request, err := o.server.Deliveries.Notify("TRANSACTION.SUCCESS", nil)
	require.NoError(t, err)
	transaction := new(payments.Transaction)
	event, err := o.handler.ParseNotifyRequest(o.ctx, request, transaction)
	require.NoError(t, err)
	assert.Equal(t, "TRANSACTION.SUCCESS", event.EventType)
	assert.Equal(t, "SUCCESS", *transaction.TradeState)

	heard := make(chan string, 1)
	o.server.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refund := make(map[string]any)
		if _, err := o.handler.ParseNotifyRequest(r.Context(), r, &refund); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			heard <- err.Error()
			return
		}
		w.WriteHeader(http.StatusNoContent)
		heard <- refund["refund_status"].(string)
	}))
	id, err := o.server.Deliveries.Deliver("https://shop.example.com/notify", "REFUND.SUCCESS", nil)
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", <-heard)
	delivery, err := o.server.Deliveries.Await(o.ctx, id, 1)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, delivery.Attempts[0].Status)

	probe, err := o.server.Deliveries.Notify("TRANSACTION.SUCCESS", nil, fault.Probe)
	require.NoError(t, err)
	_, err = o.handler.ParseNotifyRequest(o.ctx, probe, new(payments.Transaction))
	assert.Error(t, err, "a probe must not verify")
}

func (o *official) errors(t *testing.T) {
	o = o.in(t)
	orders := native.NativeApiService{Client: o.Client}
	_, _, err := orders.QueryOrderByOutTradeNo(o.ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: core.String("UNKNOWN"), Mchid: core.String(merchantID)})
	var refused *core.APIError
	require.True(t, errors.As(err, &refused), "%v", err)
	assert.Equal(t, "ORDER_NOT_EXIST", refused.Code)
	assert.Equal(t, http.StatusNotFound, refused.StatusCode)
	assert.NotEmpty(t, refused.Message)
	assert.NotEmpty(t, refused.Header.Get("Request-ID"))

	request := as[native.PrepayRequest](t, o.order("BAD-1", nil))
	request.Amount.Total = core.Int64(-1)
	_, _, err = orders.Prepay(o.ctx, request)
	require.True(t, core.IsAPIError(err, "PARAM_ERROR"), "%v", err)
	require.True(t, errors.As(err, &refused))
	assert.Equal(t, http.StatusBadRequest, refused.StatusCode)
	assert.NotNil(t, refused.Detail)

	merchant := o.server.Merchant()
	stranger, err := core.NewClient(o.ctx, option.WithMerchantCredential(merchant.ID, strings.Repeat("7", 40), merchant.PrivateKey),
		option.WithoutValidator(), option.WithHTTPClient(httpClient(t, o.server)))
	require.NoError(t, err)
	_, err = stranger.Get(o.ctx, "https://api.mch.weixin.qq.com/v3/certificates")
	require.True(t, core.IsAPIError(err, "SIGN_ERROR"), "%v", err)
}
