package member_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/member"
)

// TestUserCard follows a card from its opening by the user to its end. Each step survives a reload.
func TestUserCard(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.template(nil)
	code, err := b.flow.OpenMemberCard(id, "user", "13800138000")
	require.NoError(t, err)
	b.Reload()
	_, err = b.flow.OpenMemberCard(id, "user", "")
	assert.ErrorContains(t, err, "the user has the card")
	notified := b.Notified(created)
	require.Len(t, notified, 1)
	assert.Equal(t, "NOT_EFFECTIVE", notified[0]["user_card_state"])
	assert.Equal(t, code, notified[0]["user_card_code"])
	assert.Equal(t, "13800138000", b.Decrypt(notified[0]["phone_number"]))

	named := map[string]any{"brand_id": "1004", "card_id": id, "user_card_code": code, "openid": "user"}
	feed := func(number string) map[string]any {
		return with(named, map[string]any{"out_request_no": number, "cell_message": "c"})
	}
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", feeds, feed("F1")), "the provider has not confirmed the card")
	confirmPath := userCards + "/" + code + "/confirm?card_id=" + id
	confirm := map[string]any{
		"brand_id": "1004", "openid": "user", "user_card_confirm_state": "CREATE_CARD_SUCCESS", "level": "2",
	}
	unknown := with(confirm, map[string]any{"user_card_confirm_state": "DONE"})
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", confirmPath, unknown))
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", strings.Replace(confirmPath, code, "1", 1), confirm))
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", userCards+"/"+code+"/confirm", confirm), "no card_id")
	told := b.Do("POST", confirmPath, confirm)
	b.Reload()
	assert.Equal(t, "EFFECTIVE", told["user_card_state"])
	assert.Equal(t, "13800138000", b.Decrypt(told["phone_number"]))
	assert.Equal(t, "2", b.Do("POST", confirmPath, confirm)["level"], "a repetition gets the same response")
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", confirmPath, with(confirm, map[string]any{"level": "3"})))
	b.Do("POST", feeds, feed("F1"))

	query := userCards + "/" + code + "?brand_id=1004&openid=user&card_id=" + id
	change := map[string]any{"openid": "user", "attach": "a"}
	assert.Equal(t, "a", b.Do("PATCH", userCards+"/"+code+"?card_id="+id, change)["attach"])
	b.Reload()
	told = b.Do("GET", query, nil)
	assert.Equal(t, "2", told["level"])
	assert.Equal(t, "a", told["attach"])
	other := strings.Replace(query, "openid=user", "openid=other", 1)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", other, nil))
	list := userCards + "?brand_id=1004&openid=user&offset=0&limit=10&user_card_state="
	assert.EqualValues(t, 1, b.Do("GET", list+"EFFECTIVE", nil)["total_count"])
	assert.EqualValues(t, 0, b.Do("GET", list+"INVALID", nil)["total_count"])

	end := userCards + "/" + code + "/invalidate?brand_id=1004&card_id=" + id
	assert.Equal(t, "r", b.Do("POST", end, map[string]any{"openid": "user", "invalid_reason": "r"})["invalid_reason"])
	b.Reload()
	again := b.Do("POST", end, map[string]any{"openid": "user", "invalid_reason": "s"})
	assert.Equal(t, "r", again["invalid_reason"], "it has ended already")
	assert.ErrorContains(t, b.flow.DeleteMemberCard(id, "user"), "the user has no card")
	next, err := b.flow.OpenMemberCard(id, "user", "")
	require.NoError(t, err, "a user without a card can open one")
	assert.NotEqual(t, code, next)
	require.NoError(t, b.flow.DeleteMemberCard(id, "user"))
	deleted := b.Notified("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE")
	require.Len(t, deleted, 1)
	assert.Equal(t, "DELETE", deleted[0]["user_card_state"])
	assert.Equal(t, []member.Card{
		{BrandID: "1004", CardID: sampleCard, Code: sampleCode, OpenID: sampleUser, State: "EFFECTIVE"},
		{BrandID: "1004", CardID: id, Code: next, OpenID: "user", State: "INVALID"},
	}, b.flow.MemberCards())
}

// TestTerm lets the term of a card end.
func TestTerm(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.template(nil)
	code, err := b.flow.OpenMemberCard(id, "user", "")
	require.NoError(t, err)
	confirm := map[string]any{"brand_id": "1004", "openid": "user", "user_card_confirm_state": "CREATE_CARD_SUCCESS"}
	b.Do("POST", userCards+"/"+code+"/confirm?card_id="+id, confirm)
	query := userCards + "/" + code + "?brand_id=1004&openid=user&card_id=" + id
	feed := map[string]any{
		"brand_id": "1004", "card_id": id, "user_card_code": code, "openid": "user", "out_request_no": "F1", "cell_message": "c",
	}
	b.Pass(30*24*time.Hour - 1)
	b.Reload()
	assert.Equal(t, "EFFECTIVE", b.Do("GET", query, nil)["user_card_state"])
	b.Do("POST", feeds, feed)
	b.Pass(1)
	assert.Equal(t, "EXPIRED", b.Do("GET", query, nil)["user_card_state"])
	late := with(feed, map[string]any{"out_request_no": "F2"})
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", feeds, late))
}

func TestMistakesOfUsers(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	_, err := b.flow.OpenMemberCard(sampleCard, "", "")
	assert.ErrorContains(t, err, "the openid is empty")
	_, err = b.flow.OpenMemberCard("another", "user", "")
	assert.ErrorContains(t, err, "there is no card")
	assert.ErrorContains(t, b.flow.DeleteMemberCard(sampleCard, "user"), "the user has no card")
	assert.Len(t, b.flow.MemberCards(), 1)
	assert.Empty(t, b.Office.Deliveries())
}

// TestProviderGivesTheCode confirms cards under codes of the provider's own.
func TestProviderGivesTheCode(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.template(map[string]any{"code_mode": "MERCHANT_ALLOCATE"})
	for _, user := range []string{"user", "other"} {
		code, err := b.flow.OpenMemberCard(id, user, "")
		require.NoError(t, err)
		assert.Empty(t, code)
	}
	notified := b.Notified(created)
	require.Len(t, notified, 2)
	assert.NotContains(t, notified[0], "user_card_code")
	confirm := func(user, state string) map[string]any {
		return map[string]any{"brand_id": "1004", "openid": user, "user_card_confirm_state": state}
	}
	path := userCards + "/MINE-1/confirm?card_id=" + id
	told := b.Do("POST", path, confirm("user", "CREATE_CARD_ALREADY_EXISTS"))
	assert.Equal(t, "MINE-1", told["user_card_code"])
	b.Reload()
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", path, confirm("other", "CREATE_CARD_SUCCESS")), "the code is taken")
	told = b.Do("POST", strings.Replace(path, "-1", "-2", 1), confirm("other", "CREATE_CARD_FAIL"))
	assert.Equal(t, "INVALID", told["user_card_state"])
}

func TestImports(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.template(nil)
	byOpenID, byPhone := userCards+"/import-by-openid", userCards+"/import-by-phone"
	body := map[string]any{
		"brand_id": "1004", "card_id": id, "openid": "user", "user_card_code": "C-1",
		"pickup_time": "2024-05-06T07:08:09+08:00",
		"date_information": map[string]any{
			"type": "FIX_TIME_RANGE", "available_begin_time": "2024-05-06T07:08:09+08:00",
			"available_end_time": "2025-01-02T00:00:00+08:00",
		},
	}
	told := b.Do("POST", byOpenID, body)
	b.Reload()
	assert.Equal(t, "EFFECTIVE", told["user_card_state"])
	assert.Equal(t, "2024-05-06T07:08:09+08:00", told["pickup_time"])
	assert.Equal(t, told, b.Do("POST", byOpenID, body), "a repetition gets the same response")
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", byOpenID, with(body, map[string]any{"user_card_code": "C-2"})))

	phone := with(body, map[string]any{"phone_number": b.EncryptForPlatform("13900139000")})
	delete(phone, "openid")
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", byPhone, phone), "the code is another user's")
	phone["user_card_code"] = "C-2"
	told = b.Do("POST", byPhone, phone)
	assert.Len(t, told["openid"], 28)
	assert.Equal(t, "13900139000", b.Decrypt(told["phone_number"]))

	b.Pass(4 * time.Hour)
	query := userCards + "/C-1?brand_id=1004&openid=user&card_id=" + id
	assert.Equal(t, "EXPIRED", b.Do("GET", query, nil)["user_card_state"], "at midnight in Beijing")
}
