// Package call is the engine of one call: what a chain wants is a Spec, the way to the platform is a Line, and what becomes
// of the one on the other is a Call.
//
// It knows no client. The errors that callers get are made by functions of the Line.
package call

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/middleware"
)

// Call is one logical call: made ready once, and sent as often as it takes.
type Call struct {
	middleware.Call

	URL  url.URL
	Body []byte // nil when there is none
	// Findings has the results of the checks before sending; nil for none.
	Findings *preflight.Report
	// Bounded says that a time limit is the call's own.
	Bounded bool
	// Linked says that the call goes to a ready-made address.
	Linked bool
	// Binding is how far the last verified 2xx shows that it answers this call.
	Binding Binding

	line    *Line
	success []byte // the body of the last success that nothing speaks against
	plan    *sensitive.Plan
	header  []Header
	named   bool // the caller names the platform key
	unbind  bool
	file    File                        // the file of an upload, whose signed part is Body; nil otherwise
	serial  string                      // of the platform key that the body is encrypted with; empty when nothing is
	again   func(context.Context) error // encrypts once more; nil when nothing is encrypted
	key     [1]string                   // backs the header value that names the platform key
}

// File is the file of an upload.
type File interface {
	// Ready checks the file against the facts of its operation and the limits of its upload, nil where they are not known, and
	// returns the fields of the part that is signed.
	Ready(ctx context.Context, operation *fact.Operation, limits *fact.Upload, boundary string) (meta map[string]any, err error)
	// Attach makes the multipart body of req, with meta as it is signed.
	Attach(call *middleware.Call, req *http.Request, meta []byte)
}

// Binding is how far a verified 2xx shows that it answers its call.
type Binding uint8

// Bindings of a response.
const (
	Unbindable Binding = iota // the facts know of nothing that it repeats of the call
	Unbound                   // it lacks what it should repeat
	Bound                     // it shows the call's number
)

// Response is a response of the platform, read whole.
type Response struct {
	Call      *Call // the call that it answers
	Status    int
	Header    http.Header
	RequestID string
	Verified  bool
	Raw       []byte
	JSON      []byte // the JSON text in Raw; nil when it is none that all readers read alike
	// Stale says that it shows nothing of its call and was signed before the request was sent.
	Stale bool

	opening *opening // nil when no field is marked as encrypted
}

// opening is the view of a response whose marked fields are decrypted. It is made when it is first asked for, since each
// field costs one operation of the private key.
type opening struct {
	once   sync.Once
	text   []byte
	faults []*jsonwalk.FieldError
	err    error
}

// Line is all that the calls of one client share. It is made once and not changed.
type Line struct {
	// Pipeline sends a request, with retries, signature and verification.
	Pipeline http.RoundTripper
	Signer   *middleware.Signer
	// Waits says that stages before the first attempt may take their time.
	Waits bool

	Caller  string        // who calls, as Client.Identity says it
	Own     *keyring.Ring // the caller's certificates
	Keys    *keylist.Keys // the platform's
	Scheme  apiv3.Scheme
	Base    *url.URL // the gateway: scheme and host
	Backups []string // its other hosts
	Headers Headers
	Clock   func() time.Time
	Nonce   func() string

	Timeout, AttemptTimeout time.Duration
	Limits                  *middleware.TimeLimits // those of both
	Attempts                int                    // of one call

	Facts  func() Catalog // returns nil where there is no catalogue
	Plans  *sensitive.Plans
	Fill   autofill.Caller
	Checks Checks

	Logger     *slog.Logger // nil: nothing is logged
	LogNumbers bool
	Echoes     *sync.Map // the echoes that were logged

	Errors Errors
}

// Catalog is what a line asks about operations.
type Catalog interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// Checks say what becomes of findings about a request.
type Checks struct {
	Strict   bool
	Silenced []string
	Told     *preflight.Told
}

// Errors make and read the errors of callers.
type Errors struct {
	// Failed makes the error of a call that failed at a stage.
	// res is the response that came although the call failed, nil if there is none.
	Failed func(c *Call, res *Response, stage string, outcome middleware.Outcome, cause error) error
	// Rejected makes the error of a response whose status is not 2xx.
	Rejected func(c *Call, res *Response) error
	// Rejection returns what a Rejected error was made of, nil if there is none in err.
	Rejection func(err error) *Rejection
	// Failure returns what a Failed error was made of, nil if there is none in err.
	Failure func(err error) *Failure
	// Unfound adds to a Rejected error that the platform, asked later, did not know the number.
	Unfound func(err error) error
	// Field makes the error of a fault of one field.
	Field func(*jsonwalk.FieldError) error
	// Refused makes the error of findings that forbid to send.
	Refused func(findings *preflight.Report) error
}

// Failure is a call that failed without a response, or after one.
type Failure struct {
	Stage   string
	Outcome middleware.Outcome
	Cause   error
}

// Stages of a call.
const (
	StageBuild    = "building the request"
	StageQueue    = "waiting in the queue"
	StageKeys     = "fetching the platform's certificates"
	StageSign     = "signing"
	StageSend     = "sending"
	StageVerify   = "verifying the response"
	StageResponse = "the platform's response"
	StageDownload = "downloading"
	StageDecode   = "decoding the response"
	StageCallback = "the step given to Then"
	StageEnsure   = "finding out what became of it"
)

// New returns a call that is not ready yet.
func New(line *Line, method string) *Call {
	c := &Call{line: line}
	c.Method, c.Judge = method, c
	return c
}

// Line returns the line that c goes on.
func (c *Call) Line() *Line { return c.line }

// Decrypt decrypts what the last response has encrypted for the caller.
func (c *Call) Decrypt(ciphertext []byte) ([]byte, error) {
	return c.line.Own.Decrypt(c.line.Scheme, c.Serial, ciphertext)
}
