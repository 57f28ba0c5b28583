// Package own is wxpay as a service would have it: with the catalogue, a logger, an observer and a
// limiter, so that every stage of the pipeline is on.
package own

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/bench/peers"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/webhook"
)

var feed = wxpay.JSON{
	"brand_id": peers.FeedBody.Brand, "card_id": peers.FeedBody.Card, "cell_message": peers.FeedBody.Message,
	"openid": peers.FeedBody.OpenID, "out_request_no": peers.FeedBody.Number, "user_card_code": peers.FeedBody.Code,
}

// New returns wxpay with everything on.
func New(config peers.Config) (*peers.Client, error) {
	// The documented rates would hold a benchmark back; this bound does the limiter's work and is
	// never reached.
	limits := middleware.NewLimits(middleware.Rule{InFlight: 1000})
	return build(config, wxpay.WithLimiter(limits),
		wxpay.WithLogger(slog.New(slog.DiscardHandler)), wxpay.WithObserver(func(context.Context, middleware.Observation) {}))
}

// Plain returns wxpay without the catalogue, and with nothing else that it does not have by itself.
func Plain(config peers.Config) (*peers.Client, error) { return build(config, wxpay.WithCatalog(nil)) }

// fresh is the deduper in memory under keys that never repeat: the benchmark delivers one
// notification again and again, and each delivery is to be the first.
type fresh struct {
	*webhook.Memory
	claims atomic.Int64
}

func (f *fresh) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	return f.Memory.Claim(ctx, key+strconv.FormatInt(f.claims.Add(1), 10), owner)
}

func build(config peers.Config, options ...wxpay.Option) (*peers.Client, error) {
	key, platform := peers.Keys()
	var signer crypto.Signer = key
	if config.Signer != nil {
		signer = config.Signer
	}
	options = append(options, wxpay.WithPublicKey(peers.PublicKeyID, &platform.PublicKey), wxpay.WithBaseURL(config.Base))
	if config.Transport != nil {
		options = append(options, wxpay.WithTransport(config.Transport))
	}
	client, err := wxpay.New(wxpay.Merchant{ID: peers.MerchantID, Serial: peers.Serial, PrivateKey: signer, APIv3Key: peers.APIv3Key}, options...)
	if err != nil {
		return nil, err
	}
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: peers.PublicKeyID, Key: &platform.PublicKey})
	if err != nil {
		return nil, err
	}
	merchant := webhook.Merchant{ID: peers.MerchantID, APIv3Key: peers.APIv3Key, Keys: webhook.Static(keys)}
	handler, err := webhook.New(merchant)
	if err != nil {
		return nil, err
	}
	server, err := webhook.New(merchant, webhook.WithDeduper(&fresh{Memory: webhook.NewMemory(0, 0)}))
	if err != nil {
		return nil, err
	}
	server.On("TRANSACTION.SUCCESS", func(_ context.Context, event *webhook.Event) error {
		return peers.Expect(event.Get("out_trade_no").String(), peers.OrderNumber)
	})
	return &peers.Client{
		Handle: server.ServeHTTP,
		Feed: func(ctx context.Context) error {
			res, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed)
			if err != nil {
				return err
			}
			return peers.Expect(res.Get("out_request_no").String(), peers.FeedBody.Number)
		},
		Order: func(ctx context.Context) error {
			res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", peers.OrderNumber).Query("mchid", peers.MerchantID).Get(ctx)
			if err != nil {
				return err
			}
			return peers.Expect(res.Get("trade_state").String(), "SUCCESS")
		},
		Transfer: func(ctx context.Context) error {
			details := make([]wxpay.JSON, peers.Receivers)
			for i := range details {
				details[i] = wxpay.JSON{
					"out_detail_no": "x23zy545Bd5436" + strconv.Itoa(i), "transfer_amount": 100, "transfer_remark": "一月报销",
					"openid": "o-MYE42l80oelYMDE34nYD456Xoy", "user_name": "张三",
				}
			}
			res, err := client.Chain("v3/transfer/batches").Post(ctx, wxpay.JSON{
				"appid": "wxf636efh567hg4356", "out_batch_no": "plfk2020042013", "batch_name": "一月报销", "batch_remark": "一月报销",
				"total_amount": 100 * peers.Receivers, "total_num": peers.Receivers, "transfer_detail_list": details,
			})
			if err != nil {
				return err
			}
			return peers.Expect(res.Get("batch_status").String(), "ACCEPTED")
		},
		Upload: func(ctx context.Context) error {
			picture := peers.Picture()
			res, err := client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileFrom("picture.png", bytes.NewReader(picture), int64(len(picture))))
			if err != nil {
				return err
			}
			return peers.Expect(res.Get("media_id").String(), "H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9sxNTbRN54dFiUHnhg")
		},
		Notify: func(req *http.Request) error {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return err
			}
			event, err := handler.Parse(req.Context(), req.Header, body)
			if err != nil {
				return err
			}
			return peers.Expect(event.Get("out_trade_no").String(), peers.OrderNumber)
		},
		Bill: func(ctx context.Context, url string, _ bool, sha1sum string, w io.Writer) error {
			_, err := client.Fetch(ctx, url, w, wxpay.Digest("SHA1", sha1sum))
			return err
		},
	}, nil
}
