// Package gopay is github.com/go-pay/gopay.
package gopay

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
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

	"github.com/go-pay/gopay"
	"github.com/go-pay/gopay/pkg/xhttp"
	wechat "github.com/go-pay/gopay/wechat/v3"

	"github.com/wxpay-go/wxpay/bench/tasks"
)

// beijing is the zone of the platform's dates.
var beijing = time.FixedZone("", 8*60*60)

// Client is gopay.
type Client struct {
	*wechat.ClientV3
	config tasks.Config
}

// New returns gopay.
func New(c tasks.Config) (tasks.Tasks, error) {
	private, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(c.PublicKey)
	if err != nil {
		return nil, err
	}
	client, err := wechat.NewClientV3(c.MchID, c.Serial, c.APIv3Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	if err != nil {
		return nil, err
	}
	if err := client.AutoVerifySignByPublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), c.PublicKeyID); err != nil {
		return nil, err
	}
	client.SetHttpClient(xhttp.NewClient().SetTransport(c.Transport))
	return &Client{client, c}, nil
}

func failure(err error, code int, text string) error {
	if err == nil && code != wechat.Success {
		return errors.New(text)
	}
	return err
}

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	body := make(gopay.BodyMap)
	body.Set("appid", c.config.AppID).
		Set("mchid", c.config.MchID).
		Set("description", o.Description).
		Set("out_trade_no", o.Number).
		Set("notify_url", o.NotifyURL).
		SetBodyMap("amount", func(b gopay.BodyMap) { b.Set("total", o.Total) }).
		SetBodyMap("payer", func(b gopay.BodyMap) { b.Set("openid", o.OpenID) })
	res, err := c.V3TransactionJsapi(ctx, body)
	if err != nil {
		return "", err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return "", err
	}
	return res.Response.PrepayId, nil
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	res, err := c.V3TransactionQueryOrder(ctx, wechat.OutTradeNo, number)
	if err != nil {
		return "", 0, err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return "", 0, err
	}
	return res.Response.TradeState, int64(res.Response.Amount.Total), nil
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	res, err := c.V3TransactionCloseOrder(ctx, number)
	if err != nil {
		return err
	}
	return failure(err, res.Code, res.Error)
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	body := make(gopay.BodyMap)
	body.Set("out_trade_no", r.OrderNumber).
		Set("out_refund_no", r.Number).
		SetBodyMap("amount", func(b gopay.BodyMap) { b.Set("refund", r.Amount).Set("total", r.Total).Set("currency", "CNY") })
	res, err := c.V3Refund(ctx, body)
	if err == nil && res.Code != wechat.Success && res.Code < 500 {
		return "", errors.New(res.Error)
	}
	// It was taken, or nobody knows: the query tells.
	state := ""
	if err == nil && res.Code == wechat.Success {
		state = res.Response.Status
	}
	for state == "" || state == "PROCESSING" {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		query, err := c.V3RefundQuery(ctx, r.Number, nil)
		switch {
		case err != nil:
		case query.Code == 404:
			return "", errors.New(query.Error) // still under way, perhaps: a person has to look
		case query.Code == wechat.Success:
			state = query.Response.Status
		}
	}
	return state, nil
}

func (c *Client) Complaints(ctx context.Context, from, to time.Time) (ids []string, err error) {
	for {
		body := make(gopay.BodyMap)
		body.Set("begin_date", from.In(beijing).Format(time.DateOnly)).
			Set("end_date", to.In(beijing).Format(time.DateOnly)).
			Set("limit", 10).
			Set("offset", len(ids))
		res, err := c.V3ComplaintList(ctx, body)
		if err != nil {
			return nil, err
		}
		if err := failure(err, res.Code, res.Error); err != nil {
			return nil, err
		}
		for _, complaint := range res.Response.Data {
			ids = append(ids, complaint.ComplaintId)
		}
		if len(res.Response.Data) < 10 {
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
	res, err := c.V3MediaUploadImage(ctx, filepath.Base(path), hex.EncodeToString(digest[:]), &gopay.File{Name: filepath.Base(path), Content: data})
	if err != nil {
		return "", err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return "", err
	}
	return res.Response.MediaId, nil
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	body := make(gopay.BodyMap)
	body.Set("bill_date", day.In(beijing).Format(time.DateOnly))
	res, err := c.V3BillTradeBill(ctx, body)
	if err != nil {
		return 0, err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return 0, err
	}
	c.SetBodySize(2048) // MB; by default it returns the first 10 MiB, without an error
	file, err := c.V3BillDownLoadBill(ctx, res.Response.DownloadUrl)
	if err != nil {
		return 0, err
	}
	digest := sha1.Sum(file)
	if hex.EncodeToString(digest[:]) != res.Response.HashValue {
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
	name, err := c.V3EncryptText(t.UserName)
	if err != nil {
		return "", err
	}
	body := make(gopay.BodyMap)
	body.Set("appid", c.config.AppID).
		Set("out_bill_no", t.Number).
		Set("transfer_scene_id", t.Scene).
		Set("openid", t.OpenID).
		Set("user_name", name).
		Set("transfer_amount", t.Amount).
		Set("transfer_remark", t.Remark).
		Set("transfer_scene_report_infos", []map[string]any{
			{"info_type": "活动名称", "info_content": "新会员有礼"},
			{"info_type": "奖励说明", "info_content": "注册会员抽奖"},
		})
	res, err := c.V3TransferBills(ctx, body)
	if err != nil {
		return "", err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return "", err
	}
	return res.Response.State, nil
}

func (c *Client) Notifications(paid func(string, int64) error) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		notification, err := wechat.V3ParseNotify(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := notification.VerifySignByPK(c.config.PublicKey); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		if notification.EventType == "TRANSACTION.SUCCESS" {
			payment, err := notification.DecryptPayCipherText(c.config.APIv3Key)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			if err := paid(payment.OutTradeNo, int64(payment.Amount.Total)); err != nil {
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
		if *secret, err = c.V3EncryptText(*secret); err != nil {
			return 0, err
		}
	}
	text, err := json.Marshal(&sealed)
	if err != nil {
		return 0, err
	}
	body := make(gopay.BodyMap)
	if err := json.Unmarshal(text, &body); err != nil {
		return 0, err
	}
	res, err := c.V3Apply4SubSubmit(ctx, body)
	if err != nil {
		return 0, err
	}
	if err := failure(err, res.Code, res.Error); err != nil {
		return 0, err
	}
	return res.Response.ApplymentId, nil
}
