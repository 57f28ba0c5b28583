package sandbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/wxpay-go/wxpay/apiv3"
)

// Texts of SIGN_ERROR.
var (
	textAuthorizationForm = text{"Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", "the value of the HTTP header Authorization is malformed, see the signature rules of the REST API"}
	textScheme            = text{"Http头Authorization认证类型不正确", "the authentication scheme of the HTTP header Authorization is not correct"}
	textWindow            = text{"Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", "the timestamp in the HTTP header Authorization must be within 5 minutes of the time of the request"}
	textNoCertificate     = text{"商户未申请过证书", "the merchant has no API certificate"}
	textMerchantSerial    = text{"商户证书序列号有误。请使用签名私钥匹配的证书序列号", "the serial of the merchant certificate is wrong; use the one that matches the private key which signs"}
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
		return signError(textScheme, "the sandbox knows the scheme "+c.scheme.Name()+" only")
	}
	if a.Identity != c.scheme.Identity() {
		return signError(textAuthorizationForm, "with this scheme the caller is named by "+c.scheme.Identity())
	}
	if err := (apiv3.Signature{Timestamp: a.Timestamp}).CheckWindow(c.now); errors.Is(err, apiv3.ErrClock) {
		seconds, _ := strconv.ParseInt(a.Timestamp, 10, 64)
		return signError(textWindow, fmt.Sprintf("the timestamp is %+d s from the sandbox's clock, at most %d s are allowed", seconds-c.now.Unix(), int(apiv3.Window.Seconds())))
	} else if err != nil {
		return signError(textAuthorizationForm, "the timestamp is not a decimal number of seconds")
	}
	if a.ID != c.merchant.ID {
		return signError(textNoCertificate, "the sandbox's merchant is "+c.merchant.ID)
	}
	if a.Serial != c.merchant.Serial {
		return signError(textMerchantSerial, "the serial of the merchant's certificate is "+c.merchant.Serial)
	}

	message := apiv3.AppendRequestMessage(make([]byte, 0, len(c.target)+len(c.body)+128), c.request.Method, c.target, a.Timestamp, a.Nonce, c.body)
	signature, err := base64.StdEncoding.Strict().DecodeString(a.Signature)
	if err == nil {
		err = c.scheme.Verify(&c.merchant.PrivateKey.PublicKey, message, signature)
	}
	if err != nil {
		r := signError(textSignature, "the signature does not verify; the message was built as\n"+string(clip(message)))
		r.detail = signDetail{
			method: c.request.Method, url: c.target, length: len(message),
			shown: string(apiv3.AppendRequestMessage(nil, c.request.Method, c.target, a.Timestamp, a.Nonce, c.body[:min(len(c.body), shownBody)])),
		}
		return r
	}
	c.verified = true
	return nil
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
	if c.serial == "" {
		c.serial = c.platform.signs
	}
	timestamp, nonce := strconv.FormatInt(c.fault.Kind.signedAt(c.clock()).Unix(), 10), hexText(32)
	message := apiv3.AppendAnswerMessage(make([]byte, 0, len(body)+64), timestamp, nonce, body)
	signature, err := c.scheme.Sign(c.platform.keys[c.serial], message)
	if err != nil {
		panic(fmt.Sprintf("sandbox: signing an answer: %v", err)) // the keys were made here and fit the scheme
	}
	header[apiv3.HeaderTimestamp] = []string{timestamp}
	header[apiv3.HeaderNonce] = []string{nonce}
	header[apiv3.HeaderSerial] = []string{c.serial}
	header[apiv3.HeaderSignatureType] = []string{c.scheme.SignatureType()}
	header[apiv3.HeaderSignature] = []string{base64.StdEncoding.EncodeToString(signature)}
}
