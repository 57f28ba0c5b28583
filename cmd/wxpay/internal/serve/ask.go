package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// askTimeout bounds the wait for the first attempt, which ends after 5 s.
const askTimeout = 15 * time.Second

// Ask sends an order to the control of the sandbox that [Variable] names, and returns the outcome.
func Ask(ctx context.Context, sh *shell.Shell, path string, body any) (*Delivered, error) {
	address := sh.Getenv(Variable)
	if address == "" {
		return nil, shell.Usage("%s is not set: wxpay webhook listen, or wxpay sandbox, serves a sandbox and prints it", Variable)
	}
	u, err := ParseURL(address)
	if err != nil {
		return nil, shell.Usage("%s is not an address that wxpay webhook listen has printed", Variable)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	status, content, err := Send(ctx, Variable, http.MethodPost, u.JoinPath(path).String(), body)
	if err != nil {
		return nil, err
	}
	var out Delivered
	if status == http.StatusOK && json.Unmarshal(content, &out) == nil {
		return &out, nil
	}
	if message := Complaint(content); status == http.StatusBadRequest && message != "" {
		return nil, shell.Usage("%s", sh.Refusal(message))
	}
	return nil, shell.Usage("%s does not lead to the sandbox that printed it: the response was %d", Variable, status)
}
