package demo

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// call is one call in one style.
type call struct {
	Style        string       `json:"style"`
	Async        bool         `json:"async"`
	Go           string       `json:"go"`
	Milliseconds float64      `json:"duration_ms"`
	OK           bool         `json:"ok"` // every check held
	Request      *sentRequest `json:"request,omitempty"`
	Response     *response    `json:"answer,omitempty"`
	Error        string       `json:"error,omitempty"`

	res     *wxpay.Response
	arrived []sandbox.Entry // requests at the sandbox
	caller  apiv3.Authorization
}

// sentRequest is the request as it arrived at the sandbox.
type sentRequest struct {
	Method        string `json:"method"`
	Target        string `json:"target"`
	Authorization string `json:"authorization"` // the signature shortened
	Serial        string `json:"wechatpay_serial"`
	Body          string `json:"body"` // byte for byte
}

// response is the verified response.
type response struct {
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	Serial    string `json:"wechatpay_serial"`
	Verified  bool   `json:"verified"`
	Body      string `json:"body"` // byte for byte
}

// makeCall makes the call in one style, and collects the evidence of both ends.
func makeCall(ctx context.Context, s style, client *wxpay.Client, server *sandbox.Server, feed wxpay.JSON) *call {
	c := &call{Style: s.name, Async: s.async, Go: s.source}
	before, begin := len(server.Journal.All()), time.Now()
	res, err := s.call(ctx, client, feed)
	c.Milliseconds = milliseconds(time.Since(begin))
	c.arrived = server.Journal.All()[before:]
	if len(c.arrived) > 0 {
		e := c.arrived[0]
		c.Request = &sentRequest{Method: e.Method, Target: e.Target, Serial: e.Header.Get(apiv3.HeaderSerial),
			Body: string(e.Body)}
		if caller, err := apiv3.ParseAuthorization(e.Header.Get("Authorization")); err == nil {
			c.caller = caller
			c.Request.Authorization = shortened(caller)
		}
	}
	if err != nil {
		c.Error = err.Error()
		return c
	}
	c.res = res
	c.Response = &response{
		Status: res.Status, RequestID: res.RequestID, Serial: res.Header.Get(apiv3.HeaderSerial), Verified: res.Verified,
		Body: string(res.Raw()),
	}
	return c
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// shortened returns an Authorization header with the two ends of the signature only.
func shortened(a apiv3.Authorization) string {
	const head, tail = 12, 4
	if len(a.Signature) > head+tail {
		a.Signature = a.Signature[:head] + "…" + a.Signature[len(a.Signature)-tail:]
	}
	return string(a.AppendTo(nil))
}

func (c *call) label() error {
	if c.Async {
		return shell.Say("%s, async", shell.Marked(c.Style))
	}
	return shell.Marked(c.Style)
}
