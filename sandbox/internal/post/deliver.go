package post

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the log of deliveries to a book. hosts are those beyond loopback that may be notified.
func Open(b *book.Book, clock *book.Clock, numbers book.Numbers, brand *keyring.BrandRing, hosts []string) *Office {
	c := &Office{
		book: b, clock: clock, numbers: numbers, brand: brand, boxes: make(map[string]*Box), allowed: hosts,
		news: make(chan struct{}), underway: make(map[string]int),
	}
	c.deliveries = book.OpenTable[delivery](b, "", "deliveries")
	c.deliveries.OnDue(func(id string, d delivery, _ time.Time) { c.attempts(id, d.Faults, d.Copies, false) })
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
			if host, _, _ := net.SplitHostPort(address); slices.Contains(hosts, host) {
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			return loopback.DialContext(ctx, network, address)
		},
	}
	return c
}

// Deliver sends the notification of an event to an address, with the documented repeats; event and
// resource are as in Notify, and faults are those of the first attempt, as in Plan. It returns the
// notification's id without waiting for the first attempt; Deliveries and Await tell what became of
// it. An address that is neither loopback nor permitted by WithNotifyHosts is an error, unless
// notifications go to a handler; see DeliverTo.
func (b *Box) Deliver(address, event string, resource any, faults ...fault.Kind) (id string, err error) {
	b.book.Begin(b.clock.Now())
	d, err := b.deliver(address, event, resource, faults)
	if failed := b.book.End(); err == nil && failed != nil {
		return "", failed
	}
	if err == nil && d.State == Unsent {
		err = errors.New("sandbox: deliver: " + d.Reason)
	}
	return d.ID, err
}

// Announce delivers what the merchant is to be told. Without an address nobody is told.
func (b *Box) Announce(address, event string, resource map[string]any) {
	if address != "" {
		b.deliver(address, event, resource, nil) // the resource is made of plain types
	}
}

// deliver begins a delivery and returns it as it is then. The book must be begun.
func (b *Box) deliver(address, event string, resource any, faults []fault.Kind) (Delivery, error) {
	o := b.Office
	eventType, _, _ := strings.Cut(event, "/")
	way := scheduleOf(eventType)
	d := delivery{
		Delivery: Delivery{Merchant: b.ring.Merchant().ID, Event: eventType, URL: address, State: Waiting},
		Sealed:   b.ring.Merchant().Serial, Limit: way.limit, Waits: way.waits,
	}
	var plan Plan
	var unplanned error
	if o.plan != nil {
		unplanned = say.Decided("PlanDeliveries", func() { plan = o.plan(eventType, address) })
	}
	if plan.Waits != nil {
		d.Waits = plan.Waits
	}
	d.Faults, d.Copies = slices.Concat(plan.Faults, faults), plan.Copies
	if d.Reason = o.reachable(address); d.Reason == "" {
		if err := cmp.Or(unplanned, fault.CheckNotification(d.Faults)); err != nil {
			d.Reason = err.Error()
		} else if plan.negative() {
			d.Reason = "the plan has a negative number"
		} else if o.ctx.Err() != nil {
			d.Reason = "the sandbox is closed"
		}
	}
	if d.Reason != "" {
		d.State, d.ID = Unsent, say.UUID()
	} else {
		n, err := b.compose(event, resource, d.Faults)
		if err != nil {
			return Delivery{}, err
		}
		d.ID, d.Body, d.Sealed, d.Next = n.id, n.body, n.sealed, b.book.Begun().Add(plan.After)
	}
	o.makeRoom()
	d.Serial = o.numbers.Next("deliveries")
	o.deliveries.Put(d.ID, d)
	return d.Delivery, nil
}

// attempts begins an attempt and its copies; extra ones lead to no repeat. The book is locked.
func (o *Office) attempts(id string, faults []fault.Kind, copies int, extra bool) {
	if o.ctx.Err() != nil {
		return
	}
	for i := range 1 + copies {
		o.underway[id]++
		o.running.Add(1)
		go func() {
			defer o.running.Done()
			o.attempt(id, faults, extra || i > 0)
		}()
	}
}

// attempt makes one attempt.
func (o *Office) attempt(id string, faults []fault.Kind, extra bool) {
	o.book.Lock()
	d, known := o.deliveries.Get(id)
	from := o.boxes[d.Merchant]
	carrier := o.network
	if o.receiver != nil {
		carrier = inprocess.Transport{Handler: inprocess.Guard(o.receiver), Clock: o.clock.Wire}
	}
	o.book.Unlock()

	a := Attempt{Time: o.clock.Now()}
	start := time.Now()
	if known && from != nil {
		request, err := from.address(notification{id: d.ID, event: d.Event, body: d.Body, sealed: d.Sealed}, d.URL, faults)
		if err != nil {
			a.Error = err.Error()
		} else {
			a.Header = request.Header.Clone()
			ctx, cancel := context.WithTimeoutCause(o.ctx, d.Limit, fmt.Errorf("no answer within %v", d.Limit))
			defer cancel()
			a.send(carrier, request.WithContext(ctx))
		}
	}
	a.Took = time.Since(start)

	defer o.book.Begin(o.clock.Now()).Commit()
	defer o.tell()
	if o.underway[id]--; o.underway[id] == 0 {
		delete(o.underway, id)
	}
	if d, known = o.deliveries.Get(id); !known || o.ctx.Err() != nil {
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
		d.Next, d.Waits, d.Faults, d.Copies = o.book.Begun().Add(d.Waits[0]), d.Waits[1:], nil, 0
	}
	o.deliveries.Put(id, d)
}

// send sends the request and takes the response. Redirects are not followed.
func (a *Attempt) send(carrier http.RoundTripper, request *http.Request) {
	response, err := carrier.RoundTrip(request)
	if err == nil {
		defer response.Body.Close()
		a.Response, err = io.ReadAll(io.LimitReader(response.Body, deliveryAnswer))
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

// Await waits until a delivery has had so many attempts, or none is to come any more, and returns
// it. It is an error if the context ends before, if the sandbox is closed before, or if the log
// does not have the delivery.
func (o *Office) Await(ctx context.Context, id string, attempts int) (Delivery, error) {
	for {
		o.book.Lock()
		d, known := o.deliveries.Get(id)
		over, news := d.State != Waiting && o.underway[id] == 0, o.news
		o.book.Unlock()
		switch {
		case !known:
			return Delivery{}, fmt.Errorf("sandbox: await: there is no notification %q among the last %d", id, deliveryCount)
		case len(d.Attempts) >= attempts || over:
			return d.Delivery, nil
		case o.wait(ctx, news):
		case ctx.Err() != nil:
			return d.Delivery, fmt.Errorf("sandbox: await: the notification has had %d attempts: %w", len(d.Attempts), context.Cause(ctx))
		default:
			return d.Delivery, errors.New("sandbox: await: the sandbox is closed")
		}
	}
}

// Redeliver sends a notification once more, at once and whatever became of it, as the merchant
// platform can be asked to. It does not wait for the response.
func (o *Office) Redeliver(id string) error {
	defer o.book.Begin(o.clock.Now()).Commit()
	d, known := o.deliveries.Get(id)
	switch {
	case !known:
		return fmt.Errorf("sandbox: redeliver: there is no notification %q among the last %d", id, deliveryCount)
	case d.State == Unsent:
		return fmt.Errorf("sandbox: redeliver: the notification %s was never sent: %s", id, d.Reason)
	case o.ctx.Err() != nil:
		return errors.New("sandbox: redeliver: the sandbox is closed")
	}
	o.attempts(id, nil, 0, true)
	return nil
}

// Deliveries returns the log of notifications, the oldest first: the last 1,000. Those that still
// wait do not give way to later ones that have ended; there are 3,000 at most.
func (o *Office) Deliveries() []Delivery {
	defer o.book.Begin(o.clock.Now()).Commit()
	rows := o.oldestFirst()
	list := make([]Delivery, len(rows))
	for i, d := range rows {
		list[i] = d.Delivery
	}
	return list
}

// Close ends all deliveries. It waits for attempts that are under way, which it cuts short. A
// second call does nothing.
func (o *Office) Close() {
	o.book.Lock()
	o.cancel() // with the lock, so that none begins behind
	o.book.Unlock()
	o.running.Wait()
}

// Idle waits until no notification is under way.
func (o *Office) Idle() {
	for {
		o.book.Lock()
		none, news := len(o.underway) == 0, o.news
		o.book.Unlock()
		if none || !o.wait(context.Background(), news) {
			return
		}
	}
}

// Forsake gives up what waits and was encrypted for keys that are not there. The book is locked, by
// a restoring one.
func (o *Office) Forsake() {
	for id, d := range o.deliveries.Rows() {
		if to := o.boxes[d.Merchant]; d.State == Waiting && (to == nil || !to.canDecrypt(d)) {
			d.State, d.Next, d.Reason = GivenUp, time.Time{}, "it was encrypted for other keys, before the snapshot was restored here"
			o.deliveries.Put(id, d)
		}
	}
	o.tell()
}
