package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

const exitCodeHelp = `WXPAY_BASE_URL names the sandbox.

Exit codes:
  0  it is done
  1  the sandbox rejected the order, and nothing changed
  2  wrong usage
  3  the outcome is unknown: the sandbox did not respond
  4  no sandbox listens there`

// printOrder gives an order and prints the response.
func printOrder(ctx context.Context, sh *shell.Shell, method, order string, body any) error {
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	result, err := giveOrder(ctx, sh, method, order, body)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(result), "", "  "); err != nil {
		return &shell.ExitError{Code: shell.ExitUnknown, Err: err}
	}
	return sh.Write([]byte(shell.Printable(out.String()) + "\n"))
}

// giveOrder gives an order to the sandbox that WXPAY_BASE_URL names, and returns the response.
func giveOrder(ctx context.Context, sh *shell.Shell, method, order string, body any) (json.RawMessage, error) {
	base := sh.Getenv("WXPAY_BASE_URL")
	if base == "" {
		return nil, shell.Usage("WXPAY_BASE_URL is not set: paste the lines that wxpay sandbox prints into this shell")
	}
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, shell.Usage("%w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+sandbox.ControlPath+order,
		bytes.NewReader(content))
	if err != nil {
		return nil, shell.Usage("WXPAY_BASE_URL, or the order: %w", withoutURL(err))
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if request.URL.Host == "" || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return nil, shell.Usage("WXPAY_BASE_URL is not an address such as http://127.0.0.1:8080: paste the lines that " +
			"wxpay sandbox prints")
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return nil, unanswered(err)
	}
	defer response.Body.Close()
	result, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, unanswered(err)
	}
	var trouble struct {
		Message string `json:"message"`
	}
	switch {
	case response.StatusCode == http.StatusOK && json.Valid(result):
		return result, nil
	case json.Unmarshal(result, &trouble) == nil && trouble.Message != "":
		return nil, &shell.ExitError{Code: shell.ExitRejected, Err: errors.New(shell.Printable(trouble.Message))}
	}
	return nil, &shell.ExitError{Code: shell.ExitNotSent, Err: fmt.Errorf("%s is not a sandbox: the response was %s",
		base, response.Status)}
}

// withoutURL returns the error without its URL, which may contain a secret.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// unanswered returns the error for an order without a response. Without a connection nothing was done.
func unanswered(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: fmt.Errorf("no sandbox listens at WXPAY_BASE_URL: %w", dial)}
	}
	return &shell.ExitError{Code: shell.ExitUnknown, Err: fmt.Errorf("the sandbox did not respond, so the order may "+
		"be done: %w", err)}
}
