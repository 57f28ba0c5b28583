package webhook

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type listenOptions struct {
	addr    string
	to      *url.URL
	command []string // empty to serve until interrupted
}

func listenCommand(sh *shell.Shell) *cobra.Command {
	o, to := new(listenOptions), ""
	command := &cobra.Command{
		Use:   "listen --forward-to URL [-- COMMAND [ARG]...]",
		Short: "Serve a sandbox and forward its notifications to a program",
		Long: `Serve a sandbox, as wxpay sandbox does, and forward all its notifications to one address, whatever their notify_url:
those of orders, refunds and bills at the sandbox, and those of wxpay webhook trigger. Path and query of URL stay as they
are; http:// may be left out. Bytes and headers arrive as they were signed.

It also forwards requests that other programs post to the address that it prints.

Without COMMAND it prints, on stdout, the lines that connect programs in other shells, and serves until it is
interrupted. wxpay webhook trigger and resend use WXPAY_SANDBOX_URL of these lines. With COMMAND it runs that with the
same variables set, and ends with it and with its exit code. The keys are new each time, so start the program that
receives with these variables.

Each delivery is a line on stderr: time, status (– if there was no response), duration, event, and the notification's id.
Without a response 200 or 204 within 5 seconds it comes again as documented: after 15 s, 15 s, 30 s, 3 min and so on.`,
		Example: `  wxpay webhook listen --forward-to localhost:8080/notify
  wxpay webhook listen --forward-to http://localhost:8080/notify?shop=1 > wxpay.env
  wxpay webhook listen --forward-to localhost:8080/notify -- go run ./shop`,
		RunE: func(command *cobra.Command, args []string) (err error) {
			if len(args) > 0 && command.ArgsLenAtDash() != 0 {
				return shell.Usage("put -- before the command: wxpay webhook listen --forward-to URL -- %s",
					shell.Printable(args[0]))
			}
			if to == "" {
				return shell.Usage("--forward-to is missing: give the address at which your program receives " +
					"notifications, such as http://localhost:8080/notify")
			}
			if o.to, err = serve.ParseURL(to); err != nil {
				return shell.Usage("--forward-to: %w", err)
			}
			o.command = args
			return o.run(command.Context(), sh)
		},
	}
	command.Flags().StringVar(&to, "forward-to", "", "`URL` at which your program receives notifications")
	command.Flags().StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `HOST:PORT` of the sandbox; port 0 is a free one")
	return command
}

func (o *listenOptions) run(ctx context.Context, sh *shell.Shell) error {
	served, err := serve.Start(sh, o.addr, serve.NewForwarder(o.to, sh))
	if err != nil {
		return err
	}
	defer served.Close()
	sh.Note("Notifications of the sandbox, and requests that are posted to %s, are forwarded to %s",
		served.ControlURL(), o.to.Redacted())
	return served.Run(ctx, o.command)
}
