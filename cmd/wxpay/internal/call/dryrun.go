package call

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// printRequest prints a signed request as on the wire, and the message that its signature covers.
func printRequest(sh *shell.Shell, req *http.Request) error {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
		}
	}
	target := req.URL.RequestURI()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\nHost: %s\n", req.Method, target, req.Host)
	header := req.Header.Clone()
	if req.Body != nil {
		header.Set("Content-Length", fmt.Sprint(req.ContentLength))
	}
	request.WriteHeader(&out, header)
	out.WriteByte('\n')
	if req.Body != nil {
		out.Write(body)
		out.WriteString("\n\n")
	}
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	message := apiv3.AppendRequestMessage(nil, req.Method, target, a.Timestamp, a.Nonce, body)
	fmt.Fprintf(&out, "# The signed message, %d bytes, with a line feed after each of its five lines:\n", len(message))
	out.Write(message)
	if _, err := sh.Stdout.Write(out.Bytes()); err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: errors.New("the request could not be written")}
	}
	return nil
}
