// Package post sends notifications, by the documented schedules, and keeps the log of deliveries.
package post

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// Office is how the notifications of all merchants get out. The book's mutex guards it.
type Office struct {
	book       *book.Book
	clock      *book.Clock
	numbers    book.Numbers
	deliveries book.Table[delivery] // by the id of the notification
	brand      *keyring.BrandRing
	boxes      map[string]*Box // by merchant

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

// reachable reports why notifications cannot go to the address; an empty text if they can.
func (o *Office) reachable(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return "the address is not an absolute http or https URL"
	case o.receiver != nil:
		return ""
	}
	if host := u.Hostname(); host != "localhost" && !slices.Contains(o.allowed, host) {
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return fmt.Sprintf("the host %s is neither loopback nor permitted; use Deliveries.To, or WithNotifyHosts", host)
		}
	}
	return ""
}

// Box is the office as one merchant uses it.
type Box struct {
	*Office
	ring    *keyring.Ring
	seed    uint64
	samples []shown
}

// shown makes a resource of the events whose types begin with prefix.
type shown struct {
	prefix string
	make   func(event string, now time.Time) map[string]any
}

// Box adds a merchant. The book is locked, or nobody knows it yet.
func (o *Office) Box(ring *keyring.Ring, seed uint64) *Box {
	b := &Box{Office: o, ring: ring, seed: seed}
	o.boxes[ring.Merchant().ID] = b
	return b
}

// PlanRule decides like a function of PlanDeliveries. Empty texts are for all.
type PlanRule struct {
	Event, URL string
	Plan       Plan
}

// SetPlans sets rules, of which the first that matches decides; what no rule matches is delivered
// as documented.
func (o *Office) SetPlans(rules []PlanRule) error {
	for _, rule := range rules {
		if err := fault.CheckNotification(rule.Plan.Faults); err != nil {
			return err
		}
		if rule.Plan.negative() {
			return errors.New("a plan has a negative number")
		}
	}
	if len(rules) == 0 {
		o.PlanDeliveries(nil)
		return nil
	}
	o.PlanDeliveries(func(event, url string) Plan {
		for _, rule := range rules {
			if (rule.Event == "" || rule.Event == event) && (rule.URL == "" || rule.URL == url) {
				return rule.Plan
			}
		}
		return Plan{}
	})
	return nil
}

func (p Plan) negative() bool {
	return p.After < 0 || p.Copies < 0 || slices.ContainsFunc(p.Waits, func(wait time.Duration) bool { return wait < 0 })
}

// PlanDeliveries sets how notifications are delivered from now on: decide is called once for each,
// must not call the sandbox, and is told the event_type and the address. nil restores the
// documented way. A fault that notifications do not have, a negative number, or a panic makes the
// delivery fail with that reason.
func (o *Office) PlanDeliveries(decide func(event, url string) Plan) {
	o.book.Lock()
	defer o.book.Unlock()
	o.plan = decide
}

// DeliverTo delivers notifications to a handler in process, whatever their address, in place of the
// network; nil returns to the network. It works in a testing/synctest bubble.
func (o *Office) DeliverTo(receiver http.Handler) {
	o.book.Lock()
	defer o.book.Unlock()
	o.receiver = receiver
}

// makeRoom lets the oldest deliveries give way to one more: those that have ended, and one that
// waits only where too many do.
func (o *Office) makeRoom() {
	excess := o.deliveries.Len() - deliveryCount + 1
	if excess <= 0 {
		return
	}
	type entry struct {
		serial uint64
		id     string
	}
	var oldest entry
	var leaving []entry
	for d := range book.Values(o.deliveries) {
		e := entry{d.Serial, d.ID}
		if oldest.id == "" || e.serial < oldest.serial {
			oldest = e
		}
		if d.State != Waiting {
			leaving = append(leaving, e)
		}
	}
	slices.SortFunc(leaving, func(a, b entry) int { return cmp.Compare(a.serial, b.serial) })
	leaving = leaving[:min(len(leaving), excess)]
	if len(leaving) == 0 && o.deliveries.Len() >= deliveriesWaiting {
		leaving = []entry{oldest}
	}
	for _, e := range leaving {
		o.deliveries.Delete(e.id)
	}
	if len(leaving) > 0 {
		o.tell()
	}
}

// oldestFirst returns all deliveries.
func (o *Office) oldestFirst() []delivery {
	return slices.SortedFunc(book.Values(o.deliveries), func(a, b delivery) int { return cmp.Compare(a.Serial, b.Serial) })
}

// tell wakes those who wait for deliveries to come further.
func (o *Office) tell() {
	close(o.news)
	o.news = make(chan struct{})
}

// wait waits for news. It reports whether there are any: they end with the context, and with Close.
func (o *Office) wait(ctx context.Context, news <-chan struct{}) bool {
	select {
	case <-news:
		return true
	case <-ctx.Done():
	case <-o.ctx.Done():
	}
	return false
}
