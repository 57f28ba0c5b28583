package wxpay

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/wxpay-go/wxpay/internal/invoke"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Invoke makes the parameters for a page, a mini program or an app to open WeChat Pay. Each result
// marshals to JSON with exactly the fields and types that its front end takes; pass it on
// unchanged. Get one from [Client.Invoke]; it is a value and safe for concurrent use.
//
// The client's key signs them; it must be the key that created the order. appID is that of the
// order (for a service provider's order with a sub_openid, its sub_appid). Signatures are valid as
// long as the prepay_id, two hours. See https://pay.weixin.qq.com/doc/v3/merchant/4012791886
// (checked in November 2026).
type Invoke struct{ client *Client }

// Format prints the caller under every verb.
func (i Invoke) Format(s fmt.State, verb rune) { redact.Format(s, verb, i.text()) }

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

type invocation struct{ subsidy string } // added to package

// Installments selects the number of instalments of an order that was created with an instalment
// subsidy.
func Installments(number int) InvokeOption {
	return func(i *invocation) error {
		if number < 1 {
			return fmt.Errorf("wxpay: front-end parameters: Installments is %d, it must be positive", number)
		}
		i.subsidy = "&subsidy_period_type=PERIOD&selected_installment_number=" + strconv.Itoa(number)
		return nil
	}
}

func invocationOf(options []InvokeOption) (how invocation, err error) {
	for _, option := range options {
		if err = option(&how); err != nil {
			break
		}
	}
	return how, err
}

// redacted keeps signatures and identities of parameters out of every verb and log. JSON has all
// fields.
type redacted struct{}

// Format prints the same text under every verb.
func (redacted) Format(s fmt.State, verb rune) { redact.Format(s, verb, frontEnd) }

// LogValue gives slog what Format prints.
func (redacted) LogValue() slog.Value { return slog.StringValue(frontEnd) }

const frontEnd = "wxpay.Invoke: front-end parameters, redacted"

// JSAPIPayment is the parameter of WeixinJSBridge.invoke("getBrandWCPayRequest", …).
type JSAPIPayment struct {
	redacted
	AppID     string `json:"appId"`
	TimeStamp string `json:"timeStamp"` // seconds; a text, as the bridge demands
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"` // prepay_id=…
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
	// MixTradeNo belongs to mixed payments of medical insurance. It is not signed: set it on the
	// result.
	MixTradeNo string `json:"mixTradeNo,omitempty"`
}

// JSAPI makes the parameters of a payment inside WeChat from the prepay_id of a JSAPI order.
func (i Invoke) JSAPI(ctx context.Context, appID, prepayID string, options ...InvokeOption) (JSAPIPayment, error) {
	how, err := invocationOf(options)
	if err != nil {
		return JSAPIPayment{}, err
	}
	pack := "prepay_id=" + prepayID + how.subsidy
	s, err := invoke.Payment(ctx, i.client.line.Signer, appID, prepayID, pack)
	if err != nil {
		return JSAPIPayment{}, err
	}
	return JSAPIPayment{
		AppID: appID, TimeStamp: s.Timestamp, NonceStr: s.Nonce, Package: pack, SignType: "RSA", PaySign: s.Signature,
	}, nil
}

// MiniProgramPayment is the parameter of wx.requestPayment.
type MiniProgramPayment struct {
	redacted
	TimeStamp string `json:"timeStamp"` // seconds; a text
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"` // prepay_id=…
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
	// MixTradeNo belongs to mixed payments of medical insurance. It is not signed: set it on the
	// result.
	MixTradeNo string `json:"mixTradeNo,omitempty"`
}

// MiniProgram makes the parameters of a payment in the mini program appID from the prepay_id of a
// JSAPI order.
func (i Invoke) MiniProgram(ctx context.Context, appID, prepayID string, options ...InvokeOption) (MiniProgramPayment, error) {
	p, err := i.JSAPI(ctx, appID, prepayID, options...)
	return MiniProgramPayment{TimeStamp: p.TimeStamp, NonceStr: p.NonceStr, Package: p.Package, SignType: p.SignType, PaySign: p.PaySign}, err
}

// AppPayment is the PayReq of the app's SDK. The SDK for Android calls package packageValue; the
// SDK for iOS has the same names.
type AppPayment struct {
	redacted
	AppID string `json:"appid"`
	// PartnerID is the merchant number. It is not signed: if the manual of the order requires
	// sub_mchid, set it on the result.
	PartnerID string `json:"partnerid"`
	PrepayID  string `json:"prepayid"`
	Package   string `json:"package"` // Sign=WXPay
	NonceStr  string `json:"noncestr"`
	Timestamp string `json:"timestamp"` // seconds
	Sign      string `json:"sign"`
}

// App makes the parameters of a payment in an app from the prepay_id of an app order.
func (i Invoke) App(ctx context.Context, appID, prepayID string, options ...InvokeOption) (AppPayment, error) {
	how, err := invocationOf(options)
	if err != nil {
		return AppPayment{}, err
	}
	s, err := invoke.Payment(ctx, i.client.line.Signer, appID, prepayID, prepayID) // the bare id is signed
	if err != nil {
		return AppPayment{}, err
	}
	return AppPayment{
		AppID: appID, PartnerID: i.client.merchant.ID, PrepayID: prepayID, Package: "Sign=WXPay" + how.subsidy,
		NonceStr: s.Nonce, Timestamp: s.Timestamp, Sign: s.Signature,
	}, nil
}

// Native checks the code_url of a Native order and returns it as the text for the QR code. Nothing
// is signed. It is valid for two hours.
func (i Invoke) Native(codeURL string) (string, error) { return invoke.Native(codeURL) }

// H5 returns the address that a browser opens for an H5 order: its h5_url, with redirectURL as the
// page to return to unless it is empty. Nothing is signed. The h5_url is valid for five minutes.
// Open it from a page of the registered domain, because the platform checks the Referer.
func (i Invoke) H5(h5URL, redirectURL string) (string, error) { return invoke.H5(h5URL, redirectURL) }

// TransferConfirmation is the parameter of wx.requestMerchantTransfer, and of WeixinJSBridge.invoke
// of the same name, for a user to confirm a transfer.
type TransferConfirmation struct {
	redacted
	MchID   string `json:"mchId"`
	AppID   string `json:"appId"`
	Package string `json:"package"` // package_info of the transfer bill
	// SubMchID and SubAppID belong to the service-provider mode; OpenID is optional. Set them on
	// the result.
	SubMchID string `json:"subMchId,omitempty"`
	SubAppID string `json:"subAppId,omitempty"`
	OpenID   string `json:"openId,omitempty"`
}

// Transfer makes the parameters for a user to confirm a transfer, from package_info of the transfer
// bill. Nothing is signed. The user can confirm while the bill's state is WAIT_USER_CONFIRM.
func (i Invoke) Transfer(appID, packageInfo string) (TransferConfirmation, error) {
	if err := invoke.CheckTransfer(appID, packageInfo); err != nil {
		return TransferConfirmation{}, err
	}
	return TransferConfirmation{MchID: i.client.merchant.ID, AppID: appID, Package: packageInfo}, nil
}

// App returns the same confirmation for an app.
func (p TransferConfirmation) App() OpenBusinessView {
	return OpenBusinessView{BusinessType: "requestMerchantTransfer", Query: invoke.Query(invoke.Pairs{
		{"mchId", p.MchID}, {"subMchId", p.SubMchID}, {"appId", p.AppID}, {"subAppId", p.SubAppID}, {"openId", p.OpenID}, {"package", p.Package},
	})}
}

// OpenBusinessView is the parameter of WXOpenBusinessView of the app's SDK.
type OpenBusinessView struct {
	redacted
	BusinessType string `json:"businessType"`
	Query        string `json:"query"`
	ExtInfo      string `json:"extInfo,omitempty"` // JSON in a text
}
