package call

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// printRequest prints a signed request in the form that write gives it.
func printRequest(sh *shell.Shell, req *http.Request, write func(*bytes.Buffer, *http.Request, []byte) error) error {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
		}
	}
	var out bytes.Buffer
	if err := write(&out, req, body); err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	if _, err := sh.Stdout.Write(out.Bytes()); err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("the request could not be written")}
	}
	return nil
}

// writeMessage writes a request as on the wire, and the message that its signature covers.
func writeMessage(sh *shell.Shell, out *bytes.Buffer, req *http.Request, body []byte) error {
	target := req.URL.RequestURI()
	fmt.Fprintf(out, "%s %s HTTP/1.1\nHost: %s\n", req.Method, target, req.Host)
	header := req.Header.Clone()
	if req.Body != nil {
		header.Set("Content-Length", fmt.Sprint(req.ContentLength))
	}
	request.WriteHeader(out, header)
	out.WriteByte('\n')
	if req.Body != nil {
		out.Write(body)
		out.WriteString("\n\n")
	}
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	message := apiv3.AppendRequestMessage(nil, req.Method, target, a.Timestamp, a.Nonce, body)
	out.WriteString("# " + sh.Words("The signed message, %d bytes, with a line feed after each of its five lines:", len(message)) + "\n")
	out.Write(message)
	return nil
}

// writeCommand writes a request as a curl command for a POSIX shell, without its signature: with it anybody could send the
// request.
func writeCommand(out *bytes.Buffer, req *http.Request, body []byte) error {
	req = req.Clone(req.Context())
	if head, _, ok := strings.Cut(req.Header.Get("Authorization"), `signature="`); ok {
		req.Header.Set("Authorization", head+`signature="…"`)
	}
	return writeWholeCommand(out, req, body)
}

// writeWholeCommand writes a request as a curl command that can be sent.
func writeWholeCommand(out *bytes.Buffer, req *http.Request, body []byte) error {
	const next = " \\\n  "
	fmt.Fprintf(out, "curl -X %s %s", req.Method, quoted(req.URL.String()))
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			out.WriteString(next + "-H " + quoted(name+": "+value))
		}
	}
	if req.Body != nil {
		out.WriteString(next + "--data-binary " + quoted(string(body)))
	}
	out.WriteByte('\n')
	return nil
}

// quoted returns a text as one word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
