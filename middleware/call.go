package middleware

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// Call is what the pipeline knows about one logical call beyond its HTTP request. It travels in the request's context.
// One goroutine at a time uses it: a middleware reads it before and after calling next, not from elsewhere.
type Call struct {
	// Method is the HTTP method.
	Method string
	// Template is the path with its placeholders unfilled, such as /v3/pay/transactions/id/{transaction_id}. Unlike the
	// request's path it holds no identity, so it is what belongs in logs and metrics.
	Template string
	// Operation is what the catalogue knows about the call; nil without a catalogue or when it knows nothing.
	Operation *fact.Operation
	// Deadline is when the whole call ends, with all its attempts; zero for never.
	Deadline time.Time
	// Begun is the present time, if whoever starts the pipeline has just read it and nothing in between waits: the first
	// attempt then begins at it instead of reading the clock once more. Zero otherwise.
	Begun time.Time
	// Limits bound the call and each attempt; nil for no bounds. They are shared and must not be changed.
	Limits *TimeLimits
	// Host is the host that the attempts must go to; empty leaves the choice.
	Host string
	// Stream says that a successful answer is handed up unread where that can be: of a family that is documented as
	// unsigned, or whose signature covers a digest in the header.
	Stream bool
	// Vouched says that something else vouches for the content of a successful answer, such as a digest out of a signed
	// one, so that it need not be signed whatever its path. A signature that is there is verified all the same.
	Vouched bool
	// Idempotent is the caller's word that sending the request again does no harm.
	Idempotent bool
	// Judge looks at a verified 2xx before it counts as this call's success; nil takes every one.
	Judge Judge

	// Number returns the merchant's own number that the call carries, for logs that are to have it; nil keeps it out of them.
	Number func() string

	// Reached says that the current attempt was handed to the transport: from there on only the transport knows whether
	// anything was sent.
	Reached bool
	// Verified says that the answer's signature was verified.
	Verified bool
	judged   bool    // there was an attempt
	known    Outcome // what the attempts so far leave known
	trying   bool    // an attempt is under way
	unsent   bool    // the transport promised of the current attempt that not one byte left
	// Attempts counts how often the request was signed for the wire.
	Attempts int
	// History lists what the attempts brought. It is empty when the first one succeeded.
	History []Attempt
	// Answered is the successful answer, once there was one.
	Answered *http.Response
	// ServedBy is the host that took the last attempt.
	ServedBy string
	// Serial is the serial of the certificate whose key signed last: answers encrypt for that one.
	Serial string
	// Aged is by how much the last answer had been signed before its request was sent; 0 where nobody signed it, and while that
	// cannot be told.
	Aged time.Duration
	// MessageSize is the length in bytes of the message that was signed last. The platform names the length of its own
	// message when a signature does not match.
	MessageSize int

	entered       time.Time                  // when Observe saw the call, while it is inside of it
	streaming     *atomic.Pointer[streaming] // of the attempt that is under way, empty between attempts; nil unless the body streams
	body          io.ReadCloser              // the body that SetBody installed
	signed        []byte                     // the bytes that the signature covers while body is in place
	authorization [1]string                  // backs the header value, so that signing allocates no slice for it
	context       callContext                // what WithCall returned first
	outer         context.Context            // outside the attempts, while they are made
	answer        *Body                      // the last answer's body, once it is read
	first         Body                       // backs the first answer's body
}

// TimeLimits are the time limits of a call, and the errors with which they end what they bound. 0 is none.
type TimeLimits struct {
	Total, Attempt       time.Duration
	TotalErr, AttemptErr error
	// Still bounds how long one read from a stream may wait. Total and Attempt end when the stream's header is there.
	Still    time.Duration
	StillErr error
}

// Judge tells whether a verified 2xx is the success of the very call that was made. A signature proves who speaks, and
// not to which question: neither the request nor the status is signed.
type Judge interface {
	// JudgeResponse returns why an answer is not this call's success, nil if nothing speaks against it.
	JudgeResponse(status int, body []byte) error
}

type callKey struct{}

type callContext struct {
	context.Context
	call *Call
}

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	return c.Context.Value(key)
}

// WithCall returns a context that carries call.
func WithCall(ctx context.Context, call *Call) context.Context {
	if call.context.call != nil {
		return &callContext{ctx, call}
	}
	call.context = callContext{ctx, call} // the usual case: the first context of a call is part of it
	return &call.context
}

// CallFrom returns the call that ctx carries, or nil outside the pipeline.
func CallFrom(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// ResponseBody returns the body of the answer that is being verified, for Keys that look into it. It must not be changed, and
// not be trusted.
func (c *Call) ResponseBody() []byte {
	if c.answer == nil {
		return nil
	}
	return c.answer.raw
}

// streaming is an attempt whose body streams.
type streaming struct {
	ctx   context.Context
	moved func() // called when the body was read from
}
