package trouble

import (
	"context"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
)

// connectionError is the error that a network would give.
type connectionError struct {
	error
	number syscall.Errno
}

func (e connectionError) Unwrap() []error { return []error{e.error, e.number} }

func connectionErrorOf(kind fault.Kind) error {
	if kind == fault.Refuse {
		return &net.OpError{Op: "dial", Net: "tcp", Err: connectionError{fault.ErrRefused, syscall.ECONNREFUSED}}
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: connectionError{fault.ErrReset, syscall.ECONNRESET}}
}

// Wait pauses for d, or until the context ends.
func Wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Drop ends the connection without a response.
func Drop(w http.ResponseWriter, kind fault.Kind) {
	if r, ok := w.(*inprocess.Recorder); ok {
		r.Fail(connectionErrorOf(kind))
		return
	}
	hangUp(w, true)
}

// hangUp closes the connection behind what was written; a reset discards what is still on its way.
func hangUp(w http.ResponseWriter, reset bool) {
	control := http.NewResponseController(w)
	if !reset {
		control.Flush()
	}
	connection, _, err := control.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or a recorder of a test: net/http ends the stream
	}
	if tcp, ok := connection.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0) // close with RST
	}
	connection.Close()
}
