package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rule is one of the platform's limits that depend on time or pace, or that only production insists on. Each can be switched
// off with [Sandbox.Relax] and on with [Sandbox.Enforce]. They go by the sandbox's clock: while that stands still, because it
// is frozen, a [WithClock] that does not move, or a testing/synctest bubble, it is always the same second.
type Rule string

// Rules. All but ReadDelay hold from the beginning.
const (
	// Rates answers 429 to what comes faster than documented, by operation and merchant, and to more than 6 failing refunds
	// a second. A second begins with a new one of the clock, so where the clock stands still, calls beyond the rate are refused
	// until it moves; a test that sends many relaxes it.
	Rates Rule = "rates"
	// ReadDelay hides orders, refunds, transfer bills and shares from queries for a second. It does not hold by itself: the platform
	// documents no such delay, so a query that finds what was just made is not wrong. Enforced, it shows whether a program
	// takes "not found" right after a call for a final answer.
	ReadDelay Rule = "read-delay"
	// RefundPace takes one refund of an order a minute; another is 429.
	RefundPace Rule = "refund-pace"
	// SharePace shares an order from a minute after its payment.
	SharePace Rule = "share-pace"
	// LookBack finds no transfer bill older than 30 days.
	LookBack Rule = "look-back"
	// AsyncCancel leaves a transfer bill CANCELING for a second. Without it the answer says so, and the next query CANCELLED.
	AsyncCancel Rule = "async-cancel"
	// Names wants user_name for transfers of 2,000 yuan and more, and none for those below 0.30 yuan.
	Names Rule = "names"
	// Expiry closes orders that nobody pays, by time_expire or after 7 days, limits time_expire, and ends a prepay_id and a
	// code_url after two hours and an h5_url after five minutes.
	Expiry Rule = "expiry"
)

// Rules lists all of them.
func Rules() []Rule {
	return []Rule{Rates, ReadDelay, RefundPace, SharePace, LookBack, AsyncCancel, Names, Expiry}
}

// rules are those that hold.
type rules struct {
	mu   sync.RWMutex
	held map[Rule]bool
	pace map[string]second // by what is limited
}

// second is how much came in a second of the clock.
type second struct {
	at    int64 // Unix
	count int
}

func (r *rules) init() {
	r.held, r.pace = make(map[Rule]bool), make(map[string]second)
	for _, rule := range Rules() {
		r.held[rule] = rule != ReadDelay
	}
}

func (s *Sandbox) setRules(held bool, list []Rule) error {
	for _, rule := range list {
		if !slices.Contains(Rules(), rule) {
			names := make([]string, 0, len(Rules()))
			for _, known := range Rules() {
				names = append(names, string(known))
			}
			return fmt.Errorf("sandbox: there is no rule %q; there are %s", string(rule), strings.Join(names, ", "))
		}
	}
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	for _, rule := range list {
		s.rules.held[rule] = held
	}
	return nil
}

// Enforce makes rules hold, for all merchants of the sandbox. A rule that does not exist is an error.
func (s *Sandbox) Enforce(list ...Rule) error { return s.setRules(true, list) }

// Relax switches rules off, for all merchants of the sandbox. A rule that does not exist is an error.
func (s *Sandbox) Relax(list ...Rule) error { return s.setRules(false, list) }

// Enforced returns the rules that hold.
func (s *Sandbox) Enforced() []Rule {
	return slices.DeleteFunc(Rules(), func(rule Rule) bool { return !s.holds(rule) })
}

func (g *gateway) holds(rule Rule) bool {
	g.rules.mu.RLock()
	defer g.rules.mu.RUnlock()
	return g.rules.held[rule]
}

// readDelay is for how long [ReadDelay] hides what is new.
const readDelay = time.Second

// hides reports whether a query must not find what has been there since then.
func (c *call) hides(since time.Time) bool {
	age := c.now.Sub(since)
	return c.faults.hides(c, age) || age < readDelay && c.holds(ReadDelay)
}

// pass counts what is limited, and reports whether it is within the limit of this second.
func (r *rules) pass(key string, now time.Time, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.pace[key]
	if at := now.Unix(); s.at != at {
		s = second{at: at}
	}
	s.count++
	r.pace[key] = s
	return s.count <= most
}

// checkRate refuses what comes faster than documented.
func (c *call) checkRate() *refusal {
	rate := c.operation.Rate
	if rate.PerSecond == 0 || !c.holds(Rates) || c.rules.pass(c.operation.Method+c.operation.Path+" "+c.platform.callerID, c.now, rate.PerSecond) {
		return nil
	}
	return c.tooOften(fmt.Sprintf("%d requests a second are documented for this operation; %s", rate.PerSecond, ratesOff))
}

// ratesOff ends the reason of a refusal by [Rates].
const ratesOff = "rule rates, by the sandbox's clock: Relax(sandbox.Rates) or --relax rates switches it off"

// tooOften is 429. Its code differs by product.
func (c *call) tooOften(reason string) *refusal {
	code := "FREQUENCY_LIMITED"
	if strings.Contains(c.operation.Path, "/profitsharing/") {
		code = "RATELIMIT_EXCEED"
	}
	return &refusal{
		status: http.StatusTooManyRequests, code: code, number: numberTooOften,
		message: text{"频率超限，请降低频率后重试", "too many requests, send fewer"}, reason: reason,
	}
}
