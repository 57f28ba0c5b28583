//go:build go1.25

package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	refundCall   = "v3/refund/domestic/refunds"
	transferCall = "v3/fund-app/mch-transfer/transfer-bills"
)

var (
	refundBody   = wxpay.JSON{"out_trade_no": "T1", "out_refund_no": "R1", "amount": wxpay.JSON{"refund": 1, "total": 5, "currency": "CNY"}}
	transferBody = wxpay.JSON{"appid": "wx1", "out_bill_no": "B1", "openid": "o1", "transfer_amount": 100, "transfer_remark": "bonus"}
	orderBody    = wxpay.JSON{"appid": "wx1", "mchid": "1900000109", "out_trade_no": "T1", "amount": wxpay.JSON{"total": 5, "currency": "CNY"}}
	shareBody    = wxpay.JSON{"transaction_id": "42", "out_order_no": "S1", "unfreeze_unsplit": false, "receivers": []any{
		wxpay.JSON{"type": "MERCHANT_ID", "account": "1", "amount": 1, "description": "a"},
		wxpay.JSON{"type": "MERCHANT_ID", "account": "2", "amount": 2, "description": "b"}}}
)

func refund(status string) answer {
	return ok(fmt.Sprintf(`{"refund_id":"5","out_refund_no":"R1","out_trade_no":"T1","transaction_id":"42","status":%q,"amount":{"refund":1,`+
		`"total":5,"currency":"CNY"}}`, status))
}

func transfer(state string) answer {
	return ok(fmt.Sprintf(`{"out_bill_no":"B1","appid":"wx1","transfer_amount":100,"state":%q}`, state))
}

func order(state string) answer {
	return ok(fmt.Sprintf(`{"out_trade_no":"T1","mchid":"1900000109","appid":"wx1","trade_state":%q,"amount":{"total":5,"currency":"CNY"}}`, state))
}

func share(results ...string) answer {
	var receivers []string
	for i, result := range results {
		receivers = append(receivers,
			fmt.Sprintf(`{"type":"MERCHANT_ID","account":"%d","amount":%d,"description":%q,"result":%q}`, i+1, i+1, string('a'+rune(i)), result))
	}
	return ok(fmt.Sprintf(`{"transaction_id":"42","out_order_no":"S1","state":"FINISHED","receivers":[%s]}`, strings.Join(receivers, ",")))
}

// unfrozen is n queries of an unfreezing at work, and one that shows its end.
func unfrozen(n int) (answers []answer) {
	for range n {
		answers = append(answers, ok(`{"out_order_no":"S1","transaction_id":"42","state":"PROCESSING"}`))
	}
	return append(answers, ok(`{"out_order_no":"S1","transaction_id":"42","state":"FINISHED"}`))
}

var (
	missing    = refusal(404, "RESOURCE_NOT_EXISTS")
	tradeError = refusal(403, "TRADE_ERROR") // rules out nothing
	signError  = answer{status: 401, body: `{"code":"SIGN_ERROR"}`, unsigned: true}
	forbidden  = answer{status: 403, body: "<html>", unsigned: true}
	foreign    = ok(`{"refund_id":"6","out_refund_no":"R2","out_trade_no":"T2","status":"SUCCESS","amount":{"refund":1,"total":5}}`)
	batchBody  = wxpay.JSON{"appid": "wx1", "out_batch_no": "B1", "total_amount": 1}
)

// many is the same response n times.
func many(n int, a answer) []answer { return slices.Repeat([]answer{a}, n) }

// Each row is one Ensure: what the gateway answers, what was sent (W a write, Q a query), and what it came to.
func TestEnsure(t *testing.T) {
	type row struct {
		name    string
		path    string
		body    wxpay.JSON
		answers []http.RoundTripper
		with    func(wxpay.Chain) wxpay.Chain
		sent    string
		state   wxpay.State
		missing string
		err     error // instead of a state
		outcome wxpay.Outcome
		says    string
	}
	final := wxpay.Chain.UntilFinal
	on := func(p wxpay.UnknownPolicy) func(wxpay.Chain) wxpay.Chain {
		return func(c wxpay.Chain) wxpay.Chain { return c.OnUnknown(p) }
	}
	unknown := wxpay.ErrOutcomeUnknown
	rows := []row{
		{name: "refund, at once", path: refundCall, body: refundBody, answers: trips(refund("SUCCESS")), sent: "W", state: wxpay.Succeeded},
		{name: "refund, accepted", path: refundCall, body: refundBody, answers: trips(refund("PROCESSING")), sent: "W", state: wxpay.Accepted},
		{name: "refund, to its end", path: refundCall, body: refundBody,
			answers: trips(refund("PROCESSING"), refund("PROCESSING"), refund("SUCCESS")), with: final, sent: "WQQ", state: wxpay.Succeeded},
		{name: "refund, failed for good", path: refundCall, body: refundBody, answers: trips(refund("PROCESSING"), refund("CLOSED")), with: final,
			sent: "WQ", state: wxpay.Failed},
		{name: "refund, to its end, without permission to ask", path: refundCall, body: refundBody,
			answers: trips(refund("PROCESSING"), refusal(403, "NO_AUTH")), with: final, sent: "WQ", state: wxpay.Accepted},
		{name: "refund, to its end, the number is another's", path: refundCall, body: refundBody,
			answers: trips(refund("PROCESSING"),
				ok(`{"out_refund_no":"R1","out_trade_no":"T1","status":"SUCCESS","amount":{"refund":2,"total":5}}`)), with: final, sent: "WQ",
			err: wxpay.ErrNumberConflict, says: "outcome unknown"},
		{name: "refund, needs action", path: refundCall, body: refundBody, answers: trips(refund("PROCESSING"), refund("ABNORMAL")), with: final,
			sent: "WQ", state: wxpay.NeedsAction},
		{name: "refund, answer lost", path: refundCall, body: refundBody, answers: trips(resetConnection, refund("PROCESSING")), sent: "WQ", state: wxpay.Accepted},
		{name: "refund, a lone 4xx", path: refundCall, body: refundBody, answers: trips(refusal(403, "USER_ACCOUNT_ABNORMAL"), refund("SUCCESS")),
			sent: "WQ", state: wxpay.Succeeded},
		{name: "refund, a state that nobody reviewed", path: refundCall, body: refundBody, answers: trips(systemError, refund("NEW_STATE")),
			sent: "WQ", state: wxpay.Taken},
		{name: "refund, the number is another's", path: refundCall, body: refundBody,
			answers: trips(tradeError, ok(`{"out_refund_no":"R1","out_trade_no":"T1","status":"SUCCESS","amount":{"refund":2,"total":5}}`)),
			sent:    "WQ", err: wxpay.ErrNumberConflict, says: "amount.refund differs"},
		{name: "refund, the query says nothing at first", path: refundCall, body: refundBody,
			answers: trips(systemError, invalid, refund("SUCCESS")), sent: "WQQ", state: wxpay.Succeeded},
		{name: "refund, permission", path: refundCall, body: refundBody, answers: trips(refusal(403, "NO_AUTH")), sent: "W",
			outcome: wxpay.Rejected, err: wxpay.StageResponse, says: "NO_AUTH"},
		{name: "refund, a merchant's trouble that rules out nothing", path: refundCall, body: refundBody,
			answers: trips(refusal(403, "REQUEST_BLOCKED")), sent: "W", err: unknown, says: "REQUEST_BLOCKED"},
		{name: "refund, signature", path: refundCall, body: refundBody, answers: trips(signError), sent: "WQQQ", err: unknown, says: "SIGN_ERROR"},
		{name: "refund, a proxy's refusal after the effect", path: refundCall, body: refundBody, answers: trips(signError, refund("SUCCESS")),
			sent: "WQ", state: wxpay.Succeeded},
		{name: "refund, a proxy's refusal before it", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing }, post: play(signError, refund("SUCCESS"))}}, sent: "WQ+W",
			state: wxpay.Succeeded},
		{name: "refund, the queries are refused by a proxy", path: refundCall, body: refundBody, answers: trips(resetConnection, forbidden),
			sent: "WQQQ", err: unknown, says: "the queries are rejected too: "},
		{name: "refund, a query is refused by a proxy", path: refundCall, body: refundBody,
			answers: trips(resetConnection, forbidden, refund("SUCCESS")), sent: "WQQ", state: wxpay.Succeeded},
		{name: "refund, another's answer", path: refundCall, body: refundBody, answers: trips(foreign, refund("SUCCESS")), sent: "WQ", state: wxpay.Succeeded},
		{name: "refund, another's answer to the query", path: refundCall, body: refundBody,
			answers: trips(resetConnection, foreign, foreign, foreign, refund("SUCCESS")), sent: "WQQQQ", state: wxpay.Succeeded},
		{name: "refund, a list", path: refundCall, body: refundBody, answers: trips(ok(`{"data":[]}`), refund("SUCCESS")), sent: "WQ", state: wxpay.Succeeded},
		{name: "refund, an empty answer", path: refundCall, body: refundBody, answers: trips(answer{status: 204}, refund("SUCCESS")), sent: "WQ",
			state: wxpay.Succeeded},
		{name: "refund, a refusal under 200", path: refundCall, body: refundBody,
			answers: trips(ok(`{"code":"PARAM_ERROR","message":"x"}`), refund("SUCCESS")), sent: "WQ", state: wxpay.Succeeded},
		{name: "refund, an answer without its number", path: refundCall, body: refundBody,
			answers: trips(ok(`{"status":"SUCCESS"}`), refund("PROCESSING")), sent: "WQ", state: wxpay.Accepted},
		{name: "refund, an answer without its number, then refused", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing },
				post: play(ok(`{"status":"SUCCESS"}`), refusal(403, "NO_AUTH"))}}, sent: "WQ+W", err: unknown, says: "NO_AUTH"},
		{name: "refund, an answer without its number, then lost", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing }, post: play(ok(`{"status":"SUCCESS"}`), resetConnection)}},
			sent:    "WQ+WQ+.*", err: unknown, says: "reset"},
		{name: "refund, an answer without its number, by the caller's word", path: refundCall, body: refundBody,
			answers: trips(ok(`{"status":"SUCCESS"}`)), with: on(wxpay.Repeat), sent: "W", state: wxpay.Taken},
		{name: "refund, refused for another reason", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing }, post: play(tradeError)}}, sent: "WQ+", err: unknown, says: "did not find the number"},
		{name: "refund, permission for the query", path: refundCall, body: refundBody, answers: trips(resetConnection, refusal(403, "NO_AUTH")),
			sent: "WQ", err: unknown, says: "concerns the whole merchant"},
		{name: "refund, refused for good", path: refundCall, body: refundBody, answers: trips(invalid), sent: "W", outcome: wxpay.Rejected,
			err: wxpay.StageResponse, says: "PARAM_ERROR"},
		{name: "refund, refused after a doubt", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing }, post: play(resetConnection, invalid)}}, sent: "WQ+WQ+",
			err: unknown, says: "PARAM_ERROR"},
		{name: "refund, held", path: refundCall, body: refundBody, answers: trips(resetConnection, missing), with: on(wxpay.Hold), sent: "WQ+",
			err: unknown, says: "no such thing yet"},
		{name: "refund, no connection", path: refundCall, body: refundBody,
			answers: trips(refusedConnection, refusedConnection, refusedConnection, refund("SUCCESS")), sent: "WWWW", state: wxpay.Succeeded},

		{name: "transfer, accepted: the write is repeated for package_info", path: transferCall, body: transferBody,
			answers: trips(systemError, transfer("WAIT_USER_CONFIRM"), ok(`{"out_bill_no":"B1","state":"WAIT_USER_CONFIRM","package_info":"x"}`)),
			sent:    "WQW", state: wxpay.Accepted},
		{name: "transfer, done: nothing more is wanted", path: transferCall, body: transferBody, answers: trips(systemError, transfer("SUCCESS")),
			sent: "WQ", state: wxpay.Succeeded},
		{name: "transfer, the repeat is refused", path: transferCall, body: transferBody,
			answers: trips(systemError, transfer("ACCEPTED"), invalid), sent: "WQW", state: wxpay.Accepted, missing: "package_info"},
		{name: "transfer, failed", path: transferCall, body: transferBody, answers: trips(limited, transfer("FAIL")), sent: "WQ", state: wxpay.Failed},

		{name: "order: the write is repeated for code_url", path: ordersPath, body: orderBody,
			answers: trips(systemError, systemError, systemError, order("NOTPAY"), ok(`{"code_url":"x"}`)), sent: "WWWQW", state: wxpay.Succeeded},
		{name: "order: the repeat for code_url is refused for good", path: ordersPath, body: orderBody,
			answers: trips(systemError, systemError, systemError, order("NOTPAY"), refusal(403, "NO_AUTH")), sent: "WWWQW", state: wxpay.Succeeded, missing: "code_url"},
		{name: "order: the repeat for code_url fails for long", path: ordersPath, body: orderBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return order("NOTPAY") },
				post: play(append(trips(many(24, systemError)...), ok(`{"code_url":"x"}`))...)}}, sent: "W+QW+(QW+)+", state: wxpay.Succeeded},
		{name: "order, another operation's answer", path: ordersPath, body: orderBody, answers: trips(foreign, ok(`{"code_url":"x"}`)),
			sent: "WW", state: wxpay.Succeeded},
		{name: "order, closed meanwhile", path: ordersPath, body: orderBody,
			answers: trips(systemError, systemError, systemError, order("CLOSED")), sent: "WWWQ", state: wxpay.Failed},
		{name: "order, refused", path: ordersPath, body: orderBody, answers: trips(invalid), sent: "W", err: wxpay.StageResponse, says: "PARAM_ERROR"},

		{name: "codepay is never repeated", path: codepayPath, body: orderBody,
			answers: trips(resetConnection, order("USERPAYING"), order("SUCCESS")), with: final, sent: "WQQ", state: wxpay.Succeeded},
		{name: "codepay, not found", path: codepayPath, body: orderBody, answers: trips(systemError, refusal(404, "ORDER_NOT_EXIST")),
			with: on(wxpay.Repeat), sent: "W", err: unknown},
		{name: "codepay, failed", path: codepayPath, body: orderBody, answers: trips(systemError, order("PAYERROR")), sent: "WQ", state: wxpay.Failed},

		{name: "share, all parts", path: "v3/profitsharing/orders", body: shareBody, answers: trips(systemError, share("SUCCESS", "SUCCESS")),
			sent: "WQ", state: wxpay.Succeeded},
		{name: "share, some parts", path: "v3/profitsharing/orders", body: shareBody, answers: trips(systemError, share("SUCCESS", "CLOSED")),
			sent: "WQ", state: wxpay.Partial},
		{name: "share, no part", path: "v3/profitsharing/orders", body: shareBody, answers: trips(systemError, share("CLOSED", "CLOSED")),
			sent: "WQ", state: wxpay.Failed},
		{name: "share, no part, and the rest is back with the merchant", path: "v3/profitsharing/orders", body: shareBody,
			answers: trips(systemError, share("CLOSED", "CLOSED", "SUCCESS")), sent: "WQ", state: wxpay.Failed},
		{name: "share, the rest is under way", path: "v3/profitsharing/orders", body: shareBody,
			answers: trips(share("SUCCESS", "SUCCESS", "PENDING")), sent: "W", state: wxpay.Succeeded},
		{name: "share, a part under way", path: "v3/profitsharing/orders", body: shareBody,
			answers: trips(systemError, share("SUCCESS", "PENDING")), sent: "WQ", state: wxpay.Accepted},
		{name: "share, other parts", path: "v3/profitsharing/orders", body: shareBody, answers: trips(systemError, share("SUCCESS")), sent: "WQ",
			err: wxpay.ErrNumberConflict, says: "receivers differs"},
		{name: "share, its own answer without the parts", path: "v3/profitsharing/orders", body: shareBody,
			answers: trips(ok(`{"transaction_id":"42","out_order_no":"S1","state":"FINISHED"}`)), sent: "W", state: wxpay.Taken},
		{name: "share, its own answer with fewer parts", path: "v3/profitsharing/orders", body: shareBody, answers: trips(share("SUCCESS")),
			sent: "W", state: wxpay.Taken},
		{name: "share, without the parts, to its end", path: "v3/profitsharing/orders", body: shareBody,
			answers: trips(share(), share("SUCCESS", "CLOSED")), with: final, sent: "WQ", state: wxpay.Partial},
		{name: "share, its own answer", path: "v3/profitsharing/orders", body: shareBody, answers: trips(share("SUCCESS", "CLOSED")), sent: "W",
			state: wxpay.Partial},

		{name: "unfreeze: that it exists proves nothing", path: "v3/profitsharing/orders/unfreeze",
			body: wxpay.JSON{"transaction_id": "42", "out_order_no": "S1", "description": "x"},
			answers: trips(systemError, ok(`{"out_order_no":"S1","transaction_id":"42","state":"PROCESSING"}`),
				ok(`{"out_order_no":"S1","transaction_id":"42","state":"FINISHED"}`)), sent: "WQQ", state: wxpay.Succeeded},

		{name: "unfreeze: what was accepted is not repeated", path: "v3/profitsharing/orders/unfreeze",
			body:    wxpay.JSON{"transaction_id": "42", "out_order_no": "S1", "description": "x"},
			answers: append(trips(ok(`{"out_order_no":"S1","state":"PROCESSING"}`)), trips(unfrozen(8)...)...), with: final, sent: "WQQQQQQQQQ", state: wxpay.Succeeded},
		{name: "unfreeze: what did not happen is repeated", path: "v3/profitsharing/orders/unfreeze",
			body: wxpay.JSON{"transaction_id": "42", "out_order_no": "S1", "description": "x"},
			answers: []http.RoundTripper{perMethod{get: func() answer { return unfrozen(1)[0] },
				post: play(systemError, ok(`{"out_order_no":"S1","state":"FINISHED"}`))}}, sent: "WQ+W", state: wxpay.Succeeded},

		{name: "feed, repeated until it is there", path: feedsPath, body: feed(), answers: trips(systemError, systemError, ok("{}")), sent: "WWW",
			state: wxpay.Succeeded},
		{name: "feed, held", path: feedsPath, body: feed(), answers: trips(systemError), with: on(wxpay.Hold), sent: "W", err: unknown},
		{name: "feed, the number is taken", path: feedsPath, body: feed(), answers: trips(refusal(400, "ALREADY_EXISTS")), sent: "W",
			err: wxpay.StageResponse, says: "ALREADY_EXISTS"},
		{name: "feed, a refusal without a code", path: feedsPath, body: feed(), answers: trips(answer{status: 403, body: "{}"}, ok("{}")),
			sent: "WW", state: wxpay.Succeeded},
		{name: "feed, refused after a doubt", path: feedsPath, body: feed(), answers: trips(systemError, invalid), sent: "WW", err: unknown, says: "PARAM_ERROR"},
		{name: "no facts", path: "v3/x", body: wxpay.JSON{}, answers: trips(systemError), sent: "W", err: unknown},
		{name: "no facts, the caller's word", path: "v3/x", body: wxpay.JSON{}, answers: trips(systemError, systemError, ok("{}")),
			with: on(wxpay.Repeat), sent: "WWW", state: wxpay.Taken},
		{name: "a deduction without a query", path: "v3/papay/pay/transactions/apply", body: wxpay.JSON{"out_trade_no": "1"},
			answers: trips(systemError), sent: "W", err: unknown},
		{name: "no facts, taken", path: "v3/x", body: wxpay.JSON{}, answers: trips(answer{status: 202}), sent: "W", state: wxpay.Taken},
		{name: "no facts, to its end", path: "v3/x", body: wxpay.JSON{}, with: final, sent: "", outcome: wxpay.NotSent, err: wxpay.StageBuild,
			says: "the catalogue does not know the operation; call Ensure without UntilFinal"},
		{name: "money without a reviewed state", path: "v3/transfer/batches", body: batchBody,
			answers: trips(ok(`{"out_batch_no":"B1","batch_id":"1","batch_status":"CLOSED"}`)), sent: "W", state: wxpay.Taken},
		{name: "money without a reviewed state, to its end", path: "v3/transfer/batches", body: batchBody, with: final, sent: "",
			outcome: wxpay.NotSent, err: wxpay.StageBuild, says: "no reviewed query tells it"},
		{name: "money without a query, another's answer", path: "v3/transfer/batches", body: batchBody,
			answers: trips(ok(`{"out_batch_no":"B2","batch_id":"1"}`)), sent: "W", err: unknown, says: "another out_batch_no than the call"},
		{name: "money without a query, no number", path: "v3/transfer/batches", body: batchBody, answers: trips(ok(`{"batch_id":"1"}`)),
			sent: "W", state: wxpay.Taken},
		{name: "order, without what its query takes, to its end", path: refundCall, body: wxpay.JSON{"amount": 1}, with: final, sent: "",
			outcome: wxpay.NotSent, err: wxpay.StageBuild, says: "lacks a field that the query needs"},
		{name: "refund, a number that no path takes", path: refundCall,
			body:    wxpay.JSON{"out_refund_no": "..", "out_trade_no": "T1", "amount": wxpay.JSON{"refund": 1, "total": 5, "currency": "CNY"}},
			answers: trips(resetConnection), sent: "W", err: unknown, says: "the query cannot be made"},
		{name: "a body that is none", path: "v3/x", body: wxpay.JSON{"f": func() {}}, answers: trips(ok("{}")), sent: "", err: wxpay.StageBuild},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := play(r.answers...)
				chain := newClient(t, wxpay.WithTransport(gateway)).Chain(r.path)
				if r.with != nil {
					chain = r.with(chain)
				}
				verdict, err := chain.Ensure(context.Background(), r.body)
				var sent strings.Builder
				for _, s := range gateway.seen {
					sent.WriteString(map[string]string{"POST": "W", "GET": "Q"}[s.method])
					assert.True(t, s.method == "GET" || s.body == gateway.seen[0].body, "the same bytes")
				}
				assert.Regexp(t, "^"+r.sent+"$", sent.String())
				if r.err != nil {
					require.ErrorIs(t, err, r.err)
					assert.ErrorContains(t, err, r.says)
					assert.NotContains(t, err.Error(), "\n")
					assert.Nil(t, verdict)
					if r.err != wxpay.StageResponse && r.err != wxpay.StageBuild || r.outcome != wxpay.Unknown {
						assert.Equal(t, r.outcome, wxpay.OutcomeOf(err))
					}
					return
				}
				require.NoError(t, err)
				assert.Equal(t, r.state, verdict.State)
				assert.False(t, verdict.Inferred)
				assert.Equal(t, r.missing, strings.Join(verdict.Missing, " "))
				require.NotNil(t, verdict.Response)
				assert.Equal(t, strings.Count(sent.String(), "W"), verdict.Attempts)
			})
		})
	}
}

// What the platform says of a query is nothing that it says of the write, whose outcome is unknown.
func TestQueryErrorIsNotTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := func(err error, code wxcode.Code) {
			t.Helper()
			require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
			assert.ErrorContains(t, err, string(code))
			assert.False(t, wxpay.IsCode(err, code))
			assert.NotErrorIs(t, err, wxpay.StageResponse)
			var query *wxpay.QueryError
			require.ErrorAs(t, err, &query)
			assert.True(t, wxpay.IsCode(query.Err, code), "it is there for who looks for it")
			assert.Equal(t, query.Error(), fmt.Sprintf("%+v", query))
		}
		for code, status := range map[wxcode.Code]int{"PARAM_ERROR": 400, "NO_AUTH": 403} {
			client := newClient(t, wxpay.WithTransport(play(perMethod{get: func() answer { return refusal(status, string(code)) }, post: play(resetConnection)})))
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			_, err := client.Chain(refundCall).Ensure(ctx, refundBody)
			cancel()
			check(err, code)
		}
		client := newClient(t, wxpay.WithTransport(play(perMethod{get: func() answer { return missing }, post: play(resetConnection)})))
		_, err := client.Chain(refundCall).Post(t.Context(), refundBody)
		_, err = client.Resolve(t.Context(), err)
		require.ErrorIs(t, err, wxpay.ErrMissing)
		check(err, "RESOURCE_NOT_EXISTS")
	})
}

// Not-found permits the same request again a minute after the last attempt, not sooner, and every query carries the
// write's identities to the host that took it.
func TestEnsureWaitsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := play(perMethod{get: func() answer { return missing }, post: play(resetConnection)})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		body := wxpay.JSON{"out_trade_no": "T1", "out_refund_no": "R|1", "sub_mchid": "190", "amount": wxpay.JSON{"refund": 1, "total": 5, "currency": "CNY"}}
		_, err := newClient(t, wxpay.WithTransport(gateway)).Chain(refundCall).Ensure(ctx, body)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		// Its own words, and neither the operation nor the advice a second time.
		assert.Regexp(t, `; the (only request|last of \d requests): connection reset by peer \(the operation may have taken effect: ask GET /v3/refund/`, err.Error())
		assert.Equal(t, 1, strings.Count(err.Error(), "may have taken effect"), "the advice, once")
		require.Error(t, ctx.Err(), "it ends at the deadline")

		last, writes := time.Time{}, 0
		for _, s := range gateway.seen {
			if s.method == "GET" {
				assert.Equal(t, "/"+refundCall+"/R%7C1", s.path)
				assert.Equal(t, "sub_mchid=190", s.query)
				assert.Equal(t, primaryHost, s.host)
				continue
			}
			if writes++; writes > 1 {
				assert.GreaterOrEqual(t, s.at.Sub(last), time.Minute)
			}
			last = s.at
		}
		assert.GreaterOrEqual(t, writes, 3)
	})
	synctest.Test(t, func(t *testing.T) {
		var queries int
		gateway := perMethod{
			get: func() answer {
				queries++
				return missing
			},
			post: play(resetConnection, refund("SUCCESS")),
		}
		verdict, err := newClient(t, wxpay.WithTransport(gateway)).Chain(refundCall).Ensure(context.Background(), refundBody)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		assert.Equal(t, 2, verdict.Attempts)
		require.Len(t, verdict.History, 2)
		posts := gateway.post.seen
		assert.GreaterOrEqual(t, posts[1].at.Sub(posts[0].at), time.Minute)
		assert.Equal(t, posts[0].body, posts[1].body)
		assert.Greater(t, queries, 3)
	})
}

// Who waits for very many calls gets each wait, with what is known by then.
func TestStepwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := play(resetConnection, refund("PROCESSING"), refund("SUCCESS"))
		chain := newClient(t, wxpay.WithTransport(gateway)).Chain(refundCall).UntilFinal().Stepwise()
		_, err := chain.Ensure(t.Context(), refundBody)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		var later *wxpay.NotYetError
		require.ErrorAs(t, err, &later)
		assert.Nil(t, later.Verdict)
		assert.ErrorContains(t, later, "connection reset by peer")
		chain = chain.SentBefore(time.Now())
		time.Sleep(later.After)
		_, err = chain.Ensure(t.Context(), refundBody)
		require.ErrorAs(t, err, &later)
		assert.Equal(t, wxpay.Accepted, later.Verdict.State)
		assert.ErrorContains(t, err, "the platform has not finished it")
		assert.Equal(t, later.Error(), fmt.Sprintf("%+v", later))
		time.Sleep(later.After)
		verdict, err := chain.Ensure(t.Context(), refundBody)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		assert.Len(t, gateway.seen, 3)
	})
}

// perMethod answers queries and writes apart.
type perMethod struct {
	get  func() answer
	post *script
}

func (p perMethod) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return p.get().RoundTrip(req)
	}
	return p.post.RoundTrip(req)
}

// The query goes to the host that took the write, and the other one's not-found teaches nothing.
func TestEnsureAsksTheHostThatTookTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := perHost{primaryHost: refusedConnection, backupHost: play(resetConnection, refund("SUCCESS"))}
		gateway := play(hosts)
		verdict, err := newClient(t, wxpay.WithTransport(gateway)).Chain(refundCall).Ensure(context.Background(), refundBody)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		var to []string
		for _, s := range gateway.seen {
			to = append(to, s.method+" "+s.host)
		}
		assert.Equal(t, []string{"POST " + primaryHost, "POST " + backupHost, "GET " + backupHost}, to)
	})
}

// That a number is taken counts as success only after a doubt about this very call.
func TestEnsureInfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := play(resetConnection, refusal(400, "ALREADY_EXISTS"))
		verdict, err := newClient(t, wxpay.WithTransport(gateway)).Chain(feedsPath).Ensure(context.Background(), feed())
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		assert.True(t, verdict.Inferred)
		assert.Nil(t, verdict.Response)
		assert.Equal(t, 2, verdict.Attempts)
		assert.GreaterOrEqual(t, gateway.seen[1].at.Sub(gateway.seen[0].at), 5*time.Second)

		// A request that never left is no doubt, and an unverified refusal no proof.
		for name, answers := range map[string][]http.RoundTripper{
			"no connection": trips(refusedConnection, refusal(400, "ALREADY_EXISTS")),
			"429":           trips(limited, refusal(400, "ALREADY_EXISTS")),
			"unverified":    trips(resetConnection, answer{status: 400, body: `{"code":"ALREADY_EXISTS"}`, unsigned: true}),
		} {
			verdict, err := newClient(t, wxpay.WithTransport(play(answers...))).Chain(feedsPath).Timeout(time.Minute).Ensure(context.Background(), feed())
			assert.Error(t, err, name)
			assert.Nil(t, verdict, name)
		}
	})
}

// That a number is taken says nothing of how it ends where money moves, or where nobody knows the operation.
func TestEnsureInfersNoEnd(t *testing.T) {
	taken := refusal(400, "ALREADY_EXISTS")
	for name, tt := range map[string]struct {
		path    string
		body    wxpay.JSON
		answers []http.RoundTripper
		final   bool
		state   wxpay.State
		missing []string
	}{
		"a transfer":             {transferCall, transferBody, trips(resetConnection, taken), false, wxpay.Taken, []string{"package_info"}},
		"a transfer, to its end": {transferCall, transferBody, trips(resetConnection, taken, transfer("PROCESSING"), transfer("FAIL")), true, wxpay.Failed, nil},
		"money without a query":  {"v3/transfer/batches", batchBody, trips(resetConnection, taken), false, wxpay.Taken, nil},
		"no facts":               {"v3/x", wxpay.JSON{}, trips(resetConnection, taken), false, wxpay.Taken, nil},
		"an order":               {ordersPath, orderBody, trips(resetConnection, taken), false, wxpay.Succeeded, []string{"code_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chain := newClient(t, wxpay.WithTransport(play(tt.answers...)), wxpay.WithAttempts(1)).Chain(tt.path).OnUnknown(wxpay.Repeat)
				if tt.final {
					chain = chain.UntilFinal()
				}
				verdict, err := chain.Ensure(context.Background(), tt.body)
				require.NoError(t, err)
				assert.Equal(t, tt.state, verdict.State)
				assert.Equal(t, !tt.final, verdict.Inferred)
				assert.Equal(t, tt.missing, verdict.Missing)
			})
		})
	}
}

// A member feed has no query. On a platform that shows repeats it takes effect twice, as the README says, unless it is held.
func TestEnsureMayShowAFeedTwice(t *testing.T) {
	for policy, want := range map[wxpay.UnknownPolicy]int{wxpay.Repeat: 2, wxpay.Hold: 1} {
		synctest.Test(t, func(t *testing.T) {
			sb, err := sandbox.New(sandbox.WithScheme(quick{apiv3.RSA()}), sandbox.WithLenientCards())
			require.NoError(t, err)
			sb.OnRepeatedFeed(sandbox.RepeatDuplicate)
			require.NoError(t, sb.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
			client, err := wxpay.FromLookupEnv(sb.LookupEnv, wxpay.WithTransport(sb.Transport()), wxpay.WithScheme(quick{apiv3.RSA()}))
			require.NoError(t, err)
			chain := client.Chain("v3/brand/partner/card-member/user-feeds")
			if policy == wxpay.Hold {
				chain = chain.OnUnknown(policy)
			}
			verdict, err := chain.Ensure(t.Context(), wxpay.JSON{
				"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
				"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": "F1", "cell_message": "15_1200_1",
			})
			if policy == wxpay.Hold {
				assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
			} else if assert.NoError(t, err) {
				assert.Equal(t, wxpay.Succeeded, verdict.State)
			}
			assert.Len(t, sb.Ledger.Effects(sandbox.FeedEffect), want)
		})
	}
}

// An error of Ensure does not mean that nothing took effect: a middleware may fail behind a confirmed response.
func TestEnsureConfirmsBehindItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb, err := sandbox.New(sandbox.WithScheme(quick{apiv3.RSA()}))
		require.NoError(t, err)
		own := errors.New("the books cannot be written")
		client, err := wxpay.FromLookupEnv(sb.LookupEnv, wxpay.WithTransport(sb.Transport()), wxpay.WithScheme(quick{apiv3.RSA()}),
			wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					if res, err := next.RoundTrip(req); err != nil {
						return res, err
					}
					return nil, own
				})
			}))
		require.NoError(t, err)
		_, err = sb.Users.AddPaidOrder("ORDER-0001", 500)
		require.NoError(t, err)
		_, err = client.Chain(refundCall).Ensure(t.Context(), wxpay.JSON{
			"out_trade_no": "ORDER-0001", "out_refund_no": "R1", "amount": wxpay.JSON{"refund": 1, "total": 500, "currency": "CNY"},
		})
		assert.ErrorIs(t, err, own)
		assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err))
		assert.NotErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Len(t, sb.Ledger.Effects(sandbox.RefundEffect), 1)
	})
}

func TestOnUnknownTakesItsTwoPolicies(t *testing.T) {
	_, err := newClient(t).Chain("v3/x").OnUnknown(0).Ensure(context.Background(), nil)
	require.ErrorContains(t, err, "Hold or Repeat")
	assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
}

// Encrypted members are encrypted once for all requests of a call, however late they are.
func TestRepeatsKeepTheCiphertext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := play(systemError, transfer("SUCCESS"))
		gateway := perMethod{get: func() answer { return refusal(404, "NOT_FOUND") }, post: posts}
		body := wxpay.JSON{"appid": "wx1", "out_bill_no": "B1", "openid": "o1", "user_name": "张三", "transfer_amount": 100, "transfer_remark": "bonus"}
		_, err := newClient(t, wxpay.WithTransport(gateway)).Chain(transferCall).Ensure(context.Background(), body)
		require.NoError(t, err)
		require.Len(t, posts.seen, 2)
		assert.Equal(t, posts.seen[0].body, posts.seen[1].body)
		assert.Contains(t, posts.seen[0].body, `"user_name":"`)
		assert.NotContains(t, posts.seen[0].body, "张三")
	})
}
