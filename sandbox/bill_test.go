package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// hands is a clock that tests set.
type hands struct{ atomic.Int64 }

func (h *hands) now() time.Time       { return time.Unix(0, h.Load()) }
func (h *hands) set(at string)        { h.Store(beijingTime(at).UnixNano()) }
func (h *hands) pass(d time.Duration) { h.Add(int64(d)) }
func beijingTime(at string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, at, time.FixedZone("", 8*60*60))
	if err != nil {
		panic(err)
	}
	return t
}

// shop is a sandbox whose clock the test sets.
type shop struct {
	*sandbox.Sandbox
	*hands
}

func newShop(t testing.TB, at string, options ...sandbox.Option) shop {
	t.Helper()
	h := new(hands)
	h.set(at)
	return shop{newSandbox(t, append(options, sandbox.WithClock(h.now))...), h}
}

func (s shop) ask(t testing.TB, method, target string, body any) answer {
	t.Helper()
	return newCall(s.Sandbox, s.now(), method, target, body).sign(s.Sandbox).send(t, s.Transport(), inProcess)
}

// get asks for what must be there.
func (s shop) get(t testing.TB, target string) map[string]any {
	t.Helper()
	a := s.ask(t, "GET", target, nil)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	verify(t, s.Sandbox, s.now(), a)
	return a.json(t)
}

// follow downloads a download_url.
func (s shop) follow(t testing.TB, link any) answer {
	t.Helper()
	u, err := url.Parse(link.(string))
	require.NoError(t, err)
	require.Equal(t, "api.mch.weixin.qq.com", u.Host, "the host that was asked")
	require.Equal(t, "https", u.Scheme)
	return s.ask(t, "GET", u.RequestURI(), nil)
}

func sha1Of(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

func gunzip(t testing.TB, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}

func TestTradeBill(t *testing.T) {
	s := newShop(t, "2026-11-22 10:00:00", sandbox.WithSeed(0))
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1000)
	require.NoError(t, err)
	s.pass(time.Minute)
	_, err = s.Users.AddPaidOrder("ORDER-0002", 250)
	require.NoError(t, err)
	s.pass(time.Minute)
	a := s.ask(t, "POST", "/v3/refund/domestic/refunds", map[string]any{
		"out_trade_no": "ORDER-0001", "out_refund_no": "R-1", "amount": map[string]any{"refund": 300, "total": 1000, "currency": "CNY"},
	})
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	s.set("2026-11-23 10:00:00")
	_, err = s.Users.AddPaidOrder("ORDER-0003", 7)
	require.NoError(t, err)

	for kind, want := range map[string][]string{
		"ALL": {
			"`2026-11-22 10:00:00,`wxd678efh567hg6787,`1900000109,`0,`,`4200001234202611220000000001,`ORDER-0001,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o," +
				"`NATIVE,`SUCCESS,`OTHERS,`CNY,`10.00,`0.00,`0,`0,`0.00,`0.00,`,`,`sandbox,`,`0.06000,`0.60%,`10.00,`0.00,`",
			"`2026-11-22 10:01:00,`wxd678efh567hg6787,`1900000109,`0,`,`4200001234202611220000000002,`ORDER-0002,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o," +
				"`NATIVE,`SUCCESS,`OTHERS,`CNY,`2.50,`0.00,`0,`0,`0.00,`0.00,`,`,`sandbox,`,`0.02000,`0.60%,`2.50,`0.00,`",
			"`2026-11-22 10:02:00,`wxd678efh567hg6787,`1900000109,`0,`,`4200001234202611220000000001,`ORDER-0001,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o," +
				"`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50302026112200000000000000003,`R-1,`3.00,`0.00,`ORIGINAL,`SUCCESS,`sandbox,`,`-0.02000,`0.60%,`0.00,`3.00,`",
			"总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
			"`3,`12.50,`3.00,`0.00,`0.06000,`12.50,`3.00",
		},
		"SUCCESS": {"`2026-11-22 10:00:00", "`2026-11-22 10:01:00", "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额", "`2,`12.50,`0.00,`0.00," +
			"`0.08000,`12.50,`0.00"},
		"REFUND": {"`2026-11-22 10:02:00", "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额", "`1,`0.00,`3.00,`0.00,`-0.02000,`0.00,`3.00"},
	} {
		for _, tar := range []string{"", "&tar_type=GZIP"} {
			t.Run(kind+tar, func(t *testing.T) {
				apply := s.get(t, "/v3/bill/tradebill?bill_date=2026-11-22&bill_type="+kind+tar)
				assert.Equal(t, "SHA1", apply["hash_type"])
				file := s.follow(t, apply["download_url"])
				require.Equal(t, 200, file.StatusCode)
				unsigned(t, file)
				plain := file.body
				if tar != "" {
					assert.Contains(t, apply["download_url"], "&tartype=gzip")
					plain = gunzip(t, plain)
				}
				assert.Equal(t, sha1Of(plain), apply["hash_value"])
				text, ok := strings.CutPrefix(string(plain), "\xEF\xBB\xBF交易时间,")
				require.True(t, ok, "BOM and titles")
				lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
				require.Len(t, lines, len(want)+1)
				columns := strings.Count(lines[0], ",") + 2
				assert.Equal(t, map[string]int{"ALL": 27, "SUCCESS": 20, "REFUND": 29}[kind], columns)
				for i, prefix := range want {
					assert.True(t, strings.HasPrefix(lines[i+1], prefix), "%s\n%s", lines[i+1], prefix)
					if strings.HasPrefix(prefix, "`2026") {
						assert.Equal(t, columns, strings.Count(lines[i+1], "`"))
					}
				}
			})
		}
	}
}

func TestFundBill(t *testing.T) {
	s := newShop(t, "2026-11-21 10:00:00")
	require.NoError(t, s.Rules.Relax(sandbox.Rates)) // its clock stands still
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1000)
	require.NoError(t, err)
	s.set("2026-11-22 23:59:59")
	a := s.ask(t, "POST", "/v3/refund/domestic/refunds", map[string]any{
		"out_trade_no": "ORDER-0001", "out_refund_no": "R-1", "amount": map[string]any{"refund": 1000, "total": 1000, "currency": "CNY"},
	})
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	transferBody := map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": "o1", "transfer_amount": 77, "transfer_remark": "奖金",
		"transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "x"}},
	}
	a = s.ask(t, "POST", "/v3/fund-app/mch-transfer/transfer-bills", transferBody)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	require.NoError(t, s.Ledger.Settle(sandbox.TransferEffect, "T1", "SUCCESS"))
	s.set("2026-11-23 10:00:00")

	day := func(date, account string) []string {
		apply := s.get(t, "/v3/bill/fundflowbill?bill_date="+date+account)
		file := s.follow(t, apply["download_url"])
		require.Equal(t, sha1Of(file.body), apply["hash_value"])
		return strings.Split(string(file.body), "\r\n")[1:]
	}
	lines := day("2026-11-21", "")
	require.Len(t, lines, 5)
	assert.Contains(t, lines[0], "`交易,`交易,`收入,`10.00,`1000010.00,")
	assert.Contains(t, lines[1], "`交易,`扣除交易手续费,`支出,`0.06,`1000009.94,")
	assert.Equal(t, "`2,`1,`10.00,`1,`0.06", lines[3])
	lines = day("2026-11-22", "&account_type=BASIC")
	assert.Contains(t, lines[0], "`退款,`退款,`支出,`9.94,`1000000.00,`1900000109API,`退款总金额10.00元;含手续费0.06元,`R-1")
	lines = day("2026-11-22", "&account_type=OPERATION")
	assert.Contains(t, lines[0], "`商家转账,`商家转账,`支出,`0.77,`999999.23,")
	a = s.ask(t, "GET", "/v3/bill/fundflowbill?bill_date=2026-11-22&account_type=FEES", nil)
	assert.Equal(t, "NO_STATEMENT_EXIST", a.json(t)["code"])
}

func TestBillDays(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1000)
	require.NoError(t, err)
	_, err = s.Users.AddPaidOrder("ORDER-0002", 1000)
	require.NoError(t, err)
	for _, test := range []struct{ now, path, query, code string }{
		{"2026-11-22 13:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22", "NO_STATEMENT_EXIST"},
		{"2026-11-22 13:00:00", "/v3/bill/tradebill", "bill_date=2026-11-30", "NO_STATEMENT_EXIST"},
		{"2026-11-23 08:59:59", "/v3/bill/tradebill", "bill_date=2026-11-22", "NO_STATEMENT_EXIST"},
		{"2026-11-23 09:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22", "STATEMENT_CREATING"},
		{"2026-11-23 09:59:59", "/v3/bill/fundflowbill", "bill_date=2026-11-22", "STATEMENT_CREATING"},
		{"2026-11-23 09:59:59", "/v3/profitsharing/bills", "bill_date=2026-11-22", "INVALID_REQUEST"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22", ""},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22&bill_type=REFUND", "NO_STATEMENT_EXIST"},
		{"2026-11-23 10:00:00", "/v3/profitsharing/bills", "bill_date=2026-11-22", "NO_STATEMENT_EXIST"},
		{"2026-11-23 10:00:00", "/v3/merchant/fund/withdraw/bill-type/NO_SUCC", "bill_date=2026-11-22", "NO_STATEMENT_EXIST"},
		{"2026-11-23 10:00:00", "/v3/merchant/fund/withdraw/bill-type/ALL", "bill_date=2026-11-22", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-21", "NO_STATEMENT_EXIST"},
		{"2027-02-22 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22", ""},
		{"2027-03-01 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=20261122", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22&bill_type=NONE", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_date=2026-11-22&tar_type=ZIP", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/tradebill", "bill_type=ALL", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/bill/sub-merchant-fundflowbill", "sub_mchid=1900000110&bill_date=2026-11-22&account_type=BASIC&algorithm=SM4_GCM",
			"INVALID_REQUEST"},
		{"2026-11-23 10:00:00", "/v3/payscore/merchant-bill", "service_id=1&bill_date=2026-11-22&encryption_algorithm=X", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/global/statements", "date=20261122", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/global/statements", "date=20261122&mchid=1900000110", "PARAM_ERROR"},
		{"2026-11-23 10:00:00", "/v3/global/statements", "date=20261122&sp_mchid=1900000109", "PARAM_ERROR"},
	} {
		s.set(test.now)
		a := s.ask(t, "GET", test.path+"?"+test.query, nil)
		verify(t, s.Sandbox, s.now(), a)
		if test.code == "" {
			assert.Equal(t, 200, a.StatusCode, "%v: %s", test, a.body)
		} else {
			assert.Equal(t, 400, a.StatusCode, "%v", test)
			assert.Equal(t, test.code, a.json(t)["code"], "%v", test)
		}
	}
}

func TestLinksExpire(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1000)
	require.NoError(t, err)
	s.set("2026-11-23 12:00:00")
	link := s.get(t, "/v3/bill/tradebill?bill_date=2026-11-22")["download_url"].(string)
	s.pass(30 * time.Second)
	assert.Equal(t, 200, s.follow(t, link).StatusCode)
	a := s.follow(t, strings.Replace(link, "/v3/billdownload/file", "/v3/transferdownload/signfile", 1))
	assert.Equal(t, "INVALID_REQUEST", a.json(t)["code"], "on another path")
	other, err := s.AddMerchant("1900000110")
	require.NoError(t, err)
	a = shop{other, s.hands}.follow(t, link)
	assert.Equal(t, 403, a.StatusCode, "of another merchant")
	assert.Equal(t, "NO_AUTH", a.json(t)["code"])
	s.pass(time.Second)
	a = s.follow(t, link)
	assert.Equal(t, 400, a.StatusCode)
	assert.Equal(t, "INVALID_REQUEST", a.json(t)["code"])
	verify(t, s.Sandbox, s.now(), a)
	assert.Contains(t, lastEntry(t, s.Sandbox).Reason, "older than 30s")
	s.get(t, "/v3/bill/tradebill?bill_date=2026-11-22")
	assert.Contains(t, s.follow(t, link).json(t)["code"], "INVALID_REQUEST", "forgotten, and refused alike")
}

func TestInventedBills(t *testing.T) {
	const rows = 1000
	s := newShop(t, "2026-11-23 10:00:00", sandbox.WithBillRows(rows), sandbox.WithSeed(7))
	other := newShop(t, "2026-11-23 10:00:00", sandbox.WithBillRows(rows), sandbox.WithSeed(8))
	for _, path := range []string{
		"/v3/bill/tradebill?", "/v3/bill/tradebill?bill_type=REFUND&", "/v3/bill/tradebill?bill_type=SUCCESS&", "/v3/bill/tradebill?sub_mchid=1900000110&",
		"/v3/bill/fundflowbill?", "/v3/profitsharing/bills?", "/v3/merchant/fund/withdraw/bill-type/NO_SUCC?",
	} {
		apply := s.get(t, path+"bill_date=2026-11-22")
		file := s.follow(t, apply["download_url"])
		require.Equal(t, sha1Of(file.body), apply["hash_value"], path)
		assert.EqualValues(t, len(file.body), file.ContentLength)
		lines := strings.Split(strings.TrimSuffix(string(file.body), "\r\n"), "\r\n")
		require.Len(t, lines, rows+3, path)
		for _, line := range lines[1 : rows+1] {
			require.Equal(t, strings.Count(lines[0], ",")+1, strings.Count(line, "`"), line)
		}
		assert.True(t, strings.HasPrefix(lines[rows+2], "`"+strconv.Itoa(rows)+","), lines[rows+2])
		assert.True(t, strings.HasPrefix(lines[1], "`2026-11-22 00:00:00,"), lines[1])
		assert.True(t, strings.HasPrefix(lines[rows], "`2026-11-22 23:58:33,"), lines[rows])

		zipped := s.get(t, path+"tar_type=GZIP&bill_date=2026-11-22")
		assert.Equal(t, apply["hash_value"], zipped["hash_value"])
		assert.Equal(t, file.body, gunzip(t, s.follow(t, zipped["download_url"]).body))

		if !strings.Contains(path, "fundflow") {
			assert.NotEqual(t, apply["hash_value"], other.get(t, path+"bill_date=2026-11-22")["hash_value"], "of another seed")
		}
	}
}

// TestInventedSums adds a bill up.
func TestInventedSums(t *testing.T) {
	s := newShop(t, "2026-11-23 10:00:00", sandbox.WithBillRows(5000))
	file := s.follow(t, s.get(t, "/v3/bill/tradebill?bill_date=2026-11-22")["download_url"])
	lines := strings.Split(strings.TrimSuffix(string(file.body), "\r\n"), "\r\n")
	fen := func(yuan string) int64 {
		n, err := strconv.ParseInt(strings.Replace(yuan, ".", "", 1), 10, 64)
		require.NoError(t, err)
		return n
	}
	var paid, refunded, fee int64
	for _, line := range lines[1:5001] {
		cell := strings.Split(strings.TrimPrefix(line, "`"), ",`")
		paid, refunded, fee = paid+fen(cell[12]), refunded+fen(cell[16]), fee+fen(cell[22])
	}
	require.NotZero(t, refunded)
	sums := strings.Split(strings.TrimPrefix(lines[5002], "`"), ",`")
	assert.Equal(t, []int64{paid, refunded, fee}, []int64{fen(sums[1]), fen(sums[2]), fen(sums[4])})
}

func TestEncryptedBills(t *testing.T) {
	const rows = 12_001
	s := newShop(t, "2026-11-23 10:00:00", sandbox.WithBillRows(rows))
	plainHash := s.get(t, "/v3/bill/fundflowbill?bill_date=2026-11-22")["hash_value"]
	for _, query := range []string{
		"/v3/bill/sub-merchant-fundflowbill?sub_mchid=1900000110&account_type=BASIC&algorithm=AEAD_AES_256_GCM&bill_date=2026-11-22",
		"/v3/ecommerce/bill/fundflowbill?account_type=ALL&algorithm=AEAD_AES_256_GCM&bill_date=2026-11-22&tar_type=GZIP",
		"/v3/payscore/merchant-bill?service_id=500001&encryption_algorithm=AEAD_AES_256_GCM&bill_date=2026112208",
	} {
		if strings.Contains(query, "payscore") {
			s.set("2026-11-23 11:00:00") // a date of the hour
		}
		apply := s.get(t, query)
		list := apply["download_bill_list"].([]any)
		require.Len(t, list, 2)
		assert.EqualValues(t, 2, apply["download_bill_count"])
		var whole []byte
		for i, entry := range list {
			part := entry.(map[string]any)
			assert.EqualValues(t, i+1, part["bill_sequence"])
			sealed, err := base64.StdEncoding.DecodeString(part["encrypt_key"].(string))
			require.NoError(t, err)
			key, err := apiv3.RSA().Decrypt(s.Merchant().PrivateKey, sealed)
			require.NoError(t, err)
			require.Len(t, key, 32)
			require.Len(t, part["nonce"], 16)
			block, err := aes.NewCipher(key)
			require.NoError(t, err)
			aead, err := cipher.NewGCMWithNonceSize(block, 16)
			require.NoError(t, err)
			file := s.follow(t, part["download_url"])
			unsigned(t, file)
			plain, err := aead.Open(nil, []byte(part["nonce"].(string)), file.body, nil)
			require.NoError(t, err)
			if strings.Contains(query, "GZIP") {
				plain = gunzip(t, plain)
			}
			assert.Equal(t, part["hash_value"], sha1Of(plain))
			whole = append(whole, plain...)
		}
		assert.Equal(t, rows+3, strings.Count(string(whole), "\r\n"))
		if strings.Contains(query, "fundflow") {
			assert.Equal(t, plainHash, sha1Of(whole), "the parts joined are the whole")
		}
	}
}

func TestStatements(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1000)
	require.NoError(t, err)
	s.set("2026-11-23 10:00:00")
	for _, target := range []string{"/v3/global/statements?date=20261122&mchid=1900000109", "/hk/v3/statements?date=20261122&mchid=1900000109"} {
		for coding, zipped := range map[string]bool{"": false, "gzip": true, "br;q=1.0, gzip;q=0.8": true, "gzip;q=0": false, "br": false} {
			c := newCall(s.Sandbox, s.now(), "GET", target, nil)
			if coding != "" {
				c.header.Set("Accept-Encoding", coding)
			}
			a := c.sign(s.Sandbox).send(t, s.Transport(), inProcess)
			require.Equal(t, 200, a.StatusCode, "%s", a.body)
			assert.Equal(t, "text/plain", a.Header.Get("Content-Type"))
			sum, plain := a.Header.Get("Wechatpay-Statement-Sha1"), a.body
			if zipped {
				plain = gunzip(t, plain)
			}
			assert.Equal(t, zipped, a.Header.Get("Content-Encoding") == "gzip", coding)
			assert.Equal(t, sha1Of(plain), sum)
			assert.Contains(t, string(plain), "`ORDER-0001,")
			verify(t, s.Sandbox, s.now(), answer{a.Response, []byte(`{"sha1":"` + sum + `"}`)})
		}
	}
}

// TestFileFaults follows one bill through everything that goes wrong with a file, in process and over a socket.
func TestFileFaults(t *testing.T) {
	h := new(hands)
	h.set("2026-11-23 10:00:00")
	server := sandbox.Start(t, sandbox.WithClock(h.now), sandbox.WithBillRows(2000))
	s := server.Sandbox
	sockets := &http.Transport{DisableCompression: true}
	t.Cleanup(sockets.CloseIdleConnections)
	for name, carrier := range map[string]http.RoundTripper{"in process": s.Transport(), "socket": sockets} {
		ask := func(target string) (answer, error) {
			c := newCall(s, h.now(), "GET", target, nil).sign(s)
			request, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+target, nil)
			require.NoError(t, err)
			request.Header = c.header
			response, err := carrier.RoundTrip(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			return answer{response, body}, err
		}
		for _, tar := range []string{"", "&tar_type=GZIP"} {
			t.Run(name+tar, func(t *testing.T) {
				apply := func() (string, string) {
					a, err := ask("/v3/bill/tradebill?bill_date=2026-11-22" + tar)
					require.NoError(t, err)
					verify(t, s, h.now(), a)
					return strings.TrimPrefix(a.json(t)["download_url"].(string), server.URL), a.json(t)["hash_value"].(string)
				}
				link, sum := apply()
				good, err := ask(link)
				require.NoError(t, err)

				inject := func(kind fault.Kind, path string) {
					s.Faults.Clear()
					require.NoError(t, s.Faults.Inject(fault.Rule{Kind: kind, Path: path}))
				}
				inject(fault.WrongDigest, "/v3/bill/tradebill")
				_, wrong := apply()
				assert.NotEqual(t, sum, wrong)
				assert.Len(t, wrong, 40)

				inject(fault.FlipByte, "/v3/billdownload/file")
				a, err := ask(link)
				require.NoError(t, err)
				require.Len(t, a.body, len(good.body))
				different := 0
				for i := range a.body {
					if a.body[i] != good.body[i] {
						different++
					}
				}
				assert.Equal(t, 1, different)

				inject(fault.ShortFile, "/v3/billdownload/file")
				a, err = ask(link)
				require.NoError(t, err, "nothing tells that the file is not whole")
				assert.NotEmpty(t, a.body)
				assert.Less(t, len(a.body), len(good.body))
				assert.True(t, bytes.HasPrefix(good.body, a.body))

				inject(fault.Truncate, "/v3/billdownload/file")
				a, err = ask(link)
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
				assert.True(t, bytes.HasPrefix(good.body, a.body))
				s.Faults.Clear()

				require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.SlowBody, Delay: time.Millisecond, Path: "/v3/billdownload/file"}))
				a, err = ask(link)
				require.NoError(t, err)
				assert.Equal(t, good.body, a.body)
				s.Faults.Clear()
			})
		}
	}
}

// TestLargeBill reads a bill in constant memory, over a socket.
func TestLargeBill(t *testing.T) {
	h := new(hands)
	h.set("2026-11-23 10:00:00")
	const rows = 200_000 // 50 MB
	server := sandbox.Start(t, sandbox.WithClock(h.now), sandbox.WithBillRows(rows))
	request := func(target string) *http.Response {
		c := newCall(server.Sandbox, h.now(), "GET", target, nil).sign(server.Sandbox)
		request, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+target, nil)
		require.NoError(t, err)
		request.Header = c.header
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		return response
	}
	var apply answer
	require.Eventually(t, func() bool {
		response := request("/v3/bill/tradebill?bill_date=2026-11-22")
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		apply = answer{response, body}
		if err == nil && response.StatusCode == 400 {
			assert.Equal(t, "STATEMENT_CREATING", apply.json(t)["code"], "until the digest is known")
		}
		return err == nil && response.StatusCode == 200
	}, time.Minute, 10*time.Millisecond)
	response := request(strings.TrimPrefix(apply.json(t)["download_url"].(string), server.URL))
	defer response.Body.Close()
	digest := sha1.New()
	n, err := io.Copy(digest, response.Body)
	require.NoError(t, err)
	assert.Greater(t, n, int64(rows*200))
	assert.Equal(t, response.ContentLength, n)
	assert.Equal(t, apply.json(t)["hash_value"], hex.EncodeToString(digest.Sum(nil)))
}

func TestBillRowsOption(t *testing.T) {
	_, err := sandbox.New(sandbox.WithBillRows(0))
	assert.ErrorContains(t, err, "1 row at least")
}

func TestBillsOfSubMerchants(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	for _, sub := range []string{subMerchant, "1900000111"} {
		require.NoError(t, s.AddSubMerchant(sub))
	}
	_, err := s.Users.AddPaidOrder("ORDER-OWN", 1)
	require.NoError(t, err)
	s.want(t, 200, "", "POST", "/v3/pay/partner/transactions/jsapi", partnerOrder("ORDER-SUB"))
	_, err = s.Users.Pay("ORDER-SUB")
	require.NoError(t, err)
	s.want(t, 200, "", "POST", "/v3/combine-transactions/jsapi", combinedOrder("C1"))
	_, err = s.Users.Pay("C1")
	require.NoError(t, err)
	s.want(t, 200, "", "POST", refundPath, map[string]any{
		"sub_mchid": subMerchant, "out_trade_no": "ORDER-SUB", "out_refund_no": "R-1", "amount": map[string]any{"refund": 5, "total": 100, "currency": "CNY"},
	})
	s.set("2026-11-23 10:00:00")
	lines := func(path string) (list []string) {
		file := s.follow(t, s.get(t, path)["download_url"])
		for _, line := range strings.Split(string(file.body), "\r\n") {
			if strings.HasPrefix(line, "`2026") {
				list = append(list, line)
			}
		}
		return list
	}
	assert.Len(t, lines("/v3/bill/tradebill?bill_date=2026-11-22"), 5, "a provider's bill has all")
	own := lines("/v3/bill/tradebill?bill_date=2026-11-22&sub_mchid=" + subMerchant)
	require.Len(t, own, 3)
	for _, line := range own {
		assert.Contains(t, line, ",`wx0123456789abcdef,`1900000109,`"+subMerchant+",")
	}
	assert.Len(t, lines("/v3/bill/fundflowbill?bill_date=2026-11-22"), 1, "the provider's own money")
	assert.Len(t, lines("/v3/bill/fundflowbill?bill_date=2026-11-22&sub_mchid=1900000111"), 1)
	s.want(t, 403, "NO_AUTH", "GET", "/v3/bill/tradebill?bill_date=2026-11-22&sub_mchid=1900000112", nil)
	sealed := s.get(t, "/v3/bill/sub-merchant-fundflowbill?bill_date=2026-11-22&account_type=BASIC&algorithm=AEAD_AES_256_GCM&sub_mchid="+subMerchant)
	assert.EqualValues(t, 1, sealed["download_bill_count"])
	sealed = s.get(t, "/v3/ecommerce/bill/fundflowbill?bill_date=2026-11-22&account_type=ALL&algorithm=AEAD_AES_256_GCM")
	assert.EqualValues(t, 1, sealed["download_bill_count"])
}

func TestShareBill(t *testing.T) {
	s, id := sharing(t)
	s.Ledger.SetEnding(func(_ sandbox.EffectKind, number string) sandbox.Ending {
		return sandbox.Ending{State: map[string]string{"P1/o1": "CLOSED"}[number]}
	})
	s.want(t, 200, "", "POST", sharePath+"orders", with(shareOf(id, "P1", 30, 20), "unfreeze_unsplit", true))
	s.want(t, 200, "", "POST", sharePath+"return-orders", map[string]any{"out_order_no": "P1", "out_return_no": "B1",
		"return_mchid": subMerchant, "amount": 5, "description": "退货"})
	s.set("2026-11-23 10:00:00")
	file := s.follow(t, s.get(t, "/v3/profitsharing/bills?bill_date=2026-11-22")["download_url"])
	lines := strings.Split(string(file.body), "\r\n")
	require.Len(t, lines, 8)
	for i, want := range []string{"`1.00,`" + subMerchant + ",`0.30,`分账,`处理成功,", "`1.00,`o1,`0.20,`分账,`已关闭,",
		"`1.00,`1900000109,`0.50,`分账,`处理成功,`解冻给分账方,", "`1.00,`" + subMerchant + ",`0.05,`分账回退,`处理成功,`退货,"} {
		assert.Contains(t, lines[i+1], want)
	}
	file = s.follow(t, s.get(t, "/v3/bill/fundflowbill?bill_date=2026-11-22")["download_url"])
	assert.Contains(t, string(file.body), "`分账,`分账,`支出,`0.30,")
	assert.Contains(t, string(file.body), "`分账回退,`分账回退,`收入,`0.05,")
}

// TestPayScorePayments: what a pay score order brings can be refunded, and is in the bills.
func TestPayScorePayments(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	_, err := s.Users.AddPaidOrder("ORDER-0001", 1)
	require.NoError(t, err)
	s.want(t, 200, "", "POST", servicePath, service(nil))
	require.NoError(t, s.Users.ConfirmServiceOrder("S-1"))
	s.want(t, 200, "", "POST", servicePath+"/S-1/complete", serviceBill(500, nil))
	id, err := s.Users.PayServiceOrder("S-1")
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", s.want(t, 200, "", "GET", "/v3/pay/transactions/id/"+id+"?mchid=1900000109", nil)["trade_state"])
	s.want(t, 200, "", "POST", refundPath, map[string]any{
		"transaction_id": id, "out_refund_no": "R-1", "amount": map[string]any{"refund": 100, "total": 500, "currency": "CNY"},
	})
	s.set("2026-11-23 10:00:00")
	file := s.follow(t, s.get(t, "/v3/bill/tradebill?bill_date=2026-11-22")["download_url"])
	assert.Contains(t, string(file.body), "\r\n`3,`5.01,`1.00,")
	apply := s.get(t, "/v3/payscore/merchant-bill?service_id=500001&encryption_algorithm=AEAD_AES_256_GCM&bill_date=2026-11-22")
	part := apply["download_bill_list"].([]any)[0].(map[string]any)
	key, err := base64.StdEncoding.DecodeString(part["encrypt_key"].(string))
	require.NoError(t, err)
	key, err = apiv3.RSA().Decrypt(s.Merchant().PrivateKey, key)
	require.NoError(t, err)
	plain, err := apiv3.OpenAESGCM(key, []byte(part["nonce"].(string)), nil, s.follow(t, part["download_url"]).body)
	require.NoError(t, err)
	assert.Contains(t, string(plain), "\r\n`1,`5.00,`0.00,", "of pay score orders alone")
}
