package sandbox

import "net/http"

// RepeatedFeed says what becomes of a member feed whose out_request_no came before. What the platform does is not
// documented, so whoever repeats must be ready for all of it.
type RepeatedFeed int

// Ways to treat a repeated feed.
const (
	RepeatSame      RepeatedFeed = iota // the same answer and no second effect; other parameters are 400 ALREADY_EXISTS
	RepeatDuplicate                     // a second effect
	RepeatExists                        // 400 ALREADY_EXISTS
)

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

func (c *call) createFeed() (any, *refusal) {
	number, params := c.object["out_request_no"].(string), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	known, again := s.feeds.get(number)
	switch {
	case again && s.repeated == RepeatDuplicate:
	case again && s.repeated == RepeatSame && known.Request == params:
		return c.object, nil
	case again:
		return nil, &refusal{
			status: http.StatusBadRequest, code: "ALREADY_EXISTS", number: numberUndocumented,
			message: text{"商户请求单号已存在", "out_request_no exists already"}, reason: "a feed with this out_request_no was shown before",
		}
	}
	s.feeds.put(number, feed{Request: params})
	s.enter(FeedEffect, number, 0, c.now, params)
	return c.object, nil
}
