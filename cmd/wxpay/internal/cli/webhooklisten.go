package cli

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"
)

type webhookListenOptions struct {
	addr    string
	to      *url.URL
	command []string // empty to serve until interrupted
}

func webhookListenCommand(run func(context.Context, webhookListenOptions) error) *cobra.Command {
	o, to := new(webhookListenOptions), ""
	command := &cobra.Command{
		Use:   "listen --forward-to URL [-- COMMAND [ARG]...]",
		Short: "Serve a sandbox and forward its notifications to a program",
		Long: `Serve a sandbox, as wxpay sandbox does, and forward all its notifications to one address, whatever their notify_url:
those of orders, refunds and bills made at the sandbox, and those of wxpay webhook trigger. Path and query of URL are
kept; http:// may be left out. Bytes and headers arrive as they were signed.

What others post to the address that it prints is forwarded as well.

Without COMMAND it prints, on stdout, the lines that connect programs in other shells, and serves until it is
interrupted. WXPAY_SANDBOX_URL among them is what wxpay webhook trigger and resend talk to. With COMMAND it runs that
with the same variables set, and ends with it and with its exit code. The keys are new each time, so the program that
receives has to be started with these variables.

Each delivery is a line on stderr: time, status (– if there was no answer), duration, event, and the notification's id.
One that is not answered 200 or 204 within 5 seconds comes again as documented: after 15 s, 15 s, 30 s, 3 min and so on.`,
		Example: `  wxpay webhook listen --forward-to localhost:8080/notify
  wxpay webhook listen --forward-to http://localhost:8080/notify?shop=1 > wxpay.env
  wxpay webhook listen --forward-to localhost:8080/notify -- go run ./shop`,
		RunE: func(command *cobra.Command, args []string) (err error) {
			if len(args) > 0 && command.ArgsLenAtDash() != 0 {
				return usageError("put -- before the command that is to run: wxpay webhook listen --forward-to URL -- %s", printable(args[0]))
			}
			if to == "" {
				return usageError("--forward-to is missing: the address at which your program receives notifications, such as http://localhost:8080/notify")
			}
			if o.to, err = forwardURL(to); err != nil {
				return usageError("--forward-to: %w", err)
			}
			o.command = args
			return run(command.Context(), *o)
		},
	}
	command.Flags().StringVar(&to, "forward-to", "", "`URL` at which your program receives notifications")
	command.Flags().StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `HOST:PORT` of the sandbox; port 0 is a free one")
	return command
}

func (p *program) webhookListen(ctx context.Context, o webhookListenOptions) error {
	served, err := p.serveSandbox(o.addr, newForwarder(o.to, p.note))
	if err != nil {
		return err
	}
	defer served.close()
	p.note("Notifications of the sandbox, and what is posted to %s, are forwarded to %s", served.control.address, o.to.Redacted())
	if len(o.command) > 0 {
		return p.runWith(ctx, served.env(), o.command)
	}
	return p.serveUntilInterrupted(ctx, served)
}
