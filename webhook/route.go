package webhook

import (
	"context"
	"errors"
	"slices"
)

// On registers the function for the events that pattern describes, in one of these forms:
//
//	TRANSACTION.SUCCESS                 one type; for those of TRANSACTION, payments only
//	TRANSACTION.SUCCESS/profitsharing   one type, one original type
//	MCHTRANSFER.*                       all types that begin so; for TRANSACTION.*, payments only
//	MCHTRANSFER.*/mch_payment           the same, one original type
//	*/profitsharing                     everything of one original type
//
// Exactly one function gets an event, that of the most specific pattern: one type before a beginning, a longer
// beginning before a shorter, with an original type before without. Results of profit sharing arrive as
// PROFITSHARING.… and as TRANSACTION.SUCCESS; "*/profitsharing" takes both. Questions reach no function of On.
//
// On panics at a pattern of another form, one that fits nothing the catalogue knows (a slip of the pen would lose events; see
// [WithEvents] for what is newer), one that is registered already, and one for a question. Register before serving; later is
// allowed, too. The types that most merchants meet have constants, such as [TransactionSuccess].
func (h *Handler) On(pattern string, fn Func) {
	if fn == nil {
		panic("webhook: On: the function for " + pattern + " is nil")
	}
	h.register("On", pattern, fn)
}

// Ignore says that the events which patterns describe, in the forms of [Handler.On], are none of this handler's: they are
// answered 204 and nothing runs. Other events that no function is registered for are answered 204 with a warning, and those
// of payments, refunds and transfers 500, because an acknowledged one does not come again: [ErrNoHandler]. Ignore panics
// where On does.
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
		err = errors.New(pattern + " is a question that wants an answer: use OnInquiry")
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
	// A new slice each time: readers keep the one they have.
	h.routes = append(slices.Clip(h.routes), r)
	slices.SortFunc(h.routes, moreSpecific)
}

// On registers a function that gets the decrypted resource decoded into a T. A resource that does not fit T is an error
// like one of the function: it is answered 500 and comes again.
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

// OnDefault registers the function for events that no pattern takes, unknown ones among them. It never gets a question. See
// [Handler.Ignore] for what becomes of them without it.
func (h *Handler) OnDefault(fn Func) {
	if fn == nil {
		panic("webhook: OnDefault: the function is nil")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fallback = fn
}

// OnInquiry registers the function that answers the questions of one type. A type that is not known as a question
// becomes one. It panics when the type is registered already, is a pattern or is not known (see [WithEvents]), and when its
// answers have to be signed and the one merchant has no ID, Serial and PrivateKey to sign them with.
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
		panic("webhook: OnInquiry: answers to " + eventType + " are signed: Merchant needs ID, Serial and PrivateKey")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.asked[eventType]; ok {
		panic("webhook: OnInquiry: " + eventType + " is registered already")
	}
	h.asked[eventType] = asked{inquiry: q, fn: fn}
}

// OnInquiry registers a function that gets the decrypted question decoded into a T.
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

// question tells whether the event is a question, and who answers it.
func (h *Handler) inquiry(e *Event) (asked, bool) {
	h.mu.RLock()
	a, ok := h.asked[e.Type]
	h.mu.RUnlock()
	if !ok {
		a.inquiry, ok = h.inquiryOf(e.Type)
	}
	return a, ok
}

// route returns the function for an event that is no question, and whether anybody said what becomes of the event. One that is
// to be ignored has no function.
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
