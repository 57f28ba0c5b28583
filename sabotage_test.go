package wxpay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// TestMoneySabotaged is the proof of the proof: the promise of TestMoney holds under one kind of trouble at a time, and where
// what must never be done is done on purpose, the same trial sees it.
func TestMoneySabotaged(t *testing.T) {
	t.Parallel()
	some := func(probability float64, faults ...fault.Rule) []fault.Rule {
		for i := range faults {
			faults[i].Probability = probability
		}
		return faults
	}
	money, writes := []string{"refund", "transfer"}, "POST"
	nobody := func(int) bool { return false }
	first := func(i int) bool { return i == 0 }
	fresh := func(_ *http.Response, body []byte) ([]byte, bool) { return body, true }
	for name, c := range map[string]struct {
		trial
		sabotage func(*trial)
	}{
		"a new number on retry": {trial{kinds: money}, func(c *trial) { c.middleware = renumber() }},
		"a lone 4xx for a refusal of money": {trial{kinds: money}, func(c *trial) {
			c.facts = func(o *fact.Operation) { o.MovesMoney = false }
		}},
		"whatever has the number": {trial{kinds: money}, func(c *trial) {
			c.facts = func(o *fact.Operation) {
				if o.Link != nil {
					o.Link.Same = nil
				}
				o.Bind = o.Bind[:min(len(o.Bind), 1)]
			}
		}},

		"a state for an end that is none": {trial{kinds: money}, func(c *trial) {
			c.facts = func(o *fact.Operation) {
				if o.Link != nil {
					o.Link.Means = append([]fact.Means{{Value: "PROCESSING", Meaning: fact.Succeeded}, {Value: "ACCEPTED", Meaning: fact.Succeeded}}, o.Link.Means...)
				}
			}
		}},
		"200 for success, where money moves and nobody reviewed a state": {trial{kinds: money, hold: true,
			facts: func(o *fact.Operation) { o.Link = nil }}, func(c *trial) {
			c.facts = func(o *fact.Operation) { o.Link, o.MovesMoney = nil, false }
		}},

		"an answer, whosever number it shows": {trial{kinds: money, taken: nobody,
			faults: some(0.2, fault.Rule{Kind: fault.Crossed, Method: writes}, fault.Rule{Kind: fault.Cached, Method: writes})},
			func(c *trial) { c.unbind = true }},
		"a query's answer, whosever number it shows": {trial{kinds: money, taken: nobody,
			faults: some(0.3, fault.Rule{Kind: fault.ResetAfter, Method: writes}, fault.Rule{Kind: fault.Crossed, Method: "GET"})},
			func(c *trial) { c.facts = func(o *fact.Operation) { o.Bind = nil } }},
		"a refusal under 200": {trial{kinds: []string{"feed"}, faults: some(0.2, fault.Rule{Kind: fault.ErrorAs200})}, func(c *trial) {
			c.facts = func(o *fact.Operation) {
				o.Out = append(slices.Clone(o.Out), fact.Field{Name: "code", Type: fact.String})
			}
		}},
		"a success under 403": {trial{kinds: []string{"feed"}, faults: some(0.2, fault.Rule{Kind: fault.SuccessAs403})}, func(c *trial) {
			c.forge = func(res *http.Response, body []byte) ([]byte, bool) {
				if res.StatusCode == http.StatusForbidden {
					return []byte(`{"code":"RULE_LIMIT","message":"x"}`), true
				}
				return body, false
			}
		}},
		"an answer that was signed before its request": {trial{kinds: []string{"order"}, taken: nobody, later: 40 * time.Second,
			most: 2 * time.Minute, faults: some(0.2, fault.Rule{Kind: fault.Cached, Method: writes})},
			func(c *trial) { c.forge = fresh }},
		"a refusal that was signed before its request": {trial{kinds: []string{"refund"}, taken: first, later: 40 * time.Second,
			most: 2 * time.Minute, faults: some(0.2, fault.Rule{Kind: fault.Cached, Method: writes})},
			func(c *trial) { c.forge = fresh }},
		"a refusal that nobody signed": {trial{kinds: []string{"feed", "order", "refund"}, taken: nobody,
			faults: some(0.2, fault.Rule{Kind: fault.SignErrorAfter, Method: writes})}, func(c *trial) {
			c.forge = func(res *http.Response, body []byte) ([]byte, bool) {
				return body, res.StatusCode == http.StatusUnauthorized
			}
		}},
		"the error that cancels a call for its own": {trial{kinds: money, causes: true, faults: some(0.5, fault.Rule{Kind: fault.Delay, Delay: 15 * time.Second})},
			func(c *trial) { c.adopted = true }},
		"a code that rules nothing out": {trial{kinds: money,
			faults: some(0.2, fault.Rule{Kind: fault.RefusedAfter, Method: writes, Code: "TRADE_ERROR"})}, func(c *trial) {
			c.facts = func(o *fact.Operation) {
				o.Excludes = append(slices.Clone(o.Excludes), fact.Exclude{Code: "TRADE_ERROR"})
			}
		}},
		"a code that rules an effect out, not believed": {trial{kinds: []string{"refund"}, taken: nobody, within: time.Second, mixing: true,
			faults: some(0.2, fault.Rule{Kind: fault.ServerError, Method: writes, Status: 400, Code: "PARAM_ERROR"})}, func(c *trial) {
			c.facts = func(o *fact.Operation) { o.Excludes = nil }
		}},
		"a code_url that is missing in silence": {trial{kinds: []string{"order"}, taken: nobody, mixing: true,
			faults: some(0.4, fault.Rule{Kind: fault.ResetAfter, Method: writes},
				fault.Rule{Kind: fault.ServerError, Method: writes, Status: 403, Code: "NO_AUTH"})}, func(c *trial) {
			c.facts = func(o *fact.Operation) {
				if o.Link != nil {
					o.Link.Only = nil
				}
			}
		}},
	} {
		c.calls = 240
		t.Run(name, func(t *testing.T) {
			r := runMoney(t, c.trial)
			r.print(t)
			assert.Zero(t, r.doubles)
			assert.Empty(t, r.lies)
			c.sabotage(&c.trial)
			r = runMoney(t, c.trial)
			r.print(t)
			assert.NotZero(t, r.doubles+len(r.lies), "the sabotage was not noticed")
		})
	}
}

// renumber sends every repeat of a write under a new number.
func renumber() middleware.Middleware {
	var mu sync.Mutex
	sent := map[string]int{}
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodPost {
				return next.RoundTrip(req)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			times := sent[string(body)]
			sent[string(body)]++
			mu.Unlock()
			var object map[string]any
			if err := json.Unmarshal(body, &object); err != nil {
				return nil, err
			}
			for _, name := range []string{"out_refund_no", "out_bill_no"} {
				if number, ok := object[name].(string); ok && times > 0 {
					object[name] = fmt.Sprintf("%sN%d", number, times)
				}
			}
			if body, err = json.Marshal(object); err != nil {
				return nil, err
			}
			req = req.Clone(req.Context())
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return next.RoundTrip(req)
		})
	}
}
