package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/wxpay-go/wxpay"
)

// The members that the manual marks are encrypted in any body.
func ExampleChain_Post_encryptedMembers() {
	client, ctx := exampleClient(), context.Background()
	req, err := client.Chain("v3/transfer/batches").Request(ctx, "POST", wxpay.JSON{
		"out_batch_no": "plfk2020042013", "batch_name": "会员礼", "batch_remark": "会员礼", "total_amount": 100, "total_num": 1,
		"transfer_detail_list": []wxpay.JSON{{
			"out_detail_no": "x23zy545Bd5436", "transfer_amount": 100, "transfer_remark": "会员礼",
			"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "user_name": "张三",
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	var sent struct {
		List []struct {
			Name string `json:"user_name"`
		} `json:"transfer_detail_list"`
	}
	if err := json.NewDecoder(req.Body).Decode(&sent); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(sent.List[0].Name), "characters of base64")
	fmt.Println(strings.HasPrefix(req.Header.Get("Wechatpay-Serial"), "PUB_KEY_ID_"))
	// Output:
	// 344 characters of base64
	// true
}

// A Secret is encrypted wherever it stands, with or without a catalogue, and prints redacted.
func ExampleSecret() {
	client, ctx := exampleClient(), context.Background()
	body := wxpay.JSON{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "user_name": wxpay.Secret("张三")}
	req, err := client.Chain("v3/new/operation").Request(ctx, "POST", body)
	if err != nil {
		log.Fatal(err)
	}
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(body["user_name"])
	fmt.Println(strings.Contains(string(sent), "张三"), len(sent))
	// Output:
	// wxpay.Secret(redacted)
	// false 400
}

// A pointer marks a member that the catalogue does not, or that is encrypted only under a condition.
func ExampleChain_Encrypt() {
	client, ctx := exampleClient(), context.Background()
	chain := client.Chain("v3/new/operation").Encrypt("/receivers/*/name")
	_, err := chain.Request(ctx, "POST", `{"receivers":[{"name":"张三"},{"name":"李四"}]}`)
	fmt.Println(err)
	_, err = chain.Request(ctx, "POST", `{"receivers":[{"nmae":"张三"}]}`)
	fmt.Println(err)
	// Output:
	// <nil>
	// wxpay: POST /v3/new/operation: not sent: Encrypt("/receivers/*/name"): the request has no such field (write * for each element of an array)
}

// The checks before sending find what the platform would refuse.
func ExampleWithPreflight() {
	client, ctx := exampleClient(wxpay.WithPreflight(wxpay.PreflightStrict)), context.Background()
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": "1900000109", "description": "T-shirt 👕", "out_trade_no": "ABC-001",
		"notify_url": "https://example.com/notify", "amount": wxpay.JSON{"total": "100"},
	})
	var refused *wxpay.PreflightError
	if errors.As(err, &refused) {
		for _, finding := range refused.Findings {
			fmt.Println(finding.Kind, finding.Pointer)
		}
	}
	_, err = client.Chain("v3/pay/transactions/nativ").Post(ctx, wxpay.JSON{})
	fmt.Println(strings.Contains(err.Error(), "POST /v3/pay/transactions/native"))
	// Output:
	// wrong type /amount/total
	// supplementary character /description
	// true
}

// Each goes through a list over all its pages; how it is paged is known from the catalogue, or said with Paging.
func ExampleChain_Each() {
	shelf := &shelf{page: byOffset(25)} // a gateway with a list of 25
	client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
		wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), wxpay.WithTransport(shelf))
	if err != nil {
		log.Fatal(err)
	}
	chain := client.Chain("v3/merchant-service/complaints-v2").Query("begin_date", "2026-11-01").Query("end_date", "2026-11-22")
	sum := 0
	for complaint, err := range chain.Each(context.Background(), "data") {
		if err != nil {
			log.Fatal(err)
		}
		sum += int(complaint.Get("id").Int())
	}
	fmt.Println(sum, "in", len(shelf.queries), "calls")
	// Output: 300 in 3 calls
}
