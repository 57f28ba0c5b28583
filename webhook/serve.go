package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// ServeHTTP receives one notification.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, ctx, cancel := h.begin(r.Context(), &Delivery{Header: r.Header, Target: targetOf(r), Request: r})
	defer cancel()
	if err := t.receive(ctx, w, r); err != nil {
		t.reject(ctx, err).write(w)
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
		return t.reject(ctx, err)
	}
	return t.process(ctx)
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

// Parse verifies and decrypts one notification and does nothing else: no routing, no deduplication, no answer. header
// may have its names in any case. ctx is handed to Keys and Choose.
//
// The error is a *[VerifyError] if the notification is not proven to come from the platform, and otherwise one of this
// package's values or apiv3.ErrDecrypt. Response the request 4xx or 5xx then; see [Handler.Deliver] for a whole answer.
func (h *Handler) Parse(ctx context.Context, header map[string][]string, body []byte) (*Event, error) {
	t := turn{h: h, delivery: &Delivery{Header: canonical(header), Body: body}}
	err := t.accept(ctx)
	if err == nil {
		return t.event, nil
	}
	var untrusted *VerifyError
	if errors.As(err, &untrusted) {
		return nil, err
	}
	return nil, fmt.Errorf("webhook: %w", err)
}
