// Package resty is github.com/go-resty/resty.
package resty

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
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

	"github.com/go-resty/resty/v2"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/plumbing"
)

// beijing is the zone of the platform's dates.
var beijing = time.FixedZone("", 8*60*60)

// Client is resty.
type Client struct {
	*resty.Client
	config tasks.Config
	keys   plumbing.Signed
}

// New returns resty.
func New(c tasks.Config) (tasks.Tasks, error) {
	signed := plumbing.Signed{Config: c}
	client := resty.New().SetBaseURL(plumbing.Base).SetTransport(signed).SetError(plumbing.Fail{})
	return &Client{client, c, signed}, nil
}

func failure(res *resty.Response, err error) error {
	if err == nil && res.IsError() {
		fail := res.Error().(*plumbing.Fail)
		fail.Status = res.StatusCode()
		return fail
	}
	return err
}

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	var answer struct {
		PrepayID string `json:"prepay_id"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetBody(map[string]any{
		"appid":        c.config.AppID,
		"mchid":        c.config.MchID,
		"description":  o.Description,
		"out_trade_no": o.Number,
		"notify_url":   o.NotifyURL,
		"amount":       map[string]any{"total": o.Total},
		"payer":        map[string]any{"openid": o.OpenID},
	}).Post("/v3/pay/transactions/jsapi")
	return answer.PrepayID, failure(res, err)
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	var answer struct {
		State  string `json:"trade_state"`
		Amount struct {
			Total int64 `json:"total"`
		} `json:"amount"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetPathParam("out_trade_no", number).SetQueryParam("mchid", c.config.MchID).
		Get("/v3/pay/transactions/out-trade-no/{out_trade_no}")
	return answer.State, answer.Amount.Total, failure(res, err)
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	res, err := c.R().SetContext(ctx).SetPathParam("out_trade_no", number).SetBody(map[string]any{"mchid": c.config.MchID}).
		Post("/v3/pay/transactions/out-trade-no/{out_trade_no}/close")
	return failure(res, err)
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	var answer struct {
		Status string `json:"status"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetBody(map[string]any{
		"out_trade_no":  r.OrderNumber,
		"out_refund_no": r.Number,
		"amount":        map[string]any{"refund": r.Amount, "total": r.Total, "currency": "CNY"},
	}).Post("/v3/refund/domestic/refunds")
	err = failure(res, err)
	var fail *plumbing.Fail
	if errors.As(err, &fail) && fail.Status < 500 {
		return "", err
	}
	// It was taken, or nobody knows: the query tells.
	for err != nil || answer.Status == "PROCESSING" {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return "", cmp.Or(err, ctx.Err())
		}
		res, err = c.R().SetContext(ctx).SetResult(&answer).SetPathParam("out_refund_no", r.Number).Get("/v3/refund/domestic/refunds/{out_refund_no}")
		if err = failure(res, err); errors.As(err, &fail) && fail.Status == 404 {
			return "", err // still under way, perhaps: a person has to look
		}
	}
	return answer.Status, nil
}

func (c *Client) Complaints(ctx context.Context, from, to time.Time) (ids []string, err error) {
	for {
		var answer struct {
			Data []struct {
				ID string `json:"complaint_id"`
			} `json:"data"`
		}
		res, err := c.R().SetContext(ctx).SetResult(&answer).SetQueryParams(map[string]string{
			"begin_date": from.In(beijing).Format(time.DateOnly),
			"end_date":   to.In(beijing).Format(time.DateOnly),
			"limit":      "10",
			"offset":     strconv.Itoa(len(ids)),
		}).Get("/v3/merchant-service/complaints-v2")
		if err := failure(res, err); err != nil {
			return nil, err
		}
		for _, complaint := range answer.Data {
			ids = append(ids, complaint.ID)
		}
		if len(answer.Data) < 10 {
			return ids, nil
		}
	}
}

func (c *Client) Upload(ctx context.Context, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(data)
	meta, err := json.Marshal(map[string]string{"filename": filepath.Base(path), "sha256": hex.EncodeToString(digest[:])})
	if err != nil {
		return "", err
	}
	var answer struct {
		MediaID string `json:"media_id"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetHeader(plumbing.MetaHeader, string(meta)).
		SetMultipartField("meta", "", "application/json", bytes.NewReader(meta)).
		SetMultipartField("file", filepath.Base(path), "image/png", bytes.NewReader(data)).
		Post("/v3/merchant/media/upload")
	return answer.MediaID, failure(res, err)
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	var link struct {
		URL  string `json:"download_url"`
		Hash string `json:"hash_value"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&link).SetQueryParam("bill_date", day.In(beijing).Format(time.DateOnly)).Get("/v3/bill/tradebill")
	if err := failure(res, err); err != nil {
		return 0, err
	}
	file, err := c.R().SetContext(ctx).Get(link.URL)
	if err := failure(file, err); err != nil {
		return 0, err
	}
	digest := sha1.Sum(file.Body())
	if hex.EncodeToString(digest[:]) != link.Hash {
		return 0, errors.New("the bill does not fit its digest")
	}
	lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Body(), []byte("\ufeff"))))
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
	name, err := c.keys.Encrypt(t.UserName)
	if err != nil {
		return "", err
	}
	var answer struct {
		State string `json:"state"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetBody(map[string]any{
		"appid":             c.config.AppID,
		"out_bill_no":       t.Number,
		"transfer_scene_id": t.Scene,
		"openid":            t.OpenID,
		"user_name":         name,
		"transfer_amount":   t.Amount,
		"transfer_remark":   t.Remark,
		"transfer_scene_report_infos": []map[string]any{
			{"info_type": "活动名称", "info_content": "新会员有礼"},
			{"info_type": "奖励说明", "info_content": "注册会员抽奖"},
		},
	}).Post("/v3/fund-app/mch-transfer/transfer-bills")
	return answer.State, failure(res, err)
}

func (c *Client) Notifications(paid func(string, int64) error) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		event, resource, err := c.keys.Open(r.Header, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		if event == "TRANSACTION.SUCCESS" {
			var payment struct {
				Number string `json:"out_trade_no"`
				Amount struct {
					Total int64 `json:"total"`
				} `json:"amount"`
			}
			if err := json.Unmarshal(resource, &payment); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			if err := paid(payment.Number, payment.Amount.Total); err != nil {
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
		if *secret, err = c.keys.Encrypt(*secret); err != nil {
			return 0, err
		}
	}
	var answer struct {
		ID int64 `json:"applyment_id"`
	}
	res, err := c.R().SetContext(ctx).SetResult(&answer).SetBody(&sealed).Post("/v3/applyment4sub/applyment/")
	return answer.ID, failure(res, err)
}
