package call

import (
	"context"
	"maps"
	"net/http"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

// Request makes the HTTP request of c, complete except for the signature.
func (c *Call) Request(ctx context.Context) *http.Request {
	usual := &c.line.Headers
	base := http.Request{
		Method: c.Method, URL: &c.URL, Host: c.URL.Host, Header: maps.Clone(usual.all), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req := base.WithContext(middleware.WithCall(ctx, &c.Call))

	serial := c.serial
	if serial == "" {
		serial = c.line.Keys.Serial()
	}
	key := c.key[:]
	if c.Attempts > 0 { // an earlier attempt may still read its own
		key = make([]string, 1)
	}
	key[0] = serial
	if c.Stream {
		req.Header["Accept"] = acceptAll
	}
	if c.Body != nil {
		req.Header["Content-Type"] = usual.content
	}
	if serial != "" {
		req.Header[apiv3.HeaderSerial] = key
	}
	for i := len(c.header) - 1; i >= 0; i-- { // oldest first, so that the newest of a name wins
		req.Header[c.header[i].Name] = []string{c.header[i].Value}
	}
	switch {
	case c.file != nil:
		c.file.Attach(&c.Call, req, c.Body)
	case c.Body != nil:
		c.SetBody(req, c.Body, c.Body)
	}
	return req
}

// Signed returns the signed request of c without sending it.
func (c *Call) Signed(ctx context.Context) (*http.Request, error) {
	if err := c.line.Keys.Ready(ctx); err != nil {
		return nil, c.Failed(StageKeys, middleware.NotSent, err)
	}
	req := c.Request(ctx)
	if err := c.line.Signer.Sign(req); err != nil {
		return nil, c.Failed(StageSign, middleware.NotSent, err)
	}
	return req, nil
}

// setQuery writes the query.
func (c *Call) setQuery(query []target.Param) {
	var space [128]byte
	c.URL.RawQuery = string(target.AppendQuery(space[:0], query))
}
