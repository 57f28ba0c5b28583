// Package attribute is wxpay with names as one would write properties.
package attribute

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/webhook"
)

// Client is wxpay.
type Client struct {
	*wxpay.Client
	config tasks.Config
}

// New returns wxpay.
func New(c tasks.Config) (tasks.Tasks, error) {
	client, err := wxpay.New(wxpay.Merchant{ID: c.MchID, Serial: c.Serial, PrivateKey: c.Key, APIv3Key: c.APIv3Key},
		wxpay.WithPublicKey(c.PublicKeyID, c.PublicKey), wxpay.WithDefaults(c.MchID, c.AppID),
		wxpay.WithLogger(slog.Default()), wxpay.WithTransport(c.Transport))
	return &Client{client, c}, err
}

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	res, err := c.At("v3", "pay", "transactions", "jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Description,
		"out_trade_no": o.Number,
		"notify_url":   o.NotifyURL,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	if err != nil {
		return "", err
	}
	return res.Text("prepay_id")
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	res, err := c.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_").Var("out_trade_no", number).Get(ctx)
	if err != nil {
		return "", 0, err
	}
	total, err := res.Fen("amount.total")
	return res.Get("trade_state").String(), total, err
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	_, err := c.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_", "close").Var("out_trade_no", number).Post(ctx, wxpay.JSON{})
	return err
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	verdict, err := c.At("v3", "refund", "domestic", "refunds").UntilFinal().Ensure(ctx, wxpay.JSON{
		"out_trade_no":  r.OrderNumber,
		"out_refund_no": r.Number,
		"amount":        wxpay.JSON{"refund": r.Amount, "total": r.Total, "currency": "CNY"},
	})
	if err != nil {
		return "", err
	}
	return string(verdict.State), nil
}

func (c *Client) Complaints(ctx context.Context, from, to time.Time) ([]string, error) {
	var ids []string
	list := c.At("v3", "merchantService", "complaints-v2").Query("begin_date", from).Query("end_date", to)
	for complaint, err := range list.Each(ctx, "data") {
		if err != nil {
			return nil, err
		}
		ids = append(ids, complaint.Get("complaint_id").String())
	}
	return ids, nil
}

func (c *Client) Upload(ctx context.Context, path string) (string, error) {
	res, err := c.At("v3", "merchant", "media", "upload").Upload(ctx, wxpay.FileAt(path))
	if err != nil {
		return "", err
	}
	return res.Text("media_id")
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	bill, err := c.At("v3", "bill", "tradebill").Query("bill_date", day).Bill(ctx)
	if err != nil {
		return 0, err
	}
	defer bill.Close()
	for row, err := range bill.Rows() {
		if err != nil {
			return 0, err
		}
		fen, err := row.Fen("订单金额")
		if err != nil {
			return 0, err
		}
		sum += fen
	}
	return sum, nil
}

func (c *Client) Transfer(ctx context.Context, t tasks.Transfer) (string, error) {
	res, err := c.At("v3", "fundApp", "mchTransfer", "transferBills").Post(ctx, wxpay.JSON{
		"out_bill_no":       t.Number,
		"transfer_scene_id": t.Scene,
		"openid":            t.OpenID,
		"user_name":         t.UserName,
		"transfer_amount":   t.Amount,
		"transfer_remark":   t.Remark,
		"transfer_scene_report_infos": []wxpay.JSON{
			{"info_type": "活动名称", "info_content": "新会员有礼"},
			{"info_type": "奖励说明", "info_content": "注册会员抽奖"},
		},
	})
	if err != nil {
		return "", err
	}
	return res.Text("state")
}

func (c *Client) Notifications(paid func(string, int64) error) (http.Handler, error) {
	handler, err := webhook.New(webhook.Merchant{ID: c.config.MchID, APIv3Key: c.config.APIv3Key, Keys: c.Client})
	if err != nil {
		return nil, err
	}
	handler.On("TRANSACTION.SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.total")
		if err != nil {
			return err
		}
		return paid(e.Get("out_trade_no").String(), total)
	})
	return handler, nil
}

func (c *Client) Apply(ctx context.Context, a *tasks.Applicant) (int64, error) {
	res, err := c.At("v3", "applyment4sub", "applyment/").Post(ctx, a)
	if err != nil {
		return 0, err
	}
	return res.Int("applyment_id")
}
