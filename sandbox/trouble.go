package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// Errors of [Sandbox.Transport] where a fault ends the connection. They come inside a net.OpError, and are
// syscall.ECONNREFUSED and syscall.ECONNRESET, as a network's are.
var (
	ErrRefused = errors.New("sandbox: the connection was refused by a fault")
	ErrReset   = errors.New("sandbox: the connection was reset by a fault")
)

// connectionError is the error that a network would give.
type connectionError struct {
	error
	number syscall.Errno
}

func (e connectionError) Unwrap() []error { return []error{e.error, e.number} }

func connectionErrorOf(kind FaultKind) error {
	if kind == Refuse {
		return &net.OpError{Op: "dial", Net: "tcp", Err: connectionError{ErrRefused, syscall.ECONNREFUSED}}
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: connectionError{ErrReset, syscall.ECONNRESET}}
}

// wait pauses for d, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// trouble does what the call's fault does before the platform looks at the request. It reports whether that was all.
func (c *call) trouble(w http.ResponseWriter) (done bool) {
	switch c.fault.Kind {
	case Delay:
		wait(c.request.Context(), c.fault.Delay)
		c.now = c.clock() // the platform sees the request now
	case Refuse, ResetBefore:
		c.record(hexText(32), 0, nil, nil, "a fault ended the connection before the request was looked at")
		drop(w, c.fault.Kind)
		return true
	case BadGateway:
		status := c.fault.status(http.StatusBadGateway)
		page := fmt.Appendf(nil, "<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n"+
			"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, http.StatusText(status))
		header := w.Header()
		header["Server"] = []string{"nginx"}
		header["Content-Type"] = []string{"text/html"}
		c.record(hexText(32), status, header, page, "a fault answered in place of the platform")
		w.WriteHeader(status)
		w.Write(page)
		return true
	}
	return false
}

func (f Fault) status(usual int) int {
	if f.Status != 0 {
		return f.Status
	}
	return usual
}

// denial is the answer that the fault gives before or after the call takes effect; nil for none.
func (f Fault) denial(after bool) *refusal {
	answer := func(status int, code string, message text) *refusal {
		if f.Code != "" {
			code, message = f.Code, text{"业务错误", "the request was refused"}
		}
		reason := "a fault answered in place of the platform, without effect"
		if after {
			reason = "a fault denied the effect, which is there"
		}
		return &refusal{status: f.status(status), code: code, message: message, number: numberUndocumented, after: f.retryAfter(), reason: reason}
	}
	switch {
	case f.Kind == Limited && !after, f.Kind == LimitedAfter && after:
		return answer(http.StatusTooManyRequests, "FREQUENCY_LIMITED", text{"频率超限，请降低请求频率", "too many requests, send fewer"})
	case f.Kind == ServerError && !after, f.Kind == ServerErrorAfter && after:
		return answer(http.StatusInternalServerError, "SYSTEM_ERROR", text{"系统异常，请稍后重试", "system error, try again later"})
	case f.Kind == RefusedAfter && after:
		return answer(http.StatusForbidden, "NOT_ENOUGH", text{"账户余额不足", "the balance is too low"})
	}
	return nil
}

// retryAfter is the value of the header of that name, empty for none.
func (f Fault) retryAfter() string {
	if f.Delay > 0 {
		return strconv.FormatInt(int64((f.Delay+time.Second-1)/time.Second), 10)
	}
	return ""
}

// signedAt is the time that a signature tells.
func (k FaultKind) signedAt(now time.Time) time.Time {
	if k == StaleTimestamp {
		return now.Add(-apiv3.Window - time.Minute)
	}
	return now
}

// spoil changes the headers of a signature as the kind wants it.
func (k FaultKind) spoil(header http.Header) {
	signature := header[apiv3.HeaderSignature]
	if len(signature) != 1 {
		return // not signed
	}
	switch k {
	case WrongSignature:
		first := "A"
		if strings.HasPrefix(signature[0], first) {
			first = "B"
		}
		header[apiv3.HeaderSignature] = []string{first + signature[0][1:]}
	case UnknownSerial:
		header[apiv3.HeaderSerial] = []string{"7F" + hexText(38)} // no key of a sandbox begins so
	case Probe:
		header[apiv3.HeaderSignature] = []string{"WECHATPAY/SIGNTEST/" + signature[0]}
	}
}

// slowPieces is the number of pieces of a slow body.
const slowPieces = 10

// send writes the answer as the fault lets it through.
func (c *call) send(w http.ResponseWriter, status int, body []byte) {
	r, inProcess := w.(*recorder)
	switch kind := c.fault.Kind; {
	case kind == ResetAfter, kind == Truncate && len(body) == 0:
		drop(w, ResetAfter)
	case kind == Truncate && inProcess:
		w.WriteHeader(status)
		w.Write(body)
		r.cut = true
	case kind == Truncate:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write(body[:len(body)/2])
		hangUp(w, false)
	case kind == SlowBody && inProcess:
		w.WriteHeader(status)
		w.Write(body)
		r.every = c.fault.Delay
	case kind == SlowBody && len(body) > 0:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		control := http.NewResponseController(w)
		size := (len(body) + slowPieces - 1) / slowPieces
		for len(body) > 0 && c.request.Context().Err() == nil {
			n := min(size, len(body))
			w.Write(body[:n])
			control.Flush()
			if body = body[n:]; len(body) > 0 {
				wait(c.request.Context(), c.fault.Delay)
			}
		}
	default:
		w.WriteHeader(status)
		if body != nil {
			w.Write(body)
		}
	}
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter, kind FaultKind) {
	if r, ok := w.(*recorder); ok {
		r.failed = connectionErrorOf(kind)
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

// slowBody is the body of an answer in process that comes in pieces.
type slowBody struct {
	ctx    context.Context // of the client's request
	rest   []byte
	size   int // of a piece
	left   int // of the piece that has come
	every  time.Duration
	once   sync.Once
	closed chan struct{}
}

func newSlowBody(ctx context.Context, body []byte, every time.Duration) *slowBody {
	size := (len(body) + slowPieces - 1) / slowPieces
	return &slowBody{ctx: ctx, rest: body, size: size, left: size, every: every, closed: make(chan struct{})}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	if b.left == 0 {
		timer := time.NewTimer(b.every)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		case <-b.closed:
			return 0, http.ErrBodyReadAfterClose
		}
		b.left = b.size
	}
	n := copy(p, b.rest[:min(b.left, len(b.rest))])
	b.rest, b.left = b.rest[n:], b.left-n
	return n, nil
}

func (b *slowBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// cutBody ends before the length that the answer announced.
type cutBody struct{ rest []byte }

func (b *cutBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *cutBody) Close() error { return nil }
