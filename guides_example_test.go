package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// A transfer waits until its user confirms it, and money moves only then.
func Example_transfer() {
	client, ctx := exampleClient(), context.Background()
	verdict, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, wxpay.JSON{
		"appid": "wxd678efh567hg6787", "out_bill_no": "T20260102001", "transfer_scene_id": "1000",
		"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "user_name": "张三", "transfer_amount": 20000, "transfer_remark": "bonus",
		"notify_url": "https://shop.example.com/notify",
		"transfer_scene_report_infos": []wxpay.JSON{
			{"info_type": "活动名称", "info_content": "spring"}, {"info_type": "奖励说明", "info_content": "first prize"},
		},
	})
	switch {
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		log.Fatal("keep out_bill_no, and resolve it later: ", err)
	case err != nil && wxpay.OutcomeOf(err) == wxpay.Confirmed:
		log.Fatal("the platform has it, and a later step of this program failed: ", err)
	case err != nil:
		log.Fatal("this call moved no money: ", err)
	}
	fmt.Println(verdict.State, verdict.Response.Get("state"), verdict.Response.Get("package_info").Exists())
	// Output: accepted WAIT_USER_CONFIRM true
}

// The end of a transfer: its notification tells it, and a query proves it.
func Example_transferEnd() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	handler, err := webhook.New(webhook.Merchant{ID: client.MchID(), APIv3Key: gateway.Merchant().APIv3Key, Keys: client})
	check(err)
	handler.On("MCHTRANSFER.BILL.FINISHED", func(ctx context.Context, e *webhook.Event) error {
		number, err := e.Text("out_bill_no")
		if err != nil {
			return err
		}
		res, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", number).Get(ctx)
		if err != nil {
			return err // the platform sends the notification again
		}
		fmt.Println(number, res.Get("state"))
		return nil
	})
	gateway.Deliveries.To(handler)

	_, err = client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{
		"appid": "wxd678efh567hg6787", "out_bill_no": "T20260102002", "transfer_scene_id": "1000",
		"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "transfer_amount": 30, "transfer_remark": "bonus",
		"notify_url": "https://shop.example.com/notify",
		"transfer_scene_report_infos": []wxpay.JSON{
			{"info_type": "活动名称", "info_content": "spring"}, {"info_type": "奖励说明", "info_content": "first prize"},
		},
	})
	check(err)
	check(gateway.Ledger.Settle(sandbox.TransferEffect, "T20260102002", "SUCCESS"))
	_, err = gateway.Deliveries.Await(ctx, gateway.Deliveries.All()[0].ID, 1)
	check(err)
	// Output: T20260102002 SUCCESS
}

// What an error says, in the order in which to ask.
func Example_errors() {
	client, ctx := unluckyClient(), context.Background()
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, exampleRefund)
	var rejection *wxpay.APIError
	switch outcome := wxpay.OutcomeOf(err); {
	case err == nil:
		fmt.Println("done")
	case outcome == wxpay.NotSent:
		fmt.Println("a mistake of ours, or no connection: nothing was sent")
	case outcome == wxpay.Rejected && errors.As(err, &rejection):
		fmt.Println("rejected, this call moved no money:", rejection.Code, rejection.Hint)
	case outcome == wxpay.Confirmed:
		fmt.Println("it took effect, and a later step of this program failed:", err)
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		verdict, err := client.Resolve(ctx, err) // only asks; repeats nothing
		if err != nil {
			log.Fatal("still unknown: keep the number, and ask again later: ", err)
		}
		fmt.Println("it was unknown, and is", verdict.State)
	}
	// Output: it was unknown, and is succeeded
}
