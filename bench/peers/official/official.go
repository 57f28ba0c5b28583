// Package official is the Go SDK of WeChat Pay, github.com/wechatpay-apiv3/wechatpay-go, used as
// its README says: with its typed services where it has them, else with its generic calls.
package official

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/fileuploader"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/transferbatch"

	"github.com/wxpay-go/wxpay/bench/peers"
)

// New returns the SDK.
func New(config peers.Config) (*peers.Client, error) {
	key, platform := peers.Keys()
	options := []core.ClientOption{option.WithWechatPayPublicKeyAuthCipher(peers.MerchantID, peers.Serial, key, peers.PublicKeyID, &platform.PublicKey)}
	if config.Transport != nil {
		options = append(options, option.WithHTTPClient(&http.Client{Transport: config.Transport, Timeout: config.Timeout}))
	}
	client, err := core.NewClient(context.Background(), options...)
	if err != nil {
		return nil, err
	}
	// Bills are not signed, so the SDK's documentation fetches them with a client that does not
	// verify.
	unverified, err := core.NewClient(context.Background(), append(options, option.WithoutValidator())...)
	if err != nil {
		return nil, err
	}
	handler, err := notify.NewRSANotifyHandler(peers.APIv3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(peers.PublicKeyID, platform.PublicKey))
	if err != nil {
		return nil, err
	}
	return &peers.Client{
		Feed: func(ctx context.Context) error {
			result, err := client.Post(ctx, config.Base+peers.FeedPath, &peers.FeedBody)
			if err != nil {
				return err
			}
			var answer struct {
				Number string `json:"out_request_no"`
			}
			if err := core.UnMarshalResponse(result.Response, &answer); err != nil {
				return err
			}
			return peers.Expect(answer.Number, peers.FeedBody.Number)
		},
		Order: func(ctx context.Context) error {
			service := native.NativeApiService{Client: client}
			order, _, err := service.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{
				OutTradeNo: core.String(peers.OrderNumber), Mchid: core.String(peers.MerchantID),
			})
			if err != nil {
				return err
			}
			return peers.Expect(*order.TradeState, "SUCCESS")
		},
		Transfer: func(ctx context.Context) error {
			details := make([]transferbatch.TransferDetailInput, peers.Receivers)
			for i := range details {
				details[i] = transferbatch.TransferDetailInput{
					OutDetailNo: core.String("x23zy545Bd5436" + string(rune('0'+i))), TransferAmount: core.Int64(100), TransferRemark: core.String("一月报销"),
					Openid: core.String("o-MYE42l80oelYMDE34nYD456Xoy"), UserName: core.String("张三"),
				}
			}
			service := transferbatch.TransferBatchApiService{Client: client}
			answer, _, err := service.InitiateBatchTransfer(ctx, transferbatch.InitiateBatchTransferRequest{
				Appid: core.String("wxf636efh567hg4356"), OutBatchNo: core.String("plfk2020042013"), BatchName: core.String("一月报销"),
				BatchRemark: core.String("一月报销"), TotalAmount: core.Int64(100 * peers.Receivers), TotalNum: core.Int64(peers.Receivers),
				TransferDetailList: details,
			})
			if err != nil {
				return err
			}
			return peers.Expect(*answer.BatchStatus, "ACCEPTED")
		},
		Upload: func(ctx context.Context) error {
			service := fileuploader.ImageUploader{Client: client}
			answer, _, err := service.Upload(ctx, bytes.NewReader(peers.Picture()), "picture.png", "image/png")
			if err != nil {
				return err
			}
			return peers.Expect(*answer.MediaId, "H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9sxNTbRN54dFiUHnhg")
		},
		Notify: func(req *http.Request) error {
			payment := new(payments.Transaction)
			if _, err := handler.ParseNotifyRequest(req.Context(), req, payment); err != nil {
				return err
			}
			return peers.Expect(*payment.OutTradeNo, peers.OrderNumber)
		},
		Bill: func(ctx context.Context, url string, packed bool, _ string, w io.Writer) error {
			result, err := unverified.Get(ctx, url)
			if err != nil {
				return err
			}
			defer result.Response.Body.Close()
			return peers.Unpack(w, result.Response.Body, packed)
		},
	}, nil
}
