// Package wait waits and reads until a context ends.
package wait

import (
	"context"
	"io"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// For waits for d. It reports false if ctx ended.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Reader reads from r until ctx ends.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fault.Cause(r.ctx)
	}
	return r.r.Read(p)
}
