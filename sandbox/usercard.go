package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// userCard is the card of one user, who holds at most one of a template (documentation v3/partner/4015336979 and its
// neighbours). One that the user opened is UNACTIVATED until the provider confirms it.
type userCard struct {
	Card     string         `json:"card"` // card_id
	OpenID   string         `json:"openid"`
	Code     string         `json:"code,omitempty"` // user_card_code; empty until the provider gives it, where the provider does
	State    string         `json:"state"`
	Members  map[string]any `json:"members,omitempty"` // what was said of it beyond the template
	Request  string         `json:"request,omitempty"` // that made it effective, in canonical JSON
	Reason   string         `json:"reason,omitempty"`
	Ended    time.Time      `json:"ended,omitzero"`
	Since    time.Time      `json:"since"`
	Changed  time.Time      `json:"changed"`
	Points   int64          `json:"points,omitempty"`
	AskedFor bool           `json:"asked_for,omitempty"` // the user waits for the balance of the points
}

// States of a user's card, as queries call them.
const (
	cardUnactivated = "UNACTIVATED"
	cardEffective   = "EFFECTIVE"
	cardExpired     = "EXPIRED"
	cardInvalid     = "INVALID"
)

// noticedState is what notices call the states.
var noticedState = map[string]string{cardUnactivated: "NOT_EFFECTIVE", cardEffective: cardEffective, cardExpired: cardExpired, cardInvalid: "UNAVAILABLE"}

// key is that of a user's card in its table; with a code instead of an openid it is that of the code.
func cardKey(cardID, of string) string { return cardID + " " + of }

// userCardOperations are those of users' cards.
func userCardOperations() []operation {
	const cards = "/v3/brand/partner/card-member/user-cards"
	return []operation{
		{Operation: documented("GET", cards), do: (*call).listUserCards},
		{Operation: documented("POST", cards+"/import-by-openid"), do: func(c *call) (any, *refusal) { return c.importCard(c.object["openid"].(string)) }},
		{Operation: documented("POST", cards+"/import-by-phone"), do: func(c *call) (any, *refusal) { return c.importCard(userOf(c.object["phone_number"].(string))) }},
		{Operation: documented("GET", cards+"/{user_card_code}"), do: (*call).queryUserCard},
		{Operation: documented("PATCH", cards+"/{user_card_code}"), do: (*call).changeUserCard},
		{Operation: documented("POST", cards+"/{user_card_code}/confirm"), do: (*call).confirmUserCard},
		{Operation: documented("POST", cards+"/{user_card_code}/invalidate"), do: (*call).invalidateUserCard},
	}
}

// userOf is the openid of the user who has a telephone number.
func userOf(phone string) string {
	m := maker{random: newRandom(0, "openid", phone)}
	return m.draw("ob", len(sampleMember), alphanumeric)
}

var (
	userCardNotExist = &refusal{
		status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
		message: text{"用户会员卡不存在", "the user's card does not exist"}, reason: "no user has a card of this card_id under this user_card_code or openid",
	}
	userCardExists = &refusal{
		status: http.StatusBadRequest, code: "ALREADY_EXISTS", number: numberUndocumented,
		message: text{"用户会员卡已存在", "the user's card exists already"}, reason: "the user has this card already, or its code is another user's",
	}
	userCardNotEffective = invalidRequest(text{"用户会员卡未生效", "the user's card is not effective"},
		"the card is not confirmed, has expired or was ended; a provider confirms it or imports it")
	issueNotTheUsers = text{"与会员卡不匹配", "the card is another user's"}
)

// userCard returns the card of a user. That of the sample values needs no record until it is changed.
func (s *state) userCard(cardID, openid string) (userCard, bool) {
	u, known := s.userCards.get(cardKey(cardID, openid))
	if !known && cardID == sampleCard && openid == sampleMember {
		return userCard{Card: sampleCard, OpenID: sampleMember, Code: sampleCode, State: cardEffective, Since: sampleSince, Changed: sampleSince}, true
	}
	return u, known
}

// userCardOf returns the card that a code names.
func (s *state) userCardOf(cardID, code string) (userCard, bool) {
	openid, known := s.cardCodes.get(cardKey(cardID, code))
	if !known && cardID == sampleCard && code == sampleCode {
		openid = sampleMember
	}
	u, known := s.userCard(cardID, openid)
	return u, known && u.Code == code
}

// keep puts a user's card.
func (s *state) keep(u userCard) {
	s.userCards.put(cardKey(u.Card, u.OpenID), u)
	if u.Code != "" {
		s.cardCodes.put(cardKey(u.Card, u.Code), u.OpenID)
	}
}

// everyUserCard returns all users' cards, the oldest first.
func (s *state) everyUserCard() []userCard {
	list := slices.Collect(maps.Values(s.userCards.rows))
	if _, changed := s.userCards.get(cardKey(sampleCard, sampleMember)); !changed {
		u, _ := s.userCard(sampleCard, sampleMember)
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b userCard) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Card, b.Card), cmp.Compare(a.OpenID, b.OpenID))
	})
	return list
}

// at is the card's state at a time.
func (u userCard) at(now time.Time, of card) string {
	if u.State == cardEffective && !now.Before(u.ends(of)) {
		return cardExpired
	}
	return u.State
}

// ends is when the card expires: in the far future if it is permanent.
func (u userCard) ends(of card) time.Time {
	never := time.Unix(1<<40, 0)
	valid, _ := u.Members["valid_date_information"].(map[string]any)
	if valid == nil {
		valid, _ = of.Members["valid_date_information"].(map[string]any)
	}
	switch valid["type"] {
	case "FIX_TIME_RANGE":
		text, _ := valid["available_end_time"].(string)
		if end, err := time.Parse(time.RFC3339, text); err == nil {
			return end
		}
	case "FIX_TERM":
		if days := wholeNumber(valid["available_day_after_receive"]); days > 0 {
			return u.Since.AddDate(0, 0, days)
		}
	}
	return never
}

// tell is what queries and notices tell of the card.
func (u userCard) tell(now time.Time, of card) map[string]any {
	known := pickMembers(of.Members, "brand_id", "card_type", "card_color", "card_picture_url", "valid_date_information")
	known["pickup_time"] = platformTime(u.Since)
	maps.Copy(known, u.Members)
	known["card_id"], known["openid"], known["user_card_state"] = u.Card, u.OpenID, u.at(now, of)
	known["create_time"], known["modify_time"] = platformTime(u.Since), platformTime(u.Changed)
	if u.Code != "" {
		known["user_card_code"] = u.Code
	}
	if !u.Ended.IsZero() {
		known["invalid_time"] = platformTime(u.Ended)
		if u.Reason != "" {
			known["invalid_reason"] = u.Reason
		}
	}
	return known
}

// said returns the members of a request that describe a user's card.
func said(request map[string]any) map[string]any {
	members := pickMembers(request, "card_color", "card_picture_url", "phone_number", "level", "valid_date_information", "user_information", "attach", "pickup_time")
	if valid, ok := request["date_information"]; ok { // its other name in an import
		members["valid_date_information"] = valid
	}
	return members
}

// importCard makes a user's card effective of which WeChat knew nothing. It repeats the answer for the same request.
func (c *call) importCard(openid string) (any, *refusal) {
	cardID, code, request := c.object["card_id"].(string), c.object["user_card_code"].(string), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	of, refused := s.brandCard(cardID, c.brandOf())
	if refused != nil {
		return nil, refused
	}
	u, known := s.userCard(cardID, openid)
	if known && u.State != cardInvalid {
		if u.Request != request {
			return nil, userCardExists
		}
		return c.tell(u.tell(c.now, of)), nil
	}
	if other, used := s.userCardOf(cardID, code); used && other.OpenID != openid {
		return nil, userCardExists
	}
	u = userCard{Card: cardID, OpenID: openid, Code: code, State: cardEffective, Members: said(c.object), Request: request, Since: c.now, Changed: c.now}
	s.keep(u)
	return c.tell(u.tell(c.now, of)), nil
}

// cardNamed returns the template that a request names. Documentation v3/partner/4015336979 and other sources disagree whether it
// belongs to the query or to the body.
func (c *call) cardNamed() (string, *refusal) {
	cardID := c.query.Get("card_id")
	if told, ok := c.object["card_id"].(string); ok && cardID == "" {
		cardID = told
	}
	if cardID == "" {
		return "", memberError("query", "card_id", "", issueRequired)
	}
	return cardID, nil
}

// confirmUserCard ends the opening of a card by its user, well or not. It repeats the answer for the same request.
func (c *call) confirmUserCard() (any, *refusal) {
	code, openid := c.path["user_card_code"], c.object["openid"].(string)
	cardID, refused := c.cardNamed()
	if refused != nil {
		return nil, refused
	}
	request := code + string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	of, refused := s.brandCard(cardID, c.brandOf())
	if refused != nil {
		return nil, refused
	}
	u, known := s.userCard(cardID, openid)
	other, used := s.userCardOf(cardID, code)
	switch {
	case !known || u.Code != "" && u.Code != code:
		return nil, userCardNotExist
	case u.Request == request:
		return c.tell(u.tell(c.now, of)), nil
	case u.State != cardUnactivated || used && other.OpenID != openid:
		return nil, userCardExists
	}
	u.Code, u.Request, u.Changed = code, request, c.now
	u.Members = maps.Clone(u.Members)
	if u.Members == nil {
		u.Members = make(map[string]any)
	}
	maps.Copy(u.Members, said(c.object))
	switch state := c.object["user_card_confirm_state"]; state {
	case "CREATE_CARD_SUCCESS", "CREATE_CARD_ALREADY_EXISTS":
		u.State = cardEffective
	case "CREATE_CARD_FAIL":
		u.State, u.Reason, u.Ended = cardInvalid, "CREATE_CARD_FAIL", c.now
	default:
		return nil, memberError("body", "/user_card_confirm_state", state, issueConstant)
	}
	s.keep(u)
	return c.tell(u.tell(c.now, of)), nil
}

// named returns the card that path and request name, with its template. openid is checked where it is given.
func (c *call) named(s *state, openid any) (userCard, card, *refusal) {
	cardID, refused := c.cardNamed()
	if refused != nil {
		return userCard{}, card{}, refused
	}
	of, refused := s.brandCard(cardID, c.brandOf())
	if refused != nil {
		return userCard{}, card{}, refused
	}
	u, known := s.userCardOf(cardID, c.path["user_card_code"])
	if !known || openid != nil && u.OpenID != openid {
		return userCard{}, card{}, userCardNotExist
	}
	return u, of, nil
}

func (c *call) queryUserCard() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	u, of, refused := c.named(s, c.query.Get("openid"))
	if refused != nil {
		return nil, refused
	}
	return c.tell(u.tell(c.now, of)), nil
}

func (c *call) changeUserCard() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	u, of, refused := c.named(s, c.object["openid"])
	if refused != nil {
		return nil, refused
	}
	members := make(map[string]any)
	maps.Copy(members, u.Members)
	maps.Copy(members, said(c.object))
	u.Members, u.Changed = members, c.now
	s.keep(u)
	return c.tell(u.tell(c.now, of)), nil
}

// invalidateUserCard ends a user's card. Again is answered the same.
func (c *call) invalidateUserCard() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	u, of, refused := c.named(s, c.object["openid"])
	if refused != nil {
		return nil, refused
	}
	if u.State != cardInvalid {
		reason, _ := c.object["invalid_reason"].(string)
		u.State, u.Reason, u.Ended, u.Changed = cardInvalid, reason, c.now, c.now
		s.keep(u)
	}
	return c.tell(u.tell(c.now, of)), nil
}

func (c *call) listUserCards() (any, *refusal) {
	offset, limit, refused := c.askedPage(20, 0)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	var list []map[string]any
	for _, u := range s.everyUserCard() {
		of, known := s.card(u.Card)
		told := u.tell(c.now, of)
		if state := c.query.Get("user_card_state"); known && u.OpenID == c.query.Get("openid") && told["brand_id"] == c.brandOf() &&
			(state == "" || told["user_card_state"] == state) {
			list = append(list, told)
		}
	}
	return c.paged(list, offset, limit), nil
}

// holder returns the card that the body names, which must be its user's and effective. That a card which is not confirmed is
// refused is likely and not documented.
func (c *call) holder(s *state) (userCard, *refusal) {
	of, refused := s.brandCard(c.object["card_id"].(string), c.brandOf())
	if refused != nil {
		return userCard{}, refused
	}
	u, known := s.userCardOf(of.ID, c.object["user_card_code"].(string))
	switch {
	case !known:
		return userCard{}, userCardNotExist
	case u.OpenID != c.object["openid"]:
		return userCard{}, memberError("body", "/openid", c.object["openid"], issueNotTheUsers)
	case u.at(c.now, of) != cardEffective:
		return userCard{}, userCardNotEffective
	}
	return u, nil
}

// MemberCard is a user's card of a brand.
type MemberCard struct {
	BrandID string `json:"brand_id"`
	CardID  string `json:"card_id"`        // of the template
	Code    string `json:"user_card_code"` // empty where the provider is to give it and has not yet
	OpenID  string `json:"openid"`
	State   string `json:"user_card_state"` // UNACTIVATED, EFFECTIVE, EXPIRED or INVALID
	Points  int64  `json:"point_balance"`   // as it was synchronised last
	// Awaited says that the user asked for the points and the provider has not synchronised them since; see
	// [Sandbox.AskForPoints].
	Awaited bool `json:"point_balance_awaited"`
}

// MemberCards returns the cards of all users, the oldest first. The first is the one of the documentation's sample values, which
// every sandbox has.
func (s *Sandbox) MemberCards() []MemberCard {
	now := s.clock()
	st := s.state.begin(now)
	defer st.commit()
	var list []MemberCard
	for _, u := range st.everyUserCard() {
		of, _ := st.card(u.Card)
		brand, _ := of.Members["brand_id"].(string)
		list = append(list, MemberCard{BrandID: brand, CardID: u.Card, Code: u.Code, OpenID: u.OpenID, State: u.at(now, of), Points: u.Points, Awaited: u.AskedFor})
	}
	return list
}

// OpenMemberCard lets a user open a card, and returns its user_card_code, which is empty where the provider gives it. The provider
// is told at the template's notify_url by BRAND_MEMBER_CARD_SP.USER_CARD.CREATE (a brand that made the template itself by
// BRAND_MEMBER_CARD.USER_CARD.CREATE, and so on), and has to confirm the card before anything can be
// done with it. A template that does not exist or has ended, and a user who has the card, are errors. phone may be empty.
func (s *Sandbox) OpenMemberCard(cardID, openid, phone string) (userCardCode string, err error) {
	now := s.clock()
	st := s.state.begin(now)
	of, known := st.card(cardID)
	u, has := st.userCard(cardID, openid)
	switch {
	case openid == "":
		err = errors.New("sandbox: open member card: the openid is empty")
	case !known || of.Invalid:
		err = fmt.Errorf("sandbox: open member card: there is no card %q that can be opened", cardID)
	case has && u.State != cardInvalid:
		err = fmt.Errorf("sandbox: open member card: the user has the card %q", cardID)
	default:
		u = userCard{Card: cardID, OpenID: openid, State: cardUnactivated, Since: now, Changed: now}
		if phone != "" {
			u.Members = map[string]any{"phone_number": phone}
		}
		if of.Members["code_mode"] != "MERCHANT_ALLOCATE" {
			u.Code = st.draw("user card", "4", len(sampleCode), "0123456789")
		}
		st.keep(u)
		st.noticeCard("CREATE", u, of, noticedState[u.State], now)
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return u.Code, err
}

// DeleteMemberCard lets a user delete a card. The provider is told by BRAND_MEMBER_CARD_SP.USER_CARD.DELETE.
func (s *Sandbox) DeleteMemberCard(cardID, openid string) error {
	now := s.clock()
	st := s.state.begin(now)
	u, err := st.held(cardID, openid)
	if err == nil {
		of, _ := st.card(cardID)
		u.State, u.Reason, u.Ended, u.Changed = cardInvalid, "DELETE", now, now
		st.keep(u)
		st.noticeCard("DELETE", u, of, "DELETE", now)
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}

// held returns a card that its user still has, for what users do.
func (s *state) held(cardID, openid string) (userCard, error) {
	u, known := s.userCard(cardID, openid)
	if !known || u.State == cardInvalid {
		return u, fmt.Errorf("sandbox: the user has no card %q", cardID)
	}
	return u, nil
}

// event is the type of the events of the template's cards that ends in what.
func (k card) event(what string) string {
	if k.Direct {
		return "BRAND_MEMBER_CARD." + what
	}
	return "BRAND_MEMBER_CARD_SP." + what
}

// noticeCard tells the provider, or the brand, what a user did with a card.
func (s *state) noticeCard(what string, u userCard, of card, state string, now time.Time) {
	event := of.event("USER_CARD." + what)
	known := u.tell(now, of)
	known["user_card_state"] = state
	notify, _ := of.Members["notify_url"].(string)
	s.announce(notify, event, resourceOf(event, known))
}
