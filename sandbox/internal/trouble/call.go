// Package trouble does what faults say: it picks those that hit a call, and changes what the caller
// gets.
package trouble

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Bounds of the responses that are kept for other calls.
const (
	keptAnswers = 256                        // for fault.Crossed and fault.CrossedPath; the oldest give way
	keptFor     = apiv3.Window - time.Minute // so that it is not their signature that has grown too old
)

// given is a response that a caller gets in place of its own.
type Given struct {
	Status int
	Header http.Header
	Body   []byte

	// Whose it was, for those that were kept.
	merchant  string
	operation *fact.Operation
	print     fingerprint
	made      time.Time // of the wire
}

// Write writes the response.
func (g *Given) Write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, g.Header)
	if len(g.Body) > 0 {
		header["Content-Length"] = []string{strconv.Itoa(len(g.Body))}
	}
	w.WriteHeader(g.Status)
	if len(g.Body) > 0 {
		w.Write(g.Body)
	}
}

// fingerprint names a request by its method, target and body.
type fingerprint [16]byte

// Call is what faults know of a call, and how they change it.
type Call struct {
	Method, Target string
	Body           []byte
	Claimed        string          // the number in Authorization, whether or not it is proven
	Merchant       string          // whose call it claims to be; empty if the sandbox does not know them
	Operation      *fact.Operation // nil if there is none
	Language       say.Language
	Wired          time.Time // of the wire, when the request arrived

	Fault   fault.Rule  // what goes wrong; the zero value is nothing
	Instead *Given      // the response that the caller gets in place of its own; nil for none
	print   fingerprint // of this request, once it was asked for
	drawn   bool        // the next one is set
	before  uint32      // how often this very request came before
}

// fingerprint names the call's request. Only the one goroutine that answers the call may ask for
// it.
func (c *Call) fingerprint() fingerprint {
	if c.print == (fingerprint{}) {
		h := sha256.New()
		fmt.Fprintf(h, "%s %s\n", c.Method, c.Target)
		h.Write(c.Body)
		c.print = fingerprint(h.Sum(nil)[:len(c.print)])
	}
	return c.print
}
func (c *Call) status(usual int) int {
	if c.Fault.Status != 0 {
		return c.Fault.Status
	}
	return usual
}

// Denial is the response that the fault gives before or after the call takes effect; nil for none.
func (c *Call) Denial(after bool) *say.Rejection {
	answer := func(status int, code string, message say.Text) *say.Rejection {
		if c.Fault.Code != "" {
			code, message = c.Fault.Code, say.Both("业务错误", "the request was refused")
		}
		reason := "a fault answered in place of the platform, without effect"
		if after {
			reason = "a fault denied the effect, which is there"
		}
		return &say.Rejection{Status: c.status(status), Code: code, Message: message, Number: say.NumberUndocumented, After: c.retryAfter(), Reason: reason}
	}
	switch {
	case c.Fault.Kind == fault.Limited && !after, c.Fault.Kind == fault.LimitedAfter && after:
		return answer(http.StatusTooManyRequests, "FREQUENCY_LIMITED", say.Both("频率超限，请降低请求频率", "too many requests, send fewer"))
	case (c.Fault.Kind == fault.ServerError || c.Fault.Kind == fault.ErrorAs200) && !after, c.Fault.Kind == fault.ServerErrorAfter && after:
		system := say.SystemError("")
		return answer(system.Status, system.Code, system.Message)
	case c.Fault.Kind == fault.RefusedAfter && after:
		return answer(http.StatusForbidden, "NOT_ENOUGH", say.Both("账户余额不足", "the balance is too low"))
	}
	return nil
}

// retryAfter is the value of the header of that name, empty for none.
func (c *Call) retryAfter() string {
	if c.Fault.Delay > 0 {
		return strconv.FormatInt(int64((c.Fault.Delay+time.Second-1)/time.Second), 10)
	}
	return ""
}

// Layer is what a layer in front of the platform answers by itself.
func (c *Call) Layer() *Given {
	header := http.Header{"Server": {"nginx"}}
	switch c.Fault.Kind {
	case fault.SignError, fault.SignErrorAfter:
		rejected := say.SignError(say.Both("错误的签名，导致验签失败", "the signature is wrong"), "")
		if c.Fault.Code != "" {
			rejected.Code, rejected.Message = c.Fault.Code, say.Both("业务错误", "the request was refused")
		}
		header["Content-Type"] = []string{"application/json; charset=utf-8"}
		return &Given{Status: c.status(rejected.Status), Header: header, Body: rejected.Body(say.Style{Language: c.Language})}
	case fault.NoBody, fault.NoBodyAfter:
		return &Given{Status: c.status(http.StatusNotFound), Header: header}
	}
	status := c.status(http.StatusBadGateway)
	header["Content-Type"] = []string{"text/html"}
	return &Given{Status: status, Header: header, Body: fmt.Appendf(nil,
		"<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n"+
			"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, http.StatusText(status))}
}

// flipped is the status as the fault lets it through.
func (c *Call) flipped(status int) int {
	switch {
	case c.Fault.Kind == fault.ErrorAs200 && status >= http.StatusBadRequest:
		return http.StatusOK
	case c.Fault.Kind == fault.SuccessAs403 && status < http.StatusMultipleChoices:
		return c.status(http.StatusForbidden)
	}
	return status
}

// Send writes the response as the fault lets it through. A size of -1 is not known.
func (c *Call) Send(ctx context.Context, w http.ResponseWriter, status int, body io.Reader, size int64) {
	kind := c.Fault.Kind
	switch kind {
	case fault.BadGatewayAfter, fault.SignErrorAfter, fault.NoBodyAfter:
		c.Instead = c.Layer()
	}
	if c.Instead != nil {
		clear(w.Header())
		c.Instead.Write(w)
		return
	}
	if kind == fault.ResetAfter || kind == fault.Late || kind == fault.Truncate && size == 0 {
		Drop(w, fault.ResetAfter)
		return
	}
	status = c.flipped(status)
	body, size, half := damaged(kind, body, size)
	if size > 0 {
		w.Header()["Content-Length"] = []string{strconv.FormatInt(size, 10)}
	}
	w.WriteHeader(status)
	r, inProcess := w.(*inprocess.Recorder)
	var paced *slowBody
	if kind == fault.SlowBody && size != 0 {
		piece := (2*half + slowPieces - 1) / slowPieces
		if size > 0 {
			piece = (size + slowPieces - 1) / slowPieces
		}
		paced = &slowBody{
			ctx: ctx, body: body, size: piece, left: piece, rest: size, every: c.Fault.Delay, closed: make(chan struct{}),
		}
		body = paced
	}
	switch {
	case inProcess && kind == fault.Truncate:
		r.Stream(&cutBody{io.LimitReader(body, half)}, size)
	case inProcess:
		r.Stream(body, size)
	case kind == fault.Truncate:
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
