package member

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
)

// OnRepeatedFeed sets the treatment of repeated member feeds, Same by default.
func (f *Flow) OnRepeatedFeed(way Repeated) {
	f.Book.Lock()
	defer f.Book.Unlock()
	f.repeated = way
}

// Feed is a feed that was shown in a member's card.
type Feed struct {
	Number  string    `json:"out_request_no"`
	BrandID string    `json:"brand_id"`
	CardID  string    `json:"card_id"`
	Code    string    `json:"user_card_code"`
	OpenID  string    `json:"openid"`
	Cell    string    `json:"cell_message"` // cell_message or cell of the request
	Time    time.Time `json:"time"`
}

// MemberFeeds returns the feeds that were shown, the oldest first. No operation of the platform
// tells of them.
func (f *Flow) MemberFeeds() []Feed {
	var list []Feed
	for _, e := range f.Ledger.Effects("feed") {
		request := book.ReadObject(e.Params)
		field := func(name string) string { value, _ := request[name].(string); return value }
		list = append(list, Feed{
			Number: e.Number, BrandID: field("brand_id"), CardID: field("card_id"), Code: field("user_card_code"),
			OpenID: field("openid"), Cell: field("cell_message") + field("cell"), Time: e.Time,
		})
	}
	return list
}

// Card is a user's card of a brand.
type Card struct {
	BrandID string `json:"brand_id"`
	CardID  string `json:"card_id"`        // of the template
	Code    string `json:"user_card_code"` // empty until the provider gives it, where the provider does
	OpenID  string `json:"openid"`
	State   string `json:"user_card_state"` // UNACTIVATED, EFFECTIVE, EXPIRED or INVALID
	Points  int64  `json:"point_balance"`   // as it was synchronised last
	// Awaited says that the user asked for the points and the provider has not synchronised them
	// since; see AskForPoints.
	Awaited bool `json:"point_balance_awaited"`
}

// MemberCards returns the cards of all users, the oldest first. The first is the one of the
// documentation's sample values, which every sandbox has.
func (f *Flow) MemberCards() []Card {
	b, now := f.Begin()
	defer b.Commit()
	var list []Card
	for _, u := range f.everyUserCard() {
		of, _ := f.card(u.Card)
		brand, _ := of.Fields["brand_id"].(string)
		list = append(list, Card{
			BrandID: brand, CardID: u.Card, Code: u.Code, OpenID: u.OpenID, State: u.at(now, of), Points: u.Points, Awaited: u.AskedFor,
		})
	}
	return list
}

// OpenMemberCard lets a user open a card, and returns its user_card_code, which is empty where the
// provider gives it. BRAND_MEMBER_CARD_SP.USER_CARD.CREATE notifies the provider at the template's
// notify_url (BRAND_MEMBER_CARD.USER_CARD.CREATE notifies a brand that made the template itself).
// Nothing can be done with the card until the provider confirms it. A template that does not exist
// or has ended, and a user who has the card, are errors. phone may be empty.
func (f *Flow) OpenMemberCard(cardID, openid, phone string) (userCardCode string, err error) {
	b, now := f.Begin()
	of, known := f.card(cardID)
	u, has := f.userCard(cardID, openid)
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
			u.Fields = map[string]any{"phone_number": phone}
		}
		if of.Fields["code_mode"] != "MERCHANT_ALLOCATE" {
			u.Code = f.draw("user card", "4", len(sampleCode), "0123456789")
		}
		f.keep(u)
		f.noticeCard("CREATE", u, of, noticedState[u.State], now)
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return u.Code, err
}

// DeleteMemberCard lets a user delete a card. BRAND_MEMBER_CARD_SP.USER_CARD.DELETE notifies the
// provider.
func (f *Flow) DeleteMemberCard(cardID, openid string) error {
	b, now := f.Begin()
	u, err := f.held(cardID, openid)
	if err == nil {
		of, _ := f.card(cardID)
		u.State, u.Reason, u.Ended, u.Changed = cardInvalid, "DELETE", now, now
		f.keep(u)
		f.noticeCard("DELETE", u, of, "DELETE", now)
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return err
}

// held returns a card that its user still has, for the acts of users.
func (f *Flow) held(cardID, openid string) (userCard, error) {
	u, known := f.userCard(cardID, openid)
	if !known || u.State == cardInvalid {
		return u, fmt.Errorf("sandbox: the user has no card %q", cardID)
	}
	return u, nil
}

// event returns the type of an event about the template's cards. It ends in what.
func (k card) event(what string) string {
	if k.Direct {
		return "BRAND_MEMBER_CARD." + what
	}
	return "BRAND_MEMBER_CARD_SP." + what
}

// noticeCard notifies the provider, or the brand, of an act of a user.
func (f *Flow) noticeCard(what string, u userCard, of card, state string, now time.Time) {
	event := of.event("USER_CARD." + what)
	known := u.tell(now, of)
	known["user_card_state"] = state
	notify, _ := of.Fields["notify_url"].(string)
	f.Post.Announce(notify, event, sample.Resource(event, known))
}

// AskForPoints lets a user look at the points of a card. BRAND_MEMBER_CARD_SP.SYNC_USER_POINT asks
// the provider for them, and the card is Awaited until the provider synchronises them; see [Card].
func (f *Flow) AskForPoints(cardID, openid string) error {
	b, _ := f.Begin()
	u, err := f.held(cardID, openid)
	if err == nil {
		u.AskedFor = true
		f.keep(u)
		f.askProvider("SYNC_USER_POINT", u, nil)
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return err
}

// askProvider notifies the provider, or the brand, of a demand for a request about a user's card.
func (f *Flow) askProvider(what string, u userCard, more map[string]any) {
	of, _ := f.card(u.Card)
	event := of.event(what)
	known := map[string]any{"brand_id": of.Fields["brand_id"], "card_id": u.Card, "openid": u.OpenID, "user_card_code": u.Code}
	maps.Copy(known, more)
	notify, _ := of.Fields["notify_url"].(string)
	f.Post.Announce(notify, event, sample.Resource(event, known))
}

// ExchangePoints lets a user exchange points of a card for a coupon, and returns the record_id.
// BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON notifies the provider, who has to tell the result and
// the new balance. More points than the card has are an error.
func (f *Flow) ExchangePoints(cardID, openid, templateID, stockID string, points int64) (recordID string, err error) {
	b, now := f.Begin()
	u, err := f.held(cardID, openid)
	switch {
	case err != nil:
	case points < 1 || templateID == "" || stockID == "":
		err = errors.New("sandbox: exchange points: the template, the stock and a number of points above 0 are needed")
	case points > u.Points:
		err = fmt.Errorf("sandbox: exchange points: the card has %d points", u.Points)
	default:
		of, _ := f.card(cardID)
		brand, _ := of.Fields["brand_id"].(string)
		recordID = f.Number("10", 28, now)
		f.exchanges.Put(recordID, exchange{Exchange: Exchange{
			RecordID: recordID, BrandID: brand, CardID: cardID, Code: u.Code, OpenID: openid,
			TemplateID: templateID, StockID: stockID, Points: points, Time: now,
		}})
		f.askProvider("POINT_EXCHANGE_COUPON", u, map[string]any{
			"record_id": recordID, "exchange_coupon_template_id": templateID, "stock_id": stockID, "deduct_points": points,
		})
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return recordID, err
}

// PointExchanges returns all exchanges of points, the oldest first.
func (f *Flow) PointExchanges() []Exchange {
	b, _ := f.Begin()
	defer b.Commit()
	var list []Exchange
	for _, e := range f.exchanges.Rows() {
		list = append(list, e.Exchange)
	}
	slices.SortFunc(list, func(a, b Exchange) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.RecordID, b.RecordID))
	})
	return list
}
