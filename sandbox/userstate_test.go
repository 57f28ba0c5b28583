package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// TestWhatUsersDidComesBack brings members, complaints and pay score orders back from a snapshot.
func TestWhatUsersDidComesBack(t *testing.T) {
	const card, user = "pbLatjvWOibDc5-TBnbUk1pD12o0", "obLatjnx9gnqzS4myYGmLZ7LgLBA"
	g := newGate(t)
	seen := func() []any {
		return []any{
			g.Users.MemberCards(), g.Users.MemberFeeds(), g.Users.PointExchanges(), g.Users.Complaints(),
			g.ask("GET", serviceQuery, nil).StatusCode, string(g.ask("GET", serviceQuery, nil).body),
			string(g.ask("GET", memberPath+"cards?brand_id=1004&offset=0&limit=10", nil).body),
			string(g.ask("GET", memberPath+"user-cards?brand_id=1004&openid="+user+"&offset=0&limit=10", nil).body),
			g.ask("GET", notificationsPath, nil).StatusCode,
		}
	}
	fresh := seen()
	assert.Equal(t, 404, fresh[4])

	id := g.do("POST", memberPath+"cards", cardTemplate(nil))["card_id"].(string)
	_, err := g.Users.OpenMemberCard(id, "user", "")
	require.NoError(t, err)
	g.do("POST", feedPath, feed())
	g.do("POST", memberPath+"user-points/sync", map[string]any{
		"out_request_no": "P1", "brand_id": "1004", "card_id": card, "openid": user, "user_card_code": "478515832665", "point_balance": 9,
	})
	_, err = g.Users.ExchangePoints(card, user, "T", "S", 9)
	require.NoError(t, err)
	g.do("POST", notificationsPath, map[string]any{"url": "https://merchant.example/complaints"})
	_, err = g.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	_, err = g.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001"})
	require.NoError(t, err)
	g.do("POST", servicePath, service(nil))
	require.NoError(t, g.Users.ConfirmServiceOrder("S-1"))
	g.do("POST", servicePath+"/S-1/complete", serviceBill(500, nil))
	then := seen()
	snapshot, err := g.Snapshot()
	require.NoError(t, err)

	require.NoError(t, g.Reset())
	assert.Equal(t, fresh, seen(), "the sample card is there again, and nothing else")
	require.NoError(t, g.Restore(snapshot))
	assert.Equal(t, then, seen())
	assert.Equal(t, 200, g.ask("POST", servicePath, service(nil)).StatusCode, "numbers are known again")
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", feedPath, func() map[string]any { f := feed(); f["cell_message"] = "other"; return f }()))
	_, err = g.Users.PayServiceOrder("S-1")
	require.NoError(t, err)
}
