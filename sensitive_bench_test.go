package wxpay_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// tenDetails is a batch of ten transfers, each with one marked member, as JSON.
func tenDetails(tb testing.TB) []byte {
	tb.Helper()
	details := make([]wxpay.JSON, 10)
	for i := range details {
		details[i] = wxpay.JSON{
			"out_detail_no": fmt.Sprintf("x23zy545Bd5436%d", i), "transfer_amount": 200000, "transfer_remark": "2020年4月报销",
			"openid": "o-MYE42l80oelYMDE34nYD456Xoy", "user_name": "张三",
		}
	}
	body, err := json.Marshal(wxpay.JSON{
		"appid": "wxf636efh567hg4356", "out_batch_no": "plfk2020042013", "batch_name": "2019年1月深圳分部报销单", "batch_remark": "2019年1月深圳分部报销单",
		"total_amount": 2000000, "total_num": 10, "transfer_detail_list": details,
	})
	require.NoError(tb, err)
	return body
}

// BenchmarkSeal compares the encryption of ten members in a body of ten details with ten bare encryptions and one pass of
// encoding/json over the same body. The two take turns, so that what else the machine does meets both; the metric x/floor
// is the ratio. Signing is taken out.
func BenchmarkSeal(b *testing.B) {
	body, key, name := tenDetails(b), testKeys().platform.Public(), []byte("张三")
	chain := benchClient(b, newCanned(`{}`)).Chain("v3/transfer/batches").Unbind()
	var floor, ours time.Duration
	for b.Loop() {
		begin := time.Now()
		if !json.Valid(body) {
			b.Fatal("not JSON")
		}
		for range 10 {
			if _, err := apiv3.RSA().Encrypt(key, name); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		if _, err := chain.Request(context.Background(), "POST", body); err != nil {
			b.Fatal(err)
		}
		floor, ours = floor+middle.Sub(begin), ours+time.Since(middle)
	}
	b.ReportMetric(float64(floor.Nanoseconds())/float64(b.N), "floor-ns/op")
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "wxpay-ns/op")
	b.ReportMetric(ours.Seconds()/floor.Seconds(), "x/floor")
}

// BenchmarkPreflight is the check of a Native order with all that is usual, next to the same call without it.
func BenchmarkPreflight(b *testing.B) {
	body, err := json.Marshal(nativeOrder())
	require.NoError(b, err)
	for _, bench := range []struct {
		name   string
		option wxpay.Option
	}{{"without a catalogue", wxpay.WithCatalog(nil)}, {"strict", wxpay.WithPreflight(wxpay.PreflightStrict)}} {
		b.Run(bench.name, func(b *testing.B) {
			client := benchClient(b, newCanned(`{}`), bench.option)
			chain, ctx := client.Chain("v3/pay/transactions/native"), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := chain.Request(ctx, "POST", body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen is the decryption of a response with one marked member, next to one bare decryption.
func BenchmarkOpen(b *testing.B) {
	sealed := ciphertext(b, testKeys().merchant, "张三")
	b.Run("floor", func(b *testing.B) {
		raw, err := base64.StdEncoding.DecodeString(sealed)
		require.NoError(b, err)
		for b.Loop() {
			if _, err := apiv3.RSA().Decrypt(testKeys().merchant, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wxpay", func(b *testing.B) {
		body := `{"name":"` + sealed + `"}`
		client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
			wxpay.WithPublicKey(benchKeyID, testKeys().platform.Public()), wxpay.WithTransport(newCanned(body)), wxpay.WithScheme(stubScheme{apiv3.RSA()}),
			wxpay.WithCatalog(answering), wxpay.WithClock(longClock()))
		require.NoError(b, err)
		for b.Loop() {
			res, err := client.Chain("v3/marked").Get(context.Background())
			if err != nil || res.Get("name").String() != "张三" {
				b.Fatal(err)
			}
		}
	})
}
