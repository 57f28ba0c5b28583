// Package official is the Go SDK of WeChat Pay, github.com/wechatpay-apiv3/wechatpay-go: with its
// typed services where it has them, else with its generic calls.
package official

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/fileuploader"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/wxpay-go/wxpay/bench/tasks"
)

const base = "https://api.mch.weixin.qq.com"

// beijing is the zone of the platform's dates.
var beijing = time.FixedZone("", 8*60*60)

// Client is the SDK.
type Client struct {
	*core.Client
	unverified *core.Client // for bills, which are not signed
	config     tasks.Config
}

// New returns the SDK.
func New(c tasks.Config) (tasks.Tasks, error) {
	options := []core.ClientOption{
		option.WithWechatPayPublicKeyAuthCipher(c.MchID, c.Serial, c.Key, c.PublicKeyID, c.PublicKey),
		option.WithHTTPClient(&http.Client{Transport: c.Transport}),
	}
	client, err := core.NewClient(context.Background(), options...)
	if err != nil {
		return nil, err
	}
	unverified, err := core.NewClient(context.Background(), append(options, option.WithoutValidator())...)
	return &Client{client, unverified, c}, err
}

func (c *Client) Place(ctx context.Context, o tasks.Order) (string, error) {
	service := jsapi.JsapiApiService{Client: c.Client}
	res, _, err := service.Prepay(ctx, jsapi.PrepayRequest{
		Appid:       core.String(c.config.AppID),
		Mchid:       core.String(c.config.MchID),
		Description: core.String(o.Description),
		OutTradeNo:  core.String(o.Number),
		NotifyUrl:   core.String(o.NotifyURL),
		Amount:      &jsapi.Amount{Total: core.Int64(o.Total)},
		Payer:       &jsapi.Payer{Openid: core.String(o.OpenID)},
	})
	if err != nil {
		return "", err
	}
	return *res.PrepayId, nil
}

func (c *Client) Query(ctx context.Context, number string) (string, int64, error) {
	service := jsapi.JsapiApiService{Client: c.Client}
	order, _, err := service.QueryOrderByOutTradeNo(ctx, jsapi.QueryOrderByOutTradeNoRequest{
		OutTradeNo: core.String(number),
		Mchid:      core.String(c.config.MchID),
	})
	if err != nil {
		return "", 0, err
	}
	return *order.TradeState, *order.Amount.Total, nil
}

func (c *Client) CloseOrder(ctx context.Context, number string) error {
	service := jsapi.JsapiApiService{Client: c.Client}
	_, err := service.CloseOrder(ctx, jsapi.CloseOrderRequest{
		OutTradeNo: core.String(number),
		Mchid:      core.String(c.config.MchID),
	})
	return err
}

func (c *Client) Refund(ctx context.Context, r tasks.Refund) (string, error) {
	service := refunddomestic.RefundsApiService{Client: c.Client}
	refund, _, err := service.Create(ctx, refunddomestic.CreateRequest{
		OutTradeNo:  core.String(r.OrderNumber),
		OutRefundNo: core.String(r.Number),
		Amount:      &refunddomestic.AmountReq{Refund: core.Int64(r.Amount), Total: core.Int64(r.Total), Currency: core.String("CNY")},
	})
	var refusal *core.APIError
	if errors.As(err, &refusal) && refusal.StatusCode < 500 {
		return "", err
	}
	// It was taken, or nobody knows: the query tells.
	for err != nil || *refund.Status == refunddomestic.STATUS_PROCESSING {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		refund, _, err = service.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: core.String(r.Number)})
		if errors.As(err, &refusal) && refusal.StatusCode == 404 {
			return "", err // still under way, perhaps: a person has to look
		}
	}
	return string(*refund.Status), nil
}

func (c *Client) Complaints(ctx context.Context, from, to time.Time) (ids []string, err error) {
	for {
		query := url.Values{
			"begin_date": {from.In(beijing).Format(time.DateOnly)},
			"end_date":   {to.In(beijing).Format(time.DateOnly)},
			"limit":      {"10"},
			"offset":     {strconv.Itoa(len(ids))},
		}
		result, err := c.Get(ctx, base+"/v3/merchant-service/complaints-v2?"+query.Encode())
		if err != nil {
			return nil, err
		}
		var answer struct {
			Data []struct {
				ID string `json:"complaint_id"`
			} `json:"data"`
		}
		if err := core.UnMarshalResponse(result.Response, &answer); err != nil {
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
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	service := fileuploader.ImageUploader{Client: c.Client}
	res, _, err := service.Upload(ctx, file, filepath.Base(path), "image/png")
	if err != nil {
		return "", err
	}
	return *res.MediaId, nil
}

func (c *Client) Bill(ctx context.Context, day time.Time) (sum int64, err error) {
	result, err := c.Get(ctx, base+"/v3/bill/tradebill?bill_date="+day.In(beijing).Format(time.DateOnly))
	if err != nil {
		return 0, err
	}
	var link struct {
		URL  string `json:"download_url"`
		Hash string `json:"hash_value"`
	}
	if err := core.UnMarshalResponse(result.Response, &link); err != nil {
		return 0, err
	}
	if result, err = c.unverified.Get(ctx, link.URL); err != nil {
		return 0, err
	}
	defer result.Response.Body.Close()
	file, err := io.ReadAll(result.Response.Body)
	if err != nil {
		return 0, err
	}
	digest := sha1.Sum(file)
	if hex.EncodeToString(digest[:]) != link.Hash {
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
	type report struct {
		Type    string `json:"info_type"`
		Content string `json:"info_content"`
	}
	body := struct {
		AppID   string   `json:"appid"`
		Number  string   `json:"out_bill_no"`
		Scene   string   `json:"transfer_scene_id"`
		OpenID  string   `json:"openid"`
		Name    string   `json:"user_name" encryption:"EM_APIV3"`
		Amount  int64    `json:"transfer_amount"`
		Remark  string   `json:"transfer_remark"`
		Reports []report `json:"transfer_scene_report_infos"`
	}{
		c.config.AppID, t.Number, t.Scene, t.OpenID, t.UserName, t.Amount, t.Remark,
		[]report{{"活动名称", "新会员有礼"}, {"奖励说明", "注册会员抽奖"}},
	}
	if _, err := c.EncryptRequest(ctx, &body); err != nil {
		return "", err
	}
	result, err := c.Post(ctx, base+"/v3/fund-app/mch-transfer/transfer-bills", &body)
	if err != nil {
		return "", err
	}
	var answer struct {
		State string `json:"state"`
	}
	err = core.UnMarshalResponse(result.Response, &answer)
	return answer.State, err
}

func (c *Client) Notifications(paid func(string, int64) error) (http.Handler, error) {
	handler, err := notify.NewRSANotifyHandler(c.config.APIv3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(c.config.PublicKeyID, *c.config.PublicKey))
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payment := new(payments.Transaction)
		notification, err := handler.ParseNotifyRequest(r.Context(), r, payment)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		if notification.EventType == "TRANSACTION.SUCCESS" {
			if err := paid(*payment.OutTradeNo, *payment.Amount.Total); err != nil {
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
	if _, err := c.EncryptRequest(ctx, &sealed); err != nil {
		return 0, err
	}
	result, err := c.Post(ctx, base+"/v3/applyment4sub/applyment/", &sealed)
	if err != nil {
		return 0, err
	}
	var answer struct {
		ID int64 `json:"applyment_id"`
	}
	err = core.UnMarshalResponse(result.Response, &answer)
	return answer.ID, err
}
