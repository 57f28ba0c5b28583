package middleware

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// UnsignedResponse is one family of successful answers whose body no signature covers in the usual way.
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

// unsignedAnswers is the whole list: an answer of any other path that carries no signature is refused.
var unsignedAnswers = []UnsignedResponse{
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
	return append([]UnsignedResponse(nil), unsignedAnswers...)
}

// answerSignature tells how a successful answer to req is signed.
func answerSignature(req *http.Request) fact.Signature {
	if family := familyOf(req); family != nil {
		return family.Signature
	}
	return fact.OverBody
}

// familyOf is FamilyOf of a request, whose path is not escaped for nothing.
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

// FamilyOf returns the family that a request's method and escaped path belong to, nil if there is none.
func FamilyOf(method, path string) *UnsignedResponse {
	if method != http.MethodGet {
		return nil
	}
	for i := range unsignedAnswers {
		if matches(unsignedAnswers[i].Path, path) {
			family := unsignedAnswers[i]
			return &family
		}
	}
	return nil
}

// matches reports whether path is an instance of template, whose only placeholder, if any, is its last segment.
func matches(template, path string) bool {
	prefix, _, variable := strings.Cut(template, "{")
	if !variable {
		return template == path
	}
	value, ok := strings.CutPrefix(path, prefix)
	return ok && value != "" && !strings.Contains(value, "/")
}
