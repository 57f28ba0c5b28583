package call

import (
	"net/http"

	"github.com/wxpay-go/wxpay/internal/headers"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/sensitive"
)

// newResponse returns the response to c.
func newResponse(c *Call, res *http.Response, raw, json []byte) *Response {
	r := new(Response)
	r.fill(c, res, raw, json)
	return r
}

func (r *Response) fill(c *Call, res *http.Response, raw, json []byte) {
	*r = Response{
		Call: c, Status: res.StatusCode, Header: res.Header, Verified: c.Verified, Stale: c.Binding != Bound && c.Stale(),
		Raw: raw, JSON: json,
	}
	if json != nil && r.success() && c.plan.Response.Encrypted() {
		r.opening = new(opening)
	}
}

// RequestID identifies the call for the platform's support; empty if the response has none.
func (r *Response) RequestID() string { return headers.First(r.Header, apiv3.HeaderRequestID) }

func (r *Response) success() bool { return r.Status >= 200 && r.Status <= 299 }

// Text returns the JSON text in the body, its marked fields in plain text; nil if there is none.
func (r *Response) Text() []byte {
	if r.opening == nil {
		return r.JSON
	}
	r.decrypt()
	return r.opening.text
}

// DecryptFaults returns the marked fields that could not be decrypted, or the fault of a text that
// cannot be read.
func (r *Response) DecryptFaults() ([]*jsonwalk.FieldError, error) {
	if r.opening == nil {
		return nil, nil
	}
	r.decrypt()
	return r.opening.faults, r.opening.err
}

func (r *Response) decrypt() {
	r.opening.once.Do(func() {
		o, c := r.opening, r.Call
		o.text, o.faults, o.err = sensitive.Decrypt(r.JSON, &c.plan.Response, c.Decrypt)
		if o.err != nil {
			o.text = r.JSON
		}
	})
}

// Documented returns the fields that the catalogue documents for the response, nil if it is not
// certain of them.
func (r *Response) Documented() []fact.Field {
	if r.Call == nil || !r.success() || r.Call.Operation == nil || r.Call.Operation.Inferred {
		return nil
	}
	return r.Call.Operation.Out
}
