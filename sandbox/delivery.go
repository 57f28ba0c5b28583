package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// deliveryLimit is how long the platform waits for the answer to a notification.
const deliveryLimit = 5 * time.Second

// Bounds of the log of deliveries. Beyond deliveryCount the oldest that have ended give way, and beyond deliveriesWaiting the oldest
// even if it is not done; it is not attempted again then.
const (
	deliveryCount     = 1000
	deliveriesWaiting = 3000
	deliveryAnswer    = 4 << 10 // bytes kept of an answer
)

// schedule is how an event is delivered.
type schedule struct {
	limit time.Duration   // for the answer
	waits []time.Duration // after the first attempt, and after each one that fails
}

// usualSchedule is that of all events without an exception: 15 repeats within 24 h 4 min.
var usualSchedule = schedule{deliveryLimit, []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}}

// everyMinute is the short schedule of member cards and their like.
var everyMinute = schedule{deliveryLimit, times(11, time.Minute)}

// exceptions are the documented other schedules, by event type or, with a dot at the end, by its beginning. The questions among
// them are asked once: the user is waiting for the answer.
var exceptions = []struct {
	event string
	schedule
}{
	{"MCHTRANSFER.", schedule{deliveryLimit, slices.Concat(times(10, 15*time.Second), times(10, 5*time.Minute), times(44, 30*time.Minute))}},
	{"MCHWITHDRAW.CHANGE", schedule{deliveryLimit, slices.Concat(times(10, 15*time.Second), times(10, 5*time.Minute), times(47, 30*time.Minute))}},
	{"COUPON.SEND", everyMinute},
	{"COUPON.USE", schedule{deliveryLimit, times(9, time.Minute)}},
	{"PAYSCORE.USER_SIGN_PLAN", everyMinute},
	{"PAYSCORE.USER_CANCEL_SIGN_PLAN", everyMinute},
	{"PRODUCT_COUPON_SP.", everyMinute},
	{"BRAND_MEMBER_CARD_SP.USER_CARD.", everyMinute},
	{"BRAND_MEMBER_CARD.USER_CARD.", everyMinute}, // like its twin for providers; no page was seen that tells
	{"PRODUCT_COUPON.", everyMinute},              // the same
	{"PAPAY.TERMINATE", schedule{deliveryLimit, slices.Concat(
		[]time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute}, times(4, 30*time.Minute), times(1, time.Hour))}},
	{"CROSS_BORDER_PAY.", schedule{limit: 3 * time.Second}},
	{"PARKING_FEE.QUERY_TRANS_INFO", schedule{limit: 3 * time.Second}},
	{"ENTRUST.TERMINATE_RETENTION", schedule{limit: time.Second}},
	{"ENTRUST.TERMINATE_INQUIRY", schedule{limit: 3 * time.Second}},
}

func times(n int, d time.Duration) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }

func scheduleOf(event string) schedule {
	for _, e := range exceptions {
		if event == e.event || (strings.HasSuffix(e.event, ".") && strings.HasPrefix(event, e.event)) {
			return e.schedule
		}
	}
	return usualSchedule
}

// Plan is how one notification is delivered; the zero value is as documented.
type Plan struct {
	// After is how long the first attempt waits, so that an event with a longer wait is overtaken by a later one.
	After time.Duration
	// Copies are sent together with the first attempt, and are not repeated.
	Copies int
	// Faults are those of the first attempt and its copies; the repeats are right. Those of the resource
	// (WrongAPIv3Key, EmptyAssociatedData) stay in the repeats, which are the same notification.
	Faults []FaultKind
	// Waits replace the documented schedule: the time after each attempt that fails. Nil keeps it; an empty one repeats
	// nothing.
	Waits []time.Duration
}

// PlanDeliveries sets how notifications are delivered from now on: decide is called once for each, must not call the
// sandbox, and is told the event_type and the address. nil restores the documented way. A fault that notifications do
// not have, a negative number, or a panic makes the delivery fail with that reason.
func (s *Sandbox) PlanDeliveries(decide func(event, url string) Plan) {
	s.records.mu.Lock()
	defer s.records.mu.Unlock()
	s.courier.plan = decide
}

// DeliverTo delivers notifications to a handler in process, whatever their address, in place of the network; nil
// returns to the network. It works in a testing/synctest bubble.
func (s *Sandbox) DeliverTo(receiver http.Handler) {
	s.records.mu.Lock()
	defer s.records.mu.Unlock()
	s.courier.receiver = receiver
}

// DeliveryState is how far a delivery has come.
type DeliveryState string

// States of a delivery.
const (
	Waiting   DeliveryState = "waiting"   // for its first attempt, or for a repeat
	Delivered DeliveryState = "delivered" // the receiver answered 200 or 204 in time
	GivenUp   DeliveryState = "given up"  // every attempt of the schedule has failed
	Unsent    DeliveryState = "unsent"    // never attempted; Delivery.Reason says why
)

// Delivery is one notification in the log of deliveries. What its members point to belongs to the log and must not be
// changed.
type Delivery struct {
	ID       string        `json:"id"`       // of the notification, the same in every attempt
	Merchant string        `json:"merchant"` // who is notified
	Event    string        `json:"event"`    // event_type
	URL      string        `json:"url"`
	Body     []byte        `json:"body,omitempty"` // as sent in every attempt
	State    DeliveryState `json:"state"`
	Reason   string        `json:"reason,omitempty"`   // why it is Unsent
	Next     time.Time     `json:"next,omitzero"`      // of the next attempt, while it is Waiting; by the sandbox's clock
	Attempts []Attempt     `json:"attempts,omitempty"` // those that have ended, the oldest first
}

// Attempt is one attempt to deliver a notification.
type Attempt struct {
	Time           time.Time     `json:"time"`             // when it began, by the sandbox's clock
	Took           time.Duration `json:"took"`             // until the answer was there, or the error; as package time tells
	Header         http.Header   `json:"header,omitempty"` // as sent
	Status         int           `json:"status"`           // of the answer; 0 if there was none
	ResponseHeader http.Header   `json:"answer_header,omitempty"`
	Answer         []byte        `json:"answer,omitempty"` // at most the first 4 KiB
	Error          string        `json:"error,omitempty"`  // why there was no answer; empty otherwise
}

// Format prints what became of the notification under every verb: the body is in the members, and in JSON.
func (d Delivery) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// LogValue gives slog what Format prints.
func (d Delivery) LogValue() slog.Value { return slog.StringValue(d.text()) }

func (d *Delivery) text() string {
	return fmt.Sprintf("%s %s to %s: %s after %d attempts", d.Event, d.ID, d.URL, d.State, len(d.Attempts))
}

// Format prints what became of the attempt under every verb: the signature is in the members, and in JSON.
func (a Attempt) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// LogValue gives slog what Format prints.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(a.text()) }

func (a *Attempt) text() string {
	if a.Status == 0 {
		return fmt.Sprintf("no answer after %s: %s", a.Took, a.Error)
	}
	return fmt.Sprintf("status %d after %s", a.Status, a.Took)
}

// delivery is the record of one notification.
type delivery struct {
	Delivery
	Serial uint64          `json:"serial"` // in which order they began
	Sealed string          `json:"sealed"` // serial of the recipient's certificate, which goes with the key that the body is encrypted with
	Limit  time.Duration   `json:"limit"`  // for an answer
	Waits  []time.Duration `json:"waits,omitempty"`
	Faults []FaultKind     `json:"faults,omitempty"` // of the attempt at Next
	Copies int             `json:"copies,omitempty"` // that are sent with it
}

func (d delivery) due() time.Time {
	if d.State != Waiting {
		return time.Time{}
	}
	return d.Next
}

// courier is how notifications get out. It is guarded by the records' mutex.
type courier struct {
	news     chan struct{} // closed, and made anew, whenever a delivery comes further
	plan     func(event, url string) Plan
	receiver http.Handler
	allowed  []string // hosts beyond loopback
	network  http.RoundTripper
	underway map[string]int // attempts, by id

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup // attempts
}

func newCourier(allowed []string) *courier {
	c := &courier{allowed: allowed, news: make(chan struct{}), underway: make(map[string]int)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	loopback := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		host, _, _ := net.SplitHostPort(address)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return errors.New("its name leads to an address that is not loopback")
		}
		return nil
	}}
	c.network = &http.Transport{
		DisableKeepAlives: true, // nothing is left behind between attempts
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); slices.Contains(allowed, host) {
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			return loopback.DialContext(ctx, network, address)
		},
	}
	return c
}

// reachable reports why notifications cannot go to the address; an empty text if they can.
func (d *courier) reachable(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return "the address is not an absolute http or https URL"
	case d.receiver != nil:
		return ""
	}
	if host := u.Hostname(); host != "localhost" && !slices.Contains(d.allowed, host) {
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return fmt.Sprintf("the host %s is neither loopback nor permitted; use DeliverTo, or WithNotifyHosts", host)
		}
	}
	return ""
}

// Deliver sends the notification of an event to an address, with the documented repeats; event and resource are as in
// [Sandbox.Notify], and faults are those of the first attempt, as in [Plan]. It returns the notification's id without
// waiting for the first attempt; [Sandbox.Deliveries] and [Sandbox.Await] tell what became of it. An address that is
// neither loopback nor permitted by WithNotifyHosts is an error, unless notifications go to a handler; see
// [Sandbox.DeliverTo].
func (s *Sandbox) Deliver(address, event string, resource any, faults ...FaultKind) (id string, err error) {
	st := s.begin()
	d, err := st.deliver(address, event, resource, faults)
	if failed := st.end(); err == nil && failed != nil {
		return "", failed
	}
	if err == nil && d.State == Unsent {
		err = errors.New("sandbox: deliver: " + d.Reason)
	}
	return d.ID, err
}

// announce delivers what the merchant is to be told. Without an address nobody is told.
func (s *state) announce(address, event string, resource map[string]any) {
	if address != "" {
		s.deliver(address, event, resource, nil) // the resource is made of plain types
	}
}

// deliver begins a delivery and returns it as it is then. The state must be begun.
func (s *state) deliver(address, event string, resource any, faults []FaultKind) (Delivery, error) {
	l := s.view.courier
	eventType, _, _ := strings.Cut(event, "/")
	way := scheduleOf(eventType)
	serial, _ := s.serials.get("deliveries")
	d := delivery{
		Delivery: Delivery{Merchant: s.merchant, Event: eventType, URL: address, State: Waiting},
		Serial:   serial + 1, Sealed: s.view.merchant.Serial, Limit: way.limit, Waits: way.waits,
	}
	var plan Plan
	var unplanned error
	if l.plan != nil {
		unplanned = decided("PlanDeliveries", func() { plan = l.plan(eventType, address) })
	}
	if plan.Waits != nil {
		d.Waits = plan.Waits
	}
	d.Faults, d.Copies = slices.Concat(plan.Faults, faults), plan.Copies
	negative := func(wait time.Duration) bool { return wait < 0 }
	if d.Reason = l.reachable(address); d.Reason == "" {
		if err := cmp.Or(unplanned, checkNotificationFaults(d.Faults)); err != nil {
			d.Reason = err.Error()
		} else if plan.After < 0 || plan.Copies < 0 || slices.ContainsFunc(plan.Waits, negative) {
			d.Reason = "the plan has a negative number"
		} else if l.ctx.Err() != nil {
			d.Reason = "the sandbox is closed"
		}
	}
	if d.Reason != "" {
		d.State, d.ID = Unsent, uuid()
	} else {
		n, err := s.view.compose(event, resource, d.Faults)
		if err != nil {
			return Delivery{}, err
		}
		d.ID, d.Body, d.Sealed, d.Next = n.id, n.body, n.sealed, s.begun.Add(plan.After)
	}
	s.makeRoom()
	s.serials.put("deliveries", d.Serial)
	s.deliveries.put(d.ID, d)
	return d.Delivery, nil
}

// makeRoom lets the oldest deliveries give way to one more: those that have ended, and one that waits only where too many do.
func (s *state) makeRoom() {
	rows := s.deliveries.rows
	excess := len(rows) - deliveryCount + 1
	if excess <= 0 {
		return
	}
	older := func(a, b string) int { return cmp.Compare(rows[a].Serial, rows[b].Serial) }
	var leaving []string
	for id, d := range rows {
		if d.State != Waiting {
			leaving = append(leaving, id)
		}
	}
	slices.SortFunc(leaving, older)
	leaving = leaving[:min(len(leaving), excess)]
	if len(leaving) == 0 && len(rows) >= deliveriesWaiting {
		leaving = append(leaving, slices.MinFunc(slices.Collect(maps.Keys(rows)), older))
	}
	for _, id := range leaving {
		s.deliveries.delete(id)
	}
	if len(leaving) > 0 {
		s.view.courier.tell()
	}
}

// tell wakes those who wait for deliveries to come further.
func (c *courier) tell() {
	close(c.news)
	c.news = make(chan struct{})
}

// wait waits for news. It reports whether there are any: they end with the context, and with Close.
func (c *courier) wait(ctx context.Context, news <-chan struct{}) bool {
	select {
	case <-news:
		return true
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return false
}

// attempts begins an attempt and its copies; extra ones lead to no repeat. The records are locked.
func (g *gateway) attempts(id string, faults []FaultKind, copies int, extra bool) {
	l := g.courier
	if l.ctx.Err() != nil {
		return
	}
	for i := range 1 + copies {
		l.underway[id]++
		l.running.Add(1)
		go func() {
			defer l.running.Done()
			g.attempt(id, faults, extra || i > 0)
		}()
	}
}

// attempt makes one attempt.
func (g *gateway) attempt(id string, faults []FaultKind, extra bool) {
	l, r := g.courier, g.records
	r.mu.Lock()
	d, known := r.deliveries.get(id)
	carrier := l.network
	if l.receiver != nil {
		carrier = roundTripper{guarded{l.receiver}, g.wire}
	}
	r.mu.Unlock()

	a := Attempt{Time: g.clock()}
	start := time.Now()
	if from := g.tenants.find(d.Merchant); known && from != nil {
		request, err := from.address(notification{id: d.ID, event: d.Event, body: d.Body, sealed: d.Sealed}, d.URL, faults)
		if err != nil {
			a.Error = err.Error()
		} else {
			a.Header = request.Header.Clone()
			ctx, cancel := context.WithTimeoutCause(l.ctx, d.Limit, fmt.Errorf("no answer within %v", d.Limit))
			defer cancel()
			a.send(carrier, request.WithContext(ctx))
		}
	}
	a.Took = time.Since(start)

	s := (&state{records: r}).begin(g.clock())
	defer s.commit()
	defer l.tell()
	if l.underway[id]--; l.underway[id] == 0 {
		delete(l.underway, id)
	}
	if d, known = s.deliveries.get(id); !known || l.ctx.Err() != nil {
		return // what was closed in between says nothing about the receiver
	}
	d.Attempts = append(slices.Clip(d.Attempts), a)
	switch {
	case a.Status == http.StatusOK || a.Status == http.StatusNoContent:
		d.State, d.Next = Delivered, time.Time{}
	case extra || d.State != Waiting:
	case len(d.Waits) == 0:
		d.State, d.Next = GivenUp, time.Time{}
	default:
		d.Next, d.Waits, d.Faults, d.Copies = s.begun.Add(d.Waits[0]), d.Waits[1:], nil, 0
	}
	s.deliveries.put(id, d)
}

// guarded ends the connection when the handler panics, as net/http's server does.
type guarded struct{ http.Handler }

func (g guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if v := recover(); v != nil {
			w.(*recorder).failed = fmt.Errorf("the receiver panicked: %v", v)
		}
	}()
	g.Handler.ServeHTTP(w, r)
}

// send sends the request and takes the answer. Redirects are not followed.
func (a *Attempt) send(carrier http.RoundTripper, request *http.Request) {
	response, err := carrier.RoundTrip(request)
	if err == nil {
		defer response.Body.Close()
		a.Answer, err = io.ReadAll(io.LimitReader(response.Body, deliveryAnswer))
		if err == nil {
			a.Status, a.ResponseHeader = response.StatusCode, response.Header
			return
		}
	}
	if cause := context.Cause(request.Context()); cause != nil {
		err = cause
	}
	a.Error = err.Error()
}

// Await waits until a delivery has had so many attempts, or none is to come any more, and returns it. It is an error
// if the context ends before, if the sandbox is closed before, or if the log does not have the delivery.
func (s *Sandbox) Await(ctx context.Context, id string, attempts int) (Delivery, error) {
	l := s.courier
	for {
		s.records.mu.Lock()
		d, known := s.records.deliveries.get(id)
		over, news := d.State != Waiting && l.underway[id] == 0, l.news
		s.records.mu.Unlock()
		switch {
		case !known:
			return Delivery{}, fmt.Errorf("sandbox: await: there is no notification %q among the last %d", id, deliveryCount)
		case len(d.Attempts) >= attempts || over:
			return d.Delivery, nil
		case l.wait(ctx, news):
		case ctx.Err() != nil:
			return d.Delivery, fmt.Errorf("sandbox: await: the notification has had %d attempts: %w", len(d.Attempts), context.Cause(ctx))
		default:
			return d.Delivery, errors.New("sandbox: await: the sandbox is closed")
		}
	}
}

// Redeliver sends a notification once more, at once and whatever became of it, as the merchant platform can be asked to. It
// does not wait for the answer.
func (s *Sandbox) Redeliver(id string) error {
	st := s.begin()
	defer st.commit()
	d, known := st.deliveries.get(id)
	switch {
	case !known:
		return fmt.Errorf("sandbox: redeliver: there is no notification %q among the last %d", id, deliveryCount)
	case d.State == Unsent:
		return fmt.Errorf("sandbox: redeliver: the notification %s was never sent: %s", id, d.Reason)
	case s.courier.ctx.Err() != nil:
		return errors.New("sandbox: redeliver: the sandbox is closed")
	}
	s.attempts(id, nil, 0, true)
	return nil
}

// Deliveries returns the log of notifications, the oldest first: the last 1,000. Those that still wait do not give way
// to later ones that have ended; there are 3,000 at most.
func (s *Sandbox) Deliveries() []Delivery {
	st := s.begin()
	defer st.commit()
	rows := slices.SortedFunc(maps.Values(st.deliveries.rows), func(a, b delivery) int { return cmp.Compare(a.Serial, b.Serial) })
	list := make([]Delivery, len(rows))
	for i, d := range rows {
		list[i] = d.Delivery
	}
	return list
}

// Close ends what the sandbox does by itself: deliveries, and the ways of refunds and transfer bills to their final
// states. It waits for attempts that are under way, which it cuts short. Calls are answered as before. A second call does
// nothing.
func (s *Sandbox) Close() error {
	s.records.mu.Lock()
	s.courier.cancel() // with the lock, so that none begins behind
	s.records.mu.Unlock()
	s.courier.running.Wait()
	s.records.close()
	return nil
}
