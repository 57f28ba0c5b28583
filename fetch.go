package wxpay

import (
	"context"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/download"
)

// Download writes the response to a GET of this chain to w. Files and images carry no signature,
// overseas statements are signed through a digest in the header, and any other response is verified
// as usual. Gzip content is expanded. Memory holds no more than a buffer, whatever the size. For a
// download_url use [Client.Fetch], and for a whole bill [Chain.Bill].
//
// w is [ToFile], or any writer. A plain writer gets the bytes while they arrive, so an error may
// come only at the end: a [*CallError] with a [*DownloadError] inside, which counts the bytes
// already written. (A statement's signature is verified before its first byte, its content by its
// last.)
//
// An interrupted download starts again, as often as [WithAttempts] allows, while no byte has gone
// to a plain writer; the platform cannot resume. It has no total time limit, but ends when it
// stalls; see [WithTimeout].
func (c Chain) Download(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	prepared, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	prepared.Stream = true
	return stream{prepared}.download(ctx, w, options)
}

// Fetch downloads from a given address, such as a download_url of a response: path and query
// travel, and are signed, unchanged. The address must name a host of this client's gateway (or
// another of the platform's hosts, if the gateway is the platform): a request signed for one is not
// sent elsewhere. A link to the platform goes through the gateway of [WithBaseURL]. Links live for
// half a minute, so fetch at once, with the client that got the link.
//
// The documented links lead to unsigned content ([middleware.UnsignedResponses]). [Digest] checks
// it against the digest beside the link:
//
//	got, err := client.Fetch(ctx, url, wxpay.ToFile("receipt.pdf"), wxpay.Digest("SHA256", hex))
//
// A response from any other path must be signed, unless a Digest checks it.
//
// Everything else is as in [Chain.Download]. [Chain.Bill] and [Chain.Receipt] also get the link.
func (c *Client) Fetch(ctx context.Context, address string, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	linked, err := c.line.Link(ctx, address)
	if err != nil {
		return nil, err
	}
	return stream{linked}.download(ctx, w, options)
}

// stream is a call whose response is content; see [download.Call].
type stream struct{ call *call.Call }

var _ download.Call = stream{}

// download is the whole of a download to w.
func (s stream) download(ctx context.Context, w io.Writer, options []DownloadOption) (*DownloadResult, error) {
	plan, err := newDownloadPlan(options)
	if err != nil {
		return nil, s.call.Failed(call.StageBuild, NotSent, err)
	}
	s.call.Vouched = s.call.Linked && plan.Want != download.Digest{}
	return s.deliver(w, func(dst download.Destination) (*download.Result, error) {
		return download.Fetch(ctx, s, dst, plan)
	})
}

// deliver makes a destination of w, and makes it final when get succeeds.
func (s stream) deliver(w io.Writer, get func(download.Destination) (*download.Result, error)) (*DownloadResult, error) {
	dst, err := newDestination(w)
	if err != nil {
		return nil, s.call.Failed(call.StageBuild, NotSent, err)
	}
	defer dst.Abandon()
	got, err := get(dst)
	if err != nil {
		return nil, err
	}
	if err := dst.Commit(); err != nil {
		return nil, s.Failed(download.Unwritable(err))
	}
	return (*DownloadResult)(got), nil
}

// Open sends the call and returns the response once its header has arrived.
func (s stream) Open(ctx context.Context) (res *http.Response, end func(), err error) {
	return s.call.Open(ctx)
}

// Failed makes the error of failed content.
func (s stream) Failed(failure *download.Failure) error {
	return s.call.Failed(call.StageDownload, Unknown, failure)
}

// Verified reports whether the response was signed.
func (s stream) Verified() bool { return s.call.Verified }

// Attempts is the most requests for the content.
func (s stream) Attempts() int { return s.call.Line().Attempts }
