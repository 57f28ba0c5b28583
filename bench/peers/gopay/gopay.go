// Package gopay is github.com/go-pay/gopay, used as its documentation says. It has no call for a
// path that it does not know, so the member feed's body goes to an operation that it knows and that
// does the same work.
package gopay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-pay/gopay"
	"github.com/go-pay/gopay/pkg/xhttp"
	wechat "github.com/go-pay/gopay/wechat/v3"

	"github.com/wxpay-go/wxpay/bench/peers"
)

// New returns gopay.
func New(config peers.Config) (*peers.Client, error) {
	client, err := wechat.NewClientV3(peers.MerchantID, peers.Serial, peers.APIv3Key, string(peers.MerchantPEM()))
	if err != nil {
		return nil, err
	}
	if err := client.AutoVerifySignByPublicKey(peers.PlatformPEM(), peers.PublicKeyID); err != nil {
		return nil, err
	}
	if config.Transport != nil {
		client.SetHttpClient(xhttp.NewClient().SetTransport(config.Transport).SetTimeout(config.Timeout))
	}
	if config.Base != peers.Platform {
		client.SetProxyHost(config.Base)
	}
	_, platform := peers.Keys()
	return &peers.Client{
		Feed: func(ctx context.Context) error {
			body := make(gopay.BodyMap)
			body.Set("brand_id", peers.FeedBody.Brand).Set("card_id", peers.FeedBody.Card).Set("cell_message", peers.FeedBody.Message).
				Set("openid", peers.FeedBody.OpenID).Set("out_request_no", peers.FeedBody.Number).Set("user_card_code", peers.FeedBody.Code)
			answer, err := client.V3TransactionNative(ctx, body)
			return failure(err, answer.Code, answer.Error)
		},
		Order: func(ctx context.Context) error {
			order, err := client.V3TransactionQueryOrder(ctx, wechat.OutTradeNo, peers.OrderNumber)
			if err := failure(err, order.Code, order.Error); err != nil {
				return err
			}
			return peers.Expect(order.Response.TradeState, "SUCCESS")
		},
		Transfer: func(ctx context.Context) error {
			details := make([]gopay.BodyMap, peers.Receivers)
			for i := range details {
				name, err := client.V3EncryptText("张三")
				if err != nil {
					return err
				}
				details[i] = make(gopay.BodyMap)
				details[i].Set("out_detail_no", "x23zy545Bd5436"+strconv.Itoa(i)).Set("transfer_amount", 100).Set("transfer_remark", "一月报销").
					Set("openid", "o-MYE42l80oelYMDE34nYD456Xoy").Set("user_name", name)
			}
			body := make(gopay.BodyMap)
			body.Set("appid", "wxf636efh567hg4356").Set("out_batch_no", "plfk2020042013").Set("batch_name", "一月报销").Set("batch_remark", "一月报销").
				Set("total_amount", 100*peers.Receivers).Set("total_num", peers.Receivers).Set("transfer_detail_list", details)
			answer, err := client.V3Transfer(ctx, body)
			if err := failure(err, answer.Code, answer.Error); err != nil {
				return err
			}
			return peers.Expect(answer.Response.BatchId, "1030000071100999991182020050700019480001")
		},
		Upload: func(ctx context.Context) error {
			picture := peers.Picture()
			digest := sha256.Sum256(picture)
			answer, err := client.V3MediaUploadImage(ctx, "picture.png", hex.EncodeToString(digest[:]), &gopay.File{Name: "picture.png", Content: picture})
			if err := failure(err, answer.Code, answer.Error); err != nil {
				return err
			}
			return peers.Expect(answer.Response.MediaId, "H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9sxNTbRN54dFiUHnhg")
		},
		Notify: func(req *http.Request) error {
			notification, err := wechat.V3ParseNotify(req)
			if err != nil {
				return err
			}
			if err := notification.VerifySignByPK(&platform.PublicKey); err != nil {
				return err
			}
			payment, err := notification.DecryptPayCipherText(peers.APIv3Key)
			if err != nil {
				return err
			}
			return peers.Expect(payment.OutTradeNo, peers.OrderNumber)
		},
		Bill: func(ctx context.Context, url string, packed bool, _ string, w io.Writer) error {
			// By default it returns the first 10 MiB, without an error.
			client.SetBodySize(2048)
			// It takes the target from behind ".com", so the address has to look like the
			// platform's.
			target := strings.TrimPrefix(url, config.Base)
			data, err := client.V3BillDownLoadBill(ctx, peers.Platform+target)
			if err != nil {
				return err
			}
			return peers.Unpack(w, bytes.NewReader(data), packed)
		},
	}, nil
}

func failure(err error, code int, text string) error {
	if err == nil && code != wechat.Success {
		err = errors.New(text)
	}
	return err
}
