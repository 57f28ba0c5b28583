// Package keys runs wxpay keys, whose commands check the keys and certificates of a merchant, describe the files that
// contain them, and download the platform's certificates.
package keys

import (
	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Command returns wxpay keys.
func Command(sh *shell.Shell) *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Check keys and certificates, describe their files, and download the platform's",
		Long: `Check the keys and certificates of a merchant, describe the files that contain them, and download the platform's.

The merchant platform hands out these files:
  apiclient_key.pem       the merchant's private key, which signs requests and decrypts fields for the merchant
  apiclient_cert.pem      the merchant API certificate, whose serial requests name
  apiclient_cert.p12      both of them under a password, which is the merchant number
  pub_key.pem             the WeChat Pay public key, with an id PUB_KEY_ID_…: verifies responses and encrypts fields
  wechatpay_SERIAL.pem    a platform certificate, for the same; merchants have it, the public key, or both for a time

No command prints a private key, the APIv3 key or a password.`,
		Example: `  wxpay keys check --cert apiclient_cert.pem
  wxpay keys show apiclient_*.p* pub_key.pem
  wxpay keys download --output certificates`,
		RunE: shell.Group("wxpay keys check, show or download"),
	}
	command.AddCommand(checkCommand(sh), showCommand(sh), downloadCommand(sh))
	return command
}
