package member

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// userOf is the openid of the user who has a telephone number.
func userOf(phone string) string {
	m := sample.Maker{Random: sample.Random(0, "openid", phone)}
	return m.Draw("ob", len(sampleMember), say.Alphanumeric)
}

var (
	userCardNotExist = say.NotFound("RESOURCE_NOT_EXISTS", say.Both("用户会员卡不存在", "the user's card does not exist"),
		"no user has a card of this card_id under this user_card_code or openid")
	userCardExists = say.BadRequest("ALREADY_EXISTS", say.Both("用户会员卡已存在", "the user's card exists already"),
		"the user has this card already, or its code is another user's")
	userCardNotEffective = say.InvalidRequest(say.Both("用户会员卡未生效", "the user's card is not effective"),
		"the card is not confirmed, has expired or was ended; a provider confirms it or imports it")
	issueNotTheUsers = say.Unfitting("与会员卡不匹配", "the card is another user's")
)

// userCard returns the card of a user. That of the sample values needs no record until it is
// changed.
func (f *Flow) userCard(cardID, openid string) (userCard, bool) {
	u, known := f.userCards.Get(cardKey(cardID, openid))
	if !known && cardID == sampleCard && openid == sampleMember {
		return userCard{
			Card: sampleCard, OpenID: sampleMember, Code: sampleCode, State: cardEffective, Since: sampleSince, Changed: sampleSince,
		}, true
	}
	return u, known
}

// userCardOf returns the card that a code names.
func (f *Flow) userCardOf(cardID, code string) (userCard, bool) {
	openid, known := f.cardCodes.Get(cardKey(cardID, code))
	if !known && cardID == sampleCard && code == sampleCode {
		openid = sampleMember
	}
	u, known := f.userCard(cardID, openid)
	return u, known && u.Code == code
}

// keep puts a user's card.
func (f *Flow) keep(u userCard) {
	f.userCards.Put(cardKey(u.Card, u.OpenID), u)
	if u.Code != "" {
		f.cardCodes.Put(cardKey(u.Card, u.Code), u.OpenID)
	}
}

// everyUserCard returns all users' cards, the oldest first.
func (f *Flow) everyUserCard() []userCard {
	list := slices.Collect(book.Values(f.userCards))
	if _, changed := f.userCards.Get(cardKey(sampleCard, sampleMember)); !changed {
		u, _ := f.userCard(sampleCard, sampleMember)
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b userCard) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Card, b.Card), cmp.Compare(a.OpenID, b.OpenID))
	})
	return list
}

// at returns the card's state at a time.
func (u userCard) at(now time.Time, of card) string {
	if u.State == cardEffective && !now.Before(u.ends(of)) {
		return cardExpired
	}
	return u.State
}

// ends returns the time at which the card expires, in the far future if it is permanent.
func (u userCard) ends(of card) time.Time {
	never := time.Unix(1<<40, 0)
	valid, _ := u.Fields["valid_date_information"].(map[string]any)
	if valid == nil {
		valid, _ = of.Fields["valid_date_information"].(map[string]any)
	}
	switch valid["type"] {
	case "FIX_TIME_RANGE":
		text, _ := valid["available_end_time"].(string)
		if end, err := time.Parse(time.RFC3339, text); err == nil {
			return end
		}
	case "FIX_TERM":
		if days := sample.WholeNumber(valid["available_day_after_receive"]); days > 0 {
			return u.Since.AddDate(0, 0, days)
		}
	}
	return never
}

// tell returns all that queries and notifications tell of the card.
func (u userCard) tell(now time.Time, of card) map[string]any {
	known := sample.Named(of.Fields, "brand_id", "card_type", "card_color", "card_picture_url", "valid_date_information")
	known["pickup_time"] = say.Time(u.Since)
	maps.Copy(known, u.Fields)
	known["card_id"], known["openid"], known["user_card_state"] = u.Card, u.OpenID, u.at(now, of)
	known["create_time"], known["modify_time"] = say.Time(u.Since), say.Time(u.Changed)
	if u.Code != "" {
		known["user_card_code"] = u.Code
	}
	if !u.Ended.IsZero() {
		known["invalid_time"] = say.Time(u.Ended)
		if u.Reason != "" {
			known["invalid_reason"] = u.Reason
		}
	}
	return known
}

// said returns the fields of a request that describe a user's card.
func said(request map[string]any) map[string]any {
	fields := sample.Named(request,
		"card_color", "card_picture_url", "phone_number", "level", "valid_date_information", "user_information", "attach", "pickup_time")
	if valid, ok := request["date_information"]; ok { // its other name in an import
		fields["valid_date_information"] = valid
	}
	return fields
}

// importCard makes a card effective that the user has from elsewhere. A repetition gets the same
// response.
func (f *Flow) importCard(c *gate.Call, openid string) (any, *say.Rejection) {
	cardID, code, request := c.Object["card_id"].(string), c.Object["user_card_code"].(string), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	of, rejected := f.brandCard(cardID, c.BrandID())
	if rejected != nil {
		return nil, rejected
	}
	u, known := f.userCard(cardID, openid)
	if known && u.State != cardInvalid {
		if u.Request != request {
			return nil, userCardExists
		}
		return c.Tell(u.tell(c.Now, of)), nil
	}
	if other, used := f.userCardOf(cardID, code); used && other.OpenID != openid {
		return nil, userCardExists
	}
	u = userCard{
		Card: cardID, OpenID: openid, Code: code, State: cardEffective, Fields: said(c.Object), Request: request,
		Since: c.Now, Changed: c.Now,
	}
	f.keep(u)
	return c.Tell(u.tell(c.Now, of)), nil
}

// cardNamed returns the template that a request names. Documentation v3/partner/4015336979 and
// other sources disagree whether it belongs to the query or to the body.
func (f *Flow) cardNamed(c *gate.Call) (string, *say.Rejection) {
	cardID := c.Query.Get("card_id")
	if told, ok := c.Object["card_id"].(string); ok && cardID == "" {
		cardID = told
	}
	if cardID == "" {
		return "", say.FieldError("query", "card_id", "", say.IssueRequired)
	}
	return cardID, nil
}

// confirmUserCard ends the opening of a card by its user, with or without success. A repetition
// gets the same response.
func (f *Flow) confirmUserCard(c *gate.Call) (any, *say.Rejection) {
	code, openid := c.Path["user_card_code"], c.Object["openid"].(string)
	cardID, rejected := f.cardNamed(c)
	if rejected != nil {
		return nil, rejected
	}
	request := code + string(say.JSON(c.Object))
	defer c.Begin().Commit()
	of, rejected := f.brandCard(cardID, c.BrandID())
	if rejected != nil {
		return nil, rejected
	}
	u, known := f.userCard(cardID, openid)
	other, used := f.userCardOf(cardID, code)
	switch {
	case !known || u.Code != "" && u.Code != code:
		return nil, userCardNotExist
	case u.Request == request:
		return c.Tell(u.tell(c.Now, of)), nil
	case u.State != cardUnactivated || used && other.OpenID != openid:
		return nil, userCardExists
	}
	u.Code, u.Request, u.Changed = code, request, c.Now
	u.Fields = maps.Clone(u.Fields)
	if u.Fields == nil {
		u.Fields = make(map[string]any)
	}
	maps.Copy(u.Fields, said(c.Object))
	switch state := c.Object["user_card_confirm_state"]; state {
	case "CREATE_CARD_SUCCESS", "CREATE_CARD_ALREADY_EXISTS":
		u.State = cardEffective
	case "CREATE_CARD_FAIL":
		u.State, u.Reason, u.Ended = cardInvalid, "CREATE_CARD_FAIL", c.Now
	default:
		return nil, say.FieldError("body", "/user_card_confirm_state", state, say.IssueConstant)
	}
	f.keep(u)
	return c.Tell(u.tell(c.Now, of)), nil
}

// named returns the card that path and request name, with its template. openid is checked where it
// is given.
func (f *Flow) named(c *gate.Call, openid any) (userCard, card, *say.Rejection) {
	cardID, rejected := f.cardNamed(c)
	if rejected != nil {
		return userCard{}, card{}, rejected
	}
	of, rejected := f.brandCard(cardID, c.BrandID())
	if rejected != nil {
		return userCard{}, card{}, rejected
	}
	u, known := f.userCardOf(cardID, c.Path["user_card_code"])
	if !known || openid != nil && u.OpenID != openid {
		return userCard{}, card{}, userCardNotExist
	}
	return u, of, nil
}

func (f *Flow) queryUserCard(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	u, of, rejected := f.named(c, c.Query.Get("openid"))
	if rejected != nil {
		return nil, rejected
	}
	return c.Tell(u.tell(c.Now, of)), nil
}

func (f *Flow) changeUserCard(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	u, of, rejected := f.named(c, c.Object["openid"])
	if rejected != nil {
		return nil, rejected
	}
	fields := make(map[string]any)
	maps.Copy(fields, u.Fields)
	maps.Copy(fields, said(c.Object))
	u.Fields, u.Changed = fields, c.Now
	f.keep(u)
	return c.Tell(u.tell(c.Now, of)), nil
}

// invalidateUserCard ends a user's card. A repetition gets the same response.
func (f *Flow) invalidateUserCard(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	u, of, rejected := f.named(c, c.Object["openid"])
	if rejected != nil {
		return nil, rejected
	}
	if u.State != cardInvalid {
		reason, _ := c.Object["invalid_reason"].(string)
		u.State, u.Reason, u.Ended, u.Changed = cardInvalid, reason, c.Now, c.Now
		f.keep(u)
	}
	return c.Tell(u.tell(c.Now, of)), nil
}

func (f *Flow) listUserCards(c *gate.Call) (any, *say.Rejection) {
	offset, limit, rejected := c.AskedPage(20, 0)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	var list []map[string]any
	for _, u := range f.everyUserCard() {
		of, known := f.card(u.Card)
		told := u.tell(c.Now, of)
		if state := c.Query.Get("user_card_state"); known && u.OpenID == c.Query.Get("openid") && told["brand_id"] == c.BrandID() &&
			(state == "" || told["user_card_state"] == state) {
			list = append(list, told)
		}
	}
	return c.Paged(list, offset, limit), nil
}

// holder returns the card that the body names, which must be its user's and effective. That a card
// which is not confirmed is rejected is likely and not documented.
func (f *Flow) holder(c *gate.Call) (userCard, *say.Rejection) {
	of, rejected := f.brandCard(c.Object["card_id"].(string), c.BrandID())
	if rejected != nil {
		return userCard{}, rejected
	}
	u, known := f.userCardOf(of.ID, c.Object["user_card_code"].(string))
	switch {
	case !known:
		return userCard{}, userCardNotExist
	case u.OpenID != c.Object["openid"]:
		return userCard{}, say.FieldError("body", "/openid", c.Object["openid"], issueNotTheUsers)
	case u.at(c.Now, of) != cardEffective:
		return userCard{}, userCardNotEffective
	}
	return u, nil
}
