package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Ask sends an order to the sandbox that the environment names, and returns the outcome.
func Ask(ctx context.Context, sh *shell.Shell, path string, body any) (*Delivered, error) {
	address := sh.Getenv(Variable)
	if address == "" {
		return nil, shell.Usage("%s is not set: wxpay webhook listen, or wxpay sandbox, serves a sandbox and prints it", Variable)
	}
	u, err := ParseURL(address)
	if err != nil {
		return nil, shell.Usage("%s is not an address that wxpay webhook listen has printed", Variable)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, shell.Usage("%w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath(path).String(), bytes.NewReader(data))
	if err != nil {
		return nil, shell.Usage("%w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: controlTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, unreached(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 4*MaxNotification))
	if err != nil {
		return nil, unreached(err)
	}
	var trouble complaint
	var out Delivered
	switch {
	case response.StatusCode == http.StatusOK && json.Unmarshal(content, &out) == nil:
		return &out, nil
	case response.StatusCode == http.StatusBadRequest && json.Unmarshal(content, &trouble) == nil && trouble.Message != "":
		return nil, shell.Usage("%s", shell.Printable(trouble.Message))
	}
	return nil, shell.Usage("%s does not lead to the sandbox that printed it: the response was %d", Variable, response.StatusCode)
}

// controlTimeout bounds the wait for the first attempt, which ends after 5 s.
const controlTimeout = 15 * time.Second

// unreached returns the error for a sandbox that does not respond. Without a connection nothing was sent.
func unreached(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: fmt.Errorf("no sandbox listens at %s: has it ended?", Variable)}
	}
	return &shell.ExitError{Code: shell.ExitUnknown, Err: fmt.Errorf("the sandbox did not respond, so it may have "+
		"sent the notification: %w", err)}
}
