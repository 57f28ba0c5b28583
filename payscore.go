package wxpay

import "github.com/wxpay-go/wxpay/internal/invoke"

// PayScore is the parameter of the pages of pay score: in a mini program unchanged as extraData,
// inside WeChat as queryString ([PayScore.Query]), in an app through [PayScore.App].
type PayScore struct {
	redacted
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

// PayScore makes the parameters for a user to confirm a pay-score order (wxpayScoreUse), from the
// order's field package.
//
// They are signed with HMAC-SHA256 and not with the private key. Most sources name the APIv2 key as
// the key; if it is rejected, try the APIv3 key. The key has 32 characters and is set in the
// merchant platform under API security.
func (i Invoke) PayScore(apiv2Key, pack string) (PayScore, error) {
	if err := invoke.CheckPayScore(pack); err != nil {
		return PayScore{}, err
	}
	return i.payScore(apiv2Key, PayScore{Package: pack, businessType: "wxpayScoreUse"})
}

// PayScoreDetail makes the parameters that show a user a pay-score order (wxpayScoreDetail).
func (i Invoke) PayScoreDetail(apiv2Key, serviceID, outOrderNo string) (PayScore, error) {
	if err := invoke.CheckPayScoreDetail(serviceID, outOrderNo); err != nil {
		return PayScore{}, err
	}
	return i.payScore(apiv2Key, PayScore{ServiceID: serviceID, OutOrderNo: outOrderNo, businessType: "wxpayScoreDetail"})
}

func (i Invoke) payScore(key string, p PayScore) (_ PayScore, err error) {
	p.MchID, p.SignType = i.client.merchant.ID, "HMAC-SHA256"
	p.Timestamp, p.NonceStr = invoke.Stamp(i.client.line.Signer)
	if p.Sign, err = invoke.SignPayScore(key, p.pairs()); err != nil {
		return PayScore{}, err
	}
	return p, nil
}

// pairs returns the fields in the order of the documentation; empty ones are not signed.
func (p PayScore) pairs() invoke.Pairs {
	return invoke.Pairs{
		{"mch_id", p.MchID}, {"package", p.Package}, {"service_id", p.ServiceID}, {"out_order_no", p.OutOrderNo},
		{"timestamp", p.Timestamp}, {"nonce_str", p.NonceStr}, {"sign_type", p.SignType}, {"sign", p.Sign},
	}
}

// Query returns the parameters as a query string, percent-encoded.
func (p PayScore) Query() string { return invoke.Query(p.pairs()) }

// App returns the parameters for an app.
func (p PayScore) App() OpenBusinessView {
	return OpenBusinessView{BusinessType: p.businessType, Query: p.Query(), ExtInfo: `{"miniProgramType":0}`}
}
