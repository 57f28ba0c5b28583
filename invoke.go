package wxpay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Invoke makes what a page, a mini program or an app needs to open WeChat Pay. Each result marshals to JSON with exactly
// the members and types that its front end takes; hand it over as it is. Get one from [Client.Invoke]; it is a value and
// safe for concurrent use.
//
// The signatures are made with the client's own key, which must be the one that created the order; appID is the one that the
// order was created with (of a service provider's order sub_appid, if it was given with sub_openid). They hold for as long as
// the prepay_id does, two hours. See https://pay.weixin.qq.com/doc/v3/merchant/4012791886 (checked in November 2026).
type Invoke struct{ client *Client }

// Format prints for whom under every verb.
func (i Invoke) Format(s fmt.State, verb rune) { redact.Format(s, verb, i.text()) }

// MarshalText gives encodings what Format prints.
func (i Invoke) MarshalText() ([]byte, error) { return []byte(i.text()), nil }

func (i Invoke) text() string {
	if i.client == nil {
		return "wxpay.Invoke{}"
	}
	return "wxpay.Invoke{" + i.client.String() + "}"
}

// Invoke returns the maker of front-end parameters.
func (c *Client) Invoke() Invoke { return Invoke{c} }

// InvokeOption adds to the parameters of a payment.
type InvokeOption func(*invocation) error

type invocation struct{ installments int }

// Installments selects the number of instalments of an order that was created with an instalment subsidy.
func Installments(number int) InvokeOption {
	return func(i *invocation) error {
		if number < 1 {
			return fmt.Errorf("Installments is %d, it must be positive", number)
		}
		i.installments = number
		return nil
	}
}

// subsidy is what instalments add to package.
func (i invocation) subsidy() string {
	if i.installments == 0 {
		return ""
	}
	return "&subsidy_period_type=PERIOD&selected_installment_number=" + strconv.Itoa(i.installments)
}

// JSAPIPayment is what WeixinJSBridge.invoke("getBrandWCPayRequest", …) takes.
type JSAPIPayment struct {
	AppID     string `json:"appId"`
	TimeStamp string `json:"timeStamp"` // seconds; a text, as the bridge demands
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"` // prepay_id=…
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
	// MixTradeNo belongs to mixed payments of medical insurance. It is not signed: set it afterwards.
	MixTradeNo string `json:"mixTradeNo,omitempty"`
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p JSAPIPayment) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p JSAPIPayment) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p JSAPIPayment) text() string { return "wxpay.JSAPIPayment{appid " + p.AppID + ", redacted}" }

// JSAPI makes the parameters of a payment inside WeChat from the prepay_id of a JSAPI order.
func (i Invoke) JSAPI(ctx context.Context, appID, prepayID string, options ...InvokeOption) (JSAPIPayment, error) {
	p := JSAPIPayment{AppID: appID, SignType: "RSA"}
	how, err := i.check(appID, prepayID, options)
	if err != nil {
		return JSAPIPayment{}, err
	}
	p.Package = "prepay_id=" + prepayID + how.subsidy()
	if p.TimeStamp, p.NonceStr, p.PaySign, err = i.sign(ctx, appID, p.Package); err != nil {
		return JSAPIPayment{}, err
	}
	return p, nil
}

// MiniProgramPayment is what wx.requestPayment takes.
type MiniProgramPayment struct {
	TimeStamp string `json:"timeStamp"` // seconds; a text
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"` // prepay_id=…
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
	// MixTradeNo belongs to mixed payments of medical insurance. It is not signed: set it afterwards.
	MixTradeNo string `json:"mixTradeNo,omitempty"`
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p MiniProgramPayment) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p MiniProgramPayment) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p MiniProgramPayment) text() string { return "wxpay.MiniProgramPayment{redacted}" }

// MiniProgram makes the parameters of a payment in a mini program, whose appid appID is, from the prepay_id of a JSAPI
// order.
func (i Invoke) MiniProgram(ctx context.Context, appID, prepayID string, options ...InvokeOption) (MiniProgramPayment, error) {
	p, err := i.JSAPI(ctx, appID, prepayID, options...)
	return MiniProgramPayment{TimeStamp: p.TimeStamp, NonceStr: p.NonceStr, Package: p.Package, SignType: p.SignType, PaySign: p.PaySign}, err
}

// AppPayment is what the PayReq of the app's SDK takes. The SDK for Android calls package packageValue, that for iOS calls
// nothing else.
type AppPayment struct {
	AppID string `json:"appid"`
	// PartnerID is the merchant number. It is not signed: where the order's page asks for sub_mchid, set it afterwards.
	PartnerID string `json:"partnerid"`
	PrepayID  string `json:"prepayid"`
	Package   string `json:"package"` // Sign=WXPay
	NonceStr  string `json:"noncestr"`
	Timestamp string `json:"timestamp"` // seconds
	Sign      string `json:"sign"`
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p AppPayment) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p AppPayment) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p AppPayment) text() string { return "wxpay.AppPayment{appid " + p.AppID + ", redacted}" }

// App makes the parameters of a payment in an app from the prepay_id of an app order.
func (i Invoke) App(ctx context.Context, appID, prepayID string, options ...InvokeOption) (AppPayment, error) {
	how, err := i.check(appID, prepayID, options)
	if err != nil {
		return AppPayment{}, err
	}
	p := AppPayment{AppID: appID, PartnerID: i.client.merchant.ID, PrepayID: prepayID, Package: "Sign=WXPay" + how.subsidy()}
	if p.Timestamp, p.NonceStr, p.Sign, err = i.sign(ctx, appID, prepayID); err != nil { // the bare id is signed
		return AppPayment{}, err
	}
	return p, nil
}

// check applies the options and refuses what no front end could use.
func (i Invoke) check(appID, prepayID string, options []InvokeOption) (how invocation, err error) {
	switch {
	case i.client.isBrand():
		err = errors.New("a brand takes no payments: use the merchant's client")
	case !isAppID(appID):
		err = fmt.Errorf("%s is not an appid: it is the one that the order was created with, such as wx8888888888888888", redact.Quote(appID))
	case strings.HasPrefix(prepayID, "prepay_id="):
		err = errors.New("the prepay_id stands behind prepay_id= already: pass the bare id")
	case prepayID == "" || strings.ContainsFunc(prepayID, func(r rune) bool { return r <= ' ' || r > '~' || r == '&' || r == '=' }):
		err = errors.New("the prepay_id is empty or has a character that none has: it is the member prepay_id of the answer that created the order")
	}
	for _, option := range options {
		if err == nil {
			err = option(&how)
		}
	}
	if err != nil {
		err = fmt.Errorf("wxpay: front-end parameters: %w", err)
	}
	return how, err
}

// isAppID tells an appid, whose form is documented by examples only, from a merchant number and from what breaks a line.
func isAppID(s string) bool {
	return strings.Trim(s, "0123456789") != "" && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || !unreserved[byte(r)] })
}

// sign makes timestamp and nonce, and signs the four lines.
func (i Invoke) sign(ctx context.Context, appID, last string) (timestamp, nonce, signature string, err error) {
	timestamp, nonce = strconv.FormatInt(i.client.clock().Unix(), 10), i.client.nonce()
	raw, _, err := i.client.signer.SignMessage(ctx, apiv3.AppendLines(nil, appID, timestamp, nonce, last))
	if err != nil {
		return "", "", "", fmt.Errorf("wxpay: front-end parameters could not be signed: %w", errors.Unwrap(err))
	}
	return timestamp, nonce, base64.StdEncoding.EncodeToString(raw), nil
}

// Native returns the text for the QR code of a Native order: its code_url, checked. There is nothing to sign. It holds for
// two hours.
func (i Invoke) Native(codeURL string) (string, error) {
	if !strings.HasPrefix(codeURL, "weixin://") {
		return "", errors.New("wxpay: front-end parameters: the code_url does not begin with weixin://: it is the member code_url of the answer that created the order")
	}
	return codeURL, nil
}

// H5 returns the address that a browser opens for an H5 order: its h5_url, with redirectURL as the page to come back to
// unless that is empty. There is nothing to sign. The h5_url holds for five minutes, and must be opened from a page of the
// registered domain, because the Referer is checked.
func (i Invoke) H5(h5URL, redirectURL string) (string, error) {
	if u, err := url.Parse(h5URL); err != nil || u.Scheme != "https" || u.RawQuery == "" || u.Fragment != "" {
		return "", errors.New("wxpay: front-end parameters: the h5_url is not an https address with a query: it is the member h5_url of the answer that created the order")
	}
	if redirectURL == "" {
		return h5URL, nil
	}
	if u, err := url.Parse(redirectURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("wxpay: front-end parameters: redirect_url is not a whole address, such as https://shop.example/paid")
	}
	return h5URL + "&redirect_url=" + url.QueryEscape(redirectURL), nil
}

// TransferConfirmation is what wx.requestMerchantTransfer, and WeixinJSBridge.invoke of the same name, take to have a user
// confirm a transfer.
type TransferConfirmation struct {
	MchID   string `json:"mchId"`
	AppID   string `json:"appId"`
	Package string `json:"package"` // package_info of the transfer bill
	// SubMchID and SubAppID belong to the service-provider mode, OpenID is optional: set them afterwards.
	SubMchID string `json:"subMchId,omitempty"`
	SubAppID string `json:"subAppId,omitempty"`
	OpenID   string `json:"openId,omitempty"`
}

// Transfer makes the parameters with which a user confirms a transfer, from package_info of the transfer bill. There is
// nothing to sign. It can be confirmed while the bill's state is WAIT_USER_CONFIRM.
func (i Invoke) Transfer(appID, packageInfo string) (TransferConfirmation, error) {
	switch {
	case !isAppID(appID):
		return TransferConfirmation{}, fmt.Errorf("wxpay: front-end parameters: %s is not an appid: it is the one of the transfer bill, such as wx8888888888888888", redact.Quote(appID))
	case packageInfo == "":
		return TransferConfirmation{}, errors.New("wxpay: front-end parameters: package_info is empty: only the answer that created the bill, in the state WAIT_USER_CONFIRM, has it")
	}
	return TransferConfirmation{MchID: i.client.merchant.ID, AppID: appID, Package: packageInfo}, nil
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p TransferConfirmation) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p TransferConfirmation) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p TransferConfirmation) text() string {
	return "wxpay.TransferConfirmation{appid " + p.AppID + ", redacted}"
}

// OpenBusinessView is what WXOpenBusinessView of the app's SDK takes.
type OpenBusinessView struct {
	BusinessType string `json:"businessType"`
	Query        string `json:"query"`
	ExtInfo      string `json:"extInfo,omitempty"` // JSON in a text
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p OpenBusinessView) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p OpenBusinessView) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p OpenBusinessView) text() string {
	return "wxpay.OpenBusinessView{" + p.BusinessType + ", redacted}"
}

// App returns the same confirmation for an app.
func (p TransferConfirmation) App() OpenBusinessView {
	var query []byte
	for _, pair := range [...][2]string{
		{"mchId", p.MchID}, {"subMchId", p.SubMchID}, {"appId", p.AppID}, {"subAppId", p.SubAppID}, {"openId", p.OpenID}, {"package", p.Package},
	} {
		query = appendPair(query, pair[0], pair[1])
	}
	return OpenBusinessView{BusinessType: "requestMerchantTransfer", Query: string(query)}
}

// appendPair appends a member of a query, percent-encoded, unless it is empty.
func appendPair(query []byte, name, value string) []byte {
	if value == "" {
		return query
	}
	if len(query) > 0 {
		query = append(query, '&')
	}
	return appendEscaped(append(append(query, name...), '='), value)
}

// PayScore is what the pages of pay score take: as extraData in a mini program as it is, as queryString inside WeChat
// ([PayScore.Query]), in an app through [PayScore.App].
type PayScore struct {
	MchID      string `json:"mch_id"`
	Package    string `json:"package,omitempty"`      // of the order to confirm
	ServiceID  string `json:"service_id,omitempty"`   // with OutOrderNo, of the order to show
	OutOrderNo string `json:"out_order_no,omitempty"` //
	Timestamp  string `json:"timestamp"`              // seconds
	NonceStr   string `json:"nonce_str"`
	SignType   string `json:"sign_type"` // HMAC-SHA256
	Sign       string `json:"sign"`

	businessType string
}

// Format prints no signature and no identity under any verb. JSON has all members.
func (p PayScore) Format(s fmt.State, verb rune) { redact.Format(s, verb, p.text()) }

// LogValue gives slog what Format prints.
func (p PayScore) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p PayScore) text() string { return "wxpay.PayScore{redacted}" }

// PayScore makes the parameters with which a user confirms a pay-score order (wxpayScoreUse), from its member package.
//
// They are signed with HMAC-SHA256 and not with the private key. Most sources name the APIv2 key as the key; where it is
// refused, try the APIv3 key. The key is 32 characters and set in the merchant platform under API security.
func (i Invoke) PayScore(apiv2Key, pack string) (PayScore, error) {
	if pack == "" {
		return PayScore{}, errors.New("wxpay: front-end parameters: package is empty: it is the member package of the answer that created the pay-score order")
	}
	return i.payScore(apiv2Key, PayScore{Package: pack, businessType: "wxpayScoreUse"})
}

// PayScoreDetail makes the parameters that show a user a pay-score order (wxpayScoreDetail).
func (i Invoke) PayScoreDetail(apiv2Key, serviceID, outOrderNo string) (PayScore, error) {
	if serviceID == "" || outOrderNo == "" {
		return PayScore{}, errors.New("wxpay: front-end parameters: service_id and out_order_no of the pay-score order are needed")
	}
	return i.payScore(apiv2Key, PayScore{ServiceID: serviceID, OutOrderNo: outOrderNo, businessType: "wxpayScoreDetail"})
}

func (i Invoke) payScore(key string, p PayScore) (PayScore, error) {
	if err := visible.Word(key); err != nil {
		return PayScore{}, fmt.Errorf("wxpay: front-end parameters: the key is of letters and digits, and its %w", err)
	}
	if len(key) != apiv3.KeySize {
		return PayScore{}, fmt.Errorf("wxpay: front-end parameters: the key has %d bytes instead of %d", len(key), apiv3.KeySize)
	}
	p.MchID, p.SignType = i.client.merchant.ID, "HMAC-SHA256"
	p.Timestamp, p.NonceStr = strconv.FormatInt(i.client.clock().Unix(), 10), i.client.nonce()
	params := make(map[string]string, 8)
	for _, pair := range p.pairs() {
		params[pair[0]] = pair[1]
	}
	p.Sign = apiv3.SignHMAC(params, key)
	return p, nil
}

// pairs are the members in the order of the documentation; empty ones do not count.
func (p PayScore) pairs() [][2]string {
	return [][2]string{
		{"mch_id", p.MchID}, {"package", p.Package}, {"service_id", p.ServiceID}, {"out_order_no", p.OutOrderNo},
		{"timestamp", p.Timestamp}, {"nonce_str", p.NonceStr}, {"sign_type", p.SignType}, {"sign", p.Sign},
	}
}

// Query returns the parameters as a query string, percent-encoded.
func (p PayScore) Query() string {
	var query []byte
	for _, pair := range p.pairs() {
		query = appendPair(query, pair[0], pair[1])
	}
	return string(query)
}

// App returns the parameters for an app.
func (p PayScore) App() OpenBusinessView {
	return OpenBusinessView{BusinessType: p.businessType, Query: p.Query(), ExtInfo: `{"miniProgramType":0}`}
}
