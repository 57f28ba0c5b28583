// Package member simulates the member cards of brands: templates, users' cards, points and feeds.
package member

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Repeated is the treatment of a member feed with a known out_request_no. The platform's
// treatment is not documented, so a caller that repeats feeds must be ready for each of them.
type Repeated int

// Ways to treat a repeated feed.
const (
	Same      Repeated = iota // the same response and no second effect; other parameters are 400 ALREADY_EXISTS
	Duplicate                 // a second effect
	Exists                    // 400 ALREADY_EXISTS
)

// ways are the ways as text.
var ways = []string{Same: "same", Duplicate: "duplicate", Exists: "exists"}

// UnmarshalText reads same, duplicate or exists.
func (w *Repeated) UnmarshalText(text []byte) error {
	i := slices.Index(ways, string(text))
	if i < 0 {
		return fmt.Errorf("sandbox: there is no way %q; there are %s", text, strings.Join(ways, ", "))
	}
	*w = Repeated(i)
	return nil
}

// feed is one member feed that was shown.
type feed struct {
	Request string `json:"request"` // in canonical JSON; of the last, where a repetition is shown again
}

// card is a card template of a brand, made by a provider (documentation v3/partner/4015336970 and
// its neighbours) or by the brand itself (brand/4015582711).
type card struct {
	ID      string         `json:"id"`     // card_id
	Fields  map[string]any `json:"fields"` // of the request, as they were changed since
	Invalid bool           `json:"invalid,omitempty"`
	Deleted bool           `json:"deleted,omitempty"`
	Since   time.Time      `json:"since"`
	Changed time.Time      `json:"changed"`
	Direct  bool           `json:"direct,omitempty"` // the brand made it itself, and is notified of its members
}

// The card of the sample values, which every sandbox has from the beginning, with the user who
// holds it.
const (
	sampleCard   = "pbLatjvWOibDc5-TBnbUk1pD12o0"
	sampleCode   = "478515832665"
	sampleMember = "obLatjnx9gnqzS4myYGmLZ7LgLBA"
)

// sampleSince is when the sample card was made.
var sampleSince = time.Date(2025, 1, 1, 0, 0, 0, 0, say.Beijing)

func theSampleCard() card {
	return card{ID: sampleCard, Since: sampleSince, Changed: sampleSince, Fields: map[string]any{
		"out_request_no": "SANDBOX1", "brand_id": say.BrandID, "appid": say.SampleAppID,
		"card_type": "NORMAL", "card_title": "sandbox", "card_color": "Color010",
		"card_picture_url": "https://merchant.example/card.png", "code_mode": "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "sandbox",
		"notify_url": "https://merchant.example/notify", "valid_date_information": map[string]any{"type": "PERMANENT"},
	}}
}

// userCard is the card of one user, who holds at most one of a template (documentation
// v3/partner/4015336979 and its neighbours). One that the user opened is UNACTIVATED until the
// provider confirms it.
type userCard struct {
	Card     string         `json:"card"` // card_id
	OpenID   string         `json:"openid"`
	Code     string         `json:"code,omitempty"` // user_card_code; empty until the provider gives it, where the provider does
	State    string         `json:"state"`
	Fields   map[string]any `json:"fields,omitempty"`  // what was said of it beyond the template
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

// noticedState are the names of the states in notifications.
var noticedState = map[string]string{cardUnactivated: "NOT_EFFECTIVE", cardEffective: cardEffective, cardExpired: cardExpired, cardInvalid: "UNAVAILABLE"}

// cardKey returns the key of a user's card in its table. With a code instead of an openid it is the
// key of the code.
func cardKey(cardID, of string) string { return cardID + " " + of }

// pointSync is one synchronisation of a user's points.
type pointSync struct {
	Request string `json:"request"` // in canonical JSON
}

// exchange is a user's exchange of points for a coupon.
type exchange struct {
	Exchange
	Request string `json:"request,omitempty"` // the request that told its result, in canonical JSON
}

// Exchange is a user's exchange of points for a coupon.
type Exchange struct {
	RecordID   string    `json:"record_id"`
	BrandID    string    `json:"brand_id"`
	CardID     string    `json:"card_id"`
	Code       string    `json:"user_card_code"`
	OpenID     string    `json:"openid"`
	TemplateID string    `json:"exchange_coupon_template_id"`
	StockID    string    `json:"stock_id"`
	Points     int64     `json:"deduct_points"`
	Time       time.Time `json:"time"`
	// State is empty until the provider tells the result: POINT_EXCHANGE_COUPON_SUCCESS or _FAIL,
	// or _ALLOW or _REJECT.
	State      string `json:"state,omitempty"`
	CouponCode string `json:"coupon_code,omitempty"`
	FailReason string `json:"fail_reason,omitempty"`
}

// Flow is the members of one merchant's brands.
type Flow struct {
	*gate.Merchant
	lenient   bool                  // feeds and points are accepted for any card and user
	repeated  Repeated              // guarded by the book
	feeds     book.Table[feed]      // by out_request_no
	cards     book.Table[card]      // by card_id
	userCards book.Table[userCard]  // by card_id and openid
	cardCodes book.Table[string]    // openid by card_id and user_card_code
	syncs     book.Table[pointSync] // by out_request_no
	exchanges book.Table[exchange]  // by record_id
}

var cardNotExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("会员卡模板不存在", "the card does not exist"), Reason: "the brand has no card template under this card_id",
}

// requestNumberUsed is the rejection of an out_request_no that came with another request.
var requestNumberUsed = &say.Rejection{
	Status: http.StatusBadRequest, Code: "ALREADY_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("商户请求单号已存在", "out_request_no exists already"), Reason: "a request with this out_request_no came before",
}

// card returns a template that was not deleted. The sample card needs no record until it is
// changed.
func (f *Flow) card(id string) (card, bool) {
	one, known := f.cards.Get(id)
	if !known && id == sampleCard {
		return theSampleCard(), true
	}
	return one, known && !one.Deleted
}

// brandCard returns the template that a request names, if it is the brand's, in case that one is
// named.
func (f *Flow) brandCard(id string, brand any) (card, *say.Rejection) {
	one, known := f.card(id)
	if !known || brand != nil && one.Fields["brand_id"] != brand {
		return card{}, cardNotExist
	}
	return one, nil
}

// tell returns all that queries tell of the template.
func (k card) tell() map[string]any {
	known := maps.Clone(k.Fields)
	known["card_id"], known["state"] = k.ID, "CARD_EFFECTIVE"
	if k.Invalid {
		known["state"] = "CARD_INVALID"
	}
	known["create_time"], known["modify_time"] = say.Time(k.Since), say.Time(k.Changed)
	known["update_time"] = known["modify_time"] // as some operations call it
	return known
}

// draw makes an id of size characters that begins with prefix. It is the next of its kind; the seed
// determines it.
func (f *Flow) draw(kind, prefix string, size int, of string) string {
	counted := f.ID + " " + kind
	m := sample.Maker{Random: sample.Random(f.Seed, counted, strconv.FormatUint(f.Numbers.Next(counted), 10))}
	return m.Draw(prefix, size, of)
}
