//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

const tradeBill = "\ufeff交易时间,微信订单号,商品名称,应结订单金额,手续费\r\n" +
	"`2026-11-22 10:00:00,`4200000000000000000000000001,`tea, large,`12.30,`0.00000\r\n" +
	"`2026-11-22 10:00:01,`4200000000000000000000000002,`,`-0.01,`0.00600\r\n" +
	"总交易单数,应结订单总金额\r\n`2,`12.29\r\n"

// billing is a gateway that hands out bills: it answers applications one after another, and links by their token.
type billing struct {
	t       *testing.T
	applied []answer          // to applications, the last one again and again
	files   map[string]answer // by token
	seen    []string          // applications as "apply", downloads by token
}

func (b *billing) RoundTrip(req *http.Request) (*http.Response, error) {
	requireSigned(b.t, req, req.URL.RequestURI(), "")
	if token := req.URL.Query().Get("token"); token != "" {
		b.seen = append(b.seen, token)
		return b.files[token].RoundTrip(req)
	}
	b.seen = append(b.seen, "apply")
	next := b.applied[0]
	if len(b.applied) > 1 {
		b.applied = b.applied[1:]
	}
	return next.RoundTrip(req)
}

// link is the answer to an application.
func link(token string, plain []byte) answer {
	return answer{body: fmt.Sprintf(
		`{"hash_type":"SHA1","hash_value":%q,"download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=%s"}`, hexSHA1(plain), token)}
}

func billError(status int, code string) answer {
	return answer{status: status, body: `{"code":"` + code + `","message":"账单"}`}
}

func tradeChain(client *wxpay.Client) wxpay.Chain {
	return client.Chain("v3/bill/tradebill").Query("bill_date", "2026-11-22")
}

// The whole of a bill in one call, plain and compressed.
func TestBill(t *testing.T) {
	noTemporaryFiles(t)
	for name, content := range map[string][]byte{"plain": []byte(tradeBill), "gzip": zipped(t, []byte(tradeBill))} {
		for _, options := range [][]wxpay.Option{{wxpay.WithCatalog(nil)}, {wxpay.WithPreflight(wxpay.PreflightStrict)}} {
			t.Run(name, func(t *testing.T) {
				gateway := &billing{t: t, applied: []answer{link("a", []byte(tradeBill))}, files: map[string]answer{"a": file(content)}}
				client := newClient(t, append(options, wxpay.WithTransport(gateway))...)
				bill, err := tradeChain(client).Bill(context.Background())
				require.NoError(t, err)
				assert.True(t, bill.Verified)
				assert.Equal(t, "plain", bill.DigestOf)
				assert.Equal(t, int64(len(tradeBill)), bill.Size)
				assert.Equal(t, int64(len(content)), bill.Received)
				assert.Equal(t, []string{"apply", "a"}, gateway.seen)
				for range 2 { // it can be read again
					var orders []string
					var fen []int64
					for row, err := range bill.Rows() {
						require.NoError(t, err)
						orders = append(orders, row.Get("微信订单号"))
						amount, err := row.Fen("应结订单金额")
						require.NoError(t, err)
						fen = append(fen, amount)
						assert.Equal(t, []string{"交易时间", "微信订单号", "商品名称", "应结订单金额", "手续费"}, row.Columns())
					}
					assert.Equal(t, []string{"4200000000000000000000000001", "4200000000000000000000000002"}, orders)
					assert.Equal(t, []int64{1230, -1}, fen)
				}
				for row, err := range bill.Rows() {
					require.NoError(t, err)
					assert.Equal(t, "tea, large", row.Get("商品名称"))
					break
				}
				summary, err := bill.Summary()
				require.NoError(t, err)
				require.Len(t, summary, 1)
				total, err := summary[0].Fen("应结订单总金额")
				require.NoError(t, err)
				assert.Equal(t, int64(1229), total)
				var out bytes.Buffer
				_, err = bill.WriteTo(&out)
				require.NoError(t, err)
				assert.Equal(t, tradeBill, out.String())
				require.NoError(t, bill.Close())

				out.Reset()
				got, err := tradeChain(client).BillTo(context.Background(), &out)
				require.NoError(t, err)
				assert.Equal(t, tradeBill, out.String())
				assert.True(t, got.Verified)
			})
		}
	}
}

// noTemporaryFiles has the test fail if it leaves a temporary file behind, with a name or, on Linux, open without one.
func noTemporaryFiles(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		// A reading that was given up takes its file away when it notices.
		for end := time.Now().Add(time.Minute); err == nil && len(left) > 0 && time.Now().Before(end); left, err = os.ReadDir(dir) {
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, err)
		assert.Empty(t, left, "temporary files left behind")
		open, _ := filepath.Glob("/proc/self/fd/*")
		for _, descriptor := range open {
			if name, err := os.Readlink(descriptor); err == nil {
				assert.NotContains(t, name, dir+"/", "a temporary file was left open")
			}
		}
	})
}

// The published vectors of bills.
func TestBillVectors(t *testing.T) {
	set := vectors.Load(t)
	tried := 0
	for _, v := range set.Vectors {
		if v.Kind != "bill" {
			continue
		}
		tried++
		t.Run(v.ID, func(t *testing.T) {
			links := 0
			client := vectorClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				if strings.Contains(req.URL.Path, "download") {
					links++
					assert.Contains(t, string(v.ApplyResponse), req.URL.String())
					return file(vectors.File(t, v.DownloadedFile)).RoundTrip(req)
				}
				res := answer{body: string(v.ApplyResponse), unsigned: true}
				res.bend = func(res *http.Response) {
					p := set.Parameters
					message := apiv3.AppendResponseMessage(nil, p.Clock, "nonce", v.ApplyResponse)
					signature, err := apiv3.RSA().Sign(vectors.Key(t, "wechatpay_pub_key"), message)
					require.NoError(t, err)
					setSignature(res.Header, p.Clock, p.PublicKeyID, signature)
				}
				return res.RoundTrip(req)
			}), set.Parameters.Now(), "nonce")
			bill, err := client.Chain("v3/bill/anybill").Query("bill_date", "2025-01-01").Bill(context.Background())
			require.NoError(t, err)
			defer bill.Close()
			assert.True(t, bill.Verified)
			assert.Equal(t, "plain", bill.DigestOf)
			var out bytes.Buffer
			_, err = bill.WriteTo(&out)
			require.NoError(t, err)
			assert.Equal(t, string(vectors.File(t, v.PlainFile)), out.String())
			assert.Equal(t, 1, links)
		})
	}
	assert.Equal(t, 2, tried)
}

// Waiting for a bill: the platform's word, Beijing's clock and the caller's context decide.
func TestBillIsNotReady(t *testing.T) {
	creating, none := billError(400, "STATEMENT_CREATING"), billError(400, "NO_STATEMENT_EXIST")
	unproven := none
	unproven.unsigned = true
	noParts := answer{body: `{"download_bill_count":0,"download_bill_list":[]}`}
	beijing := time.FixedZone("", 8*60*60)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, beijing)
	for name, tt := range map[string]struct {
		applied []answer
		path    string // if it is no trade bill
		query   [2]string
		day     time.Time
		now     time.Time
		limit   time.Duration
		options []wxpay.DownloadOption
		err     error
		says    string
		empty   bool
		takes   time.Duration
	}{
		"made at last": {applied: []answer{creating, creating, creating, link("a", []byte(tradeBill))}, takes: 210 * time.Second},
		"the caller cannot wait": {applied: []answer{creating}, limit: 3 * time.Minute, err: wxpay.ErrNotReady,
			says: "not ready yet: the bill is still being made: GET /v3/bill/tradebill: 400 STATEMENT_CREATING", takes: 90 * time.Second},
		"the caller asks once": {applied: []answer{creating}, options: []wxpay.DownloadOption{wxpay.WaitAtMost(0)}, err: wxpay.ErrNotReady},
		"the caller waits a bit": {applied: []answer{creating}, options: []wxpay.DownloadOption{wxpay.WaitAtMost(90 * time.Second)},
			err: wxpay.ErrNotReady, takes: 90 * time.Second},
		"no less than nothing": {applied: []answer{creating}, options: []wxpay.DownloadOption{wxpay.WaitAtMost(-1)}, err: wxpay.StageBuild,
			says: "must not be negative"},
		"to the very limit": {applied: []answer{creating, creating, creating, link("a", []byte(tradeBill))},
			options: []wxpay.DownloadOption{wxpay.WaitAtMost(100 * time.Second)}, takes: 100 * time.Second},
		"no parts, early": {applied: []answer{noParts}, now: time.Date(2026, 11, 23, 9, 59, 59, 0, beijing), err: wxpay.ErrNotReady,
			says: "bills are there after 2026-11-23 10:00 Beijing time"},
		"no parts": {applied: []answer{noParts}, empty: true},
		"the first part is missing": {
			applied: []answer{{body: `{"download_bill_count":2,"download_bill_list":[{"bill_sequence":3,"download_url":"x"},{"bill_sequence":2,` +
				`"download_url":"x"}]}`}}, err: wxpay.StageDecode, says: "the bill begins with part 2"},
		"never made": {applied: []answer{creating}, limit: 24 * time.Hour, err: wxpay.ErrNotReady,
			takes: 23*time.Hour + 31*time.Minute + 30*time.Second},
		"nothing happened": {applied: []answer{none}, empty: true},
		"exactly ten":      {applied: []answer{none}, now: time.Date(2026, 11, 23, 10, 0, 0, 0, beijing), empty: true},
		"just before ten": {applied: []answer{none}, now: time.Date(2026, 11, 23, 9, 59, 59, 0, beijing), err: wxpay.ErrNotReady,
			says: "bills are there after 2026-11-23 10:00 Beijing time"},
		"the day itself":          {applied: []answer{none}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, beijing), err: wxpay.ErrNotReady},
		"elsewhere on earth":      {applied: []answer{none}, now: time.Date(2026, 11, 23, 1, 59, 59, 0, time.UTC), err: wxpay.ErrNotReady},
		"written without hyphens": {applied: []answer{none}, query: [2]string{"date", "20261122"}, empty: true},
		"a day as a time":         {applied: []answer{none}, day: noon.AddDate(0, 0, -1), empty: true},
		"a day as a time, early":  {applied: []answer{none}, day: noon, err: wxpay.ErrNotReady, says: "bills are there after 2026-11-24 10:00 Beijing time"},
		"by the hour":             {applied: []answer{none}, query: [2]string{"bill_date", "2026112213"}, empty: true},
		"a day nobody can read":   {applied: []answer{none}, query: [2]string{"bill_date", "yesterday"}, err: wxpay.StageResponse, says: "NO_STATEMENT_EXIST"},
		"no day":                  {applied: []answer{none}, query: [2]string{"mchid", "1"}, err: wxpay.StageResponse, says: "NO_STATEMENT_EXIST"},
		"a refusal nobody signed": {applied: []answer{unproven}, err: wxpay.StageResponse, says: "NO_STATEMENT_EXIST"},
		"another refusal":         {applied: []answer{billError(400, "PARAM_ERROR")}, err: wxpay.StageResponse, says: "PARAM_ERROR"},
		"shares, early": {applied: []answer{billError(400, "INVALID_REQUEST")}, path: "v3/profitsharing/bills",
			now: time.Date(2026, 11, 23, 9, 0, 0, 0, beijing), err: wxpay.ErrNotReady},
		"shares, later":   {applied: []answer{billError(400, "INVALID_REQUEST")}, path: "v3/profitsharing/bills", err: wxpay.StageResponse},
		"no bill's chain": {applied: []answer{{body: `{"code_url":"weixin://"}`}}, err: wxpay.StageDecode, says: "no download_url"},
		"not JSON":        {applied: []answer{{body: `<html>`}}, err: wxpay.StageDecode, says: "cannot be read"},
		"fewer than announced": {
			applied: []answer{{body: `{"download_bill_count":2,"download_bill_list":[{"bill_sequence":1,"download_url":"x"}]}`}},
			err:     wxpay.StageDecode, says: "announces 2 parts and lists 1"},
		"a part is missing": {
			applied: []answer{{body: `{"download_bill_count":2,"download_bill_list":[{"bill_sequence":3,"download_url":"x"},{"bill_sequence":1,` +
				`"download_url":"x"}]}`}}, err: wxpay.StageDecode, says: "part 3 of the bill follows part 1"},
		"a part twice": {
			applied: []answer{{body: `{"download_bill_count":2,"download_bill_list":[{"bill_sequence":1,"download_url":"x"},{"bill_sequence":1,` +
				`"download_url":"x"}]}`}}, err: wxpay.StageDecode, says: "part 1 of the bill follows part 1"},
		"parts that are not secret": {
			applied: []answer{{body: `{"download_bill_count":2,"download_bill_list":[{"bill_sequence":1,"download_url":"x"},{"bill_sequence":2,` +
				`"download_url":"x"}]}`}}, err: wxpay.StageDecode, says: "not encrypted"},
		"an unknown digest": {applied: []answer{{body: `{"hash_type":"SM3","hash_value":"00","download_url":"x"}`}},
			err: wxpay.StageDecode, says: "DigestAlgorithm"},
		"a foreign link": {applied: []answer{{body: `{"download_url":"https://evil.example/bill"}`}}, err: wxpay.StageBuild,
			says: "not this client's gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := noon
				if !tt.now.IsZero() {
					now = tt.now
				}
				// The signatures of the responses are of the bubble's time.
				skew := time.Until(now)
				for i := range tt.applied {
					tt.applied[i].ahead = skew
				}
				gateway := &billing{t: t, applied: tt.applied, files: map[string]answer{"a": file([]byte(tradeBill))}}
				client := newClient(t, wxpay.WithTransport(gateway), wxpay.WithClock(func() time.Time { return time.Now().Add(skew) }))
				ctx := context.Background()
				if tt.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				chain := tradeChain(client)
				if tt.path != "" {
					chain = client.Chain(tt.path).Query("bill_date", "2026-11-22")
				}
				if !tt.day.IsZero() {
					chain = chain.Query("bill_date", tt.day)
				}
				if tt.query[0] != "" {
					chain = client.Chain("v3/bill/tradebill").Query(tt.query[0], tt.query[1])
				}
				began := time.Now()
				var waited time.Duration
				waiting := wxpay.Waiting(func(pause time.Duration) { waited += pause })
				bill, err := chain.Bill(ctx, append(tt.options, waiting)...)
				assert.Equal(t, tt.takes, time.Since(began))
				assert.Equal(t, tt.takes, waited)
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err)
					assert.ErrorContains(t, err, tt.says)
					var refusal *wxpay.APIError
					assert.Equal(t, (tt.err == wxpay.ErrNotReady || tt.err == wxpay.StageResponse) && tt.applied[0].status != 0, errors.As(err, &refusal))
					return
				}
				require.NoError(t, err)
				defer bill.Close()
				assert.Equal(t, tt.empty, bill.Empty)
				assert.True(t, bill.Verified)
				assert.NotEmpty(t, bill.RequestID)
				rows := 0
				for _, err := range bill.Rows() {
					require.NoError(t, err)
					rows++
				}
				assert.Equal(t, tt.empty, rows == 0)
			})
		})
	}
}

func TestBillSurvivesReportOfWaiting(t *testing.T) {
	noTemporaryFiles(t)
	gateway := &billing{t: t, applied: []answer{billError(400, "STATEMENT_CREATING")}}
	_, err := tradeChain(newClient(t, wxpay.WithTransport(gateway))).Bill(t.Context(), wxpay.Waiting(func(time.Duration) { panic("boom") }))
	require.ErrorAs(t, err, new(*wxpay.PanicError))
}

// Who cancels while a bill or a receipt is being made hears of that, and not that it is not ready.
func TestBillIsCancelledWhileItIsMade(t *testing.T) {
	reason := errors.New("the shop closes")
	for name, get := range map[string]func(context.Context, *wxpay.Client) error{
		"bill": func(ctx context.Context, client *wxpay.Client) error {
			_, err := tradeChain(client).Bill(ctx)
			return err
		},
		"statement": func(ctx context.Context, client *wxpay.Client) error {
			_, err := client.Chain("v3/global/statements").Query("date", "20261122").BillTo(ctx, io.Discard)
			return err
		},
		"receipt": func(ctx context.Context, client *wxpay.Client) error {
			_, err := client.Chain("v3/receipt").Receipt(ctx, io.Discard)
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			making := billError(400, "STATEMENT_CREATING")
			if name == "receipt" {
				making = answer{body: `{"state":"GENERATING"}`}
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(time.Minute, func() { cancel(reason) })
			began := time.Now()
			err := get(ctx, newClient(t, wxpay.WithTransport(making)))
			assert.Equal(t, time.Minute, time.Since(began), name)
			require.ErrorIs(t, err, reason, name)
			assert.NotErrorIs(t, err, wxpay.ErrNotReady, name)
			assert.ErrorIs(t, err, wxpay.StageSend, name)
		})
	}
}

// A digest that the caller brings has to hold, whatever the response names.
func TestBillDigestOfCaller(t *testing.T) {
	noTemporaryFiles(t)
	plain := []byte(tradeBill)
	one, two := []byte("a,b\n`1,`2\n"), []byte("`3,`4\n")
	bare := answer{body: `{"download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=a"}`}
	receipt := answer{body: fmt.Sprintf(
		`{"state":"FINISHED","hash_type":"SHA1","hash_value":%q,"download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=a"}`, hexSHA1(plain))}
	none := answer{body: `{"download_bill_count":0}`}
	plainGateway := func(apply answer) http.RoundTripper {
		return &billing{t: t, applied: []answer{apply}, files: map[string]answer{"a": file(plain)}}
	}
	sealedBy := func(hashed func(plain, sealed []byte) []byte) http.RoundTripper {
		return &sealedGateway{lists: [][]part{{sealedPart(t, 1, "a", one, hashed), sealedPart(t, 2, "b", two, hashed)}}}
	}
	for name, tt := range map[string]struct {
		gateway func() http.RoundTripper
		right   []byte
		receipt bool
	}{
		"beside the answer's":            {func() http.RoundTripper { return plainGateway(link("a", plain)) }, plain, false},
		"alone":                          {func() http.RoundTripper { return plainGateway(bare) }, plain, false},
		"of a statement":                 {func() http.RoundTripper { return statement(plain) }, plain, false},
		"of parts":                       {func() http.RoundTripper { return sealedBy(plainOf) }, append(bytes.Clone(one), two...), false},
		"of parts that have none":        {func() http.RoundTripper { return sealedBy(nil) }, append(bytes.Clone(one), two...), false},
		"of nothing":                     {func() http.RoundTripper { return none }, nil, false},
		"of a receipt":                   {func() http.RoundTripper { return plainGateway(receipt) }, plain, true},
		"of a receipt that is not named": {func() http.RoundTripper { return plainGateway(bare) }, plain, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, right := range []bool{true, false} {
				want := wxpay.Digest("SHA256", hexSHA256(tt.right))
				if !right {
					want = wxpay.Digest("SHA256", hexSHA256([]byte("another")))
				}
				check := func(got *wxpay.DownloadResult, err error) {
					t.Helper()
					if !right {
						require.ErrorIs(t, err, wxpay.ErrDigest)
						return
					}
					require.NoError(t, err)
					assert.True(t, got.Verified)
				}
				client := newClient(t, wxpay.WithTransport(tt.gateway()), wxpay.WithAttempts(1))
				chain := tradeChain(client)
				if name == "of a statement" {
					chain = client.Chain("v3/global/statements").Query("date", "20261122")
				}
				if tt.receipt {
					check(chain.Receipt(context.Background(), io.Discard, want))
					continue
				}
				check(chain.BillTo(context.Background(), io.Discard, want))
				bill, err := chain.Bill(context.Background(), want)
				if err != nil {
					check(nil, err)
					continue
				}
				check(&bill.DownloadResult, nil)
				require.NoError(t, bill.Close())
			}
		})
	}
}

// The limit is of a whole bill, and closing it twice is no mistake.
func TestSealedBillIsTooLarge(t *testing.T) {
	noTemporaryFiles(t)
	parts := []part{sealedPart(t, 1, "a", randomText(400_000), plainOf), sealedPart(t, 2, "b", randomText(400_000), nil),
		sealedPart(t, 3, "c", randomText(400_000), plainOf)}
	client := newClient(t, wxpay.WithTransport(&sealedGateway{lists: [][]part{parts}}), wxpay.WithAttempts(1))
	for most, fits := range map[int64]bool{1_200_000: true, 1_199_999: false, 600_000: false, 100_000: false} {
		bill, err := sealedChain(client).Bill(context.Background(), wxpay.MaxSize(most))
		if !fits {
			require.ErrorIs(t, err, wxpay.ErrTooLarge, most)
			assert.ErrorContains(t, err, fmt.Sprintf("of %d bytes (MaxSize raises it)", most))
			continue
		}
		require.NoError(t, err)
		require.NoError(t, bill.Close())
		require.NoError(t, bill.Close())
	}
}

// A link that is too old is applied for again, with the digest that belongs to the new one, and not for ever.
func TestBillLinkExpires(t *testing.T) {
	noTemporaryFiles(t)
	old := billError(400, "INVALID_REQUEST")
	other := []byte(tradeBill + "\r\n")
	for name, tt := range map[string]struct {
		files map[string]answer
		seen  string
		is    error
	}{
		"once":          {map[string]answer{"a": old, "b": file(other)}, "apply a apply b", nil},
		"always":        {map[string]answer{"a": old, "b": old}, "apply a apply b apply b", wxpay.StageResponse},
		"while reading": {map[string]answer{"a": broken([]byte(tradeBill), 10, io.EOF), "b": file(other)}, "apply a a a", wxpay.ErrTruncated},
		"foreign":       {map[string]answer{"a": billError(403, "NO_AUTH")}, "apply a", wxpay.StageResponse},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := &billing{t: t, files: tt.files, applied: []answer{link("a", []byte(tradeBill)), link("b", other)}}
				client := newClient(t, wxpay.WithTransport(gateway))
				bill, err := tradeChain(client).Bill(context.Background())
				assert.Equal(t, tt.seen, strings.Join(gateway.seen, " "))
				if tt.is != nil {
					require.ErrorIs(t, err, tt.is)
					return
				}
				require.NoError(t, err)
				var out bytes.Buffer
				_, err = bill.WriteTo(&out)
				require.NoError(t, err)
				require.NoError(t, bill.Close())
				assert.Equal(t, string(other), out.String())
			})
		})
	}
}

// An overseas statement is a bill whose chain answers with the file.
func TestBillOfStatement(t *testing.T) {
	gateway := play(billError(400, "STATEMENT_CREATING"), statement([]byte(tradeBill)))
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, wxpay.WithTransport(gateway))
		bill, err := client.Chain("v3/global/statements").Query("date", "20261122").Query("mchid", testMerchant).Bill(context.Background())
		require.NoError(t, err)
		defer bill.Close()
		assert.True(t, bill.Verified)
		rows := 0
		for _, err := range bill.Rows() {
			require.NoError(t, err)
			rows++
		}
		assert.Equal(t, 2, rows)
	})
}

// Without a place for temporary files there is no bill, and no application for one.
func TestBillHasNoRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "oSECRET"))
	if os.TempDir() != os.Getenv("TMPDIR") {
		t.Skip("this system takes the folder from elsewhere")
	}
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	_, err := tradeChain(client).Bill(context.Background())
	require.ErrorIs(t, err, wxpay.StageBuild)
	assert.ErrorContains(t, err, "there is no temporary file: no such file or directory")
	assert.NotContains(t, err.Error(), "SECRET")
	_, err = client.Chain("v3/x").Upload(context.Background(), wxpay.FileReader("a.png", strings.NewReader("x")))
	require.ErrorIs(t, err, wxpay.StageBuild)
}

func TestBillMistakes(t *testing.T) {
	_, err := wxpay.Chain{}.Chain("v3/bill/tradebill").Bill(context.Background())
	assert.ErrorContains(t, err, "the chain has no client")
	client := newClient(t)
	_, err = client.Chain("v3//x").Bill(context.Background())
	assert.ErrorContains(t, err, "two slashes")
	_, err = tradeChain(client).BillTo(context.Background(), nil)
	assert.ErrorContains(t, err, "the destination is nil")
	_, err = tradeChain(client).Bill(context.Background(), wxpay.MaxSize(0))
	assert.ErrorContains(t, err, "MaxSize")
}
