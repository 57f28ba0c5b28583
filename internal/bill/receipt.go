package bill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

const (
	receiptPause     = time.Second // after the first question; it doubles
	receiptPauseMost = 30 * time.Second
)

// Receipt asks for a receipt until it is made, and brings it to dst.
func Receipt(ctx context.Context, c Client, dst download.Destination, plan *download.Plan) (*download.Result, error) {
	for n := 1; ; n++ {
		receipt, err := made(ctx, c, plan)
		if err != nil {
			return nil, err
		}
		got, err := fetch(ctx, c, receipt, dst, plan)
		if err == nil || !expired(c, err) || n >= maxApplications || !dst.Rewind() {
			return got, err
		}
	}
}

// made asks until there is a link.
func made(ctx context.Context, c Client, plan *download.Plan) (*file, error) {
	wait := &waiting{c, plan, time.Now(), receiptPause, receiptPauseMost}
	for {
		res, err := c.Apply(ctx)
		if err != nil {
			return nil, err
		}
		text := func(path string) string { text, _ := res.Text(path); return text }
		receipt := &file{URL: text("download_url"), HashType: text("hash_type"), HashValue: text("hash_value")}
		state := res.receiptState()
		switch {
		case state == fact.ReceiptFailed:
			reason := redact.OneLine(text("fail_reason"))
			err = fmt.Errorf("the platform could not make the receipt (%s): apply for it again", reason)
		case receipt.URL != "":
			_, err = plan.Algorithms.New(receipt.digest())
		case state == "":
			err = errors.New("the response has neither a state nor a download_url: the chain is not the query of a receipt")
		default:
			switch again, err := wait.next(ctx); {
			case err != nil:
				return nil, err
			case again:
				continue
			case cancelled(ctx):
				return nil, c.Failed(Send, fault.Cause(ctx))
			}
			return nil, &notReady{"the receipt is still being made (" + redact.OneLine(state) + ")", fault.Cause(ctx)}
		}
		if err != nil {
			return nil, c.Failed(Decode, err)
		}
		return receipt, nil
	}
}

// receiptState returns the state under the names that the platform has for it.
func (r *Response) receiptState() string {
	for _, name := range fact.ReceiptStates() {
		if state, there := r.Text(name); there {
			return state
		}
	}
	return ""
}
