package call

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// Errors of middlewares that break the contract.
var (
	errLostContext = fault.New("a middleware replaced the request's context with one that does not descend from it, so the call could not be followed: derive contexts from req.Context()")
	errNoResult    = fault.New("a middleware returned neither a response nor an error")
	ErrMadeUp      = fault.New("a middleware made or changed the response")
	errTooLate     = fault.New("a middleware sent the request on after it had returned")
)

// Yours makes one stage of the user's middlewares. In what they return the stage recognises the
// pipeline's own response and the error of this very call, even if they wrap it. It passes on
// everything else without believing it.
func Yours(own []middleware.Middleware) middleware.Middleware {
	return func(inside http.RoundTripper) http.RoundTripper {
		var next http.RoundTripper = middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			p, _ := req.Context().Value(passageKey{}).(*passage)
			if p == nil {
				return nil, errLostContext
			}
			return p.through(inside, req)
		})
		for i := len(own) - 1; i >= 0; i-- {
			next = own[i](next)
		}
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			p := &passage{call: middleware.CallFrom(req.Context()), inside: make(chan struct{}, 1)}
			defer p.end() // even if a middleware panics
			ctx := req.Context()
			res, err := next.RoundTrip(req.WithContext(context.WithValue(ctx, passageKey{}, p)))
			p.end()
			return p.judge(ctx, res, err)
		})
	}
}

type passageKey struct{}

// passage is one passage of a call through the user's middlewares.
type passage struct {
	call *middleware.Call

	inside chan struct{} // full while a request is inside: a Call allows one at a time
	ended  bool
	res    *http.Response // the last response
	err    error
	status int        // of res, which a middleware can change
	body   *innerBody // of res, if it is a stream
}

// through sends the request on.
func (p *passage) through(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	p.inside <- struct{}{}
	defer func() { <-p.inside }()
	if p.ended {
		return nil, errTooLate
	}
	p.res, p.err = next.RoundTrip(req)
	if p.res != nil {
		p.status = p.res.StatusCode
		if _, whole := p.res.Body.(*middleware.Body); !whole && p.res.Body != nil { // a stream
			p.body = &innerBody{ReadCloser: p.res.Body}
			p.res.Body = p.body
		}
	}
	return p.res, p.err
}

// end waits for a request that a middleware left behind inside, so that the call no longer changes.
func (p *passage) end() {
	p.inside <- struct{}{}
	p.ended = true
	<-p.inside
}

// judge decides which part of the middlewares' result is believed.
func (p *passage) judge(ctx context.Context, res *http.Response, err error) (*http.Response, error) {
	switch {
	case err != nil && p.err != nil && errors.Is(err, p.err):
		return nil, fault.Holding(err, p.err)
	case err != nil:
		return nil, fault.During(ctx, err)
	case res == nil:
		return nil, errNoResult
	}
	if res != p.res || res.StatusCode != p.status {
		p.call.Verified = false
	}
	switch body := res.Body.(type) {
	case nil:
		res.Body = http.NoBody
		if p.body != nil {
			p.call.Verified = false
		}
	case *innerBody:
		res.Body = body.ReadCloser
		return res, nil
	case *middleware.Body: // perhaps partly read, or of another call
	default:
		if p.call.Stream {
			res.Body = &outerBody{res.Body, ctx, p.body}
			return res, nil
		}
	}
	raw, _, err := middleware.ReadBody(res)
	if err != nil {
		return nil, fault.During(ctx, err)
	}
	came := p.call.ResponseBody()
	if !bytes.Equal(raw, came) {
		p.call.Verified = false
	}
	if len(raw) == 0 || len(came) == 0 || &raw[0] != &came[0] {
		res.Body = io.NopCloser(bytes.NewReader(raw))
	}
	return res, nil
}

// innerBody is a stream from the pipeline. It keeps the error that ended it.
type innerBody struct {
	io.ReadCloser
	err error
}

func (b *innerBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if err != nil {
		b.err = err
	}
	return n, err
}

// outerBody is a stream of a middleware in place of inner, which may be nil.
type outerBody struct {
	io.ReadCloser
	ctx   context.Context
	inner *innerBody
}

func (b *outerBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.inner != nil && b.inner.err != nil && errors.Is(err, b.inner.err):
		return n, fault.Holding(err, b.inner.err)
	}
	return n, fault.During(b.ctx, err)
}
