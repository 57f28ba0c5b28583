package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func explainCommand(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ID]",
		Short: "Explain why the running sandbox rejected a request",
		Long: `Explain why the running sandbox rejected a request: the likely cause, the remedy, and how certain they are. For a signature
that does not match, it compares the five lines that the platform signed with those that the client signed, and shows the
first byte that differs. The public key recovers the digest of a signature, so the comparison proves which of the known
mistakes was made.

ID is the Request-ID of the response; without it, the command explains the last rejected request. WXPAY_BASE_URL names the
sandbox, which remembers the last 1,000 requests.

Exit codes:
  0  the explanation is printed
  1  the sandbox has no such request, or did not reject it
  2  wrong usage
  4  no sandbox listens there`,
		Example: `  wxpay sandbox explain
  wxpay sandbox explain 2F0D9E52E0B1465D8B6D4E7E0C1F3A5B-268443699`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return shell.Usage("there are %d ids, give one at a time", len(args))
			case len(args) == 0:
				args = []string{""}
			}
			return explain(command.Context(), sh, args[0])
		},
	}
}

func explain(ctx context.Context, sh *shell.Shell, id string) error {
	order := "journal/explain"
	if id != "" {
		order += "?id=" + url.QueryEscape(id)
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	result, err := giveOrder(ctx, sh, http.MethodGet, order, nil)
	if err != nil {
		return err
	}
	var told struct {
		Explanation string `json:"explanation"`
	}
	if err := json.Unmarshal(result, &told); err != nil {
		return &shell.ExitError{Code: shell.ExitUnknown, Err: err}
	}
	return sh.Write([]byte(shell.Printable(sh.Explanation(told.Explanation)) + "\n"))
}
