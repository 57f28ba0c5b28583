package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RepeatedFeed says what becomes of a member feed whose out_request_no came before. What the platform does is not
// documented, so whoever repeats must be ready for all of it.
type RepeatedFeed int

// Ways to treat a repeated feed.
const (
	RepeatSame      RepeatedFeed = iota // the same answer and no second effect; other parameters are 400 ALREADY_EXISTS
	RepeatDuplicate                     // a second effect
	RepeatExists                        // 400 ALREADY_EXISTS
)

// repeatedFeeds are the ways as text.
var repeatedFeeds = []string{RepeatSame: "same", RepeatDuplicate: "duplicate", RepeatExists: "exists"}

// UnmarshalText reads same, duplicate or exists.
func (w *RepeatedFeed) UnmarshalText(text []byte) error {
	i := slices.Index(repeatedFeeds, string(text))
	if i < 0 {
		return fmt.Errorf("sandbox: there is no way %q; there are %s", text, strings.Join(repeatedFeeds, ", "))
	}
	*w = RepeatedFeed(i)
	return nil
}

// OnRepeatedFeed sets what becomes of repeated member feeds, RepeatSame by default.
func (s *Sandbox) OnRepeatedFeed(way RepeatedFeed) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.state.repeated = way
}

// feed is one member feed that was shown.
type feed struct {
	Request string `json:"request"` // in canonical JSON; of the last, where a repetition is shown again
}

// memberOperations are those of the member cards of a brand, in partner mode.
func memberOperations() []operation {
	return []operation{{
		Operation: documented("POST", "/v3/brand/partner/card-member/user-feeds"),
		limits: map[string]limit{
			"/out_request_no": {min: 1, max: 64, charset: requestChars},
			"/cell":           {min: 1, max: 128},
		},
		do: (*call).createFeed,
	}}
}

// createFeed shows a feed in the card of a user who holds it. No query is documented that would tell of it.
func (c *call) createFeed() (any, *refusal) {
	told := c.ofBrand()
	number, params := c.ownNumber(), string(marshal(told))
	s := c.begin()
	defer s.commit()
	known, again := s.feeds.get(number)
	switch {
	case again && s.repeated == RepeatDuplicate:
	case again && s.repeated == RepeatSame && known.Request == params:
		return told, nil
	case again:
		return nil, requestNumberUsed
	}
	if _, refused := c.holder(s); refused != nil && !s.view.lenientCards {
		return nil, refused
	}
	s.feeds.put(number, feed{Request: params})
	s.enter(FeedEffect, c.object["out_request_no"].(string), 0, c.now, params)
	return told, nil
}

// WithLenientCards has member feeds and the points of members accepted for any card and user, also such as do not exist.
func WithLenientCards() Option {
	return func(s *settings) error {
		s.lenientCards = true
		return nil
	}
}

// MemberFeed is a feed that was shown in a member's card.
type MemberFeed struct {
	Number  string    `json:"out_request_no"`
	BrandID string    `json:"brand_id"`
	CardID  string    `json:"card_id"`
	Code    string    `json:"user_card_code"`
	OpenID  string    `json:"openid"`
	Cell    string    `json:"cell_message"` // under whichever of its two names it was sent
	Time    time.Time `json:"time"`
}

// MemberFeeds returns the feeds that were shown, the oldest first: what the platform itself tells nobody.
func (s *Sandbox) MemberFeeds() []MemberFeed {
	var list []MemberFeed
	for _, e := range s.Ledger(FeedEffect) {
		request := readRequest(e.Params)
		member := func(name string) string { value, _ := request[name].(string); return value }
		list = append(list, MemberFeed{
			Number: e.Number, BrandID: member("brand_id"), CardID: member("card_id"), Code: member("user_card_code"), OpenID: member("openid"),
			Cell: member("cell_message") + member("cell"), Time: e.Time,
		})
	}
	return list
}
