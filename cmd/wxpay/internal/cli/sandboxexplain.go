package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func sandboxExplainCommand(run func(ctx context.Context, id string) error) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ID]",
		Short: "Tell why the running sandbox refused a request",
		Long: `Tell why the running sandbox refused a request: the likely cause, what to do about it, and how sure that is. Where a
signature does not fit, the five lines that the platform signed stand beside those that the client signed, with the first byte
that differs: a signature opens with the public key, so it shows for certain which of the known mistakes was made.

ID is the Request-ID of the answer; without it, the last refused request is meant. The sandbox is the one that
WXPAY_BASE_URL names; it remembers the last 1,000 requests.

Exit codes:
  0  it is told
  1  the sandbox has no such request, or did not refuse it
  2  wrong usage
  4  no sandbox listens there`,
		Example: `  wxpay sandbox explain
  wxpay sandbox explain 2F0D9E52E0B1465D8B6D4E7E0C1F3A5B-268443699`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usageError("there are %d ids, one is explained at a time", len(args))
			case len(args) == 0:
				args = []string{""}
			}
			return run(command.Context(), args[0])
		},
	}
}

func (p *program) sandboxExplain(ctx context.Context, id string) error {
	order := "journal/explain"
	if id != "" {
		order += "?id=" + url.QueryEscape(id)
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	answer, err := p.orderSandbox(ctx, http.MethodGet, order, nil)
	if err != nil {
		return err
	}
	var told struct {
		Explanation string `json:"explanation"`
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return &exitError{exitUnknown, err}
	}
	return p.write(bytes.NewBufferString(printable(told.Explanation) + "\n"))
}
