// Package typed is a typed client in the manner of openai-go.
package typed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/plumbing"
	"github.com/wxpay-go/wxpay/bench/tasks/typed/sdk"
)

// beijing is the zone of the platform's dates.
var beijing = time.FixedZone("", 8*60*60)

// Client is the typed client.
type Client struct {
	*sdk.Client
	config tasks.Config
}

// New returns the typed client.
func New(c tasks.Config) (tasks.Tasks, error) { return &Client{sdk.NewClient(c), c}, nil }

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	order, err := c.Orders.NewJSAPI(ctx, sdk.OrderNewParams{
		AppID:       c.config.AppID,
		MchID:       c.config.MchID,
		Description: o.Description,
		OutTradeNo:  o.Number,
		NotifyURL:   o.NotifyURL,
		Amount:      sdk.OrderAmount{Total: o.Total},
		Payer:       sdk.OrderPayer{OpenID: o.OpenID},
	})
	if err != nil {
		return "", err
	}
	return order.PrepayID, nil
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	order, err := c.Orders.Get(ctx, number, sdk.OrderGetParams{MchID: c.config.MchID})
	if err != nil {
		return "", 0, err
	}
	return order.TradeState, order.Amount.Total, nil
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	return c.Orders.Close(ctx, number, sdk.OrderCloseParams{MchID: c.config.MchID})
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	refund, err := c.Refunds.New(ctx, sdk.RefundNewParams{
		OutTradeNo:  r.OrderNumber,
		OutRefundNo: r.Number,
		Amount:      sdk.RefundAmount{Refund: r.Amount, Total: r.Total, Currency: "CNY"},
	})
	var fail *plumbing.Fail
	if errors.As(err, &fail) && fail.Status < 500 {
		return "", err
	}
	// It was taken, or nobody knows: the query tells.
	for err != nil || refund.Status == sdk.RefundProcessing {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return "", cmp.Or(err, ctx.Err())
		}
		if refund, err = c.Refunds.Get(ctx, r.Number); errors.As(err, &fail) && fail.Status == 404 {
			return "", err // still under way, perhaps: a person has to look
		}
	}
	return string(refund.Status), nil
}

func (c *Client) Complaints(ctx context.Context, from, to time.Time) (ids []string, err error) {
	list := c.Client.Complaints.ListAutoPaging(ctx, sdk.ComplaintListParams{BeginDate: from.In(beijing).Format(time.DateOnly), EndDate: to.In(beijing).Format(time.DateOnly)})
	for list.Next() {
		ids = append(ids, list.Current().ComplaintID)
	}
	return ids, list.Err()
}

func (c *Client) Upload(ctx context.Context, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	media, err := c.Media.Upload(ctx, sdk.MediaUploadParams{File: file, Filename: filepath.Base(path)})
	if err != nil {
		return "", err
	}
	return media.MediaID, nil
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	link, err := c.Bills.Trade(ctx, sdk.BillTradeParams{BillDate: day.In(beijing).Format(time.DateOnly)})
	if err != nil {
		return 0, err
	}
	file, err := c.Bills.Download(ctx, link.DownloadURL)
	if err != nil {
		return 0, err
	}
	digest := sha1.Sum(file)
	if hex.EncodeToString(digest[:]) != link.HashValue {
		return 0, errors.New("the bill does not fit its digest")
	}
	lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	lines.FieldsPerRecord, lines.LazyQuotes = -1, true
	head, err := lines.Read()
	if err != nil {
		return 0, err
	}
	column := slices.Index(head, "订单金额")
	for {
		row, err := lines.Read()
		if err == io.EOF || err == nil && !strings.HasPrefix(row[0], "`") {
			return sum, nil
		}
		if err != nil {
			return 0, err
		}
		yuan, err := strconv.ParseFloat(strings.TrimPrefix(row[column], "`"), 64)
		if err != nil {
			return 0, err
		}
		sum += int64(math.Round(yuan * 100))
	}
}

func (c *Client) Transfer(ctx context.Context, t tasks.Transfer) (string, error) {
	name, err := c.Transfers.EncryptText(t.UserName)
	if err != nil {
		return "", err
	}
	transfer, err := c.Transfers.New(ctx, sdk.TransferNewParams{
		AppID:          c.config.AppID,
		OutBillNo:      t.Number,
		TransferScene:  t.Scene,
		OpenID:         t.OpenID,
		UserName:       sdk.String(name),
		TransferAmount: t.Amount,
		TransferRemark: t.Remark,
		SceneReports: []sdk.TransferReport{
			{InfoType: "活动名称", InfoContent: "新会员有礼"},
			{InfoType: "奖励说明", InfoContent: "注册会员抽奖"},
		},
	})
	if err != nil {
		return "", err
	}
	return transfer.State, nil
}

func (c *Client) Notifications(paid func(string, int64) error) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		event, err := c.Events.Unwrap(r.Header, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		if event.Type == "TRANSACTION.SUCCESS" {
			payment, err := event.AsPayment()
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			if err := paid(payment.OutTradeNo, payment.Amount.Total); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}), nil
}

func (c *Client) Apply(ctx context.Context, a *tasks.Applicant) (int64, error) {
	sealed := *a
	sealed.Subject.Owners = slices.Clone(a.Subject.Owners)
	secrets := []*string{
		&sealed.Contact.Name, &sealed.Contact.Number, &sealed.Contact.Phone, &sealed.Contact.Email,
		&sealed.Subject.Identity.Card.Name, &sealed.Subject.Identity.Card.Number,
		&sealed.Account.Name, &sealed.Account.Number,
	}
	for i := range sealed.Subject.Owners {
		owner := &sealed.Subject.Owners[i]
		secrets = append(secrets, &owner.Name, &owner.Number, &owner.Address)
	}
	for _, secret := range secrets {
		var err error
		if *secret, err = c.Applicants.EncryptText(*secret); err != nil {
			return 0, err
		}
	}
	applicant, err := c.Applicants.New(ctx, sealed)
	if err != nil {
		return 0, err
	}
	return applicant.ApplymentID, nil
}
