package wxpay_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// A sale whose money is shared, and partly returned before a refund.
func Example_profitSharing() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	const appID, supplier, seller = "wxd678efh567hg6787", "1900000220", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

	// An order whose money waits to be shared.
	order := wxpay.JSON{
		"appid": appID, "mchid": client.MchID(), "description": "T-shirt", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 1000},
		"settle_info": wxpay.JSON{"profit_sharing": true},
	}
	_, err = client.Chain("v3/pay/transactions/native").Post(ctx, order)
	check(err)
	transaction, err := gateway.Users.Pay("ORDER-0001")
	check(err)
	check(gateway.Clock.Jump(time.Minute))

	// Receivers, once for each.
	for _, receiver := range []wxpay.JSON{
		{"type": "MERCHANT_ID", "account": supplier, "name": "某供应商", "relation_type": "SUPPLIER"},
		{"type": "PERSONAL_OPENID", "account": seller, "relation_type": "STAFF"},
	} {
		receiver["appid"] = appID
		if _, err := client.Chain("v3/profitsharing/receivers/add").Post(ctx, receiver); err != nil {
			log.Fatal(err)
		}
	}

	// The share of the person will not arrive.
	gateway.Ledger.SetEnding(func(_ sandbox.EffectKind, number string) sandbox.Ending {
		if number == "SHARE-0001/"+seller {
			return sandbox.Ending{State: "CLOSED"}
		}
		return sandbox.Ending{}
	})

	// The sharing. What is left of the order stays frozen.
	verdict, err := client.Chain("v3/profitsharing/orders").UntilFinal().Ensure(ctx, wxpay.JSON{
		"appid": appID, "transaction_id": transaction, "out_order_no": "SHARE-0001", "unfreeze_unsplit": false,
		"receivers": []wxpay.JSON{
			{"type": "MERCHANT_ID", "account": supplier, "amount": 200, "description": "supply"},
			{"type": "PERSONAL_OPENID", "account": seller, "amount": 50, "description": "commission"},
		},
	})
	if err != nil {
		log.Fatal(err) // wxpay.OutcomeOf(err) tells whether money may have moved
	}
	fmt.Println("shared:", verdict.State, verdict.Response.Get("state"))
	for _, to := range verdict.Response.Get("receivers").Array() { // each has a result of its own
		fmt.Printf("%v %v %q\n", to.Get("amount"), to.Get("result"), to.Get("fail_reason").String())
	}

	// A refund of it all: first the share comes back, then the user gets the money.
	verdict, err = client.Chain("v3/profitsharing/return-orders").UntilFinal().Ensure(ctx, wxpay.JSON{
		"out_order_no": "SHARE-0001", "out_return_no": "RETURN-0001", "return_mchid": supplier, "amount": 200, "description": "refund",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("returned:", verdict.State)
	verdict, err = client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"out_trade_no": "ORDER-0001", "out_refund_no": "ORDER-0001-R1",
		"amount": wxpay.JSON{"refund": 300, "total": 1000, "currency": "CNY"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("refunded:", verdict.State)

	// What nobody gets goes back to the merchant.
	verdict, err = client.Chain("v3/profitsharing/orders/unfreeze").Ensure(ctx, wxpay.JSON{
		"transaction_id": transaction, "out_order_no": "SHARE-0001-END", "description": "done",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("unfrozen:", verdict.State) // a query tells the end
	// Output:
	// shared: partial FINISHED
	// 200 SUCCESS ""
	// 50 CLOSED "ACCOUNT_ABNORMAL"
	// returned: succeeded
	// refunded: accepted
	// unfrozen: taken
}

// A service provider sells for its sub-merchant. It signs with its own key, and names both.
func Example_serviceProvider() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	const shopOfOthers = "1900000220"
	check(gateway.AddSubMerchant(shopOfOthers))
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	handler, err := webhook.New(webhook.Merchant{ID: client.MchID(), APIv3Key: gateway.Merchant().APIv3Key, Keys: client})
	check(err)
	handler.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error {
		expected := webhook.Payment{MchID: client.MchID(), SubMchID: shopOfOthers, OutTradeNo: "ORDER-0001", Total: 1000}
		if err := expected.Check(e); err != nil {
			return err
		}
		fmt.Println("paid for", e.Get("sub_mchid"))
		return nil
	})
	gateway.Deliveries.To(handler)

	res, err := client.Chain("v3/pay/partner/transactions/native").Post(ctx, wxpay.JSON{
		"sp_appid": "wxd678efh567hg6787", "sp_mchid": client.MchID(), "sub_mchid": shopOfOthers,
		"description": "T-shirt", "out_trade_no": "ORDER-0001", "notify_url": "https://provider.example.com/notify",
		"amount": wxpay.JSON{"total": 1000},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("code_url").Exists())
	_, err = gateway.Users.Pay("ORDER-0001")
	check(err)
	_, err = gateway.Deliveries.Await(ctx, gateway.Deliveries.All()[0].ID, 1)
	check(err)

	res, err = client.Chain("v3/pay/partner/transactions/out-trade-no/{out_trade_no}", "ORDER-0001").
		Query("sp_mchid", client.MchID()).Query("sub_mchid", shopOfOthers).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("trade_state"), res.Get("sub_mchid"))

	verdict, err := client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"sub_mchid": shopOfOthers, "out_trade_no": "ORDER-0001", "out_refund_no": "ORDER-0001-R1",
		"amount": wxpay.JSON{"refund": 1000, "total": 1000, "currency": "CNY"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("refund", verdict.State)
	// Output:
	// true
	// paid for 1900000220
	// SUCCESS 1900000220
	// refund accepted
}
