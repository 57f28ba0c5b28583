package member

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant. lenient accepts feeds and points for any card and user.
func Open(m *gate.Merchant, lenient bool) *Flow {
	f := &Flow{
		Merchant: m, lenient: lenient,
		feeds:     book.OpenTable[feed](m.Book, m.ID, "feeds"),
		cards:     book.OpenTable[card](m.Book, m.ID, "cards"),
		userCards: book.OpenTable[userCard](m.Book, m.ID, "user cards"),
		cardCodes: book.OpenTable[string](m.Book, m.ID, "card codes"),
		syncs:     book.OpenTable[pointSync](m.Book, m.ID, "point syncs"),
		exchanges: book.OpenTable[exchange](m.Book, m.ID, "exchanges"),
	}
	for _, o := range slices.Concat(f.feedOperations(), f.cardOperations(), f.userCardOperations(), f.pointOperations()) {
		m.Serve(o)
		rest, _ := strings.CutPrefix(o.Path, "/v3/brand/partner/")
		if facts, known := catalog.V3().Lookup(o.Method, "/brand/"+rest); known { // by the brand itself
			o.Operation = facts
			m.Serve(o)
		}
	}
	m.Ledger.Register(ledger.Kind{Name: "feed"})
	m.Control(
		console.Order{Method: "POST", Path: "member-cards", Does: "Users.OpenMemberCard", Run: f.OpenMemberCard,
			In: "card_id openid phone", Out: "user_card_code"},
		console.Order{Method: "POST", Path: "member-cards/delete", Does: "Users.DeleteMemberCard", Run: f.DeleteMemberCard, In: "card_id openid"},
		console.Order{Method: "GET", Path: "member-cards", Does: "Users.MemberCards", Run: f.MemberCards, Out: "member_cards"},
		console.Order{Method: "GET", Path: "member-feeds", Does: "Users.MemberFeeds", Run: f.MemberFeeds, Out: "member_feeds"},
		console.Order{Method: "POST", Path: "member-feeds/repeated", Does: "Sandbox.OnRepeatedFeed", Run: f.OnRepeatedFeed, In: "way"},
		console.Order{Method: "POST", Path: "points/ask", Does: "Users.AskForPoints", Run: f.AskForPoints, In: "card_id openid"},
		console.Order{Method: "POST", Path: "points/exchange", Does: "Users.ExchangePoints", Run: f.ExchangePoints,
			In: "card_id openid exchange_coupon_template_id stock_id deduct_points", Out: "record_id"},
		console.Order{Method: "GET", Path: "points/exchanges", Does: "Users.PointExchanges", Run: f.PointExchanges, Out: "exchanges"},
	)
	return f
}

// Limits of the fields of feeds and points.
var (
	feedLimits  = map[string]gate.Limit{"/out_request_no": {Min: 1, Max: 64, Charset: gate.RequestChars}, "/cell": {Min: 1, Max: 128}}
	pointLimits = map[string]gate.Limit{"/out_request_no": {Min: 1, Max: 64, Charset: gate.RequestChars}}
)

// feedOperations returns those of feeds.
func (f *Flow) feedOperations() []gate.Operation {
	return []gate.Operation{{
		Operation: gate.Documented("POST", "/v3/brand/partner/card-member/user-feeds"),
		Limits:    feedLimits,
		Do:        f.createFeed,
	}}
}

// cardOperations returns those of card templates.
func (f *Flow) cardOperations() []gate.Operation {
	const cards = "/v3/brand/partner/card-member/cards"
	return []gate.Operation{
		{Operation: gate.Documented("POST", cards), Do: f.createCard},
		{Operation: gate.Documented("GET", cards), Do: f.listCards},
		{Operation: gate.Documented("GET", cards+"/{card_id}"), Do: f.queryCard},
		{Operation: gate.Documented("PATCH", cards+"/{card_id}"), Do: f.changeCard},
		{Operation: gate.Documented("DELETE", cards+"/{card_id}"), Do: f.deleteCard},
		{Operation: gate.Documented("POST", cards+"/{card_id}/invalidate"), Do: f.invalidateCard},
	}
}

// userCardOperations returns those of users' cards.
func (f *Flow) userCardOperations() []gate.Operation {
	const cards = "/v3/brand/partner/card-member/user-cards"
	return []gate.Operation{
		{Operation: gate.Documented("GET", cards), Do: f.listUserCards},
		{Operation: gate.Documented("POST", cards+"/import-by-openid"), Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.importCard(c, c.Object["openid"].(string))
		}},
		{Operation: gate.Documented("POST", cards+"/import-by-phone"), Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.importCard(c, userOf(c.Object["phone_number"].(string)))
		}},
		{Operation: gate.Documented("GET", cards+"/{user_card_code}"), Do: f.queryUserCard},
		{Operation: gate.Documented("PATCH", cards+"/{user_card_code}"), Do: f.changeUserCard},
		{Operation: gate.Documented("POST", cards+"/{user_card_code}/confirm"), Do: f.confirmUserCard},
		{Operation: gate.Documented("POST", cards+"/{user_card_code}/invalidate"), Do: f.invalidateUserCard},
	}
}

// pointOperations returns those of members' points.
func (f *Flow) pointOperations() []gate.Operation {
	const points = "/v3/brand/partner/card-member/user-points"
	return []gate.Operation{
		{
			Operation: gate.Documented("POST", points+"/sync"),
			Limits:    pointLimits,
			Do:        f.syncPoints,
		},
		{Operation: gate.Documented("POST", points+"/exchange-coupon/confirm"), Do: f.confirmExchange},
	}
}
