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

// Handler receives notifications. Make one with [New] or [NewMulti], register functions with
// [Handler.On], [Handler.OnInquiry] and [Handler.OnDefault], and serve it as an http.Handler, or
// pass it raw bytes with [Handler.Deliver] or [Handler.Parse]. It is safe for concurrent use.
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

// New returns a handler for one merchant. It checks its arguments offline; the error names every
// fault and its remedy.
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

// NewMulti returns a handler for several merchants behind one address: choose finds the merchant of
// a delivery.
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

// clockOrNow is the time of the clock, or of time.Now if WithClock has failed.
func (h *Handler) clockOrNow() time.Time {
	if h.clock == nil {
		return time.Now()
	}
	return h.clock()
}

// String names the handler's merchant, without keys.
func (h *Handler) String() string {
	if h.merchant == nil {
		return "webhook.Handler{of several merchants}"
	}
	return "webhook.Handler{" + h.merchant().text() + "}"
}

// Format prints the text of String under every verb.
func (h *Handler) Format(s fmt.State, verb rune) { redact.Format(s, verb, h.String()) }

// MarshalText returns the text of String.
func (h *Handler) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Probes returns the number of rejected signature tests of the platform.
func (h *Handler) Probes() int64 { return h.probes.Load() }

// Wait waits until no function runs or ctx ends. A function that overruns its budget outlives its
// request, so http.Server.Shutdown does not wait for it: call Wait after Shutdown.
func (h *Handler) Wait(ctx context.Context) error { return h.running.wait(ctx) }
