//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// TestMoney is the promise of this package: whatever goes wrong on the way, nothing is done twice, and what a caller is
// told is what the platform's ledger says. Thousands of Ensure calls run at once, in virtual time, against a sandbox that
// spoils a third of all requests in every way it knows.
//
// Directly means that nothing stands between the client and the platform. A proxy that mixes up answers can do what no
// signature rules out; then the promise holds for every response that shows whose it is, and the others are counted.
//
// WXPAY_TEST_LONG=1 makes it 100,000 calls in each form.
func TestMoney(t *testing.T) {
	t.Parallel()
	n := 2000
	if os.Getenv("WXPAY_TEST_LONG") == "1" {
		n = 100_000
	}
	all := []string{"refund", "transfer", "order", "feed"}
	t.Run("directly", func(t *testing.T) {
		r := runMoney(t, trial{calls: n, kinds: all})
		r.print(t)
		assert.Zero(t, r.doubles, "done twice")
		assert.Empty(t, r.lies)
		assert.LessOrEqual(t, float64(r.unknowns), 0.015*float64(n), "calls whose end nobody knows")
		r.covers(t)
	})
	t.Run("through a proxy that mixes up answers", func(t *testing.T) {
		r := runMoney(t, trial{calls: n, kinds: all, mixing: true})
		r.print(t)
		assert.Zero(t, r.doubles, "done twice")
		assert.Empty(t, r.lies)
		assert.LessOrEqual(t, float64(r.ended), 0.001*float64(n), "calls that ended before the end that was wanted")
		r.covers(t)
	})
	// A feed has no query, and nobody promises what a repeated number does. What Ensure guarantees depends on that:
	t.Run("feeds, a repeated number is refused", func(t *testing.T) {
		// Exactly one effect. Success may be inferred from the rejection of a repeat.
		r := runMoney(t, trial{calls: n / 4, kinds: []string{"feed"}, repeated: sandbox.RepeatExists})
		r.print(t)
		assert.Zero(t, r.doubles)
		assert.Empty(t, r.lies)
		assert.NotZero(t, r.inferred)
	})
	t.Run("feeds, a repeated number is refused, through a proxy that mixes up answers", func(t *testing.T) {
		r := runMoney(t, trial{calls: n / 4, kinds: []string{"feed"}, repeated: sandbox.RepeatExists, mixing: true})
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
}

// trial is one run of TestMoney.
type trial struct {
	calls      int
	kinds      []string
	mixing     bool // through a proxy that mixes up answers
	repeated   sandbox.RepeatedFeed
	hold       bool // Ensure holds on a doubt
	middleware middleware.Middleware

	// Those that follow are for one fault at a time, and for what is done wrong on purpose.
	faults  []fault.Rule                                             // in place of troubles
	taken   func(i int) bool                                         // whose numbers stand for something else already, in place of one in twenty
	later   time.Duration                                            // all calls but the first begin so much later
	causes  bool                                                     // every call is cancelled by another one's error
	within  time.Duration                                            // how long a call may take that fails
	most    time.Duration                                            // the deadline of every call
	facts   func(*fact.Operation)                                    // changes what the client believes
	unbind  bool                                                     // answers are taken as they are
	adopted bool                                                     // an error that cancels a call is taken for its own
	forge   func(res *http.Response, body []byte) (_ []byte, s bool) // changes answers; s has them signed again
}

// report is what a run showed.
type report struct {
	trial
	attempts  int
	faults    map[fault.Kind]int
	states    map[wxpay.State]int
	unknowns  int // ended at the deadline without knowing
	notSent   int
	rejected  int
	conflicts int
	inferred  int
	unbound   int // answers that show nothing of their call were believed
	cancelled int // by an error that is another call's
	ended     int // before the end that was wanted, by refused queries
	doubles   int
	lies      []string
	// What a proxy can do that mixes up answers, and nobody can see.
	misled, misread []string      // untrue by a response that shows nothing of its call, and by a rejection, which never does
	took            time.Duration // virtual
}

func (r *report) print(t *testing.T) {
	t.Logf("%d calls, %d attempts, states %v, unbound %d, unknown %d, rejected %d, not sent %d, conflicts %d, inferred %d, cancelled %d, ended "+
		"early %d, doubles %d, lies %d, in %s of virtual time",
		r.calls, r.attempts, r.states, r.unbound, r.unknowns, r.rejected, r.notSent, r.conflicts, r.inferred, r.cancelled, r.ended, r.doubles, len(r.lies), r.took)
	var faults []string
	for _, kind := range slices.Sorted(maps.Keys(r.faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", kind, r.faults[kind]))
	}
	t.Logf("faults: %s", strings.Join(faults, ", "))
	some := func(name string, list []string) {
		for i, line := range list[:min(len(list), 5)] {
			t.Logf("%s %d: %s", name, i+1, line)
		}
	}
	some("lie", r.lies)
	if r.mixing {
		t.Logf("the proxy deceived %d calls by answers that show nothing of their call, and %d by refusals", len(r.misled), len(r.misread))
		some("by an answer", r.misled)
		some("by a refusal", r.misread)
	}
}

// covers checks that a run met all that it is about.
func (r *report) covers(t *testing.T) {
	assert.NotZero(t, r.conflicts, "numbers that stand for something else were tried")
	assert.NotZero(t, r.unknowns, "deadlines that come too soon were tried")
	assert.NotZero(t, r.cancelled, "calls that another one's error cancels were tried")
	assert.NotZero(t, r.unbound, "answers that show nothing of their call were met")
	for _, state := range []wxpay.State{wxpay.Accepted, wxpay.Succeeded, wxpay.Failed, wxpay.NeedsAction} {
		assert.NotZero(t, r.states[state], "nothing ended as %s", state)
	}
	for _, f := range troubles(r.mixing) {
		assert.NotZero(t, r.faults[f.Kind], "the fault %s did not happen", f.Kind)
	}
	if !r.mixing { // a request that a proxy doubles is answered as one whose number exists, which infers
		assert.Zero(t, r.inferred, "a repeated feed is answered with the same result, so nothing had to be inferred")
	}
}

const (
	refundsPath   = "/v3/refund/domestic/refunds"
	transfersPath = "/v3/fund-app/mch-transfer/transfer-bills"
	nativePath    = "/v3/pay/transactions/native"
)

// troubles are faults that together hit some 35 % of all requests, and one that hides a write from its query.
func troubles(mixing bool) []fault.Rule {
	var list []fault.Rule
	add := func(probability float64, faults ...fault.Rule) {
		for _, f := range faults {
			f.Probability = probability
			list = append(list, f)
		}
	}
	if mixing { // first, so that of all responses 2 % are another call's
		add(0.01, fault.Rule{Kind: fault.Crossed}, fault.Rule{Kind: fault.CrossedPath}, fault.Rule{Kind: fault.Cached},
			fault.Rule{Kind: fault.Duplicate}, fault.Rule{Kind: fault.SignErrorAfter},
			fault.Rule{Kind: fault.SuccessAs403}, fault.Rule{Kind: fault.ErrorAs200})
		add(0.005, fault.Rule{Kind: fault.Late}, fault.Rule{Kind: fault.NoBodyAfter}, fault.Rule{Kind: fault.NoBodyAfter, Status: 405},
			fault.Rule{Kind: fault.BadGatewayAfter}, fault.Rule{Kind: fault.BadGatewayAfter, Status: 403},
			fault.Rule{Kind: fault.SuccessAs403, Status: 404}, fault.Rule{Kind: fault.SuccessAs403, Status: 500},
			fault.Rule{Kind: fault.ErrorAs200, Method: "GET", Code: "RESOURCE_NOT_EXISTS"}, fault.Rule{Kind: fault.ErrorAs200, Code: "PARAM_ERROR"})
	}
	// Refusals with an effect happen where money moves. Their codes are none that rule an effect out.
	add(0.03, fault.Rule{Kind: fault.LimitedAfter, Method: "POST", Path: refundsPath}, fault.Rule{Kind: fault.LimitedAfter, Method: "POST", Path: transfersPath},
		fault.Rule{Kind: fault.RefusedAfter, Method: "POST", Path: refundsPath, Code: "USER_ACCOUNT_ABNORMAL"},
		fault.Rule{Kind: fault.RefusedAfter, Method: "POST", Path: transfersPath})
	for _, kind := range []fault.Kind{
		fault.Refuse, fault.ResetBefore, fault.ResetAfter, fault.Truncate, fault.WrongSignature, fault.UnknownSerial,
		fault.StaleTimestamp, fault.Probe, fault.Limited, fault.ServerError, fault.ServerErrorAfter, fault.BadGateway,
	} {
		add(0.025, fault.Rule{Kind: kind})
	}
	add(0.025, fault.Rule{Kind: fault.Delay, Delay: 15 * time.Second}, // longer than an attempt may take
		fault.Rule{Kind: fault.SlowBody, Delay: 300 * time.Millisecond})
	add(0.01, fault.Rule{Kind: fault.SignError}, fault.Rule{Kind: fault.NoBody})
	add(0.3, fault.Rule{Kind: fault.NotFoundFor, Delay: 40 * time.Second})
	return list
}

// intent is one thing that a caller wants to happen once.
type intent struct {
	kind, number string
	body         wxpay.JSON
	foreign      bool          // the number stands for something else already
	final        bool          // wait for the end
	start        time.Duration // when it is called
	deadline     time.Duration
	cause        error // cancels the call after a while; it is another call's

	verdict *wxpay.Verdict
	err     error
	late    bool // the deadline had passed, or the call was cancelled, when it ended
	took    time.Duration
}

func runMoney(t *testing.T, trial trial) *report {
	r := &report{trial: trial, states: map[wxpay.State]int{}}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		sb, err := sandbox.New(sandbox.WithScheme(quick{apiv3.RSA()}), sandbox.WithSeed(1))
		require.NoError(t, err)
		require.NoError(t, sb.Rules.Relax(sandbox.Rates)) // the trouble is that of spoil
		sb.OnRepeatedFeed(trial.repeated)
		sb.Ledger.SetEnding(fate)
		wire := &watched{sandbox: sb, next: sb.Transport(), owners: map[string]string{}, forge: trial.forge}
		options := []wxpay.Option{wxpay.WithCatalog(believing{trial.facts}), wxpay.WithTransport(wire)}
		if trial.middleware != nil {
			options = append(options, wxpay.WithMiddleware(trial.middleware))
		}
		m := sb.Merchant()
		client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: m.PrivateKey}, append(options,
			wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithScheme(quick{apiv3.RSA()}))...)
		require.NoError(t, err)

		intents := makeIntents(t, client, sb, trial)
		wire.requests = 0
		before := len(sb.Ledger.Effects())
		if trial.faults == nil {
			trial.faults = troubles(trial.mixing)
		}
		require.NoError(t, sb.Faults.Inject(trial.faults...))
		var calls sync.WaitGroup
		for i := range intents {
			calls.Go(func() {
				time.Sleep(intents[i].start)
				intents[i].ensure(client, trial)
			})
		}
		calls.Wait()
		r.attempts, r.faults, r.took = wire.requests, sb.Faults.Counts(), time.Since(begin)
		r.audit(intents, sb.Ledger.Effects()[before:], wire.owners)
	})
	return r
}

// makeIntents makes what callers want, and what is needed for it: paid orders, and numbers that are taken already.
func makeIntents(t *testing.T, client *wxpay.Client, sb *sandbox.Sandbox, trial trial) []*intent {
	random := rand.New(rand.NewPCG(1, 2))
	m := sb.Merchant().ID
	intents := make([]*intent, trial.calls)
	cause := refusalOfAnother(t, client, sb)
	for i := range intents {
		in := &intent{kind: trial.kinds[i%len(trial.kinds)], final: random.IntN(2) == 0, deadline: 30 * time.Minute}
		in.start = time.Duration(random.Int64N(int64(trial.calls) * int64(10*time.Millisecond)))
		in.number = fmt.Sprintf("%s%07d", strings.ToUpper(in.kind[:2]), i)
		if random.IntN(12) == 0 {
			in.deadline = time.Duration(1+random.IntN(45)) * time.Second
			if random.IntN(2) == 0 {
				in.cause = cause
			}
		}
		if i > 0 {
			in.start += trial.later
		}
		if trial.most > 0 {
			in.deadline = trial.most
		}
		if trial.causes {
			in.deadline, in.cause = time.Duration(1+random.IntN(20))*time.Second, cause
		}
		amount := 1 + random.IntN(1000)
		in.foreign = in.kind != "feed" && random.IntN(20) == 0
		if trial.taken != nil {
			in.foreign = trial.taken(i)
		}
		other := wxpay.JSON{}
		switch in.kind {
		case "refund":
			trade := fmt.Sprintf("PAID%07d", i)
			_, err := sb.Users.AddPaidOrder(trade, 5000)
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

// refusalOfAnother is the error of a call that was certainly refused, as errgroup makes it the cause by which it cancels the
// others.
func refusalOfAnother(t *testing.T, client *wxpay.Client, sb *sandbox.Sandbox) error {
	require.NoError(t, sb.Faults.Inject(fault.Rule{Kind: fault.ServerError, Status: 400, Code: string(wxcode.ParamError)}))
	defer sb.Faults.Clear()
	_, err := client.Chain(refundsPath).Post(t.Context(), wxpay.JSON{
		"out_trade_no": "OTHER01", "out_refund_no": "OTHER01", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"},
	})
	require.True(t, wxpay.IsCode(err, wxcode.ParamError), err)
	return err
}

func (in *intent) ensure(client *wxpay.Client, trial trial) {
	ctx, cancel := context.WithTimeout(context.Background(), in.deadline)
	defer cancel()
	if in.cause != nil {
		var stop context.CancelCauseFunc
		ctx, stop = context.WithCancelCause(context.Background())
		timer := time.AfterFunc(in.deadline, func() { stop(in.cause) })
		defer timer.Stop()
	}
	chain := client.Chain(paths[in.kind])
	if in.final {
		chain = chain.UntilFinal()
	}
	if trial.hold {
		chain = chain.OnUnknown(wxpay.Hold)
	}
	if trial.unbind {
		chain = chain.Unbind()
	}
	begin := time.Now()
	in.verdict, in.err = chain.Ensure(ctx, in.body)
	in.late, in.took = ctx.Err() != nil, time.Since(begin)
	if in.late && in.err != nil && trial.adopted {
		in.err = errors.Join(in.cause, in.err)
	}
}

// fate ends refunds and transfers in every way, after up to two minutes.
func fate(kind sandbox.EffectKind, number string) sandbox.Ending {
	sum := sha256.Sum256([]byte(number))
	f := sandbox.Ending{After: time.Duration(sum[0]) * 500 * time.Millisecond}
	switch {
	case sum[1] < 200:
	case kind == sandbox.RefundEffect:
		f.State = []string{"CLOSED", "ABNORMAL"}[sum[2]%2]
	case kind == sandbox.TransferEffect:
		f.State = []string{"FAIL", "CANCELLED"}[sum[2]%2]
	}
	return f
}

// watched counts requests, lets a refused connection look as it does to package transport, and looks into the journal for the
// order that each code_url was made for.
type watched struct {
	sandbox  *sandbox.Sandbox
	next     http.RoundTripper
	mu       sync.Mutex
	requests int
	owners   map[string]string
	forge    func(*http.Response, []byte) ([]byte, bool)
}

func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests++
	w.mu.Unlock()
	res, err := w.next.RoundTrip(req)
	if req.URL.Path == nativePath {
		w.look() // at once: the journal has the last 1,000
	}
	if errors.Is(err, fault.ErrRefused) {
		return nil, &transport.UnsentError{Err: err}
	}
	if w.forge == nil || err != nil {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	forged, sign := w.forge(res, body)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(forged)), int64(len(forged))
	if sign {
		now := strconv.FormatInt(time.Now().Unix(), 10)
		signature, err := quickSignature(w.sandbox.Keys.PublicKey(), apiv3.AppendResponseMessage(nil, now, "forged", forged))
		if err != nil {
			return nil, err
		}
		for name, value := range map[string]string{
			apiv3.HeaderTimestamp: now, apiv3.HeaderNonce: "forged", apiv3.HeaderSerial: w.sandbox.Keys.PublicKeyID(),
			apiv3.HeaderSignature: base64.StdEncoding.EncodeToString(signature),
		} {
			res.Header.Set(name, value)
		}
	}
	return res, nil
}

func (w *watched) look() {
	entries := w.sandbox.Journal.All()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		if e.Target == nativePath && e.Fault != fault.Cached { // what a cache answers was made for another request
			if code := gjson.GetBytes(e.ResponseBody, "code_url").String(); code != "" {
				w.owners[code] = gjson.GetBytes(e.Body, "out_trade_no").String()
			}
		}
	}
}

// believing is the catalogue, with changes to what is believed.
type believing struct{ change func(*fact.Operation) }

func (b believing) Lookup(method, path string) (*fact.Operation, bool) {
	o, ok := catalog.V3().Lookup(method, path)
	if !ok || b.change == nil {
		return o, ok
	}
	changed := *o
	if o.Link != nil {
		link := *o.Link
		changed.Link = &link
	}
	b.change(&changed)
	return &changed, true
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
