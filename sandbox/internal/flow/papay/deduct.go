package papay

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// deduct charges the user of a contract. The platform accepts the deduction and carries it out a
// little later; the user of the sandbox pays at once, and always can.
func (f *Flow) deduct(c *gate.Call) (any, *say.Rejection) {
	amount := c.Object["amount"].(map[string]any)
	total, rejected := gate.CheckAmount("/amount/total", amount["total"])
	if rejected != nil {
		return nil, rejected
	}
	if currency, ok := amount["currency"].(string); ok {
		if rejected := gate.CheckCurrency("/amount/currency", currency); rejected != nil {
			return nil, rejected
		}
	}
	notify := c.Field("transaction_notify_url")
	if rejected := gate.CheckURL("/transaction_notify_url", notify); rejected != nil {
		return nil, rejected
	}
	request := map[string]any{"mchid": f.ID}
	for name, value := range c.Object {
		if name != "transaction_notify_url" {
			request[name] = value
		}
	}
	request["notify_url"] = notify
	defer c.Begin().Commit()
	if rejected := f.orders.CheckAppID(c.Field("appid")); rejected != nil {
		return nil, rejected
	}
	k, known := f.find(c.Field("contract_id"))
	_, again := f.orders.Get(c.Field("out_trade_no"))
	switch {
	case !known:
		return nil, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("签约协议不存在", "the contract does not exist"), "no signed contract has this contract_id")
	case k.State() != "SIGNED" && !again: // a repetition learns of its payment, although the contract has ended since
		return nil, say.InvalidRequest(say.Both("签约协议已解约", "the contract is terminated"), "the contract is "+k.State())
	}
	if rejected := f.orders.Deduct(c.Field("out_trade_no"), k.OpenID, notify, total, request, c.Now); rejected != nil {
		return nil, rejected
	}
	return map[string]any{"out_trade_no": c.Field("out_trade_no"), "amount": amount}, nil
}
