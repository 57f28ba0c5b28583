//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/transport"
)

// TestMoney is the promise of this package: whatever goes wrong on the way, nothing is done twice, and what a caller is
// told is what the platform's ledger says. Thousands of Ensure calls run at once, in virtual time, against a sandbox that
// spoils a third of all requests in every way it knows.
//
// WXPAY_TEST_LONG=1 makes it 100,000 calls.
func TestMoney(t *testing.T) {
	n := 2000
	if os.Getenv("WXPAY_TEST_LONG") == "1" {
		n = 100_000
	}
	t.Run("refunds, transfers, orders and feeds", func(t *testing.T) {
		r := runMoney(t, trial{calls: n, kinds: []string{"refund", "transfer", "order", "feed"}})
		r.print(t)
		assert.Zero(t, r.doubles, "done twice")
		assert.Empty(t, r.lies)
		assert.Zero(t, r.inferred, "a repeated feed is answered with the same result, so nothing had to be inferred")
		assert.NotZero(t, r.conflicts, "numbers that stand for something else were tried")
		assert.NotZero(t, r.unknowns, "deadlines that come too soon were tried")
		assert.NotZero(t, r.states[wxpay.FailedFinal])
		assert.NotZero(t, r.states[wxpay.NeedsAction])
		assert.NotZero(t, r.states[wxpay.Accepted])
		for _, kind := range everyFault() {
			assert.NotZero(t, r.faults[kind], "the fault %s did not happen", kind)
		}
	})
	// A feed has no query, and nobody promises what a repeated number does. What Ensure guarantees depends on that:
	t.Run("feeds, a repeated number is refused", func(t *testing.T) {
		// Exactly one effect. Success may be inferred from the refusal of a repeat.
		r := runMoney(t, trial{calls: n / 4, kinds: []string{"feed"}, repeated: sandbox.RepeatExists})
		r.print(t)
		assert.Zero(t, r.doubles)
		assert.Empty(t, r.lies)
		assert.NotZero(t, r.inferred)
	})
	t.Run("feeds, a repeated number is done again", func(t *testing.T) {
		// At least one effect behind every success, and never more than the requests that were made.
		r := runMoney(t, trial{calls: n / 4, kinds: []string{"feed"}, repeated: sandbox.RepeatDuplicate})
		r.print(t)
		assert.Empty(t, r.lies)
		assert.NotZero(t, r.doubles, "then nobody can promise more")
	})
	t.Run("feeds, a repeated number is done again, held", func(t *testing.T) {
		// At most one effect: who cannot bear a second one has Ensure hold.
		r := runMoney(t, trial{calls: n / 4, kinds: []string{"feed"}, repeated: sandbox.RepeatDuplicate, hold: true})
		r.print(t)
		assert.Zero(t, r.doubles)
		assert.Empty(t, r.lies)
	})
	// The proof of the proof: what must never be done is done, and the test sees it.
	for name, sabotage := range map[string]trial{
		"a new number on retry": {middleware: renumber()},
		"trusting a lone 4xx":   {facts: func(o *fact.Operation) { o.MovesMoney = false }},
		"a dedupe on existence": {facts: func(o *fact.Operation) { o.Link.Same = nil }},
	} {
		t.Run("sabotage: "+name, func(t *testing.T) {
			sabotage.calls, sabotage.kinds = 800, []string{"refund", "transfer"}
			r := runMoney(t, sabotage)
			r.print(t)
			assert.NotZero(t, r.doubles+len(r.lies), "the sabotage was not noticed")
		})
	}
}

// trial is one run of TestMoney.
type trial struct {
	calls      int
	kinds      []string
	repeated   sandbox.RepeatedFeed
	hold       bool                  // Ensure holds on a doubt
	facts      func(*fact.Operation) // changes what the client believes of operations with a link
	middleware middleware.Middleware
}

// report is what a run showed.
type report struct {
	trial
	attempts  int
	faults    map[sandbox.FaultKind]int
	states    map[wxpay.State]int
	unknowns  int // ended at the deadline without knowing
	notSent   int
	rejected  int
	conflicts int
	inferred  int
	doubles   int
	lies      []string
	took      time.Duration // virtual
}

func (r *report) print(t *testing.T) {
	t.Logf("%d calls, %d attempts, states %v, unknown %d, rejected %d, not sent %d, conflicts %d, inferred %d, doubles %d, lies %d, in %s of virtual time",
		r.calls, r.attempts, r.states, r.unknowns, r.rejected, r.notSent, r.conflicts, r.inferred, r.doubles, len(r.lies), r.took)
	var faults []string
	for _, kind := range slices.Sorted(maps.Keys(r.faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", kind, r.faults[kind]))
	}
	t.Logf("faults: %s", strings.Join(faults, ", "))
	for i, lie := range r.lies[:min(len(r.lies), 5)] {
		t.Logf("lie %d: %s", i+1, lie)
	}
}

// everyFault lists the kinds that spoil 30 % of the requests, and the one that hides a write from its query.
func everyFault() []sandbox.FaultKind {
	return append(slices.Clone(spoiling), sandbox.LimitedAfter, sandbox.RefusedAfter, sandbox.NotFoundFor)
}

var spoiling = []sandbox.FaultKind{
	sandbox.Delay, sandbox.Refuse, sandbox.ResetBefore, sandbox.ResetAfter, sandbox.Truncate, sandbox.WrongSignature, sandbox.UnknownSerial,
	sandbox.StaleTimestamp, sandbox.Probe, sandbox.Limited, sandbox.ServerError, sandbox.ServerErrorAfter, sandbox.BadGateway, sandbox.SlowBody,
}

const (
	refundsPath   = "/v3/refund/domestic/refunds"
	transfersPath = "/v3/fund-app/mch-transfer/transfer-bills"
	nativePath    = "/v3/pay/transactions/native"
)

// spoil injects faults that together hit 30 % of all requests.
func spoil(t *testing.T, sb *sandbox.Sandbox) {
	var faults []sandbox.Fault
	for _, path := range []string{refundsPath, transfersPath} { // refusals with an effect happen where money moves
		faults = append(faults,
			sandbox.Fault{Kind: sandbox.LimitedAfter, Method: "POST", Path: path, Probability: 0.03},
			sandbox.Fault{Kind: sandbox.RefusedAfter, Method: "POST", Path: path, Probability: 0.03, Status: 403, Code: "TRADE_ERROR"})
	}
	for _, kind := range spoiling {
		f := sandbox.Fault{Kind: kind, Probability: 0.025}
		switch kind {
		case sandbox.Delay:
			f.Delay = 15 * time.Second // longer than an attempt may take
		case sandbox.SlowBody:
			f.Delay = 300 * time.Millisecond
		}
		faults = append(faults, f)
	}
	faults = append(faults, sandbox.Fault{Kind: sandbox.NotFoundFor, Probability: 0.3, Delay: 40 * time.Second})
	require.NoError(t, sb.Inject(faults...))
}

// intent is one thing that a caller wants to happen once.
type intent struct {
	kind, number string
	body         wxpay.JSON
	foreign      bool // the number stands for something else already
	final        bool // wait for the end
	deadline     time.Duration

	verdict *wxpay.Verdict
	err     error
	late    bool // the deadline had passed when the call ended
}

func runMoney(t *testing.T, trial trial) *report {
	r := &report{trial: trial, states: map[wxpay.State]int{}}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		sb, err := sandbox.New(sandbox.WithScheme(quick{apiv3.RSA()}), sandbox.WithSeed(1))
		require.NoError(t, err)
		require.NoError(t, sb.Relax(sandbox.Rates)) // the trouble is that of spoil
		sb.OnRepeatedFeed(trial.repeated)
		sb.SetFate(fate)
		options := []wxpay.Option{wxpay.WithCatalog(believing{trial.facts}), wxpay.WithTransport(&counting{next: sb.Transport(), report: r})}
		if trial.middleware != nil {
			options = append(options, wxpay.WithMiddleware(trial.middleware))
		}
		m := sb.Merchant()
		client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: m.PrivateKey}, append(options,
			wxpay.WithPublicKey(sb.PublicKeyID(), sb.PublicKey()), wxpay.WithScheme(quick{apiv3.RSA()}))...)
		require.NoError(t, err)

		intents := makeIntents(t, client, sb, trial)
		r.attempts = 0
		before := len(sb.Ledger())
		spoil(t, sb)
		var calls sync.WaitGroup
		for i := range intents {
			calls.Go(func() { intents[i].ensure(client, trial.hold) })
		}
		calls.Wait()
		r.faults, r.took = sb.FaultCounts(), time.Since(begin)
		r.audit(intents, sb.Ledger()[before:])
	})
	return r
}

// makeIntents makes what callers want, and what is needed for it: paid orders, and numbers that are taken already.
func makeIntents(t *testing.T, client *wxpay.Client, sb *sandbox.Sandbox, trial trial) []*intent {
	random := rand.New(rand.NewPCG(1, 2))
	m := sb.Merchant().ID
	intents := make([]*intent, trial.calls)
	for i := range intents {
		in := &intent{kind: trial.kinds[i%len(trial.kinds)], final: random.IntN(2) == 0, deadline: 30 * time.Minute}
		in.number = fmt.Sprintf("%s%07d", strings.ToUpper(in.kind[:2]), i)
		if random.IntN(12) == 0 {
			in.deadline = time.Duration(1+random.IntN(45)) * time.Second
		}
		amount := 1 + random.IntN(1000)
		in.foreign = in.kind != "feed" && random.IntN(20) == 0
		other := wxpay.JSON{}
		switch in.kind {
		case "refund":
			trade := fmt.Sprintf("PAID%07d", i)
			_, err := sb.AddPaidOrder(trade, 5000)
			require.NoError(t, err)
			in.body = wxpay.JSON{"out_trade_no": trade, "out_refund_no": in.number, "amount": wxpay.JSON{"refund": amount, "total": 5000, "currency": "CNY"}}
			other["amount"] = wxpay.JSON{"refund": amount + 1, "total": 5000, "currency": "CNY"}
		case "transfer":
			in.body = wxpay.JSON{
				"appid": "wx8888888888888888", "out_bill_no": in.number, "transfer_scene_id": "1000", "openid": "o-MYE42l80oelYMDE34nYD456Xoy",
				"transfer_amount": amount, "transfer_remark": "bonus",
				"transfer_scene_report_infos": []any{wxpay.JSON{"info_type": "a", "info_content": "b"}, wxpay.JSON{"info_type": "c", "info_content": "d"}},
			}
			other["transfer_amount"] = amount + 1
		case "order":
			in.body = wxpay.JSON{
				"appid": "wx8888888888888888", "mchid": m, "description": "tea", "out_trade_no": in.number, "notify_url": "https://example.com/n",
				"amount": wxpay.JSON{"total": amount, "currency": "CNY"},
			}
			other["amount"] = wxpay.JSON{"total": amount + 1, "currency": "CNY"}
		case "feed":
			in.body = wxpay.JSON{
				"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
				"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": in.number, "cell_message": "15_1200_1",
			}
		}
		if in.foreign {
			maps.Copy(other, without(in.body, other))
			_, err := client.Chain(paths[in.kind]).Post(t.Context(), other)
			require.NoError(t, err)
		}
		intents[i] = in
	}
	return intents
}

var paths = map[string]string{"refund": refundsPath, "transfer": transfersPath, "order": nativePath, "feed": feedsPath}

func without(body, names wxpay.JSON) wxpay.JSON {
	rest := maps.Clone(body)
	maps.DeleteFunc(rest, func(name string, _ any) bool { _, named := names[name]; return named })
	return rest
}

func (in *intent) ensure(client *wxpay.Client, hold bool) {
	ctx, cancel := context.WithTimeout(context.Background(), in.deadline)
	defer cancel()
	chain := client.Chain(paths[in.kind])
	if in.final {
		chain = chain.UntilFinal()
	}
	if hold {
		chain = chain.OnUnknown(wxpay.Hold)
	}
	in.verdict, in.err = chain.Ensure(ctx, in.body)
	in.late = ctx.Err() != nil
}

// fate ends refunds and transfers in every way, after up to two minutes.
func fate(kind sandbox.EffectKind, number string) sandbox.Fate {
	sum := sha256.Sum256([]byte(number))
	f := sandbox.Fate{After: time.Duration(sum[0]) * 500 * time.Millisecond}
	switch {
	case sum[1] < 200:
	case kind == sandbox.RefundEffect:
		f.State = []string{"CLOSED", "ABNORMAL"}[sum[2]%2]
	case kind == sandbox.TransferEffect:
		f.State = []string{"FAIL", "CANCELLED"}[sum[2]%2]
	}
	return f
}

// audit compares what every caller was told with what took effect. effects leaves out those from before the calls.
func (r *report) audit(intents []*intent, effects []sandbox.Effect) {
	byNumber := map[string][]sandbox.Effect{}
	for _, e := range effects {
		byNumber[e.Number] = append(byNumber[e.Number], e)
	}
	for _, in := range intents {
		done := byNumber[in.number]
		delete(byNumber, in.number)
		if len(done) > 1 || in.foreign && len(done) > 0 {
			r.doubles++
		}
		var effect *sandbox.Effect
		if len(done) > 0 {
			effect = &done[0]
		}
		if lie := r.check(in, effect); lie != "" {
			r.lies = append(r.lies, fmt.Sprintf("%s %s (foreign %t): %s; effects %d, error %v", in.kind, in.number, in.foreign, lie, len(done), in.err))
		}
	}
	r.doubles += len(byNumber) // effects under numbers that nobody chose
}

// check returns what is untrue about what the caller was told.
func (r *report) check(in *intent, effect *sandbox.Effect) string {
	if in.err == nil {
		v := in.verdict
		r.states[v.State]++
		if v.Inferred {
			r.inferred++
		}
		if effect == nil {
			return string(v.State) + " is claimed without an effect"
		}
		settled := map[wxpay.State][]string{
			wxpay.FailedFinal: {"CLOSED", "FAIL", "CANCELLED"}, wxpay.NeedsAction: {"ABNORMAL"}, wxpay.Succeeded: {"SUCCESS", "NOTPAY"},
		}
		if states := settled[v.State]; v.State != wxpay.Accepted && !slices.Contains(states, effect.State) {
			return fmt.Sprintf("%s is claimed, the ledger says %s", v.State, effect.State)
		}
		if v.State == wxpay.Accepted && in.final && !in.late {
			return "the call did not wait for the end"
		}
		if in.kind == "order" && v.Response.Get("code_url").String() == "" && !in.late {
			return "the order's code_url is missing"
		}
		return ""
	}
	switch outcome := wxpay.OutcomeOf(in.err); {
	case errors.Is(in.err, wxpay.ErrNumberConflict):
		r.conflicts++
		if !in.foreign {
			return "a conflict is claimed where there is none"
		}
	case outcome == wxpay.NotSent, outcome == wxpay.Rejected:
		if outcome == wxpay.NotSent {
			r.notSent++
		} else {
			r.rejected++
		}
		if effect != nil {
			return outcome.String() + " is claimed, and there is an effect"
		}
		if outcome == wxpay.Rejected && !in.foreign && !in.late {
			return "the call was given up although nothing was wrong with it"
		}
	case outcome == wxpay.Confirmed:
		return "a local step failed"
	default:
		r.unknowns++
		if !in.late && !r.hold {
			return "the call was given up before its deadline"
		}
	}
	return ""
}

// counting counts attempts, and lets a refused connection look as it does to package transport.
type counting struct {
	next   http.RoundTripper
	report *report
	mu     sync.Mutex
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.report.attempts++
	c.mu.Unlock()
	res, err := c.next.RoundTrip(req)
	if errors.Is(err, sandbox.ErrRefused) {
		return nil, &transport.UnsentError{Err: err}
	}
	return res, err
}

// believing is the catalogue, with changes to what is believed of operations that have a link.
type believing struct{ change func(*fact.Operation) }

func (b believing) Lookup(method, path string) (*fact.Operation, bool) {
	o, ok := catalog.V3().Lookup(method, path)
	if !ok || b.change == nil || o.Link == nil {
		return o, ok
	}
	changed, link := *o, *o.Link
	changed.Link = &link
	b.change(&changed)
	return &changed, true
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

// quick is RSA with its arithmetic replaced by a hash over public key and message: nothing to hide, and still no two
// messages or keys have the same signature.
type quick struct{ apiv3.Scheme }

func (quick) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	return quickSignature(key.Public(), message)
}

func (quick) Verify(key crypto.PublicKey, message, signature []byte) error {
	want, err := quickSignature(key, message)
	if err != nil || !bytes.Equal(want, signature) {
		return apiv3.ErrSignature
	}
	return nil
}

func quickSignature(key crypto.PublicKey, message []byte) ([]byte, error) {
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, apiv3.ErrKey
	}
	sum := sha256.Sum256(append(public.N.Bytes(), message...))
	return bytes.Repeat(sum[:], 256/len(sum)), nil
}
