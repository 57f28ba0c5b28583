package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Send sends an order to a running sandbox, and returns the status and the content of the response. variable names the
// environment variable of the address. No error contains the address, which may be secret.
func Send(ctx context.Context, variable, method, address string, body any) (status int, content []byte, err error) {
	var data []byte
	if body != nil {
		if data, err = json.Marshal(body); err != nil {
			return 0, nil, shell.Usage("%w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(data))
	if err != nil {
		return 0, nil, shell.Usage("%s, or the order: %w", variable, withoutURL(err))
	}
	if request.URL.Host == "" || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return 0, nil, shell.Usage("%s is not an address such as http://127.0.0.1:8080: paste the lines that wxpay sandbox prints", variable)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err == nil {
		defer response.Body.Close()
		content, err = io.ReadAll(response.Body)
	}
	var dial *net.OpError
	switch {
	case err == nil:
		return response.StatusCode, content, nil
	case errors.As(err, &dial) && dial.Op == "dial": // without a connection nothing was sent
		return 0, nil, &shell.ExitError{
			Code: shell.ExitNotSent,
			Err:  shell.Say("no sandbox listens at the address of %s: has it ended? (%w)", variable, dial),
		}
	}
	return 0, nil, &shell.ExitError{
		Code: shell.ExitUnknown,
		Err:  shell.Say("the sandbox did not respond, so it may have carried out the order: %w", withoutURL(err)),
	}
}

// withoutURL returns the error without its URL.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Complaint returns the message of a response to an order that the sandbox rejected. It is empty if the response has none.
func Complaint(content []byte) string {
	var c complaint
	if json.Unmarshal(content, &c) != nil {
		return ""
	}
	return shell.Printable(c.Message)
}
