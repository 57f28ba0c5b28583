//go:build go1.25

package sandbox_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// TestMixedAnswers meets the faults that deliver a response to the wrong request, over the network
// and in process. Every answer is signed rightly; what is asked for has taken effect, or has not,
// as each case says.
func TestMixedAnswers(t *testing.T) {
	const query = refundPath + "/"
	for name, test := range map[string]struct {
		fault   string
		run     func(t *testing.T, s *sandbox.Sandbox, ask func(method, target string, body any) answer)
		effects int
		fired   int
	}{
		"crossed, the answer to another number": {"crossed method=POST", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Equal(t, "R1", ask("POST", refundPath, refund("R1", 1)).json(t)["out_refund_no"], "no other answer is there yet")
			assert.Equal(t, "R1", ask("POST", refundPath, refund("R2", 2)).json(t)["out_refund_no"])
			assert.Equal(t, "R2", ask("POST", refundPath, refund("R1", 1)).json(t)["out_refund_no"], "the same request again is no other")
			assert.Equal(t, "R2", ask("GET", query+"R2", nil).json(t)["out_refund_no"], "the rule is about another method")
			assert.Equal(t, fault.Crossed, s.Journal.All()[1].Fault)
			assert.Contains(t, string(s.Journal.All()[1].ResponseBody), `"R2"`, "the journal has the answer that was made")
		}, 2, 2},
		"crossed, a refusal": {"crossed", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Equal(t, 404, ask("GET", query+"R1", nil).StatusCode)
			assert.Equal(t, 200, ask("POST", refundPath, refund("R2", 1)).StatusCode, "that was an answer of another operation")
			a := ask("GET", query+"R2", nil)
			assert.Equal(t, 404, a.StatusCode)
			assert.Equal(t, "RESOURCE_NOT_EXISTS", a.json(t)["code"])
		}, 1, 1},
		"crossed-path": {"crossed-path method=POST", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Equal(t, 200, ask("POST", refundPath, refund("R1", 1)).StatusCode)
			assert.Equal(t, "R2", ask("POST", refundPath, refund("R2", 1)).json(t)["out_refund_no"], "that was an answer of the same operation")
			assert.Equal(t, "R2", ask("POST", feedPath, feed()).json(t)["out_refund_no"])
			assert.Equal(t, "R1", ask("GET", query+"R1", nil).json(t)["out_refund_no"])
		}, 3, 1},
		"cached": {"cached method=GET", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Equal(t, 404, ask("GET", query+"R1", nil).StatusCode)
			assert.Equal(t, 200, ask("POST", refundPath, refund("R1", 1)).StatusCode)
			assert.Equal(t, 404, ask("GET", query+"R1", nil).StatusCode, "what was not there is still not there")
			assert.Equal(t, 404, ask("GET", query+"R2", nil).StatusCode)
			assert.Contains(t, s.Journal.All()[2].Reason, "the request did not reach the platform")
			assert.Equal(t, 404, s.Journal.All()[2].Status)
		}, 1, 1},
		"cached, a write": {"cached method=POST", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Equal(t, 200, ask("POST", refundPath, refund("R1", 1)).StatusCode)
			assert.Equal(t, "R1", ask("POST", refundPath, refund("R2", 1)).json(t)["out_refund_no"])
			assert.Equal(t, 404, ask("GET", query+"R2", nil).StatusCode, "the platform knows nothing of it")
		}, 1, 1},
		"late": {"late count=1 path=" + refundPath, func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			assert.Nil(t, ask("POST", refundPath, refund("R1", 1)).Response)
			a := ask("POST", feedPath, feed())
			assert.Equal(t, "R1", a.json(t)["out_refund_no"])
			assert.Equal(t, fault.Late, s.Journal.All()[1].Fault)
			assert.Contains(t, string(s.Journal.All()[1].ResponseBody), "openid")
			assert.Equal(t, "R1", ask("GET", query+"R1", nil).json(t)["out_refund_no"])
			assert.Empty(t, s.Journal.All()[2].Fault)
		}, 2, 1},
		"duplicate": {"duplicate", func(t *testing.T, s *sandbox.Sandbox, ask func(string, string, any) answer) {
			s.OnRepeatedFeed(sandbox.RepeatExists)
			a := ask("POST", feedPath, feed())
			assert.Equal(t, 400, a.StatusCode, "the answer to the second")
			require.Len(t, s.Journal.All(), 2)
			assert.Equal(t, 200, s.Journal.All()[0].Status)
			assert.Equal(t, 400, s.Journal.All()[1].Status)
			assert.Equal(t, fault.Duplicate, s.Journal.All()[0].Fault)
		}, 1, 1},
	} {
		for _, carrier := range []string{"network", "in process"} {
			t.Run(name+"/"+carrier, func(t *testing.T) {
				server := sandbox.Start(t)
				s := server.Sandbox
				require.NoError(t, s.Rules.Relax(sandbox.RefundPace, sandbox.Rates))
				_, err := s.Users.AddPaidOrder("ORDER-0001", 100)
				require.NoError(t, err)
				before := len(s.Ledger.Effects())
				rule, err := fault.Parse(test.fault)
				require.NoError(t, err)
				require.NoError(t, s.Faults.Inject(rule))
				transport, base := s.Transport(), inProcess
				if carrier == "network" {
					network := new(http.Transport)
					defer network.CloseIdleConnections()
					transport, base = network, server.URL
				}
				test.run(t, s, func(method, target string, body any) answer {
					a, err := newCall(s, time.Now(), method, target, body).sign(s).try(t, transport, base)
					if err == nil {
						verify(t, s, time.Now(), a)
						assert.EqualValues(t, len(a.body), a.ContentLength)
					}
					return a
				})
				assert.Len(t, s.Ledger.Effects()[before:], test.effects)
				assert.Equal(t, test.fired, s.Faults.Counts()[rule.Kind])
			})
		}
	}
}

// TestMixedAnswersAreAcceptable: no response comes whose signature is too old, not right, or
// another merchant's, and none from before the rule.
func TestMixedAnswersAreAcceptable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := unpaced(t)
		number := func(n string) map[string]any { return with(feed(), "out_request_no", n) }
		ask(t, s, "POST", feedPath, number("1"))
		require.NoError(t, s.Faults.Inject(
			fault.Rule{Kind: fault.WrongSignature, Count: 1, Skip: 1}, fault.Rule{Kind: fault.Crossed}))
		ask(t, s, "POST", feedPath, number("2"))
		ask(t, s, "POST", feedPath, number("3")) // its signature is spoiled
		require.Equal(t, map[fault.Kind]int{fault.WrongSignature: 1}, s.Faults.Counts())
		other, err := s.AddMerchant("1900000110")
		require.NoError(t, err)
		ask(t, other, "POST", feedPath, number("4"))
		assert.Zero(t, s.Faults.Counts()[fault.Crossed], "the answers of another merchant")

		time.Sleep(4 * time.Minute)
		verify(t, s, time.Now(), ask(t, s, "POST", feedPath, number("5")))
		assert.Equal(t, 1, s.Faults.Counts()[fault.Crossed])
		time.Sleep(4*time.Minute + time.Second)
		verify(t, s, time.Now(), ask(t, s, "POST", feedPath, number("6")))
		assert.Equal(t, 1, s.Faults.Counts()[fault.Crossed])

		s.Faults.Clear()
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.Crossed}))
		ask(t, s, "POST", feedPath, number("7"))
		assert.Equal(t, 1, s.Faults.Counts()[fault.Crossed], "ClearFaults forgets the answers")
	})
}
