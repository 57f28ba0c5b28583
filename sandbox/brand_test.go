//go:build go1.25

package sandbox_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// brandClient returns a client and a handler of the sandbox's brand.
func brandClient(t *testing.T, s *sandbox.Sandbox) (*wxpay.Client, *webhook.Handler) {
	t.Helper()
	b, err := s.Brand()
	require.NoError(t, err)
	client, err := wxpay.New(wxpay.Merchant{ID: b.ID, PrivateKey: b.PrivateKey, Certificate: b.Certificate}, wxpay.WithScheme(apiv3.Brand()),
		wxpay.WithPublicKey(b.PublicKeyID, b.PublicKey), wxpay.WithTransport(s.Transport()), wxpay.WithPreflight(wxpay.PreflightStrict))
	require.NoError(t, err)
	handler, err := webhook.New(webhook.Merchant{ID: b.ID, APIv3Key: b.Key, Keys: client, Scheme: apiv3.Brand(), PrivateKey: b.PrivateKey})
	require.NoError(t, err)
	return client, handler
}

// A brand that calls for itself has what its providers have: its own card, members who open it, feeds and points; and it is told
// of them with its own keys.
func TestBrandOfItsOwn(t *testing.T) { synctest.Test(t, testBrandOfItsOwn) }

func testBrandOfItsOwn(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	ctx := context.Background()
	client, handler := brandClient(t, s)
	events := map[string]string{}
	handler.On("BRAND_MEMBER_CARD.*", func(_ context.Context, e *webhook.Event) error {
		events[e.Type] = e.Get("user_card_code").String() + " " + e.Get("phone_number").String() + e.Get("record_id").String()
		return nil
	})
	s.Deliveries.To(handler)

	cards := api.Brand(client).CardMember()
	made, err := cards.Cards().Post(ctx, wxpay.JSON{
		"out_request_no": "C1", "appid": "wxea9c30890f48d5ae", "card_type": "NORMAL", "card_title": "card", "card_color": "#FFFF00",
		"card_picture_url": "https://x.example/a.png",
		"code_mode":        "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "none", "notify_url": "https://brand.example/notify",
		"valid_date_information": wxpay.JSON{"type": "PERMANENT"},
	})
	require.NoError(t, err)
	id := made.Get("card_id").String()
	assert.Equal(t, "1004", made.Get("brand_id").String(), "of the one that signed")
	list, err := cards.Cards().Query("offset", 0).Query("limit", 20).Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, int64(2), list.Get("total_count").Int(), "beside the sample card")
	changed, err := cards.Cards().CardID(id).Patch(ctx, wxpay.JSON{"benefits": "many"})
	require.NoError(t, err)
	assert.Equal(t, "many", changed.Get("benefits").String())

	code, err := s.Users.OpenMemberCard(id, "user", "13800138000")
	require.NoError(t, err)
	synctest.Wait()
	assert.Equal(t, code+" 13800138000", events["BRAND_MEMBER_CARD.USER_CARD.CREATE"])
	feed := func() error {
		_, err := cards.UserFeeds().Post(ctx, wxpay.JSON{"card_id": id, "user_card_code": code, "openid": "user", "out_request_no": "F1", "cell": "15_1200_1"})
		return err
	}
	require.ErrorContains(t, feed(), "用户会员卡未生效", "before it is confirmed")
	confirmed, err := cards.UserCards().UserCardCode(code).Confirm().Query("card_id", id).Post(ctx,
		wxpay.JSON{"openid": "user", "user_card_confirm_state": "CREATE_CARD_SUCCESS", "phone_number": "13900139000"})
	require.NoError(t, err)
	require.NoError(t, confirmed.DecryptErr())
	assert.Equal(t, "13900139000", confirmed.Get("phone_number").String(), "encrypted both ways with the brand's keys")
	require.NoError(t, feed())
	require.NoError(t, feed(), "again")
	feeds := s.Users.MemberFeeds()
	require.Len(t, feeds, 1)
	assert.Equal(t, sandbox.MemberFeed{Number: "F1", BrandID: "1004", CardID: id, Code: code, OpenID: "user", Cell: "15_1200_1", Time: feeds[0].Time}, feeds[0])

	require.NoError(t, s.Users.AskForPoints(id, "user"))
	synctest.Wait()
	assert.Contains(t, events, "BRAND_MEMBER_CARD.SYNC_USER_POINT")
	_, err = cards.UserPoints().Sync().Post(ctx, wxpay.JSON{"out_request_no": "P1", "card_id": id, "openid": "user", "user_card_code": code, "point_balance": 100})
	require.NoError(t, err)
	record, err := s.Users.ExchangePoints(id, "user", "T1", "S1", 40)
	require.NoError(t, err)
	synctest.Wait()
	assert.Equal(t, code+" "+record, events["BRAND_MEMBER_CARD.POINT_EXCHANGE_COUPON"])
	_, err = cards.UserPoints().ExchangeCoupon().Confirm().Post(ctx, wxpay.JSON{
		"record_id": record, "exchange_coupon_template_id": "T1", "card_id": id, "openid": "user", "user_card_code": code, "result": "POINT_EXCHANGE_COUPON_ALLOW",
	})
	require.NoError(t, err)
	assert.Equal(t, "POINT_EXCHANGE_COUPON_ALLOW", s.Users.PointExchanges()[0].State)

	ended, err := cards.UserCards().UserCardCode(code).Invalidate().Query("card_id", id).Post(ctx, wxpay.JSON{"openid": "user"})
	require.NoError(t, err)
	assert.Equal(t, "INVALID", ended.Get("user_card_state").String())
	gone, err := cards.Cards().CardID(id).Invalidate().Post(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, "CARD_INVALID", gone.Get("state").String())

	// What a provider of the brand does is told to the provider.
	_, err = s.Users.OpenMemberCard("pbLatjvWOibDc5-TBnbUk1pD12o0", "other", "")
	require.NoError(t, err)
	assert.NotContains(t, events, "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE")
	// A provider finds the brand's card too; its numbers are others.
	provider, err := wxpay.FromLookupEnv(s.LookupEnv, wxpay.WithTransport(s.Transport()))
	require.NoError(t, err)
	_, err = api.V3(provider).Brand().Partner().CardMember().UserFeeds().Post(ctx, wxpay.JSON{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665", "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA",
		"out_request_no": "F1", "cell_message": "15_1200_1",
	})
	require.NoError(t, err)
	assert.Len(t, s.Users.MemberFeeds(), 2)
	queried, err := api.V3(provider).Brand().Partner().CardMember().Cards().CardID(id).Query("brand_id", "1004").Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, "CARD_INVALID", queried.Get("state").String())
}
