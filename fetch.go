package wxpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Download writes the response to a GET of this chain to w: files and images, whose responses carry no signature; overseas
// statements, which are signed through a digest in the header; and any other response, verified as usual. Content that is gzip
// is expanded. It holds no more than a buffer in memory, whatever the size. For a download_url use [Client.Fetch], and
// [Chain.Bill] for the whole of a bill.
//
// w is [ToFile], or any writer. A plain writer gets the bytes while they arrive, so an error may show only at the end: then a
// [*CallError] with a [*DownloadError] inside tells how many are out. (A statement's signature is verified before the first
// byte, its content by the last.)
//
// A download that breaks off starts again, as often as [WithAttempts] allows, while no byte has gone to a plain writer; the
// platform cannot resume. It has no total time limit, but ends when it stalls; see [WithTimeout].
func (c Chain) Download(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	f, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	f.Stream = true
	return f.download(ctx, w, options)
}

// Fetch downloads from a ready-made address, such as a download_url of a response: path and query travel, and are signed,
// unchanged. The address must name a host of this client's gateway (or another of the platform's, if the gateway is the
// platform): a request that is signed for one is not sent elsewhere. A link to the platform takes the way through the gateway
// that [WithBaseURL] names. Links live for half a minute, so fetch at once, with the client that got the link.
//
// The documented links lead to unsigned content ([middleware.UnsignedResponses]). [Digest] checks it against the digest that
// came with the link:
//
//	got, err := client.Fetch(ctx, url, wxpay.ToFile("receipt.pdf"), wxpay.Digest("SHA256", hex))
//
// A response of any other path must be signed, unless there is a Digest to check it.
//
// Everything else is as for [Chain.Download]. [Chain.Bill] and [Chain.Receipt] get the link too.
func (c *Client) Fetch(ctx context.Context, address string, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	f, err := c.link(ctx, address)
	if err != nil {
		return nil, err
	}
	return f.download(ctx, w, options)
}

// link makes the flight to a ready-made address.
func (c *Client) link(ctx context.Context, address string) (*flight, error) {
	f := &flight{client: c, linked: true}
	f.Method, f.Template = http.MethodGet, "(link)"
	if ctx == nil {
		return nil, f.error(StageBuild, NotSent, errors.New("the context is nil: pass context.Background() if there is none"))
	}
	u, path, err := target.Gateway{Base: c.base, Backups: c.backups}.Link(address)
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	f.url, f.Host = *u, u.Host
	f.Stream = true
	f.Limits = c.limits
	// Where nothing is known of a link, nothing of it is shown: any part of it may identify something.
	if family := middleware.FamilyOf(f.Method, path); family != nil {
		f.Template = family.Path
	}
	if facts := c.facts(); facts != nil {
		if operation, ok := facts.Lookup(f.Method, path); ok {
			f.Operation, f.Template = operation, operation.Path
		}
	}
	f.plan = c.plans.Of(f.Operation)
	return f, nil
}

// download is the whole of a download to w.
func (f *flight) download(ctx context.Context, w io.Writer, options []DownloadOption) (*DownloadResult, error) {
	plan, err := newDownloadPlan(options)
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	f.Vouched = f.linked && plan.Want != download.Digest{}
	return f.deliver(w, func(dst download.Destination) (*download.Result, error) {
		return download.Fetch(ctx, stream{f}, dst, plan)
	})
}

// deliver makes a destination of w, which becomes final when get succeeds.
func (f *flight) deliver(w io.Writer, get func(download.Destination) (*download.Result, error)) (*DownloadResult, error) {
	dst, err := newDestination(w)
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	defer dst.Abandon()
	got, err := get(dst)
	if err != nil {
		return nil, err
	}
	if err := dst.Commit(); err != nil {
		return nil, stream{f}.Failed(download.Unwritable(err))
	}
	return (*DownloadResult)(got), nil
}

// stream is a flight whose response is content; see [download.Call].
type stream struct{ *flight }

var _ download.Call = stream{}

// Open sends the flight and returns the response when its header is there.
func (f stream) Open(ctx context.Context) (res *http.Response, end func(), err error) {
	f.Deadline = time.Now().Add(f.Limits.Total)
	ctx, cancel := context.WithCancelCause(ctx)
	// The attempts keep the deadline by themselves; this is for whoever waits besides them.
	timer := time.AfterFunc(f.Limits.Total, func() { cancel(f.Limits.TotalErr) })
	defer func() {
		timer.Stop()
		if err != nil {
			cancel(nil)
		}
	}()
	if ctx.Err() != nil {
		return nil, nil, f.error(StageSend, f.Outcome(), fault.Cause(ctx))
	}
	if err := f.client.keys.Ready(ctx); err != nil {
		return nil, nil, f.error(StageKeys, f.Outcome(), err)
	}
	res, err = f.head(ctx)
	if err != nil && f.renew(ctx, err) {
		res, err = f.head(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return res, func() { _ = res.Body.Close(); cancel(nil) }, nil
}

// head sends the flight and reads a response that is not a success.
func (f stream) head(ctx context.Context) (*http.Response, error) {
	res, err := f.client.pipeline.RoundTrip(f.request(ctx))
	if f.linked && errors.Is(err, apiv3.ErrUnsigned) {
		err = fmt.Errorf("%w; this path is not one whose responses are known to be unsigned: pass the Digest that came with the link", err)
	}
	if err != nil {
		return nil, f.sendFailed(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	if res.StatusCode > 200 && res.StatusCode < 300 {
		_ = res.Body.Close()
		return nil, f.error(StageDownload, Unknown, &DownloadError{Err: fmt.Errorf("the response has status %d, which is no file", res.StatusCode)})
	}
	raw, text, err := middleware.ReadBody(res)
	if err != nil {
		return nil, f.error(StageSend, f.Outcome(), err)
	}
	return nil, f.explain(newAPIError(f.flight, newResponse(f.flight, res, raw, text), f.client.clock()))
}

// explain tells the meaning of rejections that links get.
func (f stream) explain(e *APIError) *APIError {
	switch {
	case !f.linked || e.Hint != "":
	case e.Status == http.StatusBadRequest && e.Code == wxcode.InvalidRequest:
		e.Hint = "a download link lives for half a minute: ask for a new one and download at once"
	case e.Status == http.StatusForbidden && e.Code == wxcode.NoAuth:
		e.Hint = "the link belongs to another merchant: download with the client that got it"
	}
	return e
}

// Failed makes the error of content that is no good.
func (f stream) Failed(failure *download.Failure) error {
	return f.error(StageDownload, Unknown, &DownloadError{Written: failure.Written, Err: failure.Err})
}

// Verified reports whether the response was signed.
func (f stream) Verified() bool { return f.Call.Verified }

// Attempts is how often the content may be requested.
func (f stream) Attempts() int { return f.client.attempts }
