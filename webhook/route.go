package webhook

import (
	"context"
	"errors"
	"slices"
)

// On registers the function for the events of a pattern, in one of these forms:
//
//	TRANSACTION.SUCCESS                 one type; for those of TRANSACTION, payments only
//	TRANSACTION.SUCCESS/profitsharing   one type, one original type
//	MCHTRANSFER.*                       all types with this beginning; for TRANSACTION.*, payments only
//	MCHTRANSFER.*/mch_payment           the same, one original type
//	*/profitsharing                     everything of one original type
//
// Exactly one function gets an event, that of the most specific pattern: a type before a beginning,
// a longer beginning before a shorter one, with an original type before without. Results of profit
// sharing arrive as PROFITSHARING.… and as TRANSACTION.SUCCESS; "*/profitsharing" matches both. No
// function of On gets an inquiry.
//
// On panics at a pattern of another form, one that matches no event of the catalogue (a typo would
// lose events; [WithEvents] names newer ones), one that is already registered, and one for an
// inquiry. Register before serving; later is also allowed. The usual types have constants, such as
// [TransactionSuccess].
func (h *Handler) On(pattern string, fn Func) {
	if fn == nil {
		panic("webhook: On: the function for " + pattern + " is nil")
	}
	h.register("On", pattern, fn)
}

// Ignore acknowledges the events of patterns, in the forms of [Handler.On], with 204 and runs
// nothing. Without it, an event that has no function gets 204 and a warning. One of a payment, refund
// or transfer gets 500 ([ErrNoHandler]), because an acknowledged event does not come again. Ignore panics like On.
func (h *Handler) Ignore(patterns ...string) {
	for _, pattern := range patterns {
		h.register("Ignore", pattern, nil)
	}
}

func (h *Handler) register(method, pattern string, fn Func) {
	r, err := parsePattern(pattern)
	if err == nil {
		err = h.unknown(r)
	}
	if _, asks := h.inquiryOf(r.eventType); err == nil && asks && !r.prefix {
		err = errors.New(pattern + " is an inquiry: use OnInquiry")
	}
	if err != nil {
		panic("webhook: " + method + ": " + err.Error())
	}
	r.fn = fn
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.routes {
		if h.routes[i].pattern == pattern {
			panic("webhook: " + method + ": " + pattern + " is registered already")
		}
	}
	// a new slice each time, because readers keep the old one
	h.routes = append(slices.Clip(h.routes), r)
	slices.SortFunc(h.routes, moreSpecific)
}

// On registers a function that gets the decrypted resource as a T. A resource that does not fit T
// counts as an error of the function: the response is 500, and the event comes again.
func On[T any](h *Handler, pattern string, fn func(ctx context.Context, e *Event, resource T) error) {
	if fn == nil {
		panic("webhook: On: the function for " + pattern + " is nil")
	}
	h.On(pattern, func(ctx context.Context, e *Event) error {
		var resource T
		if err := e.Decode(&resource); err != nil {
			return err
		}
		return fn(ctx, e, resource)
	})
}

// OnDefault registers the function for events that match no pattern, including unknown ones. It
// never gets an inquiry. [Handler.Ignore] describes the response without it.
func (h *Handler) OnDefault(fn Func) {
	if fn == nil {
		panic("webhook: OnDefault: the function is nil")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fallback = fn
}

// OnInquiry registers the function for the inquiries of one type. The type becomes an inquiry if it
// is not known as one. OnInquiry panics if the type is already registered, is a pattern or is
// unknown (see [WithEvents]), and if its responses must be signed and the only merchant lacks ID,
// Serial or PrivateKey.
func (h *Handler) OnInquiry(eventType string, fn InquiryFunc) {
	if fn == nil {
		panic("webhook: OnInquiry: the function for " + eventType + " is nil")
	}
	r, err := parsePattern(eventType)
	if err != nil || r.prefix || r.originalType != "" {
		panic("webhook: OnInquiry: " + eventType + " is not one event type")
	}
	if err := h.unknown(r); err != nil {
		panic("webhook: OnInquiry: " + err.Error())
	}
	q, ok := h.inquiryOf(eventType)
	if !ok {
		q.budget = usualInquiry
	}
	if q.signed && h.merchant != nil && h.signer == nil && !h.merchant().canSign() {
		panic("webhook: OnInquiry: responses to " + eventType + " are signed: Merchant needs ID, Serial and PrivateKey")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.asked[eventType]; ok {
		panic("webhook: OnInquiry: " + eventType + " is registered already")
	}
	h.asked[eventType] = asked{inquiry: q, fn: fn}
}

// OnInquiry registers a function that gets the decrypted inquiry as a T.
func OnInquiry[T any](h *Handler, eventType string, fn func(ctx context.Context, e *Event, resource T) (answer any, err error)) {
	if fn == nil {
		panic("webhook: OnInquiry: the function for " + eventType + " is nil")
	}
	h.OnInquiry(eventType, func(ctx context.Context, e *Event) (any, error) {
		var resource T
		if err := e.Decode(&resource); err != nil {
			return nil, err
		}
		return fn(ctx, e, resource)
	})
}

// inquiry reports whether the event is an inquiry, with its function.
func (h *Handler) inquiry(e *Event) (asked, bool) {
	h.mu.RLock()
	a, ok := h.asked[e.Type]
	h.mu.RUnlock()
	if !ok {
		a.inquiry, ok = h.inquiryOf(e.Type)
	}
	return a, ok
}

// route returns the function of an event that is no inquiry, and whether a pattern or default
// matches. An ignored event has no function.
func (h *Handler) route(e *Event) (fn Func, routed bool) {
	h.mu.RLock()
	routes, fallback := h.routes, h.fallback
	h.mu.RUnlock()
	for i := range routes {
		if routes[i].matches(e) {
			return routes[i].fn, true
		}
	}
	return fallback, fallback != nil
}
