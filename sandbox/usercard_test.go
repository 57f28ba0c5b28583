package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// gate is a sandbox that signs without RSA, with a clock of its own, whose merchant takes every notification.
type gate struct {
	*sandbox.Sandbox
	t   testing.TB
	now time.Time
}

func newGate(t testing.TB, options ...sandbox.Option) *gate {
	g := &gate{t: t, now: noon}
	g.Sandbox = unpaced(t, append(options, sandbox.WithScheme(quick{apiv3.RSA()}), sandbox.WithClock(func() time.Time { return g.now }))...)
	g.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(func() { g.Close() })
	return g
}

// ask sends a good call.
func (g *gate) ask(method, target string, body any) answer {
	g.t.Helper()
	return sampler{t: g.t, s: g.Sandbox}.sign(newCall(g.Sandbox, g.now, method, target, body)).send(g.t, g.Transport(), inProcess)
}

// do sends a good call that must be carried out, by what has state.
func (g *gate) do(method, target string, body any) map[string]any {
	g.t.Helper()
	a := g.ask(method, target, body)
	require.Truef(g.t, a.StatusCode == 200 || a.StatusCode == 204, "%s %s: %d %s", method, target, a.StatusCode, a.body)
	require.Equal(g.t, "stateful", a.Header.Get("X-Sandbox"), target)
	if len(a.body) == 0 {
		return nil
	}
	return a.json(g.t)
}

// refused sends a call that must be refused, and returns status and code.
func (g *gate) refused(method, target string, body any) string {
	g.t.Helper()
	a := g.ask(method, target, body)
	require.GreaterOrEqual(g.t, a.StatusCode, 400, "%s", a.body)
	return a.Status[:3] + " " + a.json(g.t)["code"].(string)
}

// opened opens an encrypted member of a response or a notice.
func (g *gate) opened(sealed any) string {
	g.t.Helper()
	text, _ := sealed.(string)
	ciphertext, err := base64.StdEncoding.DecodeString(text)
	require.NoError(g.t, err)
	plain, err := apiv3.RSA().Decrypt(g.Merchant().PrivateKey, ciphertext)
	require.NoError(g.t, err, sealed)
	return string(plain)
}

// noticed returns the resources of the notices of an event, the oldest first.
func (g *gate) noticed(event string) (list []map[string]any) {
	g.t.Helper()
	for _, d := range g.Deliveries.All() {
		if d.Event != event {
			continue
		}
		require.NotEqual(g.t, sandbox.Unsent, d.State, d.Reason)
		request, err := http.NewRequest("POST", "https://merchant.example", strings.NewReader(string(d.Body)))
		require.NoError(g.t, err)
		n := receive(g.t, g.Sandbox, request)
		require.NoError(g.t, n.failed)
		var resource map[string]any
		require.NoError(g.t, json.Unmarshal(n.opened, &resource))
		list = append(list, resource)
	}
	return list
}

const memberPath = "/v3/brand/partner/card-member/"

// cardTemplate is the body that makes a template.
func cardTemplate(more map[string]any) map[string]any {
	body := map[string]any{
		"out_request_no": "CARD1", "brand_id": "1004", "appid": "wxd678efh567hg6787", "card_type": "NORMAL", "card_title": "会员", "card_color": "Color020",
		"card_picture_url": "https://merchant.example/a.png", "code_mode": "SYSTEM_ALLOCATE", "code_type": "QR_CODE", "benefits": "b",
		"notify_url": "https://merchant.example/cards", "valid_date_information": map[string]any{"type": "FIX_TERM", "available_day_after_receive": 30},
	}
	maps.Copy(body, more)
	return body
}

func TestCardTemplates(t *testing.T) {
	g := newGate(t)
	sample := g.do("GET", memberPath+"cards/pbLatjvWOibDc5-TBnbUk1pD12o0?brand_id=1004", nil)
	assert.Equal(t, "CARD_EFFECTIVE", sample["state"])

	one := g.do("POST", memberPath+"cards", cardTemplate(nil))
	id := one["card_id"].(string)
	assert.Regexp(t, `^pb.{26}$`, id)
	assert.Equal(t, "会员", one["card_title"])
	assert.Equal(t, "CARD_EFFECTIVE", one["state"])
	g.now = g.now.Add(time.Hour)
	changed := g.do("PATCH", memberPath+"cards/"+id, map[string]any{"brand_id": "1004", "card_title": "新"})
	assert.Equal(t, "新", changed["card_title"])
	assert.Equal(t, "2025-01-01T20:00:00+08:00", changed["create_time"])
	assert.Equal(t, "2025-01-01T21:00:00+08:00", changed["modify_time"])

	list := g.do("GET", memberPath+"cards?brand_id=1004&offset=1&limit=5", nil)
	assert.EqualValues(t, 2, list["total_count"])
	assert.Equal(t, "新", list["data"].([]any)[0].(map[string]any)["card_title"])
	assert.EqualValues(t, 0, g.do("GET", memberPath+"cards?brand_id=1005&offset=0&limit=10", nil)["total_count"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", memberPath+"cards/"+id+"?brand_id=1005", nil))
	assert.Equal(t, "400 PARAM_ERROR", g.refused("GET", memberPath+"cards?brand_id=1004&offset=0&limit=0", nil))

	ended := g.do("POST", memberPath+"cards/"+id+"/invalidate", map[string]any{"brand_id": "1004"})
	assert.Equal(t, "CARD_INVALID", ended["state"])
	assert.Equal(t, "CARD1", ended["out_request_no"])
	assert.EqualValues(t, 1, g.do("GET", memberPath+"cards?brand_id=1004&state=CARD_EFFECTIVE&offset=0&limit=10", nil)["total_count"])
	_, err := g.Users.OpenMemberCard(id, "user", "")
	assert.ErrorContains(t, err, "there is no card")
	g.do("DELETE", memberPath+"cards/"+id+"?brand_id=1004", nil)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", memberPath+"cards/"+id+"?brand_id=1004", nil))
}

// TestUserCard follows a card from its opening by the user to its end.
func TestUserCard(t *testing.T) {
	g := newGate(t)
	id := g.do("POST", memberPath+"cards", cardTemplate(nil))["card_id"].(string)
	code, err := g.Users.OpenMemberCard(id, "user", "13800138000")
	require.NoError(t, err)
	_, err = g.Users.OpenMemberCard(id, "user", "")
	assert.ErrorContains(t, err, "the user has the card")
	notices := g.noticed("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE")
	require.Len(t, notices, 1)
	assert.Equal(t, "NOT_EFFECTIVE", notices[0]["user_card_state"])
	assert.Equal(t, code, notices[0]["user_card_code"])
	assert.Equal(t, "13800138000", g.opened(notices[0]["phone_number"]))

	// Nothing can be done with it before it is confirmed.
	aFeed := map[string]any{"brand_id": "1004", "card_id": id, "user_card_code": code, "openid": "user", "out_request_no": "F1", "cell_message": "c"}
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", feedPath, aFeed))
	confirmPath := memberPath + "user-cards/" + code + "/confirm?card_id=" + id
	confirm := map[string]any{"brand_id": "1004", "openid": "user", "user_card_confirm_state": "CREATE_CARD_SUCCESS", "level": "2"}
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", confirmPath, map[string]any{"brand_id": "1004", "openid": "user", "user_card_confirm_state": "DONE"}))
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("POST", strings.Replace(confirmPath, code, "1", 1), confirm))
	told := g.do("POST", confirmPath, confirm)
	assert.Equal(t, "EFFECTIVE", told["user_card_state"])
	assert.Equal(t, "13800138000", g.opened(told["phone_number"]))
	assert.Equal(t, "2", g.do("POST", confirmPath, confirm)["level"], "again is answered the same")
	confirm["level"] = "3"
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", confirmPath, confirm))
	g.do("POST", feedPath, aFeed)

	query := memberPath + "user-cards/" + code + "?brand_id=1004&openid=user&card_id=" + id
	changed := g.do("PATCH", memberPath+"user-cards/"+code+"?card_id="+id, map[string]any{"openid": "user", "attach": "a"})
	assert.Equal(t, "a", changed["attach"])
	assert.Equal(t, "2", g.do("GET", query, nil)["level"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", strings.Replace(query, "openid=user", "openid=other", 1), nil))
	list := memberPath + "user-cards?brand_id=1004&openid=user&offset=0&limit=10&user_card_state="
	assert.EqualValues(t, 1, g.do("GET", list+"EFFECTIVE", nil)["total_count"])
	assert.EqualValues(t, 0, g.do("GET", list+"INVALID", nil)["total_count"])

	g.now = g.now.AddDate(0, 0, 30)
	assert.Equal(t, "EXPIRED", g.do("GET", query, nil)["user_card_state"], "after its term")
	aFeed["out_request_no"] = "F2"
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", feedPath, aFeed))
	g.now = g.now.AddDate(0, 0, -1)
	g.do("POST", feedPath, aFeed)

	end := memberPath + "user-cards/" + code + "/invalidate?brand_id=1004&card_id=" + id
	assert.Equal(t, "r", g.do("POST", end, map[string]any{"openid": "user", "invalid_reason": "r"})["invalid_reason"])
	assert.Equal(t, "r", g.do("POST", end, map[string]any{"openid": "user"})["invalid_reason"], "it has ended already")
	assert.ErrorContains(t, g.Users.DeleteMemberCard(id, "user"), "has no card")
	again, err := g.Users.OpenMemberCard(id, "user", "")
	require.NoError(t, err, "who has none can open one")
	assert.NotEqual(t, code, again)
	require.NoError(t, g.Users.DeleteMemberCard(id, "user"))
	assert.Equal(t, "DELETE", g.noticed("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE")[0]["user_card_state"])

	cards := g.Users.MemberCards()
	require.Len(t, cards, 2)
	assert.Equal(t, sandbox.MemberCard{BrandID: "1004", CardID: "pbLatjvWOibDc5-TBnbUk1pD12o0", Code: "478515832665",
		OpenID: "obLatjnx9gnqzS4myYGmLZ7LgLBA", State: "EFFECTIVE"}, cards[0])
	assert.Equal(t, "INVALID", cards[1].State)
	feeds := g.Users.MemberFeeds()
	require.Len(t, feeds, 2)
	assert.Equal(t, "F2 c user", feeds[1].Number+" "+feeds[1].Cell+" "+feeds[1].OpenID)
}

func TestConfirmGivesTheCode(t *testing.T) {
	g := newGate(t)
	id := g.do("POST", memberPath+"cards", cardTemplate(map[string]any{"code_mode": "MERCHANT_ALLOCATE"}))["card_id"].(string)
	for _, user := range []string{"user", "other"} {
		code, err := g.Users.OpenMemberCard(id, user, "")
		require.NoError(t, err)
		assert.Empty(t, code, "the provider gives it")
	}
	assert.NotContains(t, g.noticed("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE")[0], "user_card_code")
	confirm := func(user, state string) map[string]any {
		return map[string]any{"brand_id": "1004", "openid": user, "user_card_confirm_state": state}
	}
	path := memberPath + "user-cards/MINE-1/confirm?card_id=" + id
	assert.Equal(t, "MINE-1", g.do("POST", path, confirm("user", "CREATE_CARD_ALREADY_EXISTS"))["user_card_code"])
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", path, confirm("other", "CREATE_CARD_SUCCESS")), "the code is taken")
	told := g.do("POST", strings.Replace(path, "-1", "-2", 1), confirm("other", "CREATE_CARD_FAIL"))
	assert.Equal(t, "INVALID", told["user_card_state"])
}

func TestImportedCards(t *testing.T) {
	g := newGate(t)
	m := sampler{t: t, s: g.Sandbox}
	id := g.do("POST", memberPath+"cards", cardTemplate(nil))["card_id"].(string)
	body := map[string]any{
		"brand_id": "1004", "card_id": id, "openid": "user", "user_card_code": "C-1", "pickup_time": "2024-05-06T07:08:09+08:00",
		"date_information": map[string]any{"type": "FIX_TIME_RANGE", "available_begin_time": "2024-05-06T07:08:09+08:00",
			"available_end_time": "2025-01-02T00:00:00+08:00"},
	}
	told := g.do("POST", memberPath+"user-cards/import-by-openid", body)
	assert.Equal(t, "EFFECTIVE", told["user_card_state"])
	assert.Equal(t, "2024-05-06T07:08:09+08:00", told["pickup_time"])
	assert.Equal(t, told, g.do("POST", memberPath+"user-cards/import-by-openid", body), "again is answered the same")
	body["user_card_code"] = "C-2"
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", memberPath+"user-cards/import-by-openid", body))
	delete(body, "openid")
	body["user_card_code"], body["phone_number"] = "C-1", m.seal("13900139000")
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", memberPath+"user-cards/import-by-phone", body), "the code is another user's")
	body["user_card_code"] = "C-2"
	byPhone := g.do("POST", memberPath+"user-cards/import-by-phone", body)
	assert.Len(t, byPhone["openid"], 28)
	assert.Equal(t, "13900139000", g.opened(byPhone["phone_number"]))

	g.now = g.now.AddDate(0, 0, 1)
	assert.Equal(t, "EXPIRED", g.do("GET", memberPath+"user-cards/C-1?brand_id=1004&openid=user&card_id="+id, nil)["user_card_state"])
}

// TestFeedNeedsACard tries feeds into cards that are not the user's.
func TestFeedNeedsACard(t *testing.T) {
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			var options []sandbox.Option
			if lenient {
				options = append(options, sandbox.WithLenientCards())
			}
			g := newGate(t, options...)
			for member, want := range map[string]string{
				"brand_id": "404 RESOURCE_NOT_EXISTS", "card_id": "404 RESOURCE_NOT_EXISTS", "user_card_code": "404 RESOURCE_NOT_EXISTS", "openid": "400 PARAM_ERROR",
			} {
				body := feed()
				body[member], body["out_request_no"] = "another", "N-"+member
				points := map[string]any{
					"brand_id": body["brand_id"], "card_id": body["card_id"], "user_card_code": body["user_card_code"], "openid": body["openid"],
					"out_request_no": "P-" + member, "point_balance": 1,
				}
				if lenient {
					g.do("POST", feedPath, body)
					g.do("POST", memberPath+"user-points/sync", points)
					continue
				}
				assert.Equal(t, want, g.refused("POST", feedPath, body), member)
				assert.Equal(t, want, g.refused("POST", memberPath+"user-points/sync", points), member)
			}
			body := feed()
			body["cell"] = body["cell_message"]
			delete(body, "cell_message")
			assert.Equal(t, "15_1200_1", g.do("POST", feedPath, body)["cell"], "under the name that it was sent with")
			shown := g.Users.MemberFeeds()
			assert.Equal(t, "15_1200_1", shown[len(shown)-1].Cell)
		})
	}
}

func TestPoints(t *testing.T) {
	g := newGate(t)
	const card, user = "pbLatjvWOibDc5-TBnbUk1pD12o0", "obLatjnx9gnqzS4myYGmLZ7LgLBA"
	path := memberPath + "user-points/sync"
	sync := func(number string, balance int) map[string]any {
		return map[string]any{"out_request_no": number, "brand_id": "1004", "card_id": card, "openid": user,
			"user_card_code": "478515832665", "point_balance": balance}
	}
	require.NoError(t, g.Users.AskForPoints(card, user))
	assert.True(t, g.Users.MemberCards()[0].Awaited)
	notices := g.noticed("BRAND_MEMBER_CARD_SP.SYNC_USER_POINT")
	require.Len(t, notices, 1)
	assert.Equal(t, map[string]any{"brand_id": "1004", "card_id": card, "openid": user, "user_card_code": "478515832665"}, notices[0])
	assert.EqualValues(t, 70, g.do("POST", path, sync("P1", 70))["point_balance"])
	assert.False(t, g.Users.MemberCards()[0].Awaited)
	g.do("POST", path, sync("P2", 90))
	assert.EqualValues(t, 90, g.Users.MemberCards()[0].Points)
	g.do("POST", path, sync("P1", 70))
	assert.EqualValues(t, 70, g.Users.MemberCards()[0].Points, "the balance is absolute, and a late repetition sets it again")
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", path, sync("P1", 71)))
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", path, sync("P3", -1)))
	assert.ErrorContains(t, g.Users.AskForPoints(card, "other"), "has no card")

	_, err := g.Users.ExchangePoints(card, user, "T", "S", 71)
	assert.ErrorContains(t, err, "has 70 points")
	for i, name := range []string{"state", "result"} {
		record, err := g.Users.ExchangePoints(card, user, "T", "S", 50)
		require.NoError(t, err)
		notices = g.noticed("BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON")
		assert.Equal(t, record, notices[i]["record_id"])
		assert.EqualValues(t, 50, notices[i]["deduct_points"])
		body := map[string]any{"record_id": record, "exchange_coupon_template_id": "T", "brand_id": "1004", "card_id": card,
			"openid": user, "user_card_code": "478515832665", name: "POINT_EXCHANGE_COUPON_SUCCESS"}
		confirm := memberPath + "user-points/exchange-coupon/confirm"
		assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", confirm, body), "a coupon has a code")
		body["coupon_code"] = "K"
		assert.Equal(t, "K", g.do("POST", confirm, body)["coupon_code"])
		g.do("POST", confirm, body)
		body["coupon_code"] = "L"
		assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", confirm, body))
		body["openid"] = "other"
		assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", confirm, body))
		body["record_id"] = "1"
		assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("POST", confirm, body))
		assert.Equal(t, "POINT_EXCHANGE_COUPON_SUCCESS", g.Users.PointExchanges()[i].State)
	}
}
