// Package requests is github.com/carlmjohnson/requests (now earthboundkid/requests).
package requests

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
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carlmjohnson/requests"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/plumbing"
)

// beijing is the zone of the platform's dates.
var beijing = time.FixedZone("", 8*60*60)

// Client is requests.
type Client struct {
	config tasks.Config
	keys   plumbing.Signed
}

// New returns requests.
func New(c tasks.Config) (tasks.Tasks, error) {
	return &Client{c, plumbing.Signed{Config: c}}, nil
}

func (c *Client) request() *requests.Builder {
	return requests.URL(plumbing.Base).Transport(c.keys).AddValidator(func(res *http.Response) error {
		if res.StatusCode < 300 {
			return nil
		}
		fail := &plumbing.Fail{Status: res.StatusCode}
		_ = json.NewDecoder(res.Body).Decode(fail)
		return fail
	})
}

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	var answer struct {
		PrepayID string `json:"prepay_id"`
	}
	err := c.request().Path("/v3/pay/transactions/jsapi").BodyJSON(map[string]any{
		"appid":        c.config.AppID,
		"mchid":        c.config.MchID,
		"description":  o.Description,
		"out_trade_no": o.Number,
		"notify_url":   o.NotifyURL,
		"amount":       map[string]any{"total": o.Total},
		"payer":        map[string]any{"openid": o.OpenID},
	}).ToJSON(&answer).Fetch(ctx)
	return answer.PrepayID, err
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	var answer struct {
		State  string `json:"trade_state"`
		Amount struct {
			Total int64 `json:"total"`
		} `json:"amount"`
	}
	err := c.request().Pathf("/v3/pay/transactions/out-trade-no/%s", number).Param("mchid", c.config.MchID).ToJSON(&answer).Fetch(ctx)
	return answer.State, answer.Amount.Total, err
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	return c.request().Pathf("/v3/pay/transactions/out-trade-no/%s/close", number).BodyJSON(map[string]any{"mchid": c.config.MchID}).Fetch(ctx)
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	var answer struct {
		Status string `json:"status"`
	}
	err := c.request().Path("/v3/refund/domestic/refunds").BodyJSON(map[string]any{
		"out_trade_no":  r.OrderNumber,
		"out_refund_no": r.Number,
		"amount":        map[string]any{"refund": r.Amount, "total": r.Total, "currency": "CNY"},
	}).ToJSON(&answer).Fetch(ctx)
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
		err = c.request().Pathf("/v3/refund/domestic/refunds/%s", r.Number).ToJSON(&answer).Fetch(ctx)
		if errors.As(err, &fail) && fail.Status == 404 {
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
		err := c.request().Path("/v3/merchant-service/complaints-v2").
			Param("begin_date", from.In(beijing).Format(time.DateOnly)).
			Param("end_date", to.In(beijing).Format(time.DateOnly)).
			ParamInt("limit", 10).
			ParamInt("offset", len(ids)).
			ToJSON(&answer).Fetch(ctx)
		if err != nil {
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
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="meta"`}, "Content-Type": {"application/json"}})
	if err != nil {
		return "", err
	}
	if _, err := part.Write(meta); err != nil {
		return "", err
	}
	if part, err = form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename=%q`, filepath.Base(path))}, "Content-Type": {"image/png"},
	}); err != nil {
		return "", err
	}
	if _, err := part.Write(data); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	err = c.request().Path("/v3/merchant/media/upload").Header(plumbing.MetaHeader, string(meta)).
		ContentType(form.FormDataContentType()).BodyBytes(body.Bytes()).ToJSON(&answer).Fetch(ctx)
	return answer.MediaID, err
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	var link struct {
		URL  string `json:"download_url"`
		Hash string `json:"hash_value"`
	}
	if err := c.request().Path("/v3/bill/tradebill").Param("bill_date", day.In(beijing).Format(time.DateOnly)).ToJSON(&link).Fetch(ctx); err != nil {
		return 0, err
	}
	var file bytes.Buffer
	if err := requests.URL(link.URL).Transport(c.keys).ToBytesBuffer(&file).Fetch(ctx); err != nil {
		return 0, err
	}
	digest := sha1.Sum(file.Bytes())
	if hex.EncodeToString(digest[:]) != link.Hash {
		return 0, errors.New("the bill does not fit its digest")
	}
	lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff"))))
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
	err = c.request().Path("/v3/fund-app/mch-transfer/transfer-bills").BodyJSON(map[string]any{
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
	}).ToJSON(&answer).Fetch(ctx)
	return answer.State, err
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
	err := c.request().Path("/v3/applyment4sub/applyment/").BodyJSON(&sealed).ToJSON(&answer).Fetch(ctx)
	return answer.ID, err
}
