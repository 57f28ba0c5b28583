package bill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/tempfile"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	billPause     = 30 * time.Second // after the first STATEMENT_CREATING; it doubles
	billPauseMost = 30 * time.Minute
)

// Getting is one bill being got.
type Getting struct {
	Client Client
	Plan   *download.Plan
	Direct bool // the response to the application is the file
}

// keptFile is the destination of a bill that is kept as it came over the wire. Parts that were
// encrypted are added to it instead of being written.
type keptFile struct {
	*tempfile.File
	encrypted []part
}

func (k *keptFile) Released() int64 { return 0 }
func (k *keptFile) Finish() error   { return nil }
func (k *keptFile) Commit() error   { return nil }
func (k *keptFile) Abandon()        {}

func (k *keptFile) plain() (io.Reader, error) { return download.Expand(k.Reader()) }

// parts returns what is kept, and gives it away.
func (k *keptFile) parts() []part {
	if k.encrypted == nil {
		return []part{k}
	}
	_ = k.Close()
	return k.encrypted
}

// apply asks for the links, waiting until the bill is made. It returns no files of an empty bill,
// but empty.
func (g *Getting) apply(ctx context.Context) (files []file, empty *download.Result, err error) {
	var res *Response
	empty, err = g.patiently(ctx, func() (err error) {
		res, err = g.Client.Apply(ctx)
		return err
	})
	if err != nil || empty != nil {
		return nil, empty, err
	}
	files, err = parseApplication(res.Body, res.Unreadable)
	if err == nil && len(files) == 0 {
		if due, known := g.Client.Due(); known && g.Client.Now().Before(due) {
			return nil, nil, tooEarly(due, nil)
		}
		empty, err = g.nothing(res.Header, res.Verified)
		return nil, empty, err
	}
	for i := range files {
		if err == nil {
			_, err = g.Plan.Algorithms.New(files[i].digest())
		}
		if err == nil && files[i].encrypted() {
			err = files[i].decryptKey(g.Client.Decrypt)
		}
	}
	if err != nil {
		return nil, nil, g.Client.Failed(Decode, err)
	}
	return files, nil, nil
}

// nothing is an empty bill, on the word of a response with this header.
func (g *Getting) nothing(header http.Header, verified bool) (*download.Result, error) {
	sum, err := g.Plan.Algorithms.New(g.Plan.Want)
	if err == nil {
		err = g.Plan.Want.Check(sum)
	}
	if err != nil {
		return nil, g.Client.Failed(Download, &download.Failure{Err: fmt.Errorf("the bill is empty: %w", err)})
	}
	id := header.Get(apiv3.HeaderRequestID)
	return &download.Result{Empty: true, Header: header, RequestID: id, Verified: verified}, nil
}

// patiently calls ask until its error is another than that the bill is being made.
func (g *Getting) patiently(ctx context.Context, ask func() error) (empty *download.Result, err error) {
	wait := &waiting{g.Client, g.Plan, time.Now(), billPause, billPauseMost}
	for {
		err := ask()
		rejection := g.Client.Rejection(err)
		if rejection == nil {
			return nil, err
		}
		due, known := g.Client.Due()
		early := known && g.Client.Now().Before(due)
		switch rejection.Code {
		case wxcode.StatementCreating:
			again, waitErr := wait.next(ctx)
			switch {
			case waitErr != nil:
				return nil, waitErr
			case again:
				continue
			case cancelled(ctx):
				return nil, g.Client.Failed(Send, fault.Cause(ctx))
			}
			return nil, &notReady{"the bill is still being made", errors.Join(err, fault.Cause(ctx))}
		case wxcode.NoStatementExist:
			switch {
			case !known || !rejection.Verified:
			case early:
				return nil, tooEarly(due, err)
			default:
				return g.nothing(rejection.Header, rejection.Verified)
			}
		case wxcode.InvalidRequest:
			if early && !g.Direct && fact.IsSilentBill(g.Client.Path()) {
				return nil, tooEarly(due, err)
			}
		}
		return nil, err
	}
}
