package member_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/member"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	base      = "/v3/brand/partner/card-member/"
	cards     = base + "cards"
	userCards = base + "user-cards"
	feeds     = base + "user-feeds"
	created   = "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE"
)

// The card that every sandbox has from the beginning, with its user.
const (
	sampleCard = "pbLatjvWOibDc5-TBnbUk1pD12o0"
	sampleUser = "obLatjnx9gnqzS4myYGmLZ7LgLBA"
	sampleCode = "478515832665"
)

// bench is a merchant with the flow.
type bench struct {
	*sandboxtest.Bench
	flow *member.Flow
	t    *testing.T
}

func newBench(t *testing.T, lenient bool) bench {
	t.Helper()
	b := sandboxtest.New(t)
	return bench{Bench: b, flow: member.Open(b.Merchant, lenient), t: t}
}

// template makes a template and returns its card_id.
func (b bench) template(more map[string]any) string {
	b.t.Helper()
	body := map[string]any{
		"out_request_no": "CARD1", "brand_id": "1004", "appid": "wxd678efh567hg6787", "card_type": "NORMAL",
		"card_title": "会员", "card_color": "Color020", "card_picture_url": "https://merchant.example/a.png",
		"code_mode": "SYSTEM_ALLOCATE", "code_type": "QR_CODE", "benefits": "b",
		"notify_url":             "https://merchant.example/cards",
		"valid_date_information": map[string]any{"type": "FIX_TERM", "available_day_after_receive": 30},
	}
	maps.Copy(body, more)
	id, _ := b.Do("POST", cards, body)["card_id"].(string)
	require.Regexp(b.t, `^pb.{26}$`, id)
	return id
}

// with returns a copy of a body with other fields.
func with(body map[string]any, more map[string]any) map[string]any {
	body = maps.Clone(body)
	maps.Copy(body, more)
	return body
}

// sample are the fields that name the sample card and its user.
func sample(more map[string]any) map[string]any {
	return with(map[string]any{"brand_id": "1004", "card_id": sampleCard, "openid": sampleUser, "user_card_code": sampleCode}, more)
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	assert.Equal(t, "CARD_EFFECTIVE", b.Do("GET", cards+"/"+sampleCard+"?brand_id=1004", nil)["state"])

	id := b.template(nil)
	b.Pass(time.Hour)
	changed := b.Do("PATCH", cards+"/"+id, map[string]any{"brand_id": "1004", "card_title": "新"})
	assert.Equal(t, "新", changed["card_title"])
	assert.Equal(t, "2025-01-01T20:00:00+08:00", changed["create_time"])
	assert.Equal(t, "2025-01-01T21:00:00+08:00", changed["modify_time"])
	b.Reload()
	assert.Equal(t, changed, b.Do("GET", cards+"/"+id+"?brand_id=1004", nil))

	list := b.Do("GET", cards+"?brand_id=1004&offset=1&limit=5", nil)
	assert.EqualValues(t, 2, list["total_count"])
	data, _ := list["data"].([]any)
	require.Len(t, data, 1)
	assert.Equal(t, "新", data[0].(map[string]any)["card_title"])
	assert.EqualValues(t, 0, b.Do("GET", cards+"?brand_id=1005&offset=0&limit=10", nil)["total_count"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", cards+"/"+id+"?brand_id=1005", nil))
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("GET", cards+"?brand_id=1004&offset=0&limit=0", nil))

	ended := b.Do("POST", cards+"/"+id+"/invalidate", map[string]any{"brand_id": "1004"})
	assert.Equal(t, "CARD_INVALID", ended["state"])
	b.Reload()
	assert.Equal(t, "CARD_INVALID", b.Do("GET", cards+"/"+id+"?brand_id=1004", nil)["state"])
	effective := cards + "?brand_id=1004&state=CARD_EFFECTIVE&offset=0&limit=10"
	assert.EqualValues(t, 1, b.Do("GET", effective, nil)["total_count"])
	_, err := b.flow.OpenMemberCard(id, "user", "")
	assert.ErrorContains(t, err, "there is no card")

	for _, gone := range []string{id, sampleCard} {
		b.Do("DELETE", cards+"/"+gone+"?brand_id=1004", nil)
		b.Reload()
		assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", cards+"/"+gone+"?brand_id=1004", nil))
	}
	assert.EqualValues(t, 0, b.Do("GET", cards+"?brand_id=1004&offset=0&limit=10", nil)["total_count"])
}

// TestFeedNeedsACard sends feeds and points for cards that are not the user's.
func TestFeedNeedsACard(t *testing.T) {
	t.Parallel()
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, lenient)
			for field, want := range map[string]string{
				"brand_id": "404 RESOURCE_NOT_EXISTS", "card_id": "404 RESOURCE_NOT_EXISTS",
				"user_card_code": "404 RESOURCE_NOT_EXISTS", "openid": "400 PARAM_ERROR",
			} {
				feed := sample(map[string]any{field: "another", "out_request_no": "N-" + field, "cell_message": "c"})
				points := sample(map[string]any{field: "another", "out_request_no": "P-" + field, "point_balance": 1})
				if lenient {
					b.Do("POST", feeds, feed)
					b.Do("POST", base+"user-points/sync", points)
					continue
				}
				assert.Equal(t, want, b.Rejected("POST", feeds, feed), field)
				assert.Equal(t, want, b.Rejected("POST", base+"user-points/sync", points), field)
			}
			count := len(b.flow.MemberFeeds())
			assert.Equal(t, lenient, count > 0)
			cell := sample(map[string]any{"out_request_no": "C", "cell": "15_1200_1"})
			assert.Equal(t, "15_1200_1", b.Do("POST", feeds, cell)["cell"], "under the name that the request has")
			shown := b.flow.MemberFeeds()
			require.Len(t, shown, count+1)
			assert.Equal(t, member.Feed{
				Number: "C", BrandID: "1004", CardID: sampleCard, Code: sampleCode, OpenID: sampleUser, Cell: "15_1200_1",
				Time: sandboxtest.Start,
			}, shown[count])
		})
	}
}

func TestRepeatedFeeds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		way         string
		same, other string // what a repetition gets, and another feed under the number; empty for success
		effects     int
	}{
		"by default": {"", "", "400 ALREADY_EXISTS", 1},
		"same":       {"same", "", "400 ALREADY_EXISTS", 1},
		"duplicate":  {"duplicate", "", "", 3},
		"exists":     {"exists", "400 ALREADY_EXISTS", "400 ALREADY_EXISTS", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			if test.way != "" {
				var way member.Repeated
				require.NoError(t, way.UnmarshalText([]byte(test.way)))
				b.flow.OnRepeatedFeed(way)
			}
			first := sample(map[string]any{"out_request_no": "F1", "cell_message": "15_1200_1"})
			told := b.Do("POST", feeds, first)
			b.Reload()
			for _, repetition := range []struct {
				body map[string]any
				want string
			}{{first, test.same}, {with(first, map[string]any{"cell_message": "15_1200_2"}), test.other}} {
				if repetition.want == "" {
					got := b.Do("POST", feeds, repetition.body)
					assert.Equal(t, with(told, map[string]any{"cell_message": repetition.body["cell_message"]}), got)
				} else {
					assert.Equal(t, repetition.want, b.Rejected("POST", feeds, repetition.body))
				}
			}
			effects := b.Ledger.Effects("feed")
			assert.Len(t, effects, test.effects)
			for _, e := range effects {
				assert.Equal(t, "F1 SUCCESS", e.Number+" "+e.State)
			}
		})
	}
	var way member.Repeated
	assert.EqualError(t, way.UnmarshalText([]byte("often")), `sandbox: there is no way "often"; there are same, duplicate, exists`)
}
