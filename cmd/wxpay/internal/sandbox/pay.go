package sandbox

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func payCommand(sh *shell.Shell) *cobra.Command {
	openid := ""
	command := &cobra.Command{
		Use:   "pay NUMBER",
		Short: "Pay an order of the running sandbox, as its user",
		Long: `Pay an order of the running sandbox, as its user does, and print the transaction_id. NUMBER is the order's out_trade_no.
The notification goes to the order's notify_url.

` + exitCodeHelp,
		Example: `  wxpay sandbox pay ABC-001
  wxpay sandbox pay ABC-001 --openid oUpF8uMuAJO_M2pxb1Q9zNjWeS6o`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) != 1 {
				return shell.Usage("there are %d numbers, give one at a time", len(args))
			}
			body := map[string]string{"out_trade_no": args[0]}
			if openid == "" {
				return printOrder(command.Context(), sh, http.MethodPost, "pay", body)
			}
			body["openid"] = openid
			return printOrder(command.Context(), sh, http.MethodPost, "pay/as", body)
		},
	}
	command.Flags().StringVar(&openid, "openid", "", "the `USER` who pays, if the order is not for a certain one")
	return command
}
