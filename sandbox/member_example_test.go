package sandbox_test

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// A user opens a member card, the provider confirms it as soon as it is told, and shows a feed in it.
func ExampleUsers_OpenMemberCard() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	defer gateway.Close()
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	members := client.Chain("v3/brand/partner/card-member")

	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: gateway.Keys.PublicKeyID(), Key: gateway.Keys.PublicKey()})
	check(err)
	provider := gateway.Merchant()
	notified, err := webhook.New(webhook.Merchant{ID: provider.ID, APIv3Key: provider.APIv3Key, Keys: webhook.Static(keys)})
	check(err)
	confirmed := make(chan string, 1)
	notified.On("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE", func(ctx context.Context, e *webhook.Event) error {
		code := e.Get("user_card_code").String()
		_, err := members.Chain("user-cards/{user_card_code}/confirm", code).Query("card_id", e.Get("card_id").String()).
			Post(ctx, wxpay.JSON{"brand_id": e.Get("brand_id").String(), "openid": e.Get("openid").String(), "user_card_confirm_state": "CREATE_CARD_SUCCESS"})
		confirmed <- code
		return err
	})
	gateway.Deliveries.To(notified)

	card, err := members.Chain("cards").Post(ctx, wxpay.JSON{
		"out_request_no": "CARD-1", "brand_id": "1004", "appid": "wxd678efh567hg6787", "card_type": "NORMAL", "card_title": "Coffee", "card_color": "#FFFF00",
		"card_picture_url": "https://coffee.example.com/card.png", "code_mode": "SYSTEM_ALLOCATE", "code_type": "QR_CODE", "benefits": "10 % off",
		"notify_url": "https://coffee.example.com/members", "valid_date_information": wxpay.JSON{"type": "PERMANENT"},
	})
	check(err)
	id := card.Get("card_id").String()
	_, err = gateway.Users.OpenMemberCard(id, "oAlice", "13800138000")
	check(err)
	code := <-confirmed
	_, err = members.Chain("user-feeds").Post(ctx, wxpay.JSON{
		"brand_id": "1004", "card_id": id, "user_card_code": code, "openid": "oAlice", "out_request_no": "VISIT-1", "cell_message": "15_1200_1",
	})
	check(err)
	for _, feed := range gateway.Users.MemberFeeds() {
		fmt.Println(feed.OpenID, "sees", feed.Cell)
	}
	// Output:
	// oAlice sees 15_1200_1
}
