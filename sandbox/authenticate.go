package sandbox

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
)

// Texts of SIGN_ERROR.
var (
	textAuthorizationForm = text{"Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", "the value of the HTTP header Authorization is malformed, see the signature rules of the REST API"}
	textScheme            = text{"Http头Authorization认证类型不正确", "the authentication scheme of the HTTP header Authorization is not correct"}
	textWindow            = text{"Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", "the timestamp in the HTTP header Authorization must be within 5 minutes of the time of the request"}
	textNoCertificate     = text{"商户未申请过证书", "the merchant has no API certificate"}
	textMerchantSerial    = text{"商户证书序列号有误。请使用签名私钥匹配的证书序列号", "the serial of the merchant certificate is wrong; use the one that matches the private key which signs"}
	textReplaced          = text{"已更换证书，请使用新证书", "the certificate was replaced, use the new one"}
	textSignature         = text{"错误的签名，导致验签失败", "the signature is wrong, so verification failed"}
)

// authenticate checks the Authorization header in the platform's order: form, scheme, time, merchant, serial, signature.
func (c *call) authenticate() *refusal {
	values := c.request.Header["Authorization"]
	if len(values) != 1 {
		return signError(textAuthorizationForm, fmt.Sprintf("the header Authorization stands %d times", len(values)))
	}
	a, err := apiv3.ParseAuthorization(values[0])
	if err != nil {
		return signError(textAuthorizationForm, err.Error())
	}
	if a.Scheme != c.scheme.Name() {
		return signError(textScheme, "this path takes the scheme "+c.scheme.Name()+" only")
	}
	if a.Identity != c.scheme.Identity() {
		return signError(textAuthorizationForm, "with this scheme the caller is named by "+c.scheme.Identity())
	}
	if err := (apiv3.Signature{Timestamp: a.Timestamp}).CheckWindow(c.wired); errors.Is(err, apiv3.ErrClock) {
		seconds, _ := strconv.ParseInt(a.Timestamp, 10, 64)
		return signError(textWindow, fmt.Sprintf("the timestamp is %+d s from the sandbox's clock, at most %d s are allowed", seconds-c.wired.Unix(), int(apiv3.Window.Seconds())))
	} else if err != nil {
		return signError(textAuthorizationForm, "the timestamp is not a decimal number of seconds")
	}
	if a.ID != c.platform.callerID {
		return signError(textNoCertificate, "the sandbox's "+a.Identity+" is "+c.callers())
	}
	if c.platform.revoked[a.Serial] != nil {
		return signError(textReplaced, "the certificate was revoked")
	}
	public := c.platform.callers[a.Serial]
	if public == nil {
		return signError(textMerchantSerial, "the caller's certificates are "+strings.Join(slices.Sorted(maps.Keys(c.platform.callers)), ", "))
	}

	body := c.signedBody()
	message := apiv3.AppendRequestMessage(make([]byte, 0, len(c.target)+len(body)+128), c.request.Method, c.target, a.Timestamp, a.Nonce, body)
	signature, err := base64.StdEncoding.Strict().DecodeString(a.Signature)
	if err == nil {
		err = c.scheme.Verify(public, message, signature)
	}
	if err != nil {
		r := signError(textSignature, "the signature does not verify")
		r.detail = signDetail{
			method: c.request.Method, url: c.target, length: len(message),
			shown: string(apiv3.AppendRequestMessage(nil, c.request.Method, c.target, a.Timestamp, a.Nonce, body[:min(len(body), shownBody)])),
		}
		return r
	}
	c.verified, c.caller = true, a.Serial
	return nil
}

// callers lists those who have certificates: the merchants, or the brand.
func (c *call) callers() string {
	if isBrandPath(c.target) {
		return c.platform.callerID
	}
	return strings.Join(c.tenants.ids(), ", ")
}

// shownBody is how many bytes of the body the detail of SIGN_ERROR shows.
const shownBody = 8

// signDetail is the detail of SIGN_ERROR in its documented form.
type signDetail struct {
	method, url, shown string
	length             int // bytes of the whole message
}

func (d signDetail) in(language) any {
	type information struct {
		Method  string `json:"method"`
		URL     string `json:"url"`
		Message string `json:"truncated_sign_message"`
		Length  int    `json:"sign_message_length"`
	}
	return struct {
		Field       string      `json:"field"`
		Issue       string      `json:"issue"`
		Location    string      `json:"location"`
		Information information `json:"sign_information"`
	}{"signature", "sign not match", "authorization", information{d.method, d.url, d.shown, d.length}}
}

// sign puts the five headers of a signed answer.
func (c *call) sign(header http.Header, body []byte) {
	c.platform.sign(header, c.signer(), c.fault.Kind.signedAt(c.wire()), body)
}
