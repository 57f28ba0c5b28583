package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// deliveryLimit is how long the platform waits for the answer to a notification.
const deliveryLimit = 5 * time.Second

// Bounds of the log of deliveries. The oldest delivery gives way, even if it is not done, and is not attempted again then.
const (
	deliveryCount  = 1000
	deliveryAnswer = 4 << 10 // bytes kept of an answer
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
// not have, or a negative number, makes the delivery fail with that reason.
func (s *Sandbox) PlanDeliveries(decide func(event, url string) Plan) {
	s.deliveries.mu.Lock()
	defer s.deliveries.mu.Unlock()
	s.deliveries.plan = decide
}

// DeliverTo delivers notifications to a handler in process, whatever their address, in place of the network; nil
// returns to the network. It works in a testing/synctest bubble.
func (s *Sandbox) DeliverTo(receiver http.Handler) {
	s.deliveries.mu.Lock()
	defer s.deliveries.mu.Unlock()
	s.deliveries.receiver = receiver
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
	ID       string // of the notification, the same in every attempt
	Merchant string // who is notified
	Event    string // event_type
	URL      string
	Body     []byte // as sent in every attempt
	State    DeliveryState
	Reason   string    // why it is Unsent
	Next     time.Time // of the next attempt, while it is Waiting; as package time tells
	Attempts []Attempt // those that have ended, the oldest first
}

// Attempt is one attempt to deliver a notification.
type Attempt struct {
	Time         time.Time     // when it began, as package time tells
	Took         time.Duration // until the answer was there, or the error
	Header       http.Header   // as sent
	Status       int           // of the answer; 0 if there was none
	AnswerHeader http.Header
	Answer       []byte // at most the first 4 KiB
	Error        string // why there was no answer; empty otherwise
}

// deliveries are the notifications of one sandbox, and how they get out.
type deliveries struct {
	mu       sync.Mutex
	log      []*delivery   // the oldest first
	news     chan struct{} // closed, and made anew, whenever a delivery comes further
	plan     func(event, url string) Plan
	receiver http.Handler
	allowed  []string // hosts beyond loopback
	network  http.RoundTripper

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup // attempts
}

type delivery struct {
	Delivery
	from         *Sandbox // as the merchant sees it whose keys sign
	notification notification
	limit        time.Duration
	waits        []time.Duration // those left
	timers       []*time.Timer
	pending      int  // attempts that are to come or under way
	gone         bool // from the log
}

func (d *deliveries) init(allowed []string) {
	d.allowed, d.news = allowed, make(chan struct{})
	d.ctx, d.cancel = context.WithCancel(context.Background())
	loopback := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		host, _, _ := net.SplitHostPort(address)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return errors.New("its name leads to an address that is not loopback")
		}
		return nil
	}}
	d.network = &http.Transport{
		DisableKeepAlives: true, // nothing is left behind between attempts
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); slices.Contains(allowed, host) {
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			return loopback.DialContext(ctx, network, address)
		},
	}
}

// reachable reports why notifications cannot go to the address; an empty text if they can. d.mu is held.
func (d *deliveries) reachable(address string) string {
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
	d, err := s.deliver(address, event, resource, faults)
	if err == nil && d.State == Unsent {
		err = errors.New("sandbox: deliver: " + d.Reason)
	}
	return d.ID, err
}

// announce delivers what the sandbox itself has to tell. Without an address nobody is told.
func (s *Sandbox) announce(address any, event string, resource map[string]any) {
	if address, ok := address.(string); ok && address != "" {
		s.deliver(address, event, resource, nil) // the resource is made of plain types
	}
}

// deliver begins a delivery and returns it as it was then.
func (s *Sandbox) deliver(address, event string, resource any, faults []FaultKind) (Delivery, error) {
	l := &s.deliveries
	l.mu.Lock()
	defer l.mu.Unlock()
	eventType, _, _ := strings.Cut(event, "/")
	way := scheduleOf(eventType)
	d := &delivery{from: s, Delivery: Delivery{Merchant: s.merchant.ID, Event: eventType, URL: address, State: Waiting}, limit: way.limit, waits: way.waits}
	var plan Plan
	if l.plan != nil {
		plan = l.plan(eventType, address)
	}
	if plan.Waits != nil {
		d.waits = plan.Waits
	}
	faults = slices.Concat(plan.Faults, faults)
	negative := func(wait time.Duration) bool { return wait < 0 }
	if d.Reason = l.reachable(address); d.Reason == "" {
		if err := checkNotificationFaults(faults); err != nil {
			d.Reason = err.Error()
		} else if plan.After < 0 || plan.Copies < 0 || slices.ContainsFunc(plan.Waits, negative) {
			d.Reason = "the plan has a negative number"
		} else if l.ctx.Err() != nil {
			d.Reason = "the sandbox is closed"
		}
	}
	if d.Reason != "" {
		d.State = Unsent
		d.ID = uuid()
	} else {
		var err error
		if d.notification, err = s.compose(event, resource, faults); err != nil {
			return Delivery{}, err
		}
		d.ID, d.Body = d.notification.id, d.notification.body
		d.Next, d.pending = time.Now().Add(plan.After), 1+plan.Copies
		for i := range 1 + plan.Copies {
			d.timers = append(d.timers, time.AfterFunc(plan.After, func() { s.attempt(d, faults, i > 0) }))
		}
	}
	if len(l.log) == deliveryCount {
		l.log[0].stop()
		l.log[0] = nil
		l.log = l.log[1:]
		l.tell()
	}
	l.log = append(l.log, d)
	return d.Delivery, nil
}

// tell wakes those who wait for deliveries to come further. The mutex is held.
func (d *deliveries) tell() {
	close(d.news)
	d.news = make(chan struct{})
}

// stop keeps the delivery from being attempted again. The mutex is held.
func (d *delivery) stop() {
	d.gone = true
	for _, timer := range d.timers {
		timer.Stop()
	}
	d.timers = nil
}

// attempt makes one attempt. extra ones lead to no repeat.
func (s *Sandbox) attempt(d *delivery, faults []FaultKind, extra bool) {
	l := &s.deliveries
	l.mu.Lock()
	if d.gone || l.ctx.Err() != nil {
		l.mu.Unlock()
		return
	}
	l.running.Add(1)
	defer l.running.Done()
	carrier := l.network
	if l.receiver != nil {
		carrier = roundTripper{guarded{l.receiver}, s.clock}
	}
	l.mu.Unlock()

	a := Attempt{Time: time.Now()}
	if request, err := s.address(d.notification, d.URL, faults); err != nil {
		a.Error = err.Error()
	} else {
		a.Header = request.Header.Clone()
		ctx, cancel := context.WithTimeoutCause(l.ctx, d.limit, fmt.Errorf("no answer within %v", d.limit))
		defer cancel()
		a.send(carrier, request.WithContext(ctx))
	}
	a.Took = time.Since(a.Time)

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return // closed in between, which says nothing about the receiver
	}
	d.Attempts = append(d.Attempts, a)
	d.pending--
	defer l.tell()
	switch {
	case a.Status == http.StatusOK || a.Status == http.StatusNoContent:
		d.State, d.Next = Delivered, time.Time{}
	case extra || d.State != Waiting || d.gone:
	case len(d.waits) == 0:
		d.State, d.Next = GivenUp, time.Time{}
	default:
		wait := d.waits[0]
		d.waits = d.waits[1:]
		d.Next = time.Now().Add(wait)
		d.pending++
		d.timers = []*time.Timer{time.AfterFunc(wait, func() { s.attempt(d, nil, false) })}
	}
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
			a.Status, a.AnswerHeader = response.StatusCode, response.Header
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
	l := &s.deliveries
	for {
		l.mu.Lock()
		i := l.find(id)
		if i < 0 {
			l.mu.Unlock()
			return Delivery{}, fmt.Errorf("sandbox: await: there is no notification %q among the last %d", id, deliveryCount)
		}
		d, over := l.log[i].Delivery, l.log[i].pending == 0
		d.Attempts = slices.Clone(d.Attempts)
		news := l.news
		l.mu.Unlock()
		if len(d.Attempts) >= attempts || over {
			return d, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return d, fmt.Errorf("sandbox: await: the notification has had %d attempts: %w", len(d.Attempts), context.Cause(ctx))
		case <-l.ctx.Done():
			return d, errors.New("sandbox: await: the sandbox is closed")
		}
	}
}

// find returns the place of a delivery in the log, -1 if it is not there. The mutex is held.
func (d *deliveries) find(id string) int {
	return slices.IndexFunc(d.log, func(d *delivery) bool { return d.ID == id })
}

// Redeliver sends a notification once more, at once and whatever became of it, as the merchant platform can be asked to. It
// does not wait for the answer.
func (s *Sandbox) Redeliver(id string) error {
	l := &s.deliveries
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(id)
	switch {
	case i < 0:
		return fmt.Errorf("sandbox: redeliver: there is no notification %q among the last %d", id, deliveryCount)
	case l.log[i].State == Unsent:
		return fmt.Errorf("sandbox: redeliver: the notification %s was never sent: %s", id, l.log[i].Reason)
	case l.ctx.Err() != nil:
		return errors.New("sandbox: redeliver: the sandbox is closed")
	}
	d := l.log[i]
	d.pending++
	d.timers = append(d.timers, time.AfterFunc(0, func() { d.from.attempt(d, nil, true) }))
	return nil
}

// Deliveries returns the log of notifications, the oldest first: the last 1,000.
func (s *Sandbox) Deliveries() []Delivery {
	l := &s.deliveries
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Delivery, len(l.log))
	for i, d := range l.log {
		list[i] = d.Delivery
		list[i].Attempts = slices.Clone(d.Attempts)
	}
	return list
}

// Close ends what the sandbox does by itself: deliveries, and the ways of refunds and transfer bills to their final
// states. It waits for attempts that are under way, which it cuts short. Calls are answered as before. A second call does
// nothing.
func (s *Sandbox) Close() error {
	l := &s.deliveries
	l.mu.Lock()
	l.cancel()
	for _, d := range l.log {
		d.stop()
	}
	l.mu.Unlock()
	l.running.Wait()
	s.records.close()
	return nil
}
