package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// pays are the operations that place an order, by front end. A mini program pays a JSAPI order.
var pays = map[string]string{
	"jsapi": "v3/pay/transactions/jsapi", "miniprogram": "v3/pay/transactions/jsapi", "app": "v3/pay/transactions/app",
	"h5": "v3/pay/transactions/h5", "native": "v3/pay/transactions/native",
}

// checkout places an order. Its result, as JSON, is what the front end takes.
func checkout(ctx context.Context, client *wxpay.Client, frontEnd, appID string, order wxpay.JSON) (any, error) {
	res, err := client.Chain(pays[frontEnd]).Post(ctx, order)
	if err != nil {
		return nil, err
	}
	invoke := client.Invoke()
	switch frontEnd {
	case "h5":
		return invoke.H5(res.Get("h5_url").String(), "https://shop.example.com/back")
	case "native":
		return invoke.Native(res.Get("code_url").String()) // the text of the QR code
	}
	prepayID, err := res.Text("prepay_id")
	if err != nil {
		return nil, err
	}
	switch frontEnd {
	case "app":
		return invoke.App(ctx, appID, prepayID)
	case "miniprogram":
		return invoke.MiniProgram(ctx, appID, prepayID)
	default:
		return invoke.JSAPI(ctx, appID, prepayID)
	}
}

// isPaid asks the platform. A front end that says "ok" is a reason to ask, and no proof.
func isPaid(ctx context.Context, client *wxpay.Client, number string, fen int64) (bool, error) {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Query("mchid", client.MchID()).Get(ctx)
	if err != nil {
		return false, err
	}
	if res.Get("trade_state").String() != "SUCCESS" {
		return false, nil
	}
	total, err := res.Fen("amount.total")
	if err != nil {
		return false, err
	}
	if total != fen {
		return false, fmt.Errorf("order %s is paid with another amount", number)
	}
	return true, nil
}

// giveUp closes an order, so that the user cannot pay it next to a new one. It reports whether the order is paid already.
func giveUp(ctx context.Context, client *wxpay.Client, number string, fen int64) (paid bool, err error) {
	_, err = client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", number).Post(ctx, wxpay.JSON{"mchid": client.MchID()})
	if wxpay.IsCode(err, wxcode.OrderPaid) {
		return isPaid(ctx, client, number, fen)
	}
	return false, err
}

// One order for each front end, and the questions that the server asks the platform.
func Example_frontEnds() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	const appID, openID, ip = "wxd678efh567hg6787", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "203.0.113.7"

	for _, frontEnd := range []string{"jsapi", "miniprogram", "app", "h5", "native"} {
		order := wxpay.JSON{
			"appid": appID, "mchid": client.MchID(), "description": "T-shirt", "out_trade_no": "ORDER-" + frontEnd,
			"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 100},
		}
		switch frontEnd {
		case "jsapi", "miniprogram":
			order["payer"] = wxpay.JSON{"openid": openID} // of this user in this appid
		case "h5":
			order["scene_info"] = wxpay.JSON{"payer_client_ip": ip, "h5_info": wxpay.JSON{"type": "Wap"}}
		}
		params, err := checkout(ctx, client, frontEnd, appID, order)
		check(err)
		text, err := json.Marshal(params)
		check(err)
		var fields map[string]string
		if json.Unmarshal(text, &fields) != nil { // an address
			fmt.Println(frontEnd, strings.SplitN(string(text), ":", 2)[0][1:])
			continue
		}
		fmt.Println(frontEnd, len(fields), "fields")
	}

	paid, err := isPaid(ctx, client, "ORDER-jsapi", 100)
	check(err)
	fmt.Println("the page says ok; paid:", paid)
	_, err = gateway.Users.Pay("ORDER-jsapi")
	check(err)
	paid, err = isPaid(ctx, client, "ORDER-jsapi", 100)
	check(err)
	fmt.Println("after the payment; paid:", paid)
	paid, err = giveUp(ctx, client, "ORDER-jsapi", 100)
	check(err)
	fmt.Println("given up too late; paid:", paid)
	paid, err = giveUp(ctx, client, "ORDER-native", 100)
	check(err)
	fmt.Println("given up; paid:", paid)
	// Output:
	// jsapi 6 fields
	// miniprogram 5 fields
	// app 7 fields
	// h5 https
	// native weixin
	// the page says ok; paid: false
	// after the payment; paid: true
	// given up too late; paid: true
	// given up; paid: false
}
