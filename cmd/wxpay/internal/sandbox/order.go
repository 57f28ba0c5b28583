package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
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
	address := strings.TrimSuffix(base, "/") + sandbox.ControlPath + order
	status, content, err := serve.Send(ctx, "WXPAY_BASE_URL", method, address, body)
	if err != nil {
		return nil, err
	}
	if status == http.StatusOK && json.Valid(content) {
		return content, nil
	}
	if message := serve.Complaint(content); message != "" {
		return nil, &shell.ExitError{Code: shell.ExitRejected, Err: errors.New(sh.Refusal(message))}
	}
	return nil, &shell.ExitError{
		Code: shell.ExitNotSent,
		Err:  shell.Say("%s is not a sandbox: the response was %d", base, status),
	}
}
