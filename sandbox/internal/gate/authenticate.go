package gate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/clinic"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// Texts of SIGN_ERROR.
var (
	textAuthorizationForm = say.Both("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", "the value of the HTTP header Authorization is malformed, see the signature rules of the REST API")
	textScheme            = say.Both("Http头Authorization认证类型不正确", "the authentication scheme of the HTTP header Authorization is not correct")
	textWindow            = say.Both("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", "the timestamp in the HTTP header Authorization must be within 5 minutes of the time of the request")
	textNoCertificate     = say.Both("商户未申请过证书", "the merchant has no API certificate")
	textMerchantSerial    = say.Both("商户证书序列号有误。请使用签名私钥匹配的证书序列号", "the serial of the merchant certificate is wrong; use the one that matches the private key which signs")
	textReplaced          = say.Both("已更换证书，请使用新证书", "the certificate was replaced, use the new one")
	textSignature         = say.Both("错误的签名，导致验签失败", "the signature is wrong, so verification failed")
)

// authenticate checks the Authorization header in the platform's order: form, scheme, time,
// merchant, serial, signature.
func (c *Call) authenticate() *say.Rejection {
	values := c.Request.Header["Authorization"]
	if len(values) != 1 {
		return say.SignError(textAuthorizationForm, fmt.Sprintf("the header Authorization stands %d times", len(values)))
	}
	a, err := apiv3.ParseAuthorization(values[0])
	if err != nil {
		return say.SignError(textAuthorizationForm, err.Error())
	}
	if a.Scheme != c.Platform.Scheme.Name() {
		return say.SignError(textScheme, "this path takes the scheme "+c.Platform.Scheme.Name()+" only")
	}
	if a.Identity != c.Platform.Scheme.Identity() {
		return say.SignError(textAuthorizationForm, "with this scheme the caller is named by "+c.Platform.Scheme.Identity())
	}
	if err := (apiv3.Signature{Timestamp: a.Timestamp}).CheckWindow(c.Wired); errors.Is(err, apiv3.ErrClock) {
		seconds, _ := strconv.ParseInt(a.Timestamp, 10, 64)
		return say.SignError(textWindow, fmt.Sprintf("the timestamp is %+d s from the sandbox's clock, at most %d s are allowed", seconds-c.Wired.Unix(), int(apiv3.Window.Seconds())))
	} else if err != nil {
		return say.SignError(textAuthorizationForm, "the timestamp is not a decimal number of seconds")
	}
	if a.ID != c.Platform.CallerID {
		return say.SignError(textNoCertificate, "the sandbox's "+a.Identity+" is "+c.callers())
	}
	if c.Platform.Revoked[a.Serial] != nil {
		return say.SignError(textReplaced, "the certificate was revoked")
	}
	public := c.Platform.Callers[a.Serial]
	if public == nil {
		return say.SignError(textMerchantSerial, "the caller's certificates are "+strings.Join(slices.Sorted(maps.Keys(c.Platform.Callers)), ", "))
	}

	body := c.signedBody()
	message := apiv3.AppendRequestMessage(make([]byte, 0, len(c.Target)+len(body)+128), c.Request.Method, c.Target, a.Timestamp, a.Nonce, body)
	signature, err := base64.StdEncoding.Strict().DecodeString(a.Signature)
	if err == nil {
		err = c.Platform.Scheme.Verify(public, message, signature)
	}
	if bare, ok := strings.CutSuffix(c.Target, "?"); ok && err != nil && !c.Rules.Holds(BareQuery) {
		message = apiv3.AppendRequestMessage(nil, c.Request.Method, bare, a.Timestamp, a.Nonce, body)
		err = c.Platform.Scheme.Verify(public, message, signature)
	}
	if err != nil {
		r := say.SignError(textSignature, "the signature does not verify")
		r.Detail = signDetail{
			method: c.Request.Method, url: c.Target, length: len(message),
			shown: string(apiv3.AppendRequestMessage(nil, c.Request.Method, c.Target, a.Timestamp, a.Nonce, body[:min(len(body), shownBody)])),
		}
		return r
	}
	c.Verified, c.Caller = true, a.Serial
	return nil
}

// shownBody is how many bytes of the body the detail of SIGN_ERROR shows.
const shownBody = 8

// signDetail is the detail of SIGN_ERROR: as documented if errors are classic, else as it has been
// seen since 2021.
type signDetail struct {
	method, url, shown string
	length             int // bytes of the whole message
}

func (d signDetail) In(style say.Style) any {
	type information struct {
		Method  string `json:"method"`
		URL     string `json:"url"`
		Message string `json:"truncated_sign_message"`
		Length  int    `json:"sign_message_length"`
	}
	type issue struct {
		Issue string `json:"issue"`
	}
	detail := struct {
		Nested      *issue      `json:"detail,omitempty"`
		Field       string      `json:"field"`
		Issue       string      `json:"issue,omitempty"`
		Location    string      `json:"location"`
		Information information `json:"sign_information"`
	}{nil, "signature", "sign not match", "authorization", information{d.method, d.url, d.shown, d.length}}
	if !style.Classic {
		detail.Nested, detail.Issue = &issue{detail.Issue}, ""
	}
	return detail
}

// clinic is the call as a case to explain.
func (c *Call) clinic() *clinic.Case {
	k := &clinic.Case{
		Method: c.Request.Method, Host: c.Request.Host, Target: c.Target, Header: c.Request.Header, Body: c.Body, Signed: c.signedBody(), Wired: c.Wired,
		Scheme: c.Platform.Scheme, Platform: c.Platform, Serial: c.Serial, Own: c.Keys.Merchant().PrivateKey, Callers: c.callers(),
		Earlier: func() []journal.Entry { entries, _ := c.Journal.All(); return entries },
	}
	if c.Operation != nil {
		k.Template = c.Operation.Path
	}
	for _, m := range c.Merchants() {
		k.All = append(k.All, m.Keys.Platform())
	}
	if p := c.Brand.Platform(); p != nil {
		k.All = append(k.All, p)
	}
	return k
}

// explainRejected explains why the request was not authenticated, and ends the reason with the
// likeliest cause.
func (c *Call) explainRejected(rejected *say.Rejection) {
	text, cause, messages := c.clinic().Rejected()
	c.explanation, c.messages = text, messages
	if !strings.Contains(rejected.Reason, cause) && rejected.Message != textNoCertificate {
		rejected.Reason += ": " + cause
	}
}

// findSerial finds the key that the request names. On every path of a brand it must be the brand's;
// elsewhere the platform looks at the header only where a field is encrypted, and signs with a key
// of its choice if the header names none.
func (c *Call) findSerial() *say.Rejection {
	named := c.Request.Header[apiv3.HeaderSerial]
	switch {
	case len(named) == 1 && c.Platform.Named(named[0]):
		c.Serial = named[0]
	case c.Platform.Scheme.Identity() == "brand_id":
		c.explanation = c.clinic().PlatformSerial(named)
		return say.InvalidRequest(say.Both("Wechatpay-Serial与brand_id不匹配", "Wechatpay-Serial does not belong to brand_id"),
			"a brand's request must name the id of the brand's own public key in Wechatpay-Serial")
	}
	return nil
}

// NeedSerial rejects a request that does not name a key of the platform.
func (c *Call) NeedSerial() *say.Rejection {
	if c.Serial != "" {
		return nil
	}
	named := c.Request.Header[apiv3.HeaderSerial]
	c.explanation = c.clinic().PlatformSerial(named)
	if strings.Join(named, "") == "" {
		return say.ParameterError(say.Both("HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)", "the HTTP header lacks the platform serial (Wechatpay-Serial)"), nil,
			"the request has an encrypted field, or tests keys, so Wechatpay-Serial must name the key")
	}
	return say.ParameterError(say.Both("平台证书序列号Wechatpay-Serial错误", "the platform serial in Wechatpay-Serial is wrong"), nil,
		"Wechatpay-Serial names neither the public key nor one of the platform certificates")
}

// sign puts the five headers of a signed response.
func (c *Call) sign(header http.Header, body []byte) {
	c.Platform.Sign(header, c.Keys.Signer(c.Platform, c.Serial), trouble.SignedAt(c.Fault(), c.Clock.Wire()), body)
}
