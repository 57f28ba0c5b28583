package upload

import (
	"context"
	"io"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// leaving reads until ctx ends. A read that is stuck by then is left behind, and closes its source
// when it returns.
type leaving struct {
	ctx    context.Context
	source io.ReadCloser
	chunk  [32 << 10]byte // not the caller's, who may use that again
	read   chan left      // of the read that is under way, nil if none is
}

type left struct {
	n   int
	err error
}

func (l *leaving) Read(p []byte) (int, error) {
	if l.read == nil {
		read := make(chan left, 1)
		l.read = read
		go func(chunk []byte) {
			got := left{err: fault.ErrExited}
			defer func() { read <- got }() // also when a reader of the user's ends the goroutine
			got.n, got.err = l.source.Read(chunk)
		}(l.chunk[:min(len(p), len(l.chunk))])
	}
	select {
	case got := <-l.read:
		l.read = nil
		return copy(p, l.chunk[:got.n]), got.err
	case <-l.ctx.Done():
		return 0, fault.Cause(l.ctx)
	}
}

func (l *leaving) Close() error {
	if l.read == nil {
		return l.source.Close()
	}
	go func() {
		<-l.read
		_ = l.source.Close()
	}()
	return nil
}
