package sandbox

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Sample returns a resource of an event, to be changed and given to [Sandbox.Notify] or [Sandbox.Deliver]; it is what
// these two take for nil. It has every documented member in the clear, with numbers as json.Number. An event that the
// catalogue does not know is an error.
func (s *Sandbox) Sample(event string) (map[string]any, error) {
	eventType, _, _ := strings.Cut(event, "/")
	facts, known := catalog.V3().Event(eventType)
	if !known {
		return nil, fmt.Errorf("sandbox: the catalogue does not know the event %q, so it has no sample", eventType)
	}
	return plainObject(s.sampleResource(facts))
}

// sampleResource returns a resource of the event, made from its facts: every member that is documented, with a value of
// its kind. Of the events that the sandbox sends itself it is what those look like.
func (s *Sandbox) sampleResource(e *fact.Event) map[string]any {
	now := s.clock()
	o := order{
		Request: string(marshal(map[string]any{
			"appid": sampleAppID, "mchid": s.merchant.ID, "out_trade_no": "1217752501201407033233368018", "attach": "自定义数据",
			"amount": map[string]any{"total": 100, "currency": "CNY"},
		})),
		Number: "1217752501201407033233368018", Way: "JSAPI", Total: 100, OpenID: anyPayer, Transaction: "4200001234202511230000000001", PaidAt: now,
	}
	switch state, ok := strings.CutPrefix(e.Type, "REFUND."); {
	case ok:
		r := refund{
			course: course{State: state, Since: now, Changed: now}, Request: "{}",
			ID: "50300000002025112300000000001", Number: o.Number, Amount: 100, Trade: o.Number, Transaction: o.Transaction, Total: o.Total,
		}
		return r.resource(s.merchant.ID)
	case e.Type == "TRANSACTION.SUCCESS":
		return o.resource()
	case e.Type == "MCHTRANSFER.BILL.FINISHED":
		t := transfer{
			course: course{State: "SUCCESS", Since: now, Changed: now}, Request: string(marshal(map[string]any{"openid": anyPayer})),
			ID: "1330020251123000000000000000000000000001", Number: "plfk2020042013", Amount: 100,
		}
		return t.resource(s.merchant.ID)
	}
	m := maker{now: now, mchid: s.merchant.ID, random: newRandom(s.faults.seed, e.Type), whole: true}
	return m.object(e.Resource, nil)
}

// sampleAppID is an appid of the documentation.
const sampleAppID = "wxd678efh567hg6787"
