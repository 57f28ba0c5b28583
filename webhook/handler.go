package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Handler receives notifications. Make one with [New] or [NewMulti], register functions with [Handler.On],
// [Handler.OnInquiry] and [Handler.OnDefault], and serve it as an http.Handler, or hand it raw bytes with
// [Handler.Deliver] or [Handler.Parse]. It is safe for concurrent use.
type Handler struct {
	config
	merchant func() *Merchant // hidden; nil if choose finds it
	opener   *apiv3.Opener    // of merchant's key; nil if choose finds the merchant
	choose   Choose

	mu       sync.RWMutex
	routes   []route // most specific first; never changed, only replaced
	fallback Func
	asked    map[string]asked

	probes  atomic.Int64
	running drain
}

var _ http.Handler = (*Handler)(nil)

// New returns a handler for one merchant. It checks everything that can be checked offline at once, and names what is
// wrong and where to find it.
func New(merchant Merchant, options ...Option) (*Handler, error) {
	h, err := newHandler(options)
	if err := unusable(err, merchant.check(h.clockOrNow())); err != nil {
		return nil, err
	}
	h.merchant = redact.Hide(&merchant)
	if h.opener, err = apiv3.NewOpener([]byte(merchant.APIv3Key)); err != nil {
		return nil, unusable(err)
	}
	return h, nil
}

// NewMulti returns a handler for several merchants behind one address: choose finds the one that a delivery is for.
func NewMulti(choose Choose, options ...Option) (*Handler, error) {
	h, err := newHandler(options)
	if choose == nil {
		err = errors.Join(err, errors.New("the function that chooses the merchant is nil"))
	}
	if err := unusable(err); err != nil {
		return nil, err
	}
	h.choose = choose
	return h, nil
}

func newHandler(options []Option) (*Handler, error) {
	h := &Handler{config: defaults(), asked: make(map[string]asked)}
	var problems []error
	for _, option := range options {
		if option == nil {
			problems = append(problems, errors.New("an option is nil"))
			continue
		}
		problems = append(problems, option(&h.config))
	}
	if h.deduper == nil {
		h.deduper = NewMemory(0, 0)
	}
	return h, errors.Join(problems...)
}

// clockOrNow is the clock, also when the option that sets it was wrong.
func (h *Handler) clockOrNow() time.Time {
	if h.clock == nil {
		return time.Now()
	}
	return h.clock()
}

// String says for whom the handler is. Keys are not in it.
func (h *Handler) String() string {
	if h.merchant == nil {
		return "webhook.Handler{of several merchants}"
	}
	return "webhook.Handler{" + h.merchant().text() + "}"
}

// Format prints what String returns under every verb.
func (h *Handler) Format(s fmt.State, verb rune) { redact.Format(s, verb, h.String()) }

// MarshalText gives encodings what String returns.
func (h *Handler) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Probes returns how many signature tests of the platform were refused so far.
func (h *Handler) Probes() int64 { return h.probes.Load() }

// Wait waits until no function runs any more, or ctx ends. A function that has overrun its budget outlives its request,
// so http.Server.Shutdown does not wait for it: call Wait after Shutdown.
func (h *Handler) Wait(ctx context.Context) error { return h.running.wait(ctx) }

// ServeHTTP receives one notification.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, ctx, cancel := h.begin(r.Context(), &Delivery{Header: r.Header, Target: targetOf(r), Request: r})
	defer cancel()
	if err := t.receive(ctx, w, r); err != nil {
		t.refuse(ctx, err).write(w)
		return
	}
	t.process(ctx).write(w)
}

// Deliver receives one notification without net/http: everything that ServeHTTP does except reading the body and
// writing the answer. d.Header may have its names in any case. When ctx ends, so does waiting for the function, which
// keeps running.
func (h *Handler) Deliver(ctx context.Context, d *Delivery) Response {
	copied := *d
	copied.Header = canonical(d.Header)
	t, ctx, cancel := h.begin(ctx, &copied)
	defer cancel()
	if err := t.accept(ctx); err != nil {
		return t.refuse(ctx, err)
	}
	return t.process(ctx)
}

// begin starts the clock of a delivery. The context ends with the budget.
func (h *Handler) begin(ctx context.Context, d *Delivery) (*turn, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, h.budget)
	return &turn{h: h, delivery: d, begin: time.Now()}, ctx, cancel
}

// targetOf returns the request target as it stood on the request line.
func targetOf(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// receive takes a delivery from an HTTP request: what the headers tell first, so that junk is refused unread.
func (t *turn) receive(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return errMethod
	}
	// The deadline also bounds what the server reads of a body that is refused here.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(t.begin.Add(t.h.budget))
	if r.ContentLength > t.h.maxBody {
		return t.h.tooLarge()
	}
	if !apiv3.HasSignature(r.Header) {
		if head, _ := readBody(w, r, 64); isXML(head) {
			return ErrV2Notification
		}
	}
	if err := t.admit(ctx); err != nil {
		return err
	}
	body, err := readBody(w, r, t.h.maxBody)
	if err != nil {
		return err
	}
	// From here on the deadline would end the connection while the function works.
	_ = control.SetReadDeadline(time.Time{})
	t.delivery.Body = body
	return t.open()
}

// drain counts what runs, so that somebody can wait for the end of all.
type drain struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n becomes zero; nil while nobody waits
}

func (d *drain) add() {
	d.mu.Lock()
	d.n++
	d.mu.Unlock()
}

func (d *drain) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n--; d.n == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

func (d *drain) wait(ctx context.Context) error {
	d.mu.Lock()
	if d.n == 0 {
		d.mu.Unlock()
		return nil
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
