// Package call is the engine of one call. A Spec is the call that a chain describes, a Line is the
// way to the platform, and a Call sends the Spec on the Line.
//
// It knows no client. Functions of the Line make the errors that callers get.
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

// Call is one logical call: prepared once, and sent one or more times.
type Call struct {
	middleware.Call

	URL  url.URL
	Body []byte // nil if there is none
	// Findings has the results of the checks before sending; nil for none.
	Findings *preflight.Report
	// Bounded reports that the call sets its own time limit.
	Bounded bool
	// Linked reports that the call goes to a given address, not to a path.
	Linked bool
	// Binding tells how far the last verified 2xx shows that it belongs to this call.
	Binding Binding
	unbind  bool

	line    *Line
	success []byte // the body of the last success that no evidence contradicts
	plan    *sensitive.Plan
	header  []Header
	file    File                        // the file of an upload, whose signed part is Body; nil otherwise
	serial  string                      // of the platform key that encrypts the body; empty if nothing is encrypted
	again   func(context.Context) error // encrypts once more; nil if nothing is encrypted
	key     [1]string                   // backs the header value that names the platform key
}

// File is the file of an upload.
type File interface {
	// Ready checks the file against the facts of its operation and the limits of its upload, each
	// nil if unknown, and returns the fields of the signed part.
	Ready(ctx context.Context, operation *fact.Operation, limits *fact.Upload, boundary string) (meta map[string]any, err error)
	// Attach makes the multipart body of req, with the signed meta.
	Attach(call *middleware.Call, req *http.Request, meta []byte)
}

// Binding tells how far a verified 2xx shows that it belongs to its call.
type Binding uint8

// Bindings of a response.
const (
	Unbindable Binding = iota // the facts know no field of the call that it repeats
	Unbound                   // it lacks a field that it should repeat
	Bound                     // it shows the call's number
)

// Response is a response of the platform, read whole.
type Response struct {
	Call     *Call // the call that it belongs to
	Status   int
	Header   http.Header
	Verified bool
	// Stale reports that it shows nothing of its call and was signed before the request was sent.
	Stale bool
	Raw   []byte
	JSON  []byte // the JSON text in Raw; nil unless all readers read it alike

	opening *opening // nil if no field is marked as encrypted
}

// opening is a response with its marked fields decrypted. It is made at its first use, since each
// field costs one operation of the private key.
type opening struct {
	once   sync.Once
	text   []byte
	faults []*jsonwalk.FieldError
	err    error
}

// Line has everything that the calls of one client share. It is made once and not changed.
type Line struct {
	// Pipeline sends a request, with retries, signature and verification.
	Pipeline http.RoundTripper
	Signer   *middleware.Signer
	// Waits reports that stages before the first attempt may take time.
	Waits bool

	Caller  string        // the caller, in the form of Client.Identity
	Own     *keyring.Ring // the caller's certificates
	Keys    *keylist.Keys // the platform's
	Scheme  apiv3.Scheme
	Base    *url.URL // the gateway: scheme and host
	Backups []string // its other hosts
	Headers Headers
	Clock   func() time.Time

	Timeout, AttemptTimeout time.Duration
	Limits                  *middleware.TimeLimits // those of both
	Attempts                int                    // of one call

	Facts  func() Catalog // returns nil without a catalogue
	Plans  *sensitive.Plans
	Fill   autofill.Caller
	Checks Checks

	Logger     *slog.Logger // nil: nothing is logged
	LogNumbers bool
	Echoes     *Echoes // those that were logged

	Errors Errors
}

// Catalog looks up operations for a line.
type Catalog interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// Checks tell how findings about a request are handled.
type Checks struct {
	Strict   bool
	Silenced []string
	Told     *preflight.Told
}

// Errors make and read the errors of callers.
type Errors struct {
	// Failed makes the error of a call that failed at a stage. res is the response of a call that
	// failed after it, nil if there is none.
	Failed func(c *Call, res *Response, stage string, outcome middleware.Outcome, cause error) error
	// Rejected makes the error of a response whose status is not 2xx.
	Rejected func(c *Call, res *Response) error
	// Rejection returns the rejection in an error made by Rejected, nil if err has none.
	Rejection func(err error) *Rejection
	// Failure returns the failure in an error made by Failed, nil if err has none.
	Failure func(err error) *Failure
	// Brief returns the text of an error without its operation and without advice, for the text of an
	// error around it, which has both.
	Brief func(err error) string
	// Unfound adds to a Rejected error that a later query did not find the number.
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
	c := new(Call)
	c.start(line, method)
	return c
}

func (c *Call) start(line *Line, method string) { c.line, c.Method, c.Judge = line, method, c }

// Line returns the line of c.
func (c *Call) Line() *Line { return c.line }

// Decrypt decrypts a value that the last response has encrypted for the caller.
func (c *Call) Decrypt(ciphertext []byte) ([]byte, error) {
	return c.line.Own.Decrypt(c.line.Scheme, c.Serial, ciphertext)
}
