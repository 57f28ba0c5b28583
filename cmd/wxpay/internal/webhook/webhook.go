// Package webhook runs wxpay webhook, whose commands send notifications of a sandbox to a program that receives them, and
// verify saved ones.
package webhook

import (
	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Command returns wxpay webhook.
func Command(sh *shell.Shell) *cobra.Command {
	command := &cobra.Command{
		Use:   "webhook",
		Short: "Send and verify notifications",
		Long: `Send and verify the notifications that the platform sends to a merchant.

To test a program that receives them, without an account:
  wxpay webhook listen --forward-to localhost:8080/notify    serves a sandbox, and prints the variables that connect to it
  (paste these variables into two other shells)
  go run ./shop                                              the program, in the second shell
  wxpay webhook trigger TRANSACTION.SUCCESS                  in the third
  wxpay webhook resend ID                                    sends the same notification again
The program also gets the notifications of its own calls to the sandbox, whatever their notify_url.

To verify a notification of the platform: wxpay webhook verify FILE.`,
		Example: `  wxpay webhook listen --forward-to localhost:8080/notify
  wxpay webhook trigger REFUND.SUCCESS --set out_refund_no=R-001 --set amount.refund=1
  wxpay webhook verify notification.http --at 2026-11-23T10:00:00+08:00`,
		RunE: shell.Group("wxpay webhook verify, listen, trigger or resend"),
	}
	command.AddCommand(verifyCommand(sh), listenCommand(sh), triggerCommand(sh), resendCommand(sh))
	return command
}
