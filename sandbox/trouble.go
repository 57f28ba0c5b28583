package sandbox

import (
	"bytes"
	"context"
	"errors"
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
		c.now, c.wired = c.clock(), c.wire() // the platform sees the request now
	case Refuse, ResetBefore:
		c.record(hexText(32), 0, nil, nil, "a fault ended the connection before the request was looked at")
		drop(w, c.fault.Kind)
		return true
	case BadGateway, SignError, NoBody:
		c.instead = c.layer()
		c.record(hexText(32), c.instead.status, c.instead.header, c.instead.body, "a fault answered in place of the platform")
		c.instead.write(w)
		return true
	case Cached:
		c.record(hexText(32), c.instead.status, c.instead.header, c.instead.body, "a fault answered with an earlier answer, the request did not reach the platform")
		c.instead.write(w)
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
	case (f.Kind == ServerError || f.Kind == ErrorAs200) && !after, f.Kind == ServerErrorAfter && after:
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

// unknownHalf stands for half of a body whose length is not known and beyond twice as much.
const unknownHalf = 32 << 10

// damaged returns the body as the kind changes it, its length, and where half of it is. A length of -1 is not known.
func (k FaultKind) damaged(body io.Reader, size int64) (io.Reader, int64, int64) {
	switch k {
	case Truncate, SlowBody, FlipByte, ShortFile:
	default:
		return body, size, 0
	}
	if size < 0 { // a short one is read to its end, for a fault that comes behind the end would be none
		var head bytes.Buffer
		if n, _ := io.CopyN(&head, body, 2*unknownHalf); n < 2*unknownHalf {
			body, size = &head, n
		} else {
			body = io.MultiReader(&head, body)
		}
	}
	half := int64(unknownHalf)
	if size >= 0 {
		half = size / 2
	}
	switch k {
	case FlipByte:
		body = &flipBody{body: body, at: half}
	case ShortFile:
		body, size = io.LimitReader(body, half), half
	}
	return body, size, half
}

// send writes the answer as the fault lets it through. A size of -1 is not known.
func (c *call) send(w http.ResponseWriter, status int, body io.Reader, size int64) {
	kind := c.fault.Kind
	switch kind {
	case BadGatewayAfter, SignErrorAfter, NoBodyAfter:
		c.instead = c.layer()
	}
	if c.instead != nil {
		clear(w.Header())
		c.instead.write(w)
		return
	}
	if kind == ResetAfter || kind == Late || kind == Truncate && size == 0 {
		drop(w, ResetAfter)
		return
	}
	status = c.fault.flipped(status)
	body, size, half := kind.damaged(body, size)
	if size > 0 {
		w.Header()["Content-Length"] = []string{strconv.FormatInt(size, 10)}
	}
	w.WriteHeader(status)
	r, inProcess := w.(*recorder)
	var paced *slowBody
	if kind == SlowBody && size != 0 {
		piece := (2*half + slowPieces - 1) / slowPieces
		if size > 0 {
			piece = (size + slowPieces - 1) / slowPieces
		}
		paced = &slowBody{
			ctx: c.request.Context(), body: body, size: piece, left: piece, rest: size, every: c.fault.Delay, closed: make(chan struct{}),
		}
		body = paced
	}
	switch {
	case inProcess && kind == Truncate:
		r.stream, r.size = &cutBody{io.LimitReader(body, half)}, size
	case inProcess:
		r.stream, r.size, r.paced = body, size, paced
	case kind == Truncate:
		io.Copy(w, io.LimitReader(body, half))
		hangUp(w, false)
	case paced != nil:
		control, piece := http.NewResponseController(w), make([]byte, min(paced.size, unknownHalf))
		for {
			n, err := paced.Read(piece)
			w.Write(piece[:n])
			if err != nil {
				return
			}
			control.Flush()
		}
	case size != 0:
		io.Copy(w, body)
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

// slowBody is a body that comes in pieces.
type slowBody struct {
	ctx    context.Context // of the one who reads
	body   io.Reader
	size   int64 // of a piece
	left   int64 // of the piece that has come
	rest   int64 // of the whole; negative if not known
	every  time.Duration
	once   sync.Once
	closed chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.rest == 0 {
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
	n, err := b.body.Read(p[:min(b.left, int64(len(p)))])
	b.left, b.rest = b.left-int64(n), b.rest-int64(n)
	return n, err
}

func (b *slowBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// cutBody ends before the length that the answer announced.
type cutBody struct{ rest io.Reader }

func (b *cutBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// flipBody has one byte that is not as it was.
type flipBody struct {
	body io.Reader
	at   int64 // bytes until that one; negative behind it
}

func (b *flipBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.at >= 0 && b.at < int64(n) {
		p[b.at] ^= 1
	}
	b.at -= int64(n)
	return n, err
}
