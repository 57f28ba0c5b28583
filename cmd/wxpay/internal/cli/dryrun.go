package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/apiv3"
)

// printRequest prints a signed request as it would go over the wire, and the message that its signature covers.
func (p *program) printRequest(req *http.Request) error {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return &exitError{exitNotSent, err}
		}
	}
	target := req.URL.RequestURI()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\nHost: %s\n", req.Method, target, req.Host)
	header := req.Header.Clone()
	if req.Body != nil {
		header.Set("Content-Length", fmt.Sprint(req.ContentLength))
	}
	writeHeader(&out, header)
	out.WriteByte('\n')
	if req.Body != nil {
		out.Write(body)
		out.WriteString("\n\n")
	}
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return &exitError{exitNotSent, err}
	}
	message := apiv3.AppendRequestMessage(nil, req.Method, target, a.Timestamp, a.Nonce, body)
	fmt.Fprintf(&out, "# The message that was signed, %d bytes, a line feed after each of its five lines:\n", len(message))
	out.Write(message)
	if _, err := p.stdout.Write(out.Bytes()); err != nil {
		return &exitError{exitNotSent, errors.New("the request could not be written")}
	}
	return nil
}
