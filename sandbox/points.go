package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// pointSync is one synchronisation of a user's points.
type pointSync struct {
	Request string `json:"request"` // in canonical JSON
}

// exchange is a user's exchange of points for a coupon.
type exchange struct {
	PointExchange
	Request string `json:"request,omitempty"` // that told its result, in canonical JSON
}

// pointOperations are those of members' points.
func pointOperations() []operation {
	const points = "/v3/brand/partner/card-member/user-points"
	return []operation{
		{
			Operation: documented("POST", points+"/sync"), limits: map[string]limit{"/out_request_no": {min: 1, max: 64, charset: requestChars}},
			do: (*call).syncPoints,
		},
		{Operation: documented("POST", points+"/exchange-coupon/confirm"), do: (*call).confirmExchange},
	}
}

// syncPoints sets the balance of a user's points, which is absolute (documentation v3/partner/4015897280): a request that comes
// late or again sets it again, over a newer one.
func (c *call) syncPoints() (any, *refusal) {
	number, request := c.ownNumber(), string(marshal(c.object))
	balance, err := c.object["point_balance"].(json.Number).Int64()
	if err != nil || balance < 0 {
		r := memberError("body", "/point_balance", c.object["point_balance"], text{"小于最小值 0", "it is below the minimum of 0"})
		r.number = numberRange
		return nil, r
	}
	s := c.begin()
	defer s.commit()
	if known, again := s.pointSyncs.get(number); again && known.Request != request {
		return nil, requestNumberUsed
	}
	u, refused := c.holder(s)
	switch {
	case refused == nil:
		u.Points, u.AskedFor, u.Changed = balance, false, c.now
		s.keep(u)
	case !s.view.lenientCards:
		return nil, refused
	}
	s.pointSyncs.put(number, pointSync{request})
	return c.tell(c.ofBrand()), nil
}

// requestNumberUsed is the refusal of an out_request_no that stands for something else.
var requestNumberUsed = &refusal{
	status: http.StatusBadRequest, code: "ALREADY_EXISTS", number: numberUndocumented,
	message: text{"商户请求单号已存在", "out_request_no exists already"}, reason: "a request with this out_request_no came before",
}

// confirmExchange takes the result of an exchange (documentation v3/partner/4015897268). It repeats the answer for the same
// request.
func (c *call) confirmExchange() (any, *refusal) {
	request := string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	e, known := s.exchanges.get(c.object["record_id"].(string))
	if !known || e.BrandID != c.brandOf() {
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"积分兑券记录不存在", "the exchange does not exist"}, reason: "no user exchanged points under this record_id",
		}
	}
	for name, value := range map[string]string{
		"card_id": e.CardID, "openid": e.OpenID, "user_card_code": e.Code, "exchange_coupon_template_id": e.TemplateID,
	} {
		if c.object[name] != value {
			return nil, memberError("body", "/"+name, c.object[name], text{"与积分兑券记录不一致", "it differs from the exchange"})
		}
	}
	// Newer documentation and older libraries call the two members and their values differently.
	result, told := c.object["result"], "result"
	if result == nil {
		result, told = c.object["state"], "state"
	}
	granted := result == "POINT_EXCHANGE_COUPON_SUCCESS" || result == "POINT_EXCHANGE_COUPON_ALLOW"
	answer := c.ofBrand()
	answer["state"] = result
	switch {
	case e.Request == request:
		return c.tell(answer), nil
	case e.Request != "":
		return nil, invalidRequest(text{"积分兑券结果已同步", "the result of the exchange was told before"}, "the result of the exchange was told before, and was another")
	case granted && c.object["coupon_code"] == nil && !isBrandPath(c.target): // no page of brands has it
		return nil, memberError("body", "/coupon_code", "", issueRequired)
	case granted:
		e.CouponCode, _ = c.object["coupon_code"].(string)
	case result == "POINT_EXCHANGE_COUPON_FAIL" || result == "POINT_EXCHANGE_COUPON_REJECT":
		for _, name := range []string{"reject_reason", "fail_reason"} {
			if reason, ok := c.object[name].(string); ok {
				e.FailReason = reason
			}
		}
	default:
		return nil, memberError("body", "/"+told, result, issueConstant)
	}
	e.State, e.Request = result.(string), request
	s.exchanges.put(e.RecordID, e)
	return c.tell(answer), nil
}

// AskForPoints lets a user look at the points of a card. The provider is asked for them by BRAND_MEMBER_CARD_SP.SYNC_USER_POINT, and
// owes a synchronisation until it makes one; see [MemberCard].
func (s *Sandbox) AskForPoints(cardID, openid string) error {
	st := s.begin()
	u, err := st.held(cardID, openid)
	if err == nil {
		u.AskedFor = true
		st.keep(u)
		st.askProvider("SYNC_USER_POINT", u, nil)
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}

// askProvider sends the provider, or the brand, a notice about a user's card that demands a request.
func (s *state) askProvider(what string, u userCard, more map[string]any) {
	of, _ := s.card(u.Card)
	event := of.event(what)
	known := map[string]any{"brand_id": of.Members["brand_id"], "card_id": u.Card, "openid": u.OpenID, "user_card_code": u.Code}
	maps.Copy(known, more)
	notify, _ := of.Members["notify_url"].(string)
	s.announce(notify, event, resourceOf(event, known))
}

// PointExchange is a user's exchange of points for a coupon.
type PointExchange struct {
	RecordID   string    `json:"record_id"`
	BrandID    string    `json:"brand_id"`
	CardID     string    `json:"card_id"`
	Code       string    `json:"user_card_code"`
	OpenID     string    `json:"openid"`
	TemplateID string    `json:"exchange_coupon_template_id"`
	StockID    string    `json:"stock_id"`
	Points     int64     `json:"deduct_points"`
	Time       time.Time `json:"time"`
	// State is empty until the provider tells the result: POINT_EXCHANGE_COUPON_SUCCESS or _FAIL, or _ALLOW or _REJECT.
	State      string `json:"state,omitempty"`
	CouponCode string `json:"coupon_code,omitempty"`
	FailReason string `json:"fail_reason,omitempty"`
}

// ExchangePoints lets a user exchange points of a card for a coupon, and returns the record_id. The provider is told by
// BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON, and has to tell the result and the new balance. More points than the card has are an
// error.
func (s *Sandbox) ExchangePoints(cardID, openid, templateID, stockID string, points int64) (recordID string, err error) {
	now := s.clock()
	st := s.state.begin(now)
	u, err := st.held(cardID, openid)
	switch {
	case err != nil:
	case points < 1 || templateID == "" || stockID == "":
		err = errors.New("sandbox: exchange points: the template, the stock and a number of points above 0 are needed")
	case points > u.Points:
		err = fmt.Errorf("sandbox: exchange points: the card has %d points", u.Points)
	default:
		of, _ := st.card(cardID)
		brand, _ := of.Members["brand_id"].(string)
		recordID = st.platformNumber("10", 28, now)
		st.exchanges.put(recordID, exchange{PointExchange: PointExchange{
			RecordID: recordID, BrandID: brand, CardID: cardID, Code: u.Code, OpenID: openid, TemplateID: templateID, StockID: stockID, Points: points, Time: now,
		}})
		st.askProvider("POINT_EXCHANGE_COUPON", u, map[string]any{
			"record_id": recordID, "exchange_coupon_template_id": templateID, "stock_id": stockID, "deduct_points": points,
		})
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return recordID, err
}

// PointExchanges returns all exchanges of points, the oldest first.
func (s *Sandbox) PointExchanges() []PointExchange {
	st := s.begin()
	defer st.commit()
	var list []PointExchange
	for _, e := range st.exchanges.rows {
		list = append(list, e.PointExchange)
	}
	slices.SortFunc(list, func(a, b PointExchange) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.RecordID, b.RecordID))
	})
	return list
}
