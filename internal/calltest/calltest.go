// Package calltest gives tests a line on which calls go without a client: the stages that send,
// sign and verify, before a gateway that the test plays.
package calltest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Scheme is RSA without the arithmetic: a signature is the digest of its message, so that it still
// fits one message only.
type Scheme struct{ apiv3.Scheme }

// Sign returns the digest of message.
func (Scheme) Sign(_ crypto.Signer, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	return sum[:], nil
}

// Verify compares signature with the digest of message.
func (Scheme) Verify(_ crypto.PublicKey, message, signature []byte) error {
	if sum := sha256.Sum256(message); !bytes.Equal(sum[:], signature) {
		return apiv3.ErrSignature
	}
	return nil
}

// Reply is what the gateway does with one request. The zero value is a signed 200 without a body.
type Reply struct {
	Status   int
	Body     string
	Unsigned bool
	Forged   bool          // the signature is wrong
	Ahead    time.Duration // of the signature's time before now
	Err      error         // instead of a response
}

// OK is a signed 200.
func OK(body string) Reply { return Reply{Body: body} }

// Rejected is a signed rejection.
func Rejected(status int, code wxcode.Code) Reply {
	return Reply{Status: status, Body: fmt.Sprintf(`{"code":%q,"message":"m"}`, code)}
}

// Replies that bring no response.
var (
	Reset       = Reply{Err: errors.New("connection reset by peer")}                        // after sending
	Unconnected = Reply{Err: &transport.UnsentError{Err: errors.New("connection refused")}} // before it
)

// Sent is one request, as the gateway saw it.
type Sent struct {
	*http.Request
	Text string // its body
	At   time.Time
}

// Gateway plays replies, the last one again and again. Those to a GET come from Queries if it has
// any. It is safe for concurrent use.
type Gateway struct {
	Replies, Queries []Reply

	mu                sync.Mutex
	seen              []Sent
	replied, answered int
}

// Play returns a gateway that plays replies.
func Play(replies ...Reply) *Gateway { return &Gateway{Replies: replies} }

// Seen returns the requests so far.
func (g *Gateway) Seen() []Sent {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen
}

// Order is the order of the requests so far: W for a write, Q for a query.
func (g *Gateway) Order() string {
	var order []byte
	for _, s := range g.Seen() {
		if s.Method == http.MethodGet {
			order = append(order, 'Q')
		} else {
			order = append(order, 'W')
		}
	}
	return string(order)
}

func (g *Gateway) next(method string) Reply {
	list, n := g.Replies, &g.replied
	if method == http.MethodGet && g.Queries != nil {
		list, n = g.Queries, &g.answered
	}
	*n++
	return list[min(*n, len(list))-1]
}

// RoundTrip implements http.RoundTripper.
func (g *Gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	var text []byte
	if req.Body != nil {
		var err error
		if text, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, Sent{req, string(text), time.Now()})
	r := g.next(req.Method)
	if r.Err != nil {
		return nil, r.Err
	}
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
	res := &http.Response{
		StatusCode: r.Status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(r.Body))), ContentLength: int64(len(r.Body)), Request: req,
	}
	if !r.Unsigned {
		sign(res.Header, r)
	}
	return res, nil
}

// keyID names the platform's key.
const keyID = "PUB_KEY_ID_0119000001092025010100000000000001"

func sign(header http.Header, r Reply) {
	timestamp, body := strconv.FormatInt(time.Now().Add(r.Ahead).Unix(), 10), r.Body
	if r.Forged {
		body += " "
	}
	signature, _ := Scheme{}.Sign(nil, apiv3.AppendResponseMessage(nil, timestamp, "nonce", []byte(body)))
	header.Set(apiv3.HeaderTimestamp, timestamp)
	header.Set(apiv3.HeaderNonce, "nonce")
	header.Set(apiv3.HeaderSerial, keyID)
	header.Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(signature))
	header.Set(apiv3.HeaderSignatureType, apiv3.RSA().SignatureType())
}

// Facts are operations by method and template.
type Facts map[string]*fact.Operation

// Lookup implements call.Catalog.
func (f Facts) Lookup(method, path string) (*fact.Operation, bool) {
	o, ok := f[method+" "+path]
	return o, ok
}

// NewFacts returns the facts of operations.
func NewFacts(operations ...fact.Operation) Facts {
	f := Facts{}
	for _, o := range operations {
		f[o.Method+" "+o.Path] = &o
	}
	return f
}

// Failure is the error of a call that failed, as the line of a test makes it.
type Failure struct {
	call.Failure
	Response *call.Response
}

func (f *Failure) Error() string {
	return f.Stage + ": " + f.Outcome.String() + ": " + call.CauseText(f.Cause)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Rejection is the error of a response that is no success, as the line of a test makes it.
type Rejection struct {
	call.Rejection
	Response *call.Response
}

func (r *Rejection) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Code) }

// ErrUnfound is in the rejection of a write whose number the platform did not know later.
var ErrUnfound = errors.New("the number was not found")

// RefusedError is the error of findings that forbid to send.
type RefusedError struct{ Findings *preflight.Report }

func (*RefusedError) Error() string { return "the checks before sending found something" }

func newErrors() call.Errors {
	return call.Errors{
		Failed: func(_ *call.Call, res *call.Response, stage string, outcome middleware.Outcome, cause error) error {
			return &Failure{call.Failure{Stage: stage, Outcome: outcome, Cause: cause}, res}
		},
		Rejected: func(c *call.Call, res *call.Response) error {
			body := call.Read(res.Raw)
			return &Rejection{call.Rejection{
				Status: res.Status, Code: wxcode.Code(body.Text("code")), Message: body.Text("message"), Verified: res.Verified, Outcome: c.Outcome(),
			}, res}
		},
		Brief: error.Error,
		Rejection: func(err error) *call.Rejection {
			if r := (*Rejection)(nil); errors.As(err, &r) {
				return &r.Rejection
			}
			return nil
		},
		Failure: func(err error) *call.Failure {
			if f := (*Failure)(nil); errors.As(err, &f) {
				return &f.Failure
			}
			return nil
		},
		Unfound: func(err error) error { return fmt.Errorf("%w: %w", ErrUnfound, err) },
		Field:   func(field *jsonwalk.FieldError) error { return field },
		Refused: func(findings *preflight.Report) error { return &RefusedError{findings} },
	}
}

// NewLine returns a line to a gateway, on which each call has one attempt. It knows facts, nil for
// none. Middlewares stand outside its own stages.
func NewLine(t testing.TB, gateway http.RoundTripper, facts Facts, middlewares ...middleware.Middleware) *call.Line {
	t.Helper()
	scheme := Scheme{apiv3.RSA()}
	p := vectors.Load(t).Parameters
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: keyID, Key: vectors.Key(t, "platform_a").Public()})
	if err != nil {
		t.Fatal(err)
	}
	own := keyring.Of(keyring.Certificate{Serial: p.MerchantSerial, PrivateKey: vectors.Key(t, "merchant")})
	nonce := func() string { return "nonce" }
	keys := keylist.New(set, time.Now, 0)
	line := &call.Line{
		Signer: &middleware.Signer{Scheme: scheme, ID: p.MchID, Identity: own, Clock: time.Now, Nonce: nonce},
		Caller: "mchid " + p.MchID, Own: own, Keys: keys, Scheme: scheme,
		Base: &url.URL{Scheme: "https", Host: "api.mch.weixin.qq.com"}, Headers: call.NewHeaders("test", ""), Clock: time.Now,
		Timeout: 30 * time.Second, AttemptTimeout: 10 * time.Second, Limits: call.TimeLimits(30*time.Second, 10*time.Second), Attempts: 1,
		Facts: func() call.Catalog {
			if facts == nil {
				return nil
			}
			return facts
		},
		Plans: new(sensitive.Plans), Checks: call.Checks{Told: preflight.NewTold()}, Echoes: new(call.Echoes), Errors: newErrors(),
	}
	pipeline := middleware.Verify(&middleware.VerifyConfig{
		Scheme: scheme, Keys: keys, Clock: time.Now, MaxResponse: 1 << 20, Ages: new(middleware.Ages),
	})(gateway)
	pipeline = middleware.Retry(&middleware.RetryConfig{Attempts: 1})(middleware.Sign(line.Signer)(pipeline))
	if len(middlewares) > 0 {
		pipeline = call.Yours(middlewares)(pipeline)
	}
	line.Pipeline = pipeline
	return line
}
