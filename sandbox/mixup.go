package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// Bounds of the answers that are kept for other calls.
const (
	keptAnswers = 256                        // for Crossed and CrossedPath; the oldest give way
	keptFor     = apiv3.Window - time.Minute // so that it is not their signature that has grown too old
)

// given is an answer that a caller gets in place of its own.
type given struct {
	status int
	header http.Header
	body   []byte

	// Whose it was, for those that were kept.
	merchant  string
	operation *operation
	print     fingerprint
	made      time.Time // of the wire
}

func (g *given) write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, g.header)
	if len(g.body) > 0 {
		header["Content-Length"] = []string{strconv.Itoa(len(g.body))}
	}
	w.WriteHeader(g.status)
	if len(g.body) > 0 {
		w.Write(g.body)
	}
}

// layer is what a layer in front of the platform answers by itself.
func (c *call) layer() *given {
	header := http.Header{"Server": {"nginx"}}
	switch c.fault.Kind {
	case SignError, SignErrorAfter:
		refused := signError(text{"错误的签名，导致验签失败", "the signature is wrong"}, "")
		if c.fault.Code != "" {
			refused.code, refused.message = c.fault.Code, text{"业务错误", "the request was refused"}
		}
		header["Content-Type"] = []string{"application/json; charset=utf-8"}
		return &given{status: c.fault.status(refused.status), header: header, body: marshal(refused.body(c.language))}
	case NoBody, NoBodyAfter:
		return &given{status: c.fault.status(http.StatusNotFound), header: header}
	}
	status := c.fault.status(http.StatusBadGateway)
	header["Content-Type"] = []string{"text/html"}
	return &given{status: status, header: header, body: fmt.Appendf(nil,
		"<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n"+
			"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, http.StatusText(status))}
}

// flipped is the status as the fault lets it through.
func (f Fault) flipped(status int) int {
	switch {
	case f.Kind == ErrorAs200 && status >= http.StatusBadRequest:
		return http.StatusOK
	case f.Kind == SuccessAs403 && status < http.StatusMultipleChoices:
		return f.status(http.StatusForbidden)
	}
	return status
}

// kept are signed answers that a proxy may deliver to the wrong request. faults.mu guards them.
type kept struct {
	wanted bool // there is, or was, a rule that needs them
	recent []*given
	cached map[string]*given // by merchant, method and target
	late   []*given
}

// keep keeps the call's own answer where another call may get it.
func (f *faults) keep(c *call, status int, header http.Header, body []byte) {
	late := c.fault.Kind == Late && c.instead == nil
	f.mu.Lock()
	defer f.mu.Unlock()
	k := &f.kept
	if !k.wanted && !late {
		return
	}
	own := &given{
		status: status, header: header.Clone(), body: body,
		merchant: c.merchantID, operation: c.operation, print: c.fingerprint(), made: c.wired,
	}
	if late {
		k.late = append(k.late, own)
	}
	if traits := faultKinds[c.fault.Kind]; !k.wanted || !c.verified || traits.call && traits.notification { // the last spoil the signature
		return
	}
	if len(k.recent) == keptAnswers {
		k.recent = slices.Delete(k.recent, 0, 1)
	}
	k.recent = append(k.recent, own)
	if k.cached == nil {
		k.cached = make(map[string]*given)
	}
	if key := c.cacheKey(); !k.cached[key].fresh(c) {
		k.cached[key] = own
	}
}

func (c *call) cacheKey() string { return c.merchantID + " " + c.request.Method + " " + c.target }

// fresh reports whether the call's caller would still accept the signature.
func (g *given) fresh(c *call) bool { return g != nil && c.wired.Sub(g.made) <= keptFor }

// find returns the answer that the kind delivers to the call; nil for none.
func (k *kept) find(kind FaultKind, c *call) *given {
	if kind == Cached {
		if found := k.cached[c.cacheKey()]; found.fresh(c) {
			return found
		}
		return nil
	}
	for _, other := range slices.Backward(k.recent) {
		same := other.operation == c.route.operation
		if other.merchant == c.merchantID && other.print != c.fingerprint() && same == (kind == Crossed) && other.fresh(c) {
			return other
		}
	}
	return nil
}

// takeLate gives the call the answer that has been late for the longest, if there is one.
func (f *faults) takeLate(c *call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, late := range f.kept.late {
		if late.merchant == c.merchantID {
			f.kept.late = slices.Delete(f.kept.late, i, i+1)
			c.instead = late
			return true
		}
	}
	return false
}
