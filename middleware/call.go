package middleware

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// Call is one logical call. It holds what the HTTP request cannot, and travels in the request's
// context. Use it from one goroutine at a time: a middleware reads it before and after calling
// next.
type Call struct {
	// Method is the HTTP method.
	Method string
	// Template is the path with its placeholders, such as /v3/pay/transactions/id/{transaction_id}.
	// Unlike the request's path it contains no identity, so use it in logs and metrics.
	Template string
	// Operation is the catalogue's row; nil without a catalogue and for an unknown operation.
	Operation *fact.Operation
	// Deadline ends the whole call with all its attempts; zero for none.
	Deadline time.Time
	// Limits bound the call and each attempt; nil for no bounds. They are shared: do not change
	// them.
	Limits *TimeLimits
	// Host is the host of every attempt; empty leaves the choice to Retry.
	Host string
	// Judge checks a verified 2xx before it counts as this call's success; nil accepts every one.
	Judge Judge
	// Tracer follows the attempts; nil follows none. A middleware sets it before it calls next.
	Tracer Tracer
	// Number returns the merchant's own number of the call for the log; nil keeps it out.
	Number func() string

	// Fresh says that the time of Deadline has just begun. It saves the first attempt from reading the
	// clock.
	Fresh bool
	// Stream asks Verify to return a successful response unread where that is possible: for a
	// family that is documented as unsigned, or whose signature covers a digest in the header.
	Stream bool
	// Vouched says that something else vouches for the content of a successful response, such as a
	// digest from a signed response. It may then be unsigned, whatever its path. Verify still
	// verifies a signature that is there.
	Vouched bool
	// Idempotent says that the caller vouches for sending the request again.
	Idempotent bool
	// Reached says that the current attempt has reached the transport: only the transport knows
	// whether it sent anything.
	Reached bool
	// Verified says that the response's signature was verified.
	Verified bool
	judged   bool    // there was an attempt
	known    Outcome // the outcome of the attempts so far
	trying   bool    // an attempt is under way
	unsent   bool    // the transport promised that no byte of the current attempt left
	// Attempts counts the signatures of the request, one for each attempt.
	Attempts int
	// History lists the attempts. It is empty if the first one succeeded.
	History []Attempt
	// Answered is the successful response, once there is one.
	Answered *http.Response
	// ServedBy is the host that took the last attempt.
	ServedBy string
	// Serial is the serial of the certificate that signed last: the platform encrypts responses for
	// it.
	Serial string
	// Aged is the time from the signature of the last response to the sending of its request; 0 for
	// an unsigned response and while the age is not known.
	Aged time.Duration
	// MessageSize is the length in bytes of the last signed message. The platform names the length
	// of its own message when a signature does not match.
	MessageSize int

	entered       time.Time       // start of the call by Observe, while Observe runs
	streaming     *streaming      // the attempt under way, empty between attempts; nil unless the body streams
	body          io.ReadCloser   // the body that SetBody installed
	signed        []byte          // the bytes that the signature covers while body is in place
	authorization [1]string       // backs the header value, so that signing allocates no slice for it
	context       callContext     // the first context of WithCall
	outer         context.Context // the context outside the attempts, while they run
	response      *Body           // the last response's body, once it is read
	first         Body            // backs the first response's body
	reader        bytes.Reader    // backs the first request's body
}

// TimeLimits are the time limits of a call, and the errors of their ends. 0 is no limit.
type TimeLimits struct {
	Total, Attempt       time.Duration
	TotalErr, AttemptErr error
	// Still bounds the wait of one read from a stream. Total and Attempt end with the stream's
	// header.
	Still    time.Duration
	StillErr error
}

// Judge decides whether a verified 2xx is the success of this call. A signature proves the sender,
// not the request: it covers neither the request nor the status.
type Judge interface {
	// JudgeResponse returns the reason why a response is not this call's success, nil without a
	// reason.
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

// ResponseBody returns the body of the response under verification, for Keys that read it. Do not
// change or trust it.
func (c *Call) ResponseBody() []byte {
	if c.response == nil {
		return nil
	}
	return c.response.raw
}

// streaming is the attempt under way of a streamed body, if there is one.
type streaming struct {
	mu    sync.Mutex
	ctx   context.Context // nil between attempts
	moved func()          // called at each read from the body
}

func (s *streaming) begin(ctx context.Context, moved func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.moved = ctx, moved
}

func (s *streaming) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.moved = nil, nil
}

// read tells the attempt of a read and returns its context.
func (s *streaming) read() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return context.Background()
	}
	s.moved()
	return s.ctx
}
