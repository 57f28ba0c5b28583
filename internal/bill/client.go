package bill

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/wait"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Client makes the calls that it takes to get a bill or a receipt. The errors of its methods are
// shown to the user as they are.
type Client interface {
	// Apply sends the application, or the question for a receipt.
	Apply(ctx context.Context) (*Response, error)
	// Statement returns the application as a call whose response is the file.
	Statement() download.Call
	// Link returns the call of a download_url. vouched says that a digest or a tag vouches for the
	// content.
	Link(ctx context.Context, address string, vouched bool) (download.Call, error)
	// Decrypt decrypts what the response to the last application has encrypted for the merchant.
	Decrypt(ciphertext []byte) ([]byte, error)
	// Now returns the time.
	Now() time.Time
	// Due returns when the bill can be expected.
	Due() (due time.Time, known bool)
	// Path returns the path of the application.
	Path() string

	// Rejection returns what the platform says in an error of these methods, nil if it says nothing
	// there.
	Rejection(err error) *Rejection
	// Failed makes the error of a stage of the application.
	Failed(stage Stage, err error) error
	// Guard calls run, and makes an error of a panic.
	Guard(run func() error) error
}

// Response is the response to an application.
type Response struct {
	Body     []byte
	Header   http.Header
	Verified bool
	// Text returns the text at a gjson path, and whether something stands there.
	Text func(path string) (string, bool)
	// Unreadable keeps the body out of an error of encoding/json.
	Unreadable func(error) error
}

// Rejection is what the platform says in an API error.
type Rejection struct {
	Status   int
	Code     wxcode.Code
	Verified bool
	Header   http.Header
}

// Stage is where getting a bill failed.
type Stage int

// Stages.
const (
	Build    Stage = iota // nothing was sent
	Send                  // the context ended
	Decode                // a response makes no sense
	Download              // content is no good; the error is a *download.Failure
)

// ErrNotReady means that the platform has not made a bill or a receipt yet, as far as it is known:
// ask again later.
var ErrNotReady = fault.New("not ready yet")

// notReady is an ErrNotReady.
type notReady struct {
	text string
	err  error // the rejection and the end of the waiting, as far as there are any
}

func (e *notReady) Error() string {
	text := "wxpay: " + ErrNotReady.Error() + ": " + e.text
	if e.err != nil {
		text += ": " + strings.ReplaceAll(strings.TrimPrefix(e.err.Error(), "wxpay: "), "\n", "; ")
	}
	return text
}

func (e *notReady) Is(target error) bool { return target == ErrNotReady }

func (e *notReady) Unwrap() error { return e.err }

func tooEarly(due time.Time, rejection error) error {
	return &notReady{"bills are there after " + due.Format("2006-01-02 15:04") + " Beijing time", rejection}
}

// waiting is the time until the platform has made something.
type waiting struct {
	client Client
	plan   *download.Plan
	began  time.Time
	pause  time.Duration
	most   time.Duration // of pause, which doubles
}

// next waits before asking again, unless there is no time for that.
func (w *waiting) next(ctx context.Context) (again bool, err error) {
	pause := w.pause
	w.pause = min(2*pause, w.most)
	if w.plan.Patience != nil {
		left := *w.plan.Patience - time.Since(w.began)
		if left <= 0 {
			return false, nil
		}
		pause = min(pause, left) // and ask a last time
	}
	if end, bound := ctx.Deadline(); bound && time.Until(end) <= pause {
		return false, nil
	}
	if w.plan.Waiting != nil {
		if err := w.client.Guard(func() error { w.plan.Waiting(pause); return nil }); err != nil {
			return false, w.client.Failed(Send, err)
		}
	}
	return wait.For(ctx, pause), nil
}

// cancelled reports whether somebody ended ctx, rather than that its time was over.
func cancelled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// maxApplications is how often a link that got too old is asked for, for one bill; an application
// that brought more of its parts does not count.
const maxApplications = 3

// expired reports whether err is what the platform says to a link that is too old.
func expired(c Client, err error) bool {
	rejection := c.Rejection(err)
	return rejection != nil && rejection.Status == http.StatusBadRequest && rejection.Code == wxcode.InvalidRequest
}
