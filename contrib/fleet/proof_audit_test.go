package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// audit returns what is not as it was promised.
func (f *field) audit() (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, m := range f.merchants {
		misread := f.auditResults(m, problem)
		ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
		s, err := m.queue.Status(ctx)
		cancel()
		if err := m.queue.Reconcile(f.t.Context()); err != nil {
			problem("the records of %s cannot be counted: %v", m.Merchant().ID, err)
		}
		if p, err := m.queue.Paused(f.t.Context()); p != nil || err != nil {
			problem("the queue of %s ends paused: %+v %v", m.Merchant().ID, p, err)
		}
		if err != nil || s.Queued != 0 || s.Running != 0 || s.Dead != uint64(misread) || s.Known != uint64(len(m.jobs)) {
			problem("the queue of %s ends as %+v %v", m.Merchant().ID, s, err)
		}
	}
	f.auditPace(problem)
	return problems
}

// auditResults compares the results of a merchant with the ledger of the platform. It returns how
// many refunds were done and stand as refused: the proxy gave them the signed rejection of another
// call, with a code that excludes an effect. Nothing in a rejection names its call, so nobody can
// tell (docs/evidence.md).
func (f *field) auditResults(m *merchant, problem func(string, ...any)) (misread int) {
	results := map[string]fleet.Result{}
	for r, err := range m.queue.Results(f.t.Context(), fleet.Filter{}) {
		if err != nil {
			problem("reading the results of %s: %v", m.Merchant().ID, err)
			return
		}
		if _, twice := results[r.Number]; twice {
			problem("%s has two results", r.Number)
		}
		results[r.Number] = r
	}
	effects := map[string][]sandbox.Effect{}
	for _, e := range m.Ledger.Effects(sandbox.FeedEffect, sandbox.RefundEffect) {
		effects[e.Number] = append(effects[e.Number], e)
	}
	repeated := 0
	for number, wanted := range f.numbers(m) {
		r, known := results[number]
		if !known || !r.State.Ended() || r.State == fleet.Unknown {
			problem("%s has no final result: %q %s, begun %d times, last at %v", number, r.State, r.Message, r.Deliveries, r.Begun)
			delete(results, number)
			delete(effects, number)
			continue
		}
		operation, _ := catalog.V3().Lookup(http.MethodPost, r.Path)
		switch {
		case r.State == fleet.Succeeded || r.State == fleet.Accepted:
		case r.State == fleet.Refused && operation.MovesMoney && operation.Excluded(string(r.Code)) && len(effects[number]) == 1:
			misread++
		default:
			problem("%s is %s: %s %s", number, r.State, r.Code, r.Message)
		}
		if r.Unbound && r.Path == "/"+refundPath {
			problem("%s is %s by a response that does not show its number", number, r.State)
		}
		switch done := len(effects[number]); {
		case done == 0:
			problem("%s is %s, and the platform has not done it", number, r.State)
		case done > 1 && (m.way != sandbox.RepeatDuplicate || effects[number][0].Kind == sandbox.RefundEffect):
			problem("%s was done %d times", number, done)
		case done > 1:
			repeated++ // a platform that does not keep the numbers of feeds apart: at least once is all that was promised
		}
		for _, e := range effects[number] {
			if e.Amount != wanted {
				problem("%s moved %d fen instead of %d", number, e.Amount, wanted)
			}
		}
		delete(results, number)
		delete(effects, number)
	}
	for number := range results {
		problem("%s has a result and was never submitted", number)
	}
	for number := range effects {
		problem("%s took effect and was never submitted", number)
	}
	f.t.Logf("%s: %d jobs, %d shown again by a platform that does so, %d done and refused by the rejection of another call", m.Merchant().ID,
		len(m.jobs), repeated, misread)
	if most := max(2, len(m.jobs)/50); misread > most {
		problem("%s has %d jobs that were refused by the rejections of others, more than %d", m.Merchant().ID, misread, most)
	}
	return misread
}

// numbers are those of a merchant's jobs, with what they move.
func (f *field) numbers(m *merchant) map[string]int64 {
	numbers := make(map[string]int64, len(m.jobs))
	for _, j := range m.jobs {
		var body struct {
			Feed   string `json:"out_request_no"`
			Refund string `json:"out_refund_no"`
			Amount struct {
				Refund int64 `json:"refund"`
			} `json:"amount"`
		}
		require.NoError(f.t, json.Unmarshal(j.Body, &body))
		numbers[body.Feed+body.Refund] = body.Amount.Refund
	}
	return numbers
}

// auditPace looks at when requests were let through, and at when they arrived.
func (f *field) auditPace(problem func(string, ...any)) {
	due := map[string][]time.Time{}
	files, err := filepath.Glob(filepath.Join(f.traces, "*"))
	require.NoError(f.t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f.t, err)
		for line := range strings.Lines(string(text)) {
			var l traceLine
			if json.Unmarshal([]byte(line), &l) == nil { // all but the last line of one who was killed
				due[l.Key] = append(due[l.Key], l.Due)
			}
		}
	}
	bound := fleet.LimitBound(f.trial.perSecond)
	for key, moments := range due {
		through := fleet.Densest(moments, time.Second)
		if through > bound {
			problem("%s: %d requests were let through within a second, %d at most are promised", key, through, bound)
		}
		f.mu.Lock()
		arrivals := slices.Clone(f.arrivals[key])
		f.mu.Unlock()
		// What was let through may take its time to arrive, but no more than is in hand.
		arrived := fleet.Densest(arrivals, time.Second)
		if arrived > bound+4*inHand {
			problem("%s: %d requests arrived within a second", key, arrived)
		}
		if !strings.Contains(key, "GET") && len(arrivals) > len(moments) {
			problem("%s: %d requests arrived, only %d were let through", key, len(arrivals), len(moments))
		}
		f.t.Logf("%s: %d requests, at most %d let through and %d arrived within a second", key, len(arrivals), through, arrived)
		if len(moments) == 0 || len(arrivals) == 0 {
			problem("%s: nothing was seen", key)
		}
	}
	if len(due) < 4 {
		problem("only %d limits were used", len(due))
	}
}

// traceLine says when a request was let through.
type traceLine struct {
	Key string
	Due time.Time
}

// traced is a limiter that writes down what it lets through, before it does.
type traced struct {
	*fleet.Limiter
	mu   *sync.Mutex
	file *os.File
}

func (l traced) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	due, err := l.AcquireDue(ctx, key, documented)
	if err != nil {
		return nil, err
	}
	_, id, _ := strings.Cut(key.Identity, " ")
	operation := key.Method + " " + key.Template
	if key.Method == http.MethodGet {
		operation = operation[:strings.LastIndexByte(operation, '/')]
	}
	line, err := json.Marshal(traceLine{id + " " + operation, due.Round(0)})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.file.Write(append(line, '\n'))
	return nil, err
}
