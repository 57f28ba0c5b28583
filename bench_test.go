package wxpay_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// The benchmarks isolate what a client costs: the round tripper returns a canned signed response, and RSA, which is the
// same for everybody, is taken out of client and floor alike by stubs. The floor is the same work written by hand on
// net/http.

// stubSignature is what stubKey and stubScheme sign with.
var stubSignature = bytes.Repeat([]byte{7}, 256)

// stubScheme is RSA with the arithmetic taken out.
type stubScheme struct{ apiv3.Scheme }

func (stubScheme) Sign(_ crypto.Signer, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	if sum[0] == 0 && sum[1] == 0 && sum[2] == 0 && sum[3] == 0 {
		return nil, errors.New("keep the hash")
	}
	return stubSignature, nil
}

func (stubScheme) Verify(_ crypto.PublicKey, message, signature []byte) error {
	sum := sha256.Sum256(message)
	if len(signature) != len(stubSignature) || sum[0] == 0 && sum[1] == 0 && sum[2] == 0 && sum[3] == 0 {
		return apiv3.ErrSignature
	}
	return nil
}

func (stubScheme) Encrypt(crypto.PublicKey, []byte) ([]byte, error) { return stubSignature, nil }

const (
	benchKeyID  = "PUB_KEY_ID_0119000001092025010100000000000001"
	benchAnswer = `{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665",` +
		`"openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"100002322019090134234sfdf","cell_message":"15_1200_1"}`
	feedsPath = "v3/brand/partner/card-member/user-feeds"
)

func feed() wxpay.JSON {
	return wxpay.JSON{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
		"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": "100002322019090134234sfdf", "cell_message": "15_1200_1",
	}
}

// handFeed is the same body as a struct, the fastest that encoding/json knows.
var handFeed = &struct {
	Brand   string `json:"brand_id"`
	Card    string `json:"card_id"`
	Message string `json:"cell_message"`
	OpenID  string `json:"openid"`
	Number  string `json:"out_request_no"`
	Code    string `json:"user_card_code"`
}{"1004", "pbLatjvWOibDc5-TBnbUk1pD12o0", "15_1200_1", "obLatjnx9gnqzS4myYGmLZ7LgLBA", "100002322019090134234sfdf", "478515832665"}

// canned answers every request with the same signed response.
type canned struct {
	body   string
	header http.Header
}

func newCanned(body string) *canned {
	h := http.Header{}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Request-Id", "08F78BB5AF0610D302189F8FCC5A20AA2D28D6E0E1048901-0")
	h.Set(apiv3.HeaderNonce, "804c37132dbc174cd7add22556a05f46")
	h.Set(apiv3.HeaderSerial, benchKeyID)
	h.Set(apiv3.HeaderTimestamp, strconv.FormatInt(time.Now().Unix(), 10))
	h.Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(stubSignature))
	h.Set(apiv3.HeaderSignatureType, "WECHATPAY2-SHA256-RSA2048")
	return &canned{body, h}
}

func (c *canned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: c.header,
		Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: req,
	}, nil
}

func benchKeys(tb testing.TB) (merchant *rsa.PrivateKey, platform *rsa.PrivateKey) {
	tb.Helper()
	var err error
	merchant, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(tb, err)
	platform, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(tb, err)
	return merchant, platform
}

// benchClient has the whole stack on.
func benchClient(tb testing.TB, rt http.RoundTripper, options ...wxpay.Option) *wxpay.Client {
	tb.Helper()
	merchant, platform := benchKeys(tb)
	client, err := wxpay.New(
		wxpay.Merchant{ID: "1900000109", Serial: "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B", PrivateKey: merchant},
		append([]wxpay.Option{
			wxpay.WithPublicKey(benchKeyID, &platform.PublicKey), wxpay.WithTransport(rt), wxpay.WithScheme(stubScheme{apiv3.RSA()}),
			wxpay.WithLogger(slog.New(slog.DiscardHandler)), wxpay.WithObserver(func(context.Context, middleware.Observation) {}),
		}, options...)...)
	require.NoError(tb, err)
	return client
}

// floor makes a call by hand, as a careful programmer would without a library.
func floor(ctx context.Context, client *http.Client, method, target string, body any) (string, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return "", err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://api.mch.weixin.qq.com"+target, bytes.NewReader(payload))
	if err != nil {
		return "", err
	}
	nonce, timestamp := rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	message := method + "\n" + req.URL.RequestURI() + "\n" + timestamp + "\n" + nonce + "\n" + string(payload) + "\n"
	signature, err := stubScheme{}.Sign(nil, []byte(message))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		"1900000109", nonce, timestamp, "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B", base64.StdEncoding.EncodeToString(signature)))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "floor/1.0")
	req.Header.Set(apiv3.HeaderSerial, benchKeyID)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode != 200 {
		return "", fmt.Errorf("status %d", res.StatusCode)
	}
	seconds, err := strconv.ParseInt(res.Header.Get(apiv3.HeaderTimestamp), 10, 64)
	if err != nil {
		return "", err
	}
	if age := time.Since(time.Unix(seconds, 0)); age > time.Hour || age < -time.Hour {
		return "", errors.New("clock")
	}
	if res.Header.Get(apiv3.HeaderSerial) != benchKeyID {
		return "", errors.New("unknown serial")
	}
	value, err := base64.StdEncoding.DecodeString(res.Header.Get(apiv3.HeaderSignature))
	if err != nil {
		return "", err
	}
	signed := res.Header.Get(apiv3.HeaderTimestamp) + "\n" + res.Header.Get(apiv3.HeaderNonce) + "\n" + string(answer) + "\n"
	if err := (stubScheme{}).Verify(nil, []byte(signed), value); err != nil {
		return "", err
	}
	return gjson.GetBytes(answer, "out_request_no").String(), nil
}

// longClock keeps the canned answer inside its window however long a benchmark runs.
func longClock() func() time.Time {
	now := time.Now()
	return func() time.Time { return now }
}

func BenchmarkFeedPost(b *testing.B) {
	ctx := context.Background()
	b.Run("floor", func(b *testing.B) {
		client := &http.Client{Transport: newCanned(benchAnswer), Timeout: 30 * time.Second}
		b.ReportAllocs()
		for b.Loop() {
			number, err := floor(ctx, client, "POST", "/"+feedsPath, handFeed)
			if err != nil || number == "" {
				b.Fatal(err)
			}
		}
	})
	b.Run("wxpay", func(b *testing.B) {
		client := benchClient(b, newCanned(benchAnswer), wxpay.WithClock(longClock()))
		b.ReportAllocs()
		for b.Loop() {
			res, err := client.Chain(feedsPath).Post(ctx, feed())
			if err != nil || res.Get("out_request_no").String() == "" {
				b.Fatal(err)
			}
		}
	})
}

// One expression of five segments, without variables and query: what it costs to write a call down.
func BenchmarkExpression(b *testing.B) {
	client := benchClient(b, newCanned(benchAnswer))
	b.Run("chain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink = client.Chain(feedsPath)
		}
	})
	b.Run("at", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink = client.At("v3", "brand", "partner", "cardMember", "userFeeds")
		}
	})
	b.Run("pure", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink = api.V3(client).Brand().Partner().CardMember().UserFeeds().Chain()
		}
	})
}

var sink wxpay.Chain

func BenchmarkNew(b *testing.B) {
	merchant, platform := benchKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wxpay.New(wxpay.Merchant{ID: "1900000109", Serial: testSerial, PrivateKey: merchant},
			wxpay.WithPublicKey(benchKeyID, &platform.PublicKey)); err != nil {
			b.Fatal(err)
		}
	}
}

// unreachedLimiter does a limiter's work and never holds anything back.
var unreachedLimiter = wxpay.WithLimiter(middleware.NewLimits(middleware.Rule{InFlight: 1000}))

// batch is a transfer to ten receivers, whose names the catalogue marks as encrypted.
func batch() wxpay.JSON {
	details := make([]wxpay.JSON, 10)
	for i := range details {
		details[i] = wxpay.JSON{
			"out_detail_no": "x23zy545Bd5436" + strconv.Itoa(i), "transfer_amount": 100, "transfer_remark": "一月报销",
			"openid": "o-MYE42l80oelYMDE34nYD456Xoy", "user_name": "张三",
		}
	}
	return wxpay.JSON{
		"appid": "wxf636efh567hg4356", "out_batch_no": "plfk2020042013", "batch_name": "一月报销", "batch_remark": "一月报销",
		"total_amount": 1000, "total_num": 10, "transfer_detail_list": details,
	}
}

// With RSA taken out of both, a call that is checked before it is sent costs less than by hand; BenchmarkFeedPost and
// docs/performance.md have the figures. This is a fence against what nobody wants, and wide, because a busy machine decides about
// less. Both are measured in one run, by turns, and another round follows wherever the fence is met.
// Short bursts, by turns: the fastest of each is one that nothing else disturbed, neither the machine nor the garbage
// collector. (With the latter it is well below 1, for a call leaves half as much behind.)
func TestTimeBesideTheFloor(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector costs time too")
	}
	ctx := context.Background()
	client := benchClient(t, newCanned(benchAnswer), wxpay.WithClock(longClock()), unreachedLimiter)
	byHand, body := &http.Client{Transport: newCanned(benchAnswer)}, feed()
	burst := func(call func() error) time.Duration {
		begin := time.Now()
		for range 50 {
			require.NoError(t, call())
		}
		return time.Since(begin)
	}
	own, hand := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	ratio := math.Inf(1)
	for range 10 {
		for range 50 {
			own = min(own, burst(func() error { _, err := client.Chain(feedsPath).Post(ctx, body); return err }))
			hand = min(hand, burst(func() error {
				ctx, stop := context.WithTimeout(ctx, 30*time.Second) // the client has time limits too
				defer stop()
				_, err := floor(ctx, byHand, "POST", "/"+feedsPath, handFeed)
				return err
			}))
		}
		if ratio = float64(own) / float64(hand); ratio <= 1.5 {
			break
		}
	}
	t.Logf("%.2f of the floor", ratio)
	assert.LessOrEqual(t, ratio, 1.5)
}

// What a call costs in memory is the same on every machine, so these figures hold, up and down: who changes one says so
// here. Another Go may need more or less of it, within a quarter.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	ctx := context.Background()
	client := benchClient(t, newCanned(benchAnswer), wxpay.WithClock(longClock()), unreachedLimiter)
	body, transfer, picture := feed(), batch(), make([]byte, 64<<10)
	statement := []byte(tradeBill[:strings.Index(tradeBill, "\n")+1] + strings.Repeat(strings.Split(tradeBill, "\n")[1]+"\n", 1000))
	files := newClient(t, wxpay.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/v3/bill/tradebill" {
			return link("a", statement).RoundTrip(req)
		}
		return file(statement).RoundTrip(req)
	})))
	bill, err := tradeChain(files).Bill(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bill.Close()) })
	rows := 0
	must := func(_ any, err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		allocs float64
		bytes  float64
		call   func()
	}{
		{"the feed, whole stack on", 18, 3488, func() { must(client.Chain(feedsPath).Post(ctx, body)) }},
		{"an order query", 23, 3632, func() {
			must(client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", "ABC-001").Query("mchid", "1900000109").Get(ctx))
		}},
		{"a transfer with 10 encrypted names, superseded, which is found each time", 25, 10968, func() {
			must(client.Chain("v3/transfer/batches").Unbind().Post(ctx, transfer))
		}},
		{"an upload of 64 KiB", 64, 6008, func() {
			must(client.Chain("v3/merchant/media/upload").Unbind().Upload(ctx, wxpay.FileFrom("a.png", bytes.NewReader(picture), int64(len(picture)))))
		}},
		{"a bill of 1,000 lines, and nothing read of it", 130, 308963, func() { must(tradeChain(files).BillTo(ctx, io.Discard)) }},
		{"1,000 rows of a bill", 1013, 211848, func() {
			for row, err := range bill.Rows() {
				if must(row, err); row.Get("微信订单号") != "" {
					rows++
				}
			}
		}},
		{"the parameters of a payment in a mini program", 14, 1256, func() {
			must(client.Invoke().MiniProgram(ctx, "wxd678efh567hg6787", "wx26112221580621e9b071c00d9e093b0000"))
		}},
		{"Chain", 0, 0, func() { sink = client.Chain(feedsPath) }},
		{"At", 1, 48, func() { sink = client.At("v3", "brand", "partner", "cardMember", "userFeeds") }},
		{"pure chain", 0, 0, func() { sink = api.V3(client).Brand().Partner().CardMember().UserFeeds().Chain() }},
	} {
		allocs, size := math.Inf(1), math.Inf(1)
		for range 5 { // the least: a collection empties pools, and what fills them again is not the call's
			allocs = min(allocs, testing.AllocsPerRun(50, tt.call))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			const runs = 50
			for range runs {
				tt.call()
			}
			runtime.ReadMemStats(&after)
			size = min(size, float64(after.TotalAlloc-before.TotalAlloc)/runs)
		}
		t.Logf("%s: %.0f allocations, %.0f bytes", tt.name, allocs, size)
		if strings.HasPrefix(runtime.Version(), "go1.26") {
			few := 0.0 // exact, but for what a pool gives anew
			if tt.allocs >= 50 {
				few = 0.02 // names of temporary files and addresses of maps differ a little
			}
			assert.InDelta(t, tt.allocs, allocs, few*tt.allocs, tt.name)
			assert.InDelta(t, tt.bytes, size, 16+few*tt.bytes, tt.name)
			continue
		}
		assert.InDelta(t, tt.allocs, allocs, 1+tt.allocs/4, tt.name)
		assert.InDelta(t, tt.bytes, size, 64+tt.bytes/4, tt.name)
	}
	assert.NotZero(t, rows)
}
