package keys

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type checkOptions struct {
	source source
	json   bool
}

func checkCommand(sh *shell.Shell) *cobra.Command {
	o := new(checkOptions)
	command := &cobra.Command{
		Use:   "check",
		Short: "Check that the merchant's keys are complete, belong together, and work",
		Long: `Check that the merchant's keys are complete, belong together, and work at the platform, one line for each check:

  private key   it is readable, and an RSA key of 2048 bits or more
  certificate   it is readable, was issued to this merchant, belongs to the private key, has the serial that is set, and
                is within its validity
  APIv3 key     it has 32 bytes
  public key    it is readable, and its id is that of a public key
  clock         this machine's differs from the platform's by five minutes at most
  signature     the platform accepts requests that are signed with the key
  mode          which platform keys the merchant has: certificates, the public key, or both
  works         each platform key signs, encrypts, verifies and decrypts

The check changes nothing: it reads the certificate list, and the platform echoes a text (v3/security/echo). For a brand,
which has neither, it reads the list of the brand's member cards; encrypting and decrypting are not tried then.
The mark – is for information, and for a check that was not possible.

` + shell.CredentialsHelp + `

Exit codes:
  0  all is well
  1  a check failed
  2  nothing was checked: wrong usage, or credentials that are missing
  5  the result could not be written`,
		Example: `  wxpay keys check --cert apiclient_cert.pem
  wxpay keys check --p12 apiclient_cert.p12
  wxpay keys check --sandbox --sandbox-keys public
  wxpay keys check --format json | jq -r '.checks[] | select(.result == "failed") | .text'`,
		Args: shell.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return o.run(command.Context(), sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.source.flags(flags)
	shell.FormatFlag(command, &o.json)
	return command
}

func (o *checkOptions) run(ctx context.Context, sh *shell.Shell) error {
	c, leave, err := readSource(sh, o.source)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()

	checker := &checker{credentials: c, sh: sh, timeout: o.source.timeout, now: time.Now()}
	report := &checker.report
	report.Merchant, report.Gateway = c.id, cmp.Or(c.baseURL, wxpay.DefaultBaseURL)
	if c.brand {
		report.Merchant, report.Brand = "", c.id
	}
	checker.offline()
	checker.online(ctx)
	report.OK = checker.failed() == 0
	if o.json {
		err = sh.WriteJSON(report)
	} else {
		var out bytes.Buffer
		report.print(sh, &out, checker.failed())
		err = sh.Write(out.Bytes())
	}
	if err == nil && !report.OK {
		err = shell.Exit(shell.ExitRejected)
	}
	return err
}
