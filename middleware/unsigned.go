package middleware

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// UnsignedResponse is one family of successful responses without the usual signature over the body.
type UnsignedResponse struct {
	// Path is a template; {name} stands for one whole segment. All families are read with GET.
	Path string
	// Signature is fact.NoSignature, or fact.OverDigest.
	Signature fact.Signature
	// Bare says that requests carry no signature either.
	Bare bool
	// Source is the documentation of the download, or of the call that hands out its address.
	Source string
}

// unsignedResponses is the whole list: an unsigned response of any other path is a VerifyError.
var unsignedResponses = []UnsignedResponse{
	{"/hk/v3/statements", fact.OverDigest, false, "https://pay.weixin.qq.com/wiki/doc/api/wxpay/ch/fusion_wallet_ch/QuickPay/chapter8_5.shtml"},
	{"/invoicing/fapiao/fapiao-file", fact.NoSignature, true, "https://pay.weixin.qq.com/doc/v3/merchant/4012286040"},
	{"/v3/bill/downloadurl", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/partner/4012760249"},
	{"/v3/billdownload/file", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/merchant/4012791868"},
	{"/v3/global/merchant-service/images/{media_id}", fact.NoSignature, false, "https://docs.qq.com/doc/DTlpoQlhMWXpzZ2NF"},
	{"/v3/global/statements", fact.OverDigest, false, "https://pay.weixin.qq.com/doc/global/v3/zh/4013013869"},
	{"/v3/merchant-service/images/{media_id}", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/merchant/4012467251"},
	{"/v3/new-tax-control-fapiao/download", fact.NoSignature, true, "https://pay.weixin.qq.com/doc/v3/merchant/4012538335"},
	{"/v3/payscore/bill/downloadurl", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/merchant/4013394586"},
	{"/v3/transferdownload/elecvoucherfile", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/merchant/4012716436"},
	{"/v3/transferdownload/signfile", fact.NoSignature, false, "https://pay.weixin.qq.com/doc/v3/merchant/4012269010"},
}

// UnsignedResponses returns the list of families, by path.
func UnsignedResponses() []UnsignedResponse {
	return append([]UnsignedResponse(nil), unsignedResponses...)
}

// responseSignature tells how a successful response to req is signed.
func responseSignature(req *http.Request) fact.Signature {
	if family := familyOf(req); family != nil {
		return family.Signature
	}
	return fact.OverBody
}

// familyOf is FamilyOf of a request. It escapes the path only for GET.
func familyOf(req *http.Request) *UnsignedResponse {
	if req.Method != http.MethodGet {
		return nil
	}
	path := req.URL.Opaque // of a link that net/url would write in another way
	if path == "" {
		path = req.URL.EscapedPath()
	}
	return FamilyOf(req.Method, path)
}

// FamilyOf returns the family of a request's method and escaped path, nil if there is none.
func FamilyOf(method, path string) *UnsignedResponse {
	if method != http.MethodGet {
		return nil
	}
	for i := range unsignedResponses {
		if matches(unsignedResponses[i].Path, path) {
			family := unsignedResponses[i]
			return &family
		}
	}
	return nil
}

// matches reports whether path is an instance of template, whose only placeholder, if any, is its
// last segment.
func matches(template, path string) bool {
	if !strings.HasSuffix(template, "}") {
		return template == path
	}
	value, ok := strings.CutPrefix(path, template[:strings.LastIndexByte(template, '{')])
	return ok && value != "" && !strings.Contains(value, "/")
}
