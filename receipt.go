package wxpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

const (
	receiptPause     = time.Second // after the first question, and twice as long after each further one
	receiptPauseMost = 30 * time.Second
)

// Receipt gets an electronic receipt, such as that of a transfer: it asks with a GET until the platform has made it,
// downloads it to w, and checks it against the digest that the answer names. Apply for the receipt before:
//
//	_, err := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no").Post(ctx, wxpay.JSON{"out_bill_no": number})
//	_, err = client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", number).
//		Receipt(ctx, wxpay.ToFile(number+".pdf"))
//
// The chain is any query that answers with a download_url when the receipt is there. It is asked after one second and then more
// rarely, up to every half minute, until ctx ends or [WaitAtMost]; [ErrNotReady] says that there was no time left to ask
// again. Where the platform says FAILED, apply again. Some receipts have an SM3 digest; see [DigestAlgorithm].
// Everything else is as for [Client.Fetch]; a link that got too old is asked for again, a few times at most.
func (c Chain) Receipt(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	f, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	d, err := newDownload(options)
	var dst destination
	if err == nil {
		dst, err = newDestination(w)
	}
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	defer dst.abandon()
	for n := 1; ; n++ {
		part, err := f.finished(ctx, d)
		if err != nil {
			return nil, err
		}
		link, err := c.client.link(ctx, part.URL)
		if err != nil {
			return nil, err
		}
		got, err := link.fetch(ctx, dst, d.expecting(part.digest()))
		if err == nil {
			err = link.commit(dst)
		}
		switch {
		case err == nil:
			return got, nil
		case !expired(err) || n >= maxApplications || !dst.rewind():
			return nil, err
		}
	}
}

// finished asks until there is a link.
func (f *flight) finished(ctx context.Context, d *download) (*billPart, error) {
	began := time.Now()
	for pause := receiptPause; ; pause = min(2*pause, receiptPauseMost) {
		res, err := f.send(ctx)
		if err != nil {
			return nil, err
		}
		part := &billPart{
			URL: res.Get("download_url").String(), HashType: res.Get("hash_type").String(), HashValue: res.Get("hash_value").String(),
		}
		state := res.receiptState()
		switch {
		case state == fact.ReceiptFailed:
			err = fmt.Errorf("the platform could not make the receipt (%s): apply for it again", redact.OneLine(res.Get("fail_reason").String()))
		case part.URL != "":
			_, err = d.hash(part.digest())
		case state == "":
			err = errors.New("the answer has neither a state nor a download_url: the chain is not the query of a receipt")
		case !d.wait(ctx, pause, began):
			if cancelled(ctx) {
				return nil, f.error(StageSend, f.Outcome(), fault.Cause(ctx))
			}
			return nil, &notReadyError{text: "the receipt is still being made (" + redact.OneLine(state) + ")", err: fault.Cause(ctx)}
		default:
			continue
		}
		if err != nil {
			return nil, res.flight.error(StageDecode, Unknown, err)
		}
		return part, nil
	}
}

// receiptState returns the state under the names that the platform has for it.
func (r *Response) receiptState() string {
	for _, name := range fact.ReceiptStates() {
		if state := r.Get(name); state.Exists() {
			return state.String()
		}
	}
	return ""
}
