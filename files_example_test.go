package wxpay_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxbill"
)

// billClient connects a client to a sandbox that invents bills.
func billClient() *wxpay.Client {
	_, client := billGateway()
	return client
}

func billGateway() (*sandbox.Sandbox, *wxpay.Client) {
	gateway, err := sandbox.New(sandbox.WithBillRows(3))
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	if err != nil {
		log.Fatal(err)
	}
	return gateway, client
}

// dayBefore is a day whose bill is made.
func dayBefore() string { return time.Now().AddDate(0, 0, -3).Format(time.DateOnly) }

// A bill in one call: applied for, awaited, downloaded, expanded, verified; and then read row by row, in fen.
func ExampleChain_Bill() {
	client, ctx := billClient(), context.Background()
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", dayBefore()).Query("tar_type", "GZIP").Bill(ctx)
	switch {
	case errors.Is(err, wxpay.ErrNotReady):
		return // come again later
	case err != nil:
		log.Fatal(err)
	}
	defer bill.Close()
	rows := 0
	var sum int64
	for row, err := range bill.Rows() {
		if err != nil {
			log.Fatal(err)
		}
		fen, err := row.Fen("应结订单金额")
		if err != nil {
			log.Fatal(err)
		}
		rows, sum = rows+1, sum+fen
	}
	summary, err := bill.Summary()
	if err != nil {
		log.Fatal(err)
	}
	total, err := summary[0].Fen("应结订单总金额")
	fmt.Println(bill.Verified, rows, sum == total, err)
	// Output: true 3 true <nil>
}

// An encrypted bill goes the same way. It is written to a file that appears when everything is right.
func ExampleChain_BillTo() {
	client, ctx := billClient(), context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bill.csv")
	got, err := client.Chain("v3/ecommerce/bill/fundflowbill").Query("bill_date", dayBefore()).
		Query("account_type", "ALL").Query("algorithm", "AEAD_AES_256_GCM").
		BillTo(ctx, wxpay.ToFile(path))
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(path)
	fmt.Println(info.Size() == got.Size, got.Verified, got.DigestOf, err)
	// Output: true true plain <nil>
}

// A link that a response gave, with the digest that came with it.
func ExampleClient_Fetch() {
	client, ctx := billClient(), context.Background()
	res, err := client.Chain("v3/bill/fundflowbill").Query("bill_date", dayBefore()).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var file strings.Builder
	got, err := client.Fetch(ctx, res.Get("download_url").String(), &file,
		wxpay.Digest(res.Get("hash_type").String(), res.Get("hash_value").String()))
	fmt.Println(got.Verified, int64(file.Len()) == got.Size, err)
	// Output: true true <nil>
}

// An upload, and the image that it became. The id is percent-encoded already where a response's media_url has it: there it
// goes into RawVar, or the whole address into Fetch.
func ExampleChain_Download() {
	client, ctx := billClient(), context.Background()
	png := "\x89PNG\r\n\x1a\n"
	res, err := client.Chain("v3/merchant-service/images/upload").Upload(ctx, wxpay.FileFrom("a.png", strings.NewReader(png), int64(len(png))))
	if err != nil {
		log.Fatal(err)
	}
	var file strings.Builder
	_, err = client.Chain("v3/merchant-service/images/{media_id}", res.Get("media_id").String()).Download(ctx, &file)
	fmt.Println(file.String() == png, err)
	// Output: true <nil>
}

// A receipt: apply for it, and wait until it is made.
func ExampleChain_Receipt() {
	gateway, client := billGateway()
	ctx := context.Background()
	transfer, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{
		"appid": "wx8888888888888888", "out_bill_no": "plfk2020042013", "transfer_scene_id": "1000", "openid": "o-MYE42l80oelYMDE34nYD456Xoy",
		"transfer_amount": 100, "transfer_remark": "bonus",
		"transfer_scene_report_infos": []wxpay.JSON{{"info_type": "活动名称", "info_content": "新会员有礼"}, {"info_type": "奖励说明", "info_content": "抽奖一等奖"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	number := transfer.Get("out_bill_no").String()
	if err := gateway.Ledger.Settle(sandbox.TransferEffect, number, "SUCCESS"); err != nil { // here the user confirms
		log.Fatal(err)
	}
	if _, err := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no").Post(ctx, wxpay.JSON{"out_bill_no": number}); err != nil {
		log.Fatal(err)
	}
	var pdf strings.Builder
	got, err := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", number).Receipt(ctx, &pdf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.HasPrefix(pdf.String(), "%PDF"), got.Verified)
	// Output: true true
}

// A file streams: it is read once for its digest, and once for each attempt.
func ExampleChain_Upload() {
	client, ctx := billClient(), context.Background()
	png := "\x89PNG\r\n\x1a\n"
	res, err := client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileFrom("a.png", strings.NewReader(png), int64(len(png)))) // or FileAt
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Need("media_id"))
	// Output: <nil>
}

// Meta adds what an operation wants to know of the file. The names of the parts and of the digest are the catalogue's; they
// are given only for an operation that it does not know.
func ExampleFile() {
	file := wxpay.FileReader("licence.png", strings.NewReader("\x89PNG\r\n\x1a\n")).Meta("item_id", 3).
		Part("submission_file").Fields("file_name", "file_digest").Hash(sha256.New)
	client, ctx := billClient(), context.Background()
	res, err := client.Chain("v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload", "1900000110").Upload(ctx, file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("file_id").Exists())
	// Output: true
}

// A file that appears once all of it is verified. An existing one is an error unless it is to be replaced.
func ExampleToFile() {
	client, ctx := billClient(), context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	target := wxpay.ToFile(filepath.Join(dir, "trade.csv"))
	bill := client.Chain("v3/bill/tradebill").Query("bill_date", dayBefore())
	for _, target := range []wxpay.Target{target, target, target.Replace()} {
		_, err := bill.BillTo(ctx, target)
		fmt.Println(err == nil)
	}
	// Output:
	// true
	// false
	// true
}

// A bill may be read several times: here as text, and by rows.
func ExampleBill() {
	client, ctx := billClient(), context.Background()
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", dayBefore()).Bill(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer bill.Close()
	var text strings.Builder
	size, err := bill.WriteTo(&text)
	fmt.Println(size == bill.Size, strings.HasPrefix(strings.TrimPrefix(text.String(), "\ufeff"), "交易时间,"), err)
	summary, err := bill.Summary()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(summary[0].Get("总交易单数"))
	// Output:
	// true true <nil>
	// 3
}

// A row has its bill's columns. Amounts are fen, exactly; package wxbill has the names of the usual columns.
func ExampleRow() {
	client, ctx := billClient(), context.Background()
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", dayBefore()).Bill(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer bill.Close()
	for row, err := range bill.Rows() {
		if err != nil {
			log.Fatal(err)
		}
		fen, err := row.Fen(wxbill.Amount)
		fmt.Println(fen > 0, err, row.Get(wxbill.TradeState), len(row.Values()) == len(row.Columns()))
		break
	}
	// Output: true <nil> SUCCESS true
}

// Amounts of files are yuan. Nothing is rounded.
func ExampleParseYuan() {
	fmt.Println(wxpay.ParseYuan("59.00"))
	_, err := wxpay.ParseYuan("0.005")
	fmt.Println(err != nil)
	// Output:
	// 5900 <nil>
	// true
}
