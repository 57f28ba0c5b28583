package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// receiver is someone who may get a share.
type receiver struct {
	Type     string    `json:"type"`
	Account  string    `json:"account"`
	Name     string    `json:"name,omitempty"` // opened
	Relation string    `json:"relation"`
	Custom   string    `json:"custom,omitempty"`
	Since    time.Time `json:"since"`
}

func receiverKey(sub, kind, account string) string { return sub + "/" + kind + "/" + account }

// shared is one sharing of an order, or the unfreezing of what is left of it. Its states are PROCESSING and FINISHED.
type shared struct {
	course
	Request     string     `json:"request"` // in canonical JSON, encrypted members opened
	ID          string     `json:"id"`      // order_id
	Number      string     `json:"number"`  // out_order_no
	Sub         string     `json:"sub,omitempty"`
	Transaction string     `json:"transaction"`
	Order       string     `json:"order"` // key of the order
	To          []sharedTo `json:"to"`
}

// sharedTo is what one receiver gets. Its results are PENDING, SUCCESS and CLOSED.
type sharedTo struct {
	Type        string    `json:"type"`
	Account     string    `json:"account"`
	Description string    `json:"description"`
	Amount      int64     `json:"amount"` // fen
	Detail      string    `json:"detail"` // detail_id
	Rest        bool      `json:"rest,omitempty"`
	Result      string    `json:"result"`
	Next        string    `json:"next"` // the result to come
	Reason      string    `json:"reason,omitempty"`
	Finished    time.Time `json:"finished,omitzero"`
	Returned    int64     `json:"returned,omitempty"` // fen
}

// returned is the return of a share by a merchant who got it. Its states are PROCESSING, SUCCESS and FAILED.
type returned struct {
	course
	Request     string `json:"request"`
	ID          string `json:"id"`     // return_id
	Number      string `json:"number"` // out_return_no
	Sub         string `json:"sub,omitempty"`
	Share       string `json:"share"` // key of the sharing
	Mchid       string `json:"mchid"` // return_mchid
	Amount      int64  `json:"amount"`
	Description string `json:"description"`
	Taken       bool   `json:"taken,omitempty"` // from the balance of the merchant
}

// Rules of profit sharing.
const (
	sharePause   = time.Minute // after payment
	maxShares    = 50          // of an order
	maxReceivers = 50          // of a request
	returnPeriod = 180 * 24 * time.Hour
)

// shareNumber is the limit of out_order_no and out_return_no.
var shareNumber = limit{min: 1, max: 64, charset: orderChars + "@"}

// shareOperations are those of profit sharing, by a merchant for itself and by a service provider for a sub-merchant.
func shareOperations() []operation {
	const base = "/v3/profitsharing/"
	account := map[string]limit{"/appid": {min: 1, max: 32}, "/account": {min: 1, max: 64}, "/name": {max: 1024}, "/custom_relation": {max: 10}}
	number := map[string]limit{"/out_order_no": shareNumber, "/transaction_id": {min: 1, max: 32}, "/description": {min: 1, max: 80}}
	list := []operation{
		{Operation: documented("POST", base+"receivers/add"), limits: account, do: (*call).addReceiver},
		{Operation: documented("POST", base+"receivers/delete"), limits: account, do: (*call).deleteReceiver},
		{Operation: documented("POST", base+"orders"), limits: number, do: (*call).createShare},
		{Operation: documented("POST", base+"orders/unfreeze"), limits: number, do: (*call).unfreeze},
		{Operation: documented("GET", base+"orders/{out_order_no}"), limits: map[string]limit{"out_order_no": shareNumber}, do: (*call).queryShare},
		{Operation: documented("GET", base+"transactions/{transaction_id}/amounts"), do: (*call).queryUnsplit},
		{Operation: documented("GET", base+"return-orders/{out_return_no}"), limits: map[string]limit{"out_return_no": shareNumber}, do: (*call).queryReturn},
	}
	return append(list, operation{
		Operation: documented("POST", base+"return-orders"),
		limits:    map[string]limit{"/out_order_no": {max: 64}, "/order_id": {max: 64}, "/out_return_no": shareNumber, "/return_mchid": {min: 1, max: 32}, "/description": {min: 1, max: 80}},
		do:        (*call).createReturn,
	})
}

// receiverTypes are those of accounts.
var receiverTypes = []string{"MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"}

func checkReceiverType(place, kind string) *refusal {
	if slices.Contains(receiverTypes, kind) {
		return nil
	}
	return memberError("body", place, kind, text{fmt.Sprintf("应为%v之一", receiverTypes), fmt.Sprintf("it must be one of %v", receiverTypes)})
}

func (c *call) addReceiver() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	r := receiver{
		Type: c.member("type"), Account: c.member("account"), Name: c.member("name"), Relation: c.member("relation_type"), Custom: c.member("custom_relation"), Since: c.now,
	}
	if refused := checkReceiverType("/type", r.Type); refused != nil {
		return nil, refused
	}
	switch {
	case r.Type == "MERCHANT_ID" && r.Name == "":
		return nil, memberError("body", "/name", "", text{"分账接收方类型为MERCHANT_ID时，商户全称必填", "a merchant is added with its full name"})
	case r.Relation == "CUSTOM" && r.Custom == "":
		return nil, memberError("body", "/custom_relation", "", text{"relation_type为CUSTOM时必填", "relation_type CUSTOM needs it"})
	}
	s := c.begin()
	s.receivers.put(receiverKey(sub, r.Type, r.Account), r)
	s.commit()
	answer := pickMembers(c.object, "sub_mchid", "type", "account", "relation_type", "custom_relation")
	if r.Name != "" {
		answer["name"] = c.seal(r.Name)
	}
	return answer, nil
}

// deleteReceiver ends the relation. One that there is not is answered the same.
func (c *call) deleteReceiver() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	if refused := checkReceiverType("/type", c.member("type")); refused != nil {
		return nil, refused
	}
	s := c.begin()
	s.receivers.delete(receiverKey(sub, c.member("type"), c.member("account")))
	s.commit()
	return pickMembers(c.object, "sub_mchid", "type", "account"), nil
}

// unsplit is what can still be shared.
func (o order) unsplit() int64 {
	if !o.Sharing || o.Unfrozen {
		return 0
	}
	return max(0, o.Total-o.Refunded-o.Shared)
}

func notEnough(message text, reason string) *refusal {
	return &refusal{status: http.StatusForbidden, code: "NOT_ENOUGH", number: numberUndocumented, message: message, reason: reason}
}

// shareable finds the order of a transaction, and refuses one that cannot be shared now.
func (s *state) shareable(c *call, sub string) (order, *refusal) {
	key, _ := s.transactions.get(c.member("transaction_id"))
	o, known := s.orders.get(key)
	switch {
	case !known, o.Sub != sub:
		return o, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"订单不存在", "the order does not exist"}, reason: "no paid order has this transaction_id",
		}
	case !o.Sharing:
		return o, invalidRequest(text{"非分账订单不支持分账", "the order is not one to be shared"}, "the order was created without settle_info.profit_sharing")
	case c.now.Sub(o.PaidAt) < sharePause && c.holds(SharePace):
		return o, invalidRequest(text{"订单处理中，暂时无法分账，请稍后再试", "the order is being processed and cannot be shared yet"},
			"an order can be shared from a minute after its payment, which was at "+platformTime(o.PaidAt))
	case o.unsplit() == 0:
		return o, notEnough(text{"分账金额不足，订单已无待分账金额", "nothing is left to share"}, "all was shared, refunded or unfrozen")
	}
	return o, nil
}

// knownShare finds a sharing that was accepted under the number of the request.
func (s *state) knownShare(key, request string) (any, *refusal) {
	h, known := s.shares.get(key)
	switch {
	case !known:
		return nil, nil
	case h.Request != request:
		return nil, invalidRequest(text{"商户分账单号已存在，且与之前的请求参数不一致", "out_order_no was used with other parameters"},
			"a sharing with this out_order_no exists, and was requested with other parameters")
	}
	return h.tell(), nil
}

func (c *call) createShare() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	sent, _ := c.object["receivers"].([]any)
	if len(sent) < 1 || len(sent) > maxReceivers {
		return nil, memberError("body", "/receivers", len(sent), text{fmt.Sprintf("分账接收方应为1至%d个", maxReceivers), fmt.Sprintf("there must be 1 to %d receivers", maxReceivers)})
	}
	var sum int64
	to := make([]sharedTo, len(sent))
	for i := range sent {
		place, object := fmt.Sprintf("/receivers/%d", i), sent[i].(map[string]any)
		t := sharedTo{Type: object["type"].(string), Account: object["account"].(string), Description: object["description"].(string), Result: "PENDING"}
		if refused := checkReceiverType(place+"/type", t.Type); refused != nil {
			return nil, refused
		}
		if t.Amount, refused = checkAmount(place+"/amount", object["amount"]); refused != nil {
			return nil, refused
		}
		sum += min(t.Amount, math.MaxInt64-sum) // more than any order is over, whatever else is added
		to[i] = t
	}
	number, request := c.member("out_order_no"), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	if known, refused := s.knownShare(orderKey(sub, number), request); known != nil || refused != nil {
		return known, refused
	}
	o, refused := s.shareable(c, sub)
	switch {
	case refused != nil:
		return nil, refused
	case sum > o.unsplit():
		return nil, notEnough(text{"分账金额大于订单剩余待分金额", "the shares exceed what is left"}, fmt.Sprintf("%d fen are left to share, %d were asked for", o.unsplit(), sum))
	case o.Shares >= maxShares:
		return nil, &refusal{
			status: http.StatusForbidden, code: "RULE_LIMIT", number: numberUndocumented,
			message: text{"订单分账次数超过限制", "the order was shared too often"}, reason: "an order can be shared 50 times at most",
		}
	}
	h := shared{
		course:  course{State: "PROCESSING", Since: c.now, Changed: c.now},
		Request: request, Number: number, Sub: sub, Transaction: o.Transaction, Order: o.key(),
	}
	wait := time.Duration(0)
	for i := range to {
		if _, related := s.receivers.get(receiverKey(sub, to[i].Type, to[i].Account)); !related {
			return nil, invalidRequest(text{"分账接收方不存在，请先添加分账接收方", "a receiver is not related to the merchant; add it first"}, fmt.Sprintf("receiver %d was not added", i))
		}
		fate, refused := s.fateOf(ShareEffect, number+"/"+to[i].Account)
		if refused != nil {
			return nil, refused
		}
		to[i].Next = fate.State
		if wait >= 0 && (fate.After < 0 || fate.After > wait) { // the slowest counts, and one that waits for Settle most of all
			wait = fate.After
		}
	}
	h.ID = s.platformNumber("3008450740", 30, c.now)
	for i := range to {
		to[i].Detail = s.platformNumber("3601", 29, c.now)
	}
	o.Shared, o.Shares = o.Shared+sum, o.Shares+1
	if all, _ := c.object["unfreeze_unsplit"].(bool); all {
		if rest := o.unsplit(); rest > 0 {
			to = append(to, s.rest(o, rest, c.now))
		}
		o.Unfrozen = true
	}
	h.To = to
	h.lead(Ending{State: "FINISHED", After: wait}, c.now)
	s.orders.put(o.key(), o)
	s.shares.put(orderKey(sub, number), h)
	s.enterFor(sub, ShareEffect, number, sum, c.now, request)
	return h.tell(), nil
}

// rest is what goes back to the merchant.
func (s *state) rest(o order, amount int64, now time.Time) sharedTo {
	return sharedTo{
		Type: "MERCHANT_ID", Account: or(o.Sub, s.merchant), Description: "解冻给分账方", Amount: amount, Detail: s.platformNumber("3601", 29, now),
		Rest: true, Result: "PENDING", Next: "SUCCESS",
	}
}

func (c *call) unfreeze() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	number, request := c.member("out_order_no"), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	if known, refused := s.knownShare(orderKey(sub, number), request); known != nil || refused != nil {
		return known, refused
	}
	o, refused := s.shareable(c, sub)
	if refused != nil {
		return nil, refused
	}
	h := shared{
		course:  course{State: "PROCESSING", Since: c.now, Changed: c.now},
		Request: request, Number: number, Sub: sub, Transaction: o.Transaction, Order: o.key(), ID: s.platformNumber("3008450740", 30, c.now),
		To: []sharedTo{s.rest(o, o.unsplit(), c.now)},
	}
	h.lead(Ending{State: "FINISHED"}, c.now)
	amount := o.unsplit()
	o.Unfrozen = true
	s.orders.put(o.key(), o)
	s.shares.put(orderKey(sub, number), h)
	s.enterFor(sub, ShareEffect, number, amount, c.now, request)
	return h.tell(), nil
}

// ripenShare lets every receiver have its result.
func (s *state) ripenShare(key string, h shared, at time.Time) { s.reachShare(key, h, "", at) }

// reachShare ends a sharing. A result that is not empty is that of every receiver, whatever was to come.
func (s *state) reachShare(key string, h shared, result string, now time.Time) {
	o, known := s.orders.get(h.Order)
	h.To = slices.Clone(h.To)
	for i := range h.To {
		t := &h.To[i]
		if t.Result != "PENDING" {
			continue
		}
		t.Result, t.Finished = t.Next, now
		if result != "" && !t.Rest {
			t.Result = result
		}
		if _, related := s.receivers.get(receiverKey(h.Sub, t.Type, t.Account)); !t.Rest && !related {
			t.Result, t.Reason = "CLOSED", "NO_RELATION"
		}
		switch {
		case t.Result == "CLOSED": // its sum can be shared again, or goes to the merchant with the rest
			t.Reason = or(t.Reason, "ACCOUNT_ABNORMAL")
			o.Shared -= t.Amount
		case !t.Rest:
			if balance, bounded := s.balances.get(t.Account); bounded && t.Type == "MERCHANT_ID" {
				s.balances.put(t.Account, balance+t.Amount)
			}
			s.tellShares("PROFITSHARING.SUCCESS", h, *t, t.Amount, t.Description, h.ID, h.Number, now)
		}
	}
	h.become("FINISHED", now)
	s.shares.put(key, h)
	if known {
		s.orders.put(h.Order, o)
	}
}

// NotifySharesAt sets where the merchant is notified of every share that arrived and every return: PROFITSHARING.SUCCESS and
// PROFITSHARING.RETURN. In reality the address is set in the merchant platform, for no request carries it. Empty, the default,
// is for nobody.
func (s *Sandbox) NotifySharesAt(address string) error {
	if err := visible.Word(address); err != nil {
		return fmt.Errorf("sandbox: NotifySharesAt: of the address %s, %w", redact.Quote(address), err)
	}
	st := s.begin()
	st.shareURL.put("", address)
	return st.end()
}

func (s *state) tellShares(event string, h shared, t sharedTo, amount int64, description, id, number string, now time.Time) {
	address, _ := s.shareURL.get("")
	resource := map[string]any{
		"transaction_id": h.Transaction, "order_id": id, "out_order_no": number, "success_time": platformTime(now),
		"receiver": map[string]any{"type": t.Type, "account": t.Account, "amount": amount, "description": description},
	}
	if h.Sub == "" {
		resource["mchid"] = s.merchant
	} else {
		resource["sp_mchid"], resource["sub_mchid"] = s.merchant, h.Sub
	}
	s.announce(address, event, resource)
}

// neverYet is how the platform tells the time of what has not happened.
var neverYet = platformTime(time.Unix(0, 0))

// tell returns the sharing as the request itself and queries tell it.
func (h shared) tell() map[string]any {
	receivers := make([]any, len(h.To))
	for i, t := range h.To {
		told := map[string]any{
			"type": t.Type, "account": t.Account, "amount": t.Amount, "description": t.Description, "result": t.Result, "detail_id": t.Detail,
			"create_time": platformTime(h.Since), "finish_time": neverYet,
		}
		if t.Result != "PENDING" {
			told["finish_time"] = platformTime(t.Finished)
		}
		if t.Reason != "" {
			told["fail_reason"] = t.Reason
		}
		receivers[i] = told
	}
	answer := map[string]any{
		"transaction_id": h.Transaction, "out_order_no": h.Number, "order_id": h.ID, "state": h.State, "receivers": receivers,
	}
	if h.Sub != "" {
		answer["sub_mchid"] = h.Sub
	}
	return answer
}

var shareNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"记录不存在", "the record does not exist"}, reason: "nothing was accepted under these numbers",
}

func (c *call) queryShare() (any, *refusal) {
	sub, refused := c.subOf(c.query.Get("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	h, known := s.shares.get(orderKey(sub, c.path["out_order_no"]))
	if !known || h.Transaction != c.query.Get("transaction_id") || c.hides(h.Since) {
		return nil, shareNotExist
	}
	return h.tell(), nil
}

func (c *call) queryUnsplit() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	key, known := s.transactions.get(c.path["transaction_id"])
	if !known {
		return nil, shareNotExist
	}
	o, _ := s.orders.get(key)
	return map[string]any{"transaction_id": o.Transaction, "unsplit_amount": o.unsplit()}, nil
}

// SetBalance sets what a merchant who receives shares has to return them from, fen. Shares that arrive later add to it. Until it
// is set a merchant can return everything; a negative sum makes it so again.
func (s *Sandbox) SetBalance(merchantID string, fen int64) error {
	if err := checkMerchantNumber("SetBalance", merchantID); err != nil {
		return err
	}
	st := s.begin()
	if fen < 0 {
		st.balances.delete(merchantID)
	} else {
		st.balances.put(merchantID, fen)
	}
	return st.end()
}

// shareToReturn finds the sharing that a request names by either number.
func (s *state) shareToReturn(c *call, sub string) (key string, h shared, known bool) {
	if number := c.member("out_order_no"); number != "" {
		key = orderKey(sub, number)
		h, known = s.shares.get(key)
		if id := c.member("order_id"); id != "" && id != h.ID {
			known = false
		}
		return key, h, known
	}
	for key, h := range s.shares.rows {
		if h.ID == c.member("order_id") && h.Sub == sub {
			return key, h, true
		}
	}
	return "", h, false
}

func (c *call) createReturn() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	amount, refused := checkAmount("/amount", c.object["amount"])
	if refused != nil {
		return nil, refused
	}
	if c.member("order_id") == "" && c.member("out_order_no") == "" {
		return nil, memberError("body", "/out_order_no", "", text{"order_id与out_order_no二选一必填", "either order_id or out_order_no is required"})
	}
	number, request := c.member("out_return_no"), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	key, h, known := s.shareToReturn(c, sub)
	r, again := s.returns.get(orderKey(sub, number))
	switch {
	case again && r.Request != request:
		return nil, invalidRequest(text{"商户回退单号已存在，且与之前的请求参数不一致", "out_return_no was used with other parameters"},
			"a return with this out_return_no exists, and was requested with other parameters")
	case again && r.Taken:
		return s.tellReturn(r), nil
	case !again && !known:
		return nil, shareNotExist
	case !again && c.now.Sub(h.Since) > returnPeriod:
		return nil, invalidRequest(text{"分账单已超过回退期限", "the sharing is too old to return"}, "returns are possible within 180 days")
	}
	i := -1
	if !again {
		if i = h.receivedBy(c.member("return_mchid")); i < 0 {
			return nil, invalidRequest(text{"回退方未参与该笔分账", "the merchant got nothing of this sharing"}, "return_mchid is no receiver of this sharing whose share arrived")
		}
		if amount > h.To[i].Amount-h.To[i].Returned {
			return nil, notEnough(text{"回退金额超过可回退金额", "the return exceeds what the merchant got"}, fmt.Sprintf("%d fen can be returned", h.To[i].Amount-h.To[i].Returned))
		}
		r = returned{
			course:  course{State: "PROCESSING", Since: c.now, Changed: c.now},
			Request: request, Number: number, Sub: sub, Share: key, Mchid: c.member("return_mchid"), Amount: amount, Description: c.member("description"),
		}
	}
	balance, bounded := s.balances.get(r.Mchid)
	enough := !bounded || balance >= r.Amount
	if enough {
		fate, refused := s.fateOf(ReturnEffect, number)
		if refused != nil {
			return nil, refused
		}
		r.lead(fate, c.now)
		r.Taken = true
	}
	if !again {
		r.ID = s.platformNumber("3008450740", 30, c.now)
		h.To = slices.Clone(h.To)
		h.To[i].Returned += amount
		s.shares.put(key, h)
		s.enterFor(sub, ReturnEffect, number, amount, c.now, request)
	}
	s.returns.put(orderKey(sub, number), r)
	if !enough { // it is kept all the same, and completed by a repetition
		return nil, notEnough(text{"回退方余额不足", "the balance of the merchant who returns is too low"}, "the return stays PROCESSING until it is repeated with enough balance; SetBalance gives it")
	}
	if bounded {
		s.balances.put(r.Mchid, balance-r.Amount)
	}
	return s.tellReturn(r), nil
}

// receivedBy finds the merchant among the receivers whose shares arrived; -1 for none.
func (h shared) receivedBy(merchant string) int {
	return slices.IndexFunc(h.To, func(t sharedTo) bool {
		return !t.Rest && t.Type == "MERCHANT_ID" && t.Account == merchant && t.Result == "SUCCESS"
	})
}

// ripenReturn lets a return reach what is to come.
func (s *state) ripenReturn(key string, r returned, at time.Time) { s.reachReturn(key, r, r.Next, at) }

func (s *state) reachReturn(key string, r returned, final string, now time.Time) {
	r.become(final, now)
	s.returns.put(key, r)
	h, _ := s.shares.get(r.Share)
	i := h.receivedBy(r.Mchid)
	if i < 0 {
		return
	}
	if final == "FAILED" { // the merchant keeps it
		h.To = slices.Clone(h.To)
		h.To[i].Returned -= r.Amount
		s.shares.put(r.Share, h)
		if balance, bounded := s.balances.get(r.Mchid); bounded {
			s.balances.put(r.Mchid, balance+r.Amount)
		}
		return
	}
	s.tellShares("PROFITSHARING.RETURN", h, h.To[i], r.Amount, r.Description, r.ID, r.Number, now)
}

func (s *state) tellReturn(r returned) map[string]any {
	h, _ := s.shares.get(r.Share)
	answer := map[string]any{
		"order_id": h.ID, "out_order_no": h.Number, "out_return_no": r.Number, "return_id": r.ID, "return_mchid": r.Mchid, "amount": r.Amount,
		"description": r.Description, "result": r.State, "create_time": platformTime(r.Since), "finish_time": neverYet,
	}
	if r.State != "PROCESSING" {
		answer["finish_time"] = platformTime(r.Changed)
	}
	if r.State == "FAILED" {
		answer["fail_reason"] = "ACCOUNT_ABNORMAL"
	}
	if r.Sub != "" {
		answer["sub_mchid"] = r.Sub
	}
	return answer
}

func (c *call) queryReturn() (any, *refusal) {
	sub, refused := c.subOf(c.query.Get("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	r, known := s.returns.get(orderKey(sub, c.path["out_return_no"]))
	if !known || c.hides(r.Since) {
		return nil, shareNotExist
	}
	answer := s.tellReturn(r)
	if answer["out_order_no"] != c.query.Get("out_order_no") {
		return nil, shareNotExist
	}
	return answer, nil
}
