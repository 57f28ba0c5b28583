// Package invoke checks and signs what a page, a mini program or an app passes to WeChat Pay.
//
// The signatures follow https://pay.weixin.qq.com/doc/v3/merchant/4012791886 (checked in November 2026).
package invoke

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/middleware"
)

// Signed is a signature with the values that it covers.
type Signed struct {
	Timestamp string // seconds
	Nonce     string
	Signature string
}

// Payment checks the parameters of a payment and signs four lines: appID, timestamp, nonce, and last.
func Payment(ctx context.Context, signer *middleware.Signer, appID, prepayID, last string) (s Signed, err error) {
	switch {
	case signer.Scheme.Identity() == "brand_id":
		return s, failed("a brand takes no payments: use the merchant's client")
	case !IsAppID(appID):
		return s, failed("%s is not an appid: it is the one that the order was created with, such as wx8888888888888888", redact.Quote(appID))
	case strings.HasPrefix(prepayID, "prepay_id="):
		return s, failed("the prepay_id stands behind prepay_id= already: pass the bare id")
	case prepayID == "" || strings.ContainsFunc(prepayID, notInPrepayID):
		return s, failed("the prepay_id is empty or has a character that none has: it is the field prepay_id of the response that created the order")
	}
	s.Timestamp, s.Nonce = Stamp(signer)
	raw, _, err := signer.SignMessage(ctx, apiv3.AppendLines(nil, appID, s.Timestamp, s.Nonce, last))
	if err != nil {
		return s, fmt.Errorf("wxpay: front-end parameters could not be signed: %w", errors.Unwrap(err))
	}
	s.Signature = base64.StdEncoding.EncodeToString(raw)
	return s, nil
}

// Stamp returns the time in seconds and a nonce.
func Stamp(signer *middleware.Signer) (timestamp, nonce string) {
	return strconv.FormatInt(signer.Clock().Unix(), 10), string(signer.AppendNonce(nil))
}

// Pairs are names and values in an order; empty values do not count.
type Pairs [][2]string

// SignPayScore signs parameters of pay score with key.
func SignPayScore(key string, pairs Pairs) (string, error) {
	if err := visible.Word(key); err != nil {
		return "", failed("the key is of letters and digits, and its %w", err)
	}
	if len(key) != apiv3.KeySize {
		return "", failed("the key has %d bytes instead of %d", len(key), apiv3.KeySize)
	}
	params := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		params[pair[0]] = pair[1]
	}
	return apiv3.SignHMAC(params, key), nil
}

// CheckTransfer checks the parameters of a transfer that a user confirms.
func CheckTransfer(appID, packageInfo string) error {
	switch {
	case !IsAppID(appID):
		return failed("%s is not an appid: it is the one of the transfer bill, such as wx8888888888888888", redact.Quote(appID))
	case packageInfo == "":
		return failed("package_info is empty: only the response that created the bill, in the state WAIT_USER_CONFIRM, has it")
	}
	return nil
}

// CheckPayScore checks the package of a pay-score order.
func CheckPayScore(pack string) error {
	if pack == "" {
		return failed("package is empty: it is the field package of the response that created the pay-score order")
	}
	return nil
}

// CheckPayScoreDetail checks the names of a pay-score order.
func CheckPayScoreDetail(serviceID, outOrderNo string) error {
	if serviceID == "" || outOrderNo == "" {
		return failed("service_id and out_order_no of the pay-score order are needed")
	}
	return nil
}

// Native checks the code_url of a Native order and returns it.
func Native(codeURL string) (string, error) {
	if !strings.HasPrefix(codeURL, "weixin://") {
		return "", failed("the code_url does not begin with weixin://: it is the field code_url of the response that created the order")
	}
	return codeURL, nil
}

// H5 returns the h5_url of an order with the page to come back to, which may be empty.
func H5(h5URL, redirectURL string) (string, error) {
	if u, err := url.Parse(h5URL); err != nil || u.Scheme != "https" || u.RawQuery == "" || u.Fragment != "" {
		return "", failed("the h5_url is not an https address with a query: it is the field h5_url of the response that created the order")
	}
	if redirectURL == "" {
		return h5URL, nil
	}
	if u, err := url.Parse(redirectURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", failed("redirect_url is not a whole address, such as https://shop.example/paid")
	}
	return h5URL + "&redirect_url=" + url.QueryEscape(redirectURL), nil
}

// Query returns the pairs that are not empty as a query, percent-encoded.
func Query(pairs Pairs) string {
	var query []byte
	for _, pair := range pairs {
		if pair[1] == "" {
			continue
		}
		if len(query) > 0 {
			query = append(query, '&')
		}
		query = target.AppendEscaped(append(append(query, pair[0]...), '='), pair[1])
	}
	return string(query)
}

// IsAppID tells an appid, whose form is documented by examples only, from a merchant number and from a text that breaks a
// line.
func IsAppID(s string) bool {
	return strings.Trim(s, "0123456789") != "" && string(target.AppendEscaped(nil, s)) == s
}

func notInPrepayID(r rune) bool { return r <= ' ' || r > '~' || r == '&' || r == '=' }

func failed(format string, a ...any) error {
	return fmt.Errorf("wxpay: front-end parameters: "+format, a...)
}
