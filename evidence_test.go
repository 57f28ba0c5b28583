//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// evidenceTable returns the rows of the table of docs/evidence.md whose header begins with first, each by its first cell.
func evidenceTable(t *testing.T, first string) map[string][]string {
	rows := map[string][]string{}
	for _, cells := range tableOf(t, "docs/evidence.md", first) {
		rows[cells[0]] = cells[1:]
	}
	return rows
}

// tableOf returns the rows of the table of a page whose header begins with first.
func tableOf(t *testing.T, name, first string) (rows [][]string) {
	page, err := os.ReadFile(name)
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "\n| "+first+" |")
	require.True(t, found, first)
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	require.Greater(t, len(rows), 5, first)
	return rows
}

// docs/zh/evidence.md promises what docs/evidence.md promises, row by row.
func TestEvidenceInChinese(t *testing.T) {
	const name = "docs/zh/evidence.md"
	chinese := map[string]string{
		"": "", "yes": "有", "no": "无", "wrong": "错误",
		"not sent": "未发出", "rejected": "被拒绝", "unknown": "结果未知", "confirmed": "已确认成功",
		"ends with the state": "返回状态，结束", "ends with ErrNumberConflict": "返回 ErrNumberConflict，结束", "asks again": "再查",
		"sends the same bytes": "原样重发", "ends, unknown": "结束，结果未知",
	}
	for _, table := range []struct{ english, chinese string }{{"what came", "收到什么"}, {"the query returns", "查询返回"}} {
		rows, twins := tableOf(t, "docs/evidence.md", table.english), tableOf(t, name, table.chinese)
		require.Len(t, twins, len(rows))
		for i, row := range rows {
			for column := 1; column < len(row)-1; column++ {
				assert.Equal(t, chinese[row[column]], twins[i][column], "%s and %s", row[0], twins[i][0])
			}
		}
	}
}

// What one attempt leaves known is what docs/evidence.md says.
func TestEvidence(t *testing.T) {
	html := func(status int) answer { return answer{status: status, body: "<html>", unsigned: true} }
	came := map[string]answer{
		"no connection":                              refusedConnection,
		"a broken connection or a timeout":           resetConnection,
		"2xx with the call's number":                 refund("PROCESSING"),
		"2xx that lacks the call's number":           ok(`{"status":"SUCCESS"}`),
		"2xx with another number":                    foreign,
		"2xx with none of the documented fields":     ok(`{"data":[]}`),
		"2xx without a body where one is documented": {status: 204},
		"2xx with `code` and `message` alone":        {status: 202, body: `{"code":"USERPAYING","message":"x"}`},
		"2xx with a wrong signature":                 {body: "{}", key: testKeys().other},
		"2xx without a signature":                    {body: "{}", unsigned: true},
		"2xx with a `code` alone":                    ok(`{"code":"PARAM_ERROR"}`),
		"2xx with ambiguous JSON":                    ok(`{"out_refund_no":"R1","status":"SUCCESS","Status":"CLOSED"}`),
		"3xx":                                        {status: 302, unsigned: true},
		"4xx with a code that rules out an effect":   invalid,
		"4xx with another code":                      tradeError,
		"4xx without a code":                         {status: 400, body: "{}"},
		"401 SIGN_ERROR":                             signError,
		"404 or 405 with an empty body":              {status: 404, unsigned: true},
		"403 with somebody's page":                   html(403),
		"429":                                        limited,
		"5xx":                                        systemError,
		"502 of a proxy":                             html(502),
	}
	rows := evidenceTable(t, "what came")
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			a, known := came[name]
			require.True(t, known, "the test does not make this row happen")
			for i, path := range []string{feedsPath, refundCall} {
				client := newClient(t, wxpay.WithTransport(a), wxpay.WithAttempts(1))
				res, err := client.Chain(path).Post(context.Background(), refundBody)
				assert.Equal(t, row[1+i], strings.TrimPrefix(wxpay.OutcomeOf(err).String(), "outcome "), "%s: %v", path, err)
				assert.Equal(t, err == nil, res != nil)
			}
		})
	}
	assert.Len(t, rows, len(came))
}

// What Ensure makes of a query's answer is what docs/evidence.md says.
func TestEvidenceOfQueries(t *testing.T) {
	type row struct {
		answers []http.RoundTripper // of the queries, the last one again and again
		late    bool                // the last attempt was long ago
	}
	stale := func(a answer) answer { a.ahead = -2 * time.Minute; return a }
	came := map[string]row{
		"the number, and what cannot have changed agrees": {answers: trips(refund("SUCCESS"))},
		"the number, and something else differs": {
			answers: trips(ok(`{"out_refund_no":"R1","out_trade_no":"T1","status":"SUCCESS","amount":{"refund":2,"total":5}}`))},
		"another number": {answers: trips(foreign)},
		"no number":      {answers: trips(ok(`{"status":"SUCCESS"}`))},
		"not found, a minute after the last attempt": {answers: trips(missing), late: true},
		"not found, before that":                     {answers: trips(missing)},
		"not found, signed before the query":         {answers: trips(stale(missing)), late: true},
		"another API error, signed before the query": {answers: trips(stale(refusal(403, "NO_AUTH")))},
		"a signed API error about the merchant":      {answers: trips(refusal(403, "NO_AUTH"))},
		"an unsigned API error, once":                {answers: trips(forbidden, refund("SUCCESS"))},
		"an unsigned API error, three times":         {answers: trips(forbidden)},
	}
	rows := evidenceTable(t, "the query returns")
	for name, cells := range rows {
		t.Run(name, func(t *testing.T) {
			r, known := came[name]
			require.True(t, known, "the test does not make this row happen")
			synctest.Test(t, func(t *testing.T) {
				posts := play(refund("SUCCESS"))
				queries := play(r.answers...)
				client := newClient(t, wxpay.WithTransport(perMethod{get: func() answer {
					queries.seen = append(queries.seen, sent{})
					return queries.answers[min(len(queries.seen), len(queries.answers))-1].(answer)
				}, post: posts}))
				for range 3 { // so that the platform's clock is known
					_, err := client.Chain("v3/x").Post(t.Context(), nil)
					require.NoError(t, err)
				}
				posts.seen = nil
				ago := time.Second
				if r.late {
					ago = time.Hour
				}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
				defer cancel()
				verdict, err := client.Chain(refundCall).SentBefore(time.Now().Add(-ago)).Ensure(ctx, refundBody)
				did := "asks again"
				switch {
				case len(posts.seen) > 0:
					did = "sends the same bytes"
				case assert.ErrorIs(discard{}, err, wxpay.ErrNumberConflict):
					did = "ends with ErrNumberConflict"
				case err == nil && len(queries.seen) == 1:
					did = "ends with the state"
				case err != nil && ctx.Err() == nil:
					did = "ends, unknown"
				}
				assert.Equal(t, cells[0], did, "%v, %v", verdict, err)
				if err != nil {
					assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
				}
			})
		})
	}
	assert.Len(t, rows, len(came))
}

// discard is a testing.T that hears nothing.
type discard struct{}

func (discard) Errorf(string, ...any) {}

// A response that shows none of its call's numbers counts in Ensure unless it had been signed before its request was sent.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := answer{body: `{"code_url":"old"}`, ahead: -2 * time.Minute}
		client := newClient(t, wxpay.WithTransport(play(old, old, ok(`{"code_url":"x"}`), old, order("NOTPAY"), ok(`{"code_url":"new"}`), old)))
		first, err := client.Chain(ordersPath).Ensure(t.Context(), orderBody)
		require.NoError(t, err, "nobody knows yet how the clocks differ")
		assert.Equal(t, "old", first.Response.Get("code_url").String())
		assert.True(t, first.Unbound)
		for range 2 {
			_, err = client.Chain(ordersPath).Post(t.Context(), orderBody)
			require.NoError(t, err)
		}
		verdict, err := client.Chain(ordersPath).Ensure(t.Context(), orderBody)
		require.NoError(t, err)
		assert.Equal(t, "new", verdict.Response.Get("code_url").String())
		assert.Equal(t, 2, verdict.Attempts)
		assert.False(t, verdict.Response.Stale())
		res, err := client.Chain(ordersPath).Post(t.Context(), orderBody)
		require.NoError(t, err, "age is Ensure's and Resolve's to use")
		assert.True(t, res.Stale())
	})
	// A rejection shows no number: one that had been signed before is another call's.
	synctest.Test(t, func(t *testing.T) {
		old := refusal(403, "NO_AUTH")
		old.ahead = -2 * time.Minute
		client := newClient(t, wxpay.WithTransport(play(invalid, invalid, invalid, old, old, refund("SUCCESS"))))
		for range 3 {
			_, err := client.Chain(refundCall).Post(t.Context(), refundBody)
			require.Equal(t, wxpay.Rejected, wxpay.OutcomeOf(err))
		}
		_, err := client.Chain(refundCall).Post(t.Context(), refundBody)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "signed before this request was sent")
		verdict, err := client.Chain(refundCall).Ensure(t.Context(), refundBody)
		require.NoError(t, err, "and it concerns another's permission")
		assert.Equal(t, wxpay.Succeeded, verdict.State)
	})
	// A clock that differs makes nothing stale, and a number that is shown makes age unimportant.
	synctest.Test(t, func(t *testing.T) {
		behind := ok(`{"code_url":"x"}`)
		behind.ahead = -4 * time.Minute
		late := refund("SUCCESS")
		late.ahead = -4*time.Minute - 40*time.Second
		client := newClient(t, wxpay.WithTransport(play(behind, behind, behind, behind, late)))
		for range 4 {
			verdict, err := client.Chain(ordersPath).Ensure(t.Context(), orderBody)
			require.NoError(t, err)
			assert.Equal(t, 1, verdict.Attempts)
		}
		verdict, err := client.Chain(refundCall).Ensure(t.Context(), refundBody)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		assert.False(t, verdict.Unbound)
		assert.False(t, verdict.Response.Stale())
		assert.Equal(t, 1, verdict.Attempts)
	})
}

// Every form in which a call carries what its response repeats, and every way in which the response says it.
func TestBind(t *testing.T) {
	get := func(path string) func(*wxpay.Client) error {
		return func(c *wxpay.Client) error {
			_, err := c.Chain(path).Var("out_refund_no", "R|1/2").Get(context.Background())
			return err
		}
	}
	share := func(c *wxpay.Client) error {
		_, err := c.Chain("v3/ecommerce/profitsharing/orders").Query("sub_mchid", "1").Query("transaction_id", "42").Query("out_order_no", "S 1").
			Get(context.Background())
		return err
	}
	post := func(body any) func(*wxpay.Client) error {
		return func(c *wxpay.Client) error {
			_, err := c.Chain(refundCall).Post(context.Background(), body)
			return err
		}
	}
	const query = refundCall + "/{out_refund_no}"
	for name, tt := range map[string]struct {
		call    func(*wxpay.Client) error
		body    string
		foreign string // what differs; empty for nothing
	}{
		"placeholder":                      {get(query), `{"out_refund_no":"R|1/2"}`, ""},
		"placeholder, escaped answer":      {get(query), `{"out_refund_no":"R|1\/\u0032"}`, ""},
		"placeholder differs":              {get(query), `{"out_refund_no":"R|1%2F2"}`, "out_refund_no"},
		"query":                            {share, `{"out_order_no":"S 1","transaction_id":"42"}`, ""},
		"query differs in the second":      {share, `{"out_order_no":"S 1","transaction_id":"43"}`, "transaction_id"},
		"body":                             {post(refundBody), `{"out_refund_no":"R1","amount":{"refund":1}}`, ""},
		"body differs deeper":              {post(refundBody), `{"out_refund_no":"R1","amount":{"refund":2}}`, "amount.refund"},
		"a number of another form":         {post(refundBody), `{"out_refund_no":"R1","amount":{"refund":1.0}}`, ""},
		"a long number of the same form":   {post(`{"out_refund_no":9007199254740993}`), `{"out_refund_no":9007199254740993}`, ""},
		"a long number's last digit":       {post(`{"out_refund_no":9007199254740993}`), `{"out_refund_no":9007199254740992}`, "out_refund_no"},
		"a number as a text":               {post(refundBody), `{"out_refund_no":"R1","amount":{"refund":"1"}}`, ""},
		"an escaped body":                  {post(`{"out_refund_no":"R\u0031"}`), `{"out_refund_no":"R1"}`, ""},
		"case matters":                     {post(refundBody), `{"out_refund_no":"r1"}`, "out_refund_no"},
		"null and empty texts say nothing": {post(refundBody), `{"out_refund_no":"R1","transaction_id":null,"out_trade_no":""}`, ""},
		"not sent, so not compared":        {post(refundBody), `{"out_refund_no":"R1","transaction_id":"7"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.call(newClient(t, wxpay.WithTransport(ok(tt.body)), wxpay.WithAttempts(1)))
			if tt.foreign == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, middleware.ErrForeign)
			require.ErrorIs(t, err, wxpay.StageVerify)
			require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
			assert.ErrorContains(t, err, "it names another "+tt.foreign+" than the call")
			var evidence *wxpay.VerifyError
			require.ErrorAs(t, err, &evidence)
			assert.Equal(t, tt.body, string(evidence.Body), "the answer is kept")
			assert.NotContains(t, err.Error(), "R|1")
		})
	}
	_, err := newClient(t, wxpay.WithTransport(foreign)).Chain(refundCall).Unbind().Post(t.Context(), refundBody)
	require.NoError(t, err, "the caller knows better")
}

// What nobody reviewed is compared, and a difference is logged once, without the values.
func TestEchoesAreLogged(t *testing.T) {
	var log bytes.Buffer
	client := newClient(t, wxpay.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		wxpay.WithTransport(ok(`{"out_request_no":"R-OTHER","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0"}`)))
	for range 2 {
		_, err := client.Chain("v3/brand/partner/card-member/cards").
			Post(t.Context(), wxpay.JSON{"out_request_no": "R-MINE", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0"})
		require.NoError(t, err)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "repeats a field of the call with another value"), log.String())
	assert.Contains(t, log.String(), "field=out_request_no")
	assert.NotContains(t, log.String(), "R-OTHER")
	assert.NotContains(t, log.String(), "R-MINE")
}

// The connections that nobody uses are closed when a response is another call's.
func TestForeignAnswerClosesConnections(t *testing.T) {
	pool := &closing{RoundTripper: foreign}
	_, err := newClient(t, wxpay.WithTransport(pool)).Chain(refundCall).Post(t.Context(), refundBody)
	require.ErrorIs(t, err, middleware.ErrForeign)
	assert.Equal(t, 1, pool.closed)
}

type closing struct {
	http.RoundTripper
	closed int
}

func (c *closing) CloseIdleConnections() { c.closed++ }

// Queries of a doubt ask past caches.
func TestQueriesAskPastCaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked http.Header
		found := refund("SUCCESS")
		found.trip = func(req *http.Request) { asked = req.Header.Clone() }
		_, err := newClient(t, wxpay.WithTransport(play(resetConnection, found))).Chain(refundCall).Ensure(t.Context(), refundBody)
		require.NoError(t, err)
		assert.Equal(t, "no-cache", asked.Get("Cache-Control"))
	})
}

// Reviewed rows are where the rules want them: every write that moves money and repeats its number binds it, and no code rules
// out an effect that says the number exists or that the platform is at work.
func TestEvidenceRows(t *testing.T) {
	binds, excludes := 0, 0
	for o := range catalog.V3().All() {
		if o.Link != nil {
			query, ok := catalog.V3().Lookup("GET", o.Link.Query)
			require.True(t, ok)
			assert.NotEmpty(t, query.Bind, "%s leads to a query whose answer binds nothing", o.Path)
		}
		if o.MovesMoney && len(o.Bind) > 0 {
			binds++
		}
		for _, e := range o.Excludes {
			excludes++
			class := (&wxpay.APIError{Status: 400, Code: wxcode.Code(e.Code)}).Class()
			assert.Equal(t, wxcode.ClassFix, class, "%s %s", o.Path, e.Code)
			assert.False(t, strings.Contains(o.Path, "profitsharing") && e.Code == "NOT_ENOUGH", o.Path)
		}
	}
	assert.GreaterOrEqual(t, binds, 80)
	assert.GreaterOrEqual(t, excludes, 25)
}
