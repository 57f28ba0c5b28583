package webhook

import "time"

// An inquiry is an event whose response carries data, or whose bare acceptance has a meaning.
type inquiry struct {
	budget time.Duration // nine tenths of the platform's wait; the rest is for the network
	signed bool          // the response carries an Authorization header
}

// usualInquiry is the budget of an inquiry that only a catalogue, or the user, knows.
const usualInquiry = 2700 * time.Millisecond

// inquiries are the known ones, compared with the documentation in November 2026 (each page under
// https://pay.weixin.qq.com/doc/v3/).
var inquiries = map[string]inquiry{
	"CROSS_BORDER_PAY.GET_MCH_INFO":    {budget: usualInquiry, signed: true}, // 3 s, institution/4019762388
	"CROSS_BORDER_PAY.PUSH_ORDER_INFO": {budget: usualInquiry, signed: true}, // 3 s, institution/4019762399
	"ENTRUST.TERMINATE_RETENTION":      {budget: 900 * time.Millisecond},     // 1 s, merchant/4012312222
	"ENTRUST.TERMINATE_INQUIRY":        {budget: usualInquiry},               // asks for consent, merchant/4012978455
	"PARKING_FEE.QUERY_TRANS_INFO":     {budget: usualInquiry},               // 3 s, partner/4024070065
}
