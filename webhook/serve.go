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
	t, ctx, cancel := h.begin(r.Context(), Delivery{Header: r.Header, Target: targetOf(r), Request: r})
	defer cancel()
	if err := t.receive(ctx, w, r); err != nil {
		t.reject(ctx, err).write(w)
		return
	}
	t.process(ctx).write(w)
}

// Deliver receives one notification without net/http. It does the work of ServeHTTP except reading
// the body and writing the response. The names in d.Header may have any case. When ctx ends,
// Deliver stops waiting for the function, which keeps running. Deliver keeps nothing of d after it
// has returned, so a server may reuse its buffers.
func (h *Handler) Deliver(ctx context.Context, d *Delivery) Response {
	copied := *d
	copied.Header = canonical(d.Header)
	t, ctx, cancel := h.begin(ctx, copied)
	defer cancel()
	if err := t.accept(ctx); err != nil {
		return t.reject(ctx, err)
	}
	return t.process(ctx)
}

// targetOf returns the request target of the request line.
func targetOf(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// receive reads a delivery from an HTTP request, the headers first, so that it rejects junk unread.
func (t *delivery) receive(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return errMethod
	}
	// the deadline also bounds the server's reading of a rejected body
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
	// from here on the deadline would end the connection while the function runs
	_ = control.SetReadDeadline(time.Time{})
	t.arrived.Body = body
	return t.open()
}

// Parse verifies and decrypts one notification: no routing, no deduplication, no response. The
// names in header may have any case. Keys and Choose get ctx. The event holds a copy of body.
//
// The error is a *[VerifyError] if nothing proves that the notification comes from the platform,
// and otherwise one of this package's values or apiv3.ErrDecrypt. Respond with 4xx or 5xx to an
// error; [Handler.Deliver] gives the whole response.
func (h *Handler) Parse(ctx context.Context, header map[string][]string, body []byte) (*Event, error) {
	t := delivery{h: h, arrived: Delivery{Header: canonical(header), Body: body}}
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
