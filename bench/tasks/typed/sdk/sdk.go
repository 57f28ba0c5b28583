// Package sdk is a typed client in the manner of openai-go, small and written by hand: services
// with methods, a struct of parameters for each, optional values in wrappers, typed responses, and
// lists that page by themselves.
package sdk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/plumbing"
)

// Client has a service for each family of operations.
type Client struct {
	Orders     OrderService
	Refunds    RefundService
	Complaints ComplaintService
	Media      MediaService
	Bills      BillService
	Transfers  TransferService
	Applicants ApplicantService
	Events     EventService
}

// NewClient returns a client.
func NewClient(c tasks.Config) *Client {
	b := base{plumbing.Signed{Config: c}}
	return &Client{OrderService{b}, RefundService{b}, ComplaintService{b}, MediaService{b}, BillService{b}, TransferService{b}, ApplicantService{b}, EventService{b}}
}

type base struct{ keys plumbing.Signed }

func (b base) do(ctx context.Context, method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, plumbing.Base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return b.send(req, answer)
}

func (b base) send(req *http.Request, answer any) error {
	res, err := b.keys.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode > 299 {
		fail := &plumbing.Fail{Status: res.StatusCode}
		_ = json.NewDecoder(res.Body).Decode(fail)
		return fail
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

// String makes an optional value, which is sent if it is set.
func String(s string) *string { return &s }

// OrderService has the orders.
type OrderService struct{ base }

// OrderNewParams are those of a JSAPI order.
type OrderNewParams struct {
	AppID       string      `json:"appid"`
	MchID       string      `json:"mchid"`
	Description string      `json:"description"`
	OutTradeNo  string      `json:"out_trade_no"`
	NotifyURL   string      `json:"notify_url"`
	Attach      *string     `json:"attach,omitempty"`
	Amount      OrderAmount `json:"amount"`
	Payer       OrderPayer  `json:"payer"`
}

// OrderAmount is in fen.
type OrderAmount struct {
	Total    int64   `json:"total"`
	Currency *string `json:"currency,omitempty"`
}

// OrderPayer is who pays.
type OrderPayer struct {
	OpenID string `json:"openid"`
}

// OrderNewResponse is the response to a new order.
type OrderNewResponse struct {
	PrepayID string `json:"prepay_id"`
}

// NewJSAPI places an order.
func (s OrderService) NewJSAPI(ctx context.Context, params OrderNewParams) (*OrderNewResponse, error) {
	answer := new(OrderNewResponse)
	return answer, s.do(ctx, "POST", "/v3/pay/transactions/jsapi", params, answer)
}

// Order is an order.
type Order struct {
	OutTradeNo string      `json:"out_trade_no"`
	TradeState string      `json:"trade_state"`
	Amount     OrderAmount `json:"amount"`
}

// OrderGetParams are those of a query.
type OrderGetParams struct{ MchID string }

// Get queries an order by the merchant's number.
func (s OrderService) Get(ctx context.Context, outTradeNo string, params OrderGetParams) (*Order, error) {
	answer := new(Order)
	return answer, s.do(ctx, "GET", "/v3/pay/transactions/out-trade-no/"+url.PathEscape(outTradeNo)+"?mchid="+url.QueryEscape(params.MchID), nil, answer)
}

// OrderCloseParams are those of closing.
type OrderCloseParams struct {
	MchID string `json:"mchid"`
}

// Close closes an order.
func (s OrderService) Close(ctx context.Context, outTradeNo string, params OrderCloseParams) error {
	return s.do(ctx, "POST", "/v3/pay/transactions/out-trade-no/"+url.PathEscape(outTradeNo)+"/close", params, nil)
}

// RefundService has the refunds.
type RefundService struct{ base }

// RefundNewParams are those of a refund.
type RefundNewParams struct {
	OutTradeNo  string       `json:"out_trade_no"`
	OutRefundNo string       `json:"out_refund_no"`
	Reason      *string      `json:"reason,omitempty"`
	Amount      RefundAmount `json:"amount"`
}

// RefundAmount is in fen.
type RefundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// RefundStatus is the state of a refund.
type RefundStatus string

// The states of a refund.
const (
	RefundProcessing RefundStatus = "PROCESSING"
	RefundSuccess    RefundStatus = "SUCCESS"
)

// Refund is a refund.
type Refund struct {
	OutRefundNo string       `json:"out_refund_no"`
	Status      RefundStatus `json:"status"`
}

// New refunds.
func (s RefundService) New(ctx context.Context, params RefundNewParams) (*Refund, error) {
	answer := new(Refund)
	return answer, s.do(ctx, "POST", "/v3/refund/domestic/refunds", params, answer)
}

// Get queries a refund.
func (s RefundService) Get(ctx context.Context, outRefundNo string) (*Refund, error) {
	answer := new(Refund)
	return answer, s.do(ctx, "GET", "/v3/refund/domestic/refunds/"+url.PathEscape(outRefundNo), nil, answer)
}

// ComplaintService has the complaints.
type ComplaintService struct{ base }

// ComplaintListParams are those of a list.
type ComplaintListParams struct{ BeginDate, EndDate string }

// Complaint is a complaint.
type Complaint struct {
	ComplaintID string `json:"complaint_id"`
}

// ComplaintPager goes through a list page by page.
type ComplaintPager struct {
	service ComplaintService
	ctx     context.Context
	params  ComplaintListParams
	page    []Complaint
	at      int
	seen    int
	total   int
	err     error
}

// ListAutoPaging lists complaints.
func (s ComplaintService) ListAutoPaging(ctx context.Context, params ComplaintListParams) *ComplaintPager {
	return &ComplaintPager{service: s, ctx: ctx, params: params, at: -1, total: 1}
}

// Next goes to the next complaint.
func (p *ComplaintPager) Next() bool {
	if p.at++; p.at < len(p.page) {
		return true
	}
	if p.seen += len(p.page); p.seen >= p.total {
		return false
	}
	var answer struct {
		Data  []Complaint `json:"data"`
		Total int         `json:"total_count"`
	}
	query := url.Values{"begin_date": {p.params.BeginDate}, "end_date": {p.params.EndDate}, "limit": {"10"}, "offset": {strconv.Itoa(p.seen)}}
	p.err = p.service.do(p.ctx, "GET", "/v3/merchant-service/complaints-v2?"+query.Encode(), nil, &answer)
	p.page, p.at, p.total = answer.Data, 0, max(p.total, answer.Total) // only the first page tells it
	return p.err == nil && len(p.page) > 0
}

// Current is the pager's present item.
func (p *ComplaintPager) Current() Complaint { return p.page[p.at] }

// Err is the error that ended it.
func (p *ComplaintPager) Err() error { return p.err }

// MediaService has the uploads.
type MediaService struct{ base }

// MediaUploadParams are those of an upload.
type MediaUploadParams struct {
	File     io.Reader
	Filename string
}

// Media is an uploaded file.
type Media struct {
	MediaID string `json:"media_id"`
}

// Upload uploads a picture.
func (s MediaService) Upload(ctx context.Context, params MediaUploadParams) (*Media, error) {
	data, err := io.ReadAll(params.File)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	meta, err := json.Marshal(map[string]string{"filename": params.Filename, "sha256": hex.EncodeToString(digest[:])})
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		disposition, kind string
		data              []byte
	}{{`form-data; name="meta"`, "application/json", meta}, {fmt.Sprintf(`form-data; name="file"; filename=%q`, params.Filename), "image/png", data}} {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.kind}})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(part.data); err != nil {
			return nil, err
		}
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", plumbing.Base+"/v3/merchant/media/upload", &body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set(plumbing.MetaHeader, string(meta))
	answer := new(Media)
	return answer, s.send(req, answer)
}

// BillService has the bills.
type BillService struct{ base }

// BillTradeParams are those of a trade bill.
type BillTradeParams struct{ BillDate string }

// BillLink is where a bill is.
type BillLink struct {
	DownloadURL string `json:"download_url"`
	HashType    string `json:"hash_type"`
	HashValue   string `json:"hash_value"`
}

// Trade asks for a trade bill.
func (s BillService) Trade(ctx context.Context, params BillTradeParams) (*BillLink, error) {
	answer := new(BillLink)
	return answer, s.do(ctx, "GET", "/v3/bill/tradebill?bill_date="+url.QueryEscape(params.BillDate), nil, answer)
}

// Download downloads a bill.
func (s BillService) Download(ctx context.Context, link string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", link, nil)
	if err != nil {
		return nil, err
	}
	res, err := s.keys.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(res.Body)
}

// TransferService has the transfers.
type TransferService struct{ base }

// TransferNewParams are those of a transfer. UserName is encrypted with EncryptText.
type TransferNewParams struct {
	AppID          string           `json:"appid"`
	OutBillNo      string           `json:"out_bill_no"`
	TransferScene  string           `json:"transfer_scene_id"`
	OpenID         string           `json:"openid"`
	UserName       *string          `json:"user_name,omitempty"`
	TransferAmount int64            `json:"transfer_amount"`
	TransferRemark string           `json:"transfer_remark"`
	SceneReports   []TransferReport `json:"transfer_scene_report_infos"`
}

// TransferReport names the purpose of a transfer.
type TransferReport struct {
	InfoType    string `json:"info_type"`
	InfoContent string `json:"info_content"`
}

// Transfer is a transfer.
type Transfer struct {
	State string `json:"state"`
}

// New transfers.
func (s TransferService) New(ctx context.Context, params TransferNewParams) (*Transfer, error) {
	answer := new(Transfer)
	return answer, s.do(ctx, "POST", "/v3/fund-app/mch-transfer/transfer-bills", params, answer)
}

// EncryptText encrypts a sensitive field.
func (s TransferService) EncryptText(text string) (string, error) { return s.keys.Encrypt(text) }

// ApplicantService has the applicants.
type ApplicantService struct{ base }

// ApplicantNewResponse is the response to a new applicant.
type ApplicantNewResponse struct {
	ApplymentID int64 `json:"applyment_id"`
}

// New submits an applicant, whose sensitive fields are encrypted with EncryptText.
func (s ApplicantService) New(ctx context.Context, params tasks.Applicant) (*ApplicantNewResponse, error) {
	answer := new(ApplicantNewResponse)
	return answer, s.do(ctx, "POST", "/v3/applyment4sub/applyment/", params, answer)
}

// EncryptText encrypts a sensitive field.
func (s ApplicantService) EncryptText(text string) (string, error) { return s.keys.Encrypt(text) }

// EventService has the notifications.
type EventService struct{ base }

// Event is a notification.
type Event struct {
	Type    string
	payload []byte
}

// PaymentEvent is a payment.
type PaymentEvent struct {
	OutTradeNo string      `json:"out_trade_no"`
	Amount     OrderAmount `json:"amount"`
}

// Unwrap verifies and decrypts a notification.
func (s EventService) Unwrap(header http.Header, body []byte) (*Event, error) {
	event, resource, err := s.keys.Open(header, body)
	return &Event{event, resource}, err
}

// AsPayment reads a payment.
func (e *Event) AsPayment() (p PaymentEvent, err error) {
	err = json.Unmarshal(e.payload, &p)
	return p, err
}
