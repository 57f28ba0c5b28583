// Package download brings the content of a response to its destination: expanded, within bounds,
// and checked against digests. Content that breaks off is requested again, as long as the
// destination can take back what it got. It holds no more than buffers in memory.
package download

import (
	"context"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/wait"
)

// restartPause is the pause before the second try; it doubles before each further one.
const restartPause = 200 * time.Millisecond

// Call is a call whose response is the content.
type Call interface {
	// Open sends the call, once more if it has to, and returns the response with its body unread.
	// end must be called when the body is done with. An error is final.
	Open(ctx context.Context) (res *http.Response, end func(), err error)
	// Verified reports whether the response of Open was signed.
	Verified() bool
	// Attempts is how often the content may be requested.
	Attempts() int
	// Failed makes the error of content that is no good.
	Failed(*Failure) error
}

// Result tells what a download brought.
type Result struct {
	Size      int64       // bytes written, after decompression
	Received  int64       // bytes that came over the wire
	Header    http.Header // of the last response
	RequestID string
	Verified  bool   // a signature or a digest vouches for the content
	DigestOf  string // what the digest covers: "plain", "gzip" or "download"; empty without a digest
	Empty     bool   // there is no content
}

// Fetch brings the content of call to dst. The error is one of the call's own.
func Fetch(ctx context.Context, call Call, dst Destination, plan *Plan) (*Result, error) {
	for n := 1; ; n++ {
		got, failure, err := receive(ctx, call, dst, plan)
		switch {
		case err != nil:
			return nil, err
		case failure == nil:
			return got, nil
		case !failure.Passing || n >= call.Attempts() || !dst.Rewind() || !wait.For(ctx, restartPause<<(n-1)):
			return nil, call.Failed(failure)
		}
	}
}

// receive is one try of Fetch.
func receive(ctx context.Context, call Call, dst Destination, plan *Plan) (*Result, *Failure, error) {
	res, end, err := call.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	var counts Counts
	failure := plan.Copy(res, dst, &counts)
	if failure == nil {
		if err := dst.Finish(); err != nil {
			failure = &Failure{Err: err, Passing: true}
		}
	}
	if failure != nil {
		failure.Written = dst.Released()
		return nil, failure, nil
	}
	got := &Result{
		Size: counts.Size, Received: counts.Received, Header: res.Header, RequestID: res.Header.Get(apiv3.HeaderRequestID),
		Verified: call.Verified() || plan.Want != Digest{},
	}
	if plan.Want != (Digest{}) {
		got.DigestOf = "plain"
	}
	return got, nil, nil
}
