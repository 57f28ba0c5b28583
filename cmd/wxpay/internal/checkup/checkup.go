// Package checkup runs wxpay checkup, which plays production's bad days on a service of the user, against a sandbox, and
// reports what the service did wrong in money.
package checkup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

type options struct {
	port     int    // on which the service listens; 0 for a free one
	order    string // requests to the service
	refund   string // empty for a service that refunds nothing
	cancel   string // empty for a service that gives no order up
	books    string
	days     []string // to play; empty for all
	skip     []string
	patience time.Duration
	slow     time.Duration
	keys     string // which platform keys the merchant has
	keysDir  string // folder that gets the keys as files; empty for none
	junit    string // file of the report; empty for none
	command  []string
}

// Command returns wxpay checkup.
func Command(sh *shell.Shell) *cobra.Command {
	o := new(options)
	var list strings.Builder
	for _, d := range days {
		fmt.Fprintf(&list, "  %-14s %s\n", d.name, d.about)
	}
	command := &cobra.Command{
		Use:   "checkup -- COMMAND [ARG]...",
		Short: "Play production's bad days on a service, and report where its books are wrong",
		Long: `Run a service against a sandbox, play production's bad days on it, and compare its books with those of the platform.
COMMAND runs the service. It gets the variables of "wxpay sandbox" and, in PORT, the port on which it has to listen on
loopback. Notifications go there, to the path of each notify_url, whichever host that names.

The service is asked by HTTP. A request is METHOD PATH [BODY], with {out_trade_no}, {number} and {amount} for values:
  --order   places an order; the amount is up to the service
  --refund  refunds {amount} fen of an order; {number} is the same when the same refund is asked for again
  --cancel  gives an order up that its user has not paid
  --books   responds with {"paid":FEN,"refunded":FEN}: what the service has booked for the order, 0 for nothing
A request for a refund or a cancellation that fails is repeated, as people do. An empty flag leaves out the days that need
the request. The service's books are right if they agree, within --patience, with what really took effect.

The days, in this order:
` + list.String() + `
The table is on stdout; the output of the service is on stderr.

Exit codes:
  0  the service was right about money on every day
  1  it was wrong on a day, or ended
  2  wrong usage
  4  it did not begin to listen`,
		Example: `  wxpay checkup -- go run ./examples/shop
  wxpay checkup --junit checkup.xml -- ./shop
  wxpay checkup --port 3000 --order 'POST /api/buy {"sku":"shirt"}' --cancel '' -- npm start
  wxpay checkup --day lost-answer -- ./shop`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 || command.ArgsLenAtDash() != 0 {
				return shell.Usage("name the service's command behind --: wxpay checkup -- ./shop")
			}
			o.command = args
			return o.run(command.Context(), sh)
		},
	}
	o.flags(command.Flags())
	return command
}

func (o *options) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.port, "port", 0, "loopback `PORT` on which the service listens; 0 is a free one")
	flags.StringVar(&o.order, "order", "POST /orders {}", "`REQUEST` that places an order")
	flags.StringVar(&o.refund, "refund", `POST /orders/{out_trade_no}/refunds {"number":"{number}","amount":{amount}}`,
		"`REQUEST` that refunds a part of an order")
	flags.StringVar(&o.cancel, "cancel", "POST /orders/{out_trade_no}/cancel {}", "`REQUEST` that gives an order up")
	flags.StringVar(&o.books, "books", "GET /orders/{out_trade_no}", "`REQUEST` for what is booked")
	flags.StringSliceVar(&o.days, "day", nil, "play these `DAYS` only (repeatable)")
	flags.StringSliceVar(&o.skip, "skip", nil, "`DAYS` that are not played (repeatable)")
	flags.DurationVar(&o.patience, "patience", 10*time.Second, "`TIME` within which the books have to be right")
	flags.DurationVar(&o.slow, "slow", 10*time.Second, "`TIME` that the slow platform takes")
	flags.StringVar(&o.keys, "keys", "both", "`KIND` of platform keys that the merchant has: public, certificates or both")
	flags.StringVar(&o.keysDir, "keys-dir", "", "`FOLDER` for the keys, in the files that merchants have")
	flags.StringVar(&o.junit, "junit", "", "`FILE` for the report as JUnit XML")
}

// service returns how the service is asked.
func (o *options) service() (*service, error) {
	s := newService(o.port)
	for _, flag := range []struct {
		name, text string
		to         **request
		needed     bool
	}{
		{"order", o.order, &s.order, true}, {"refund", o.refund, &s.refund, false},
		{"cancel", o.cancel, &s.cancel, false}, {"books", o.books, &s.books, true},
	} {
		if flag.text == "" && !flag.needed {
			continue
		}
		var err error
		if *flag.to, err = parseRequest(flag.text); err != nil {
			return nil, shell.Usage("--%s: %w", flag.name, err)
		}
	}
	return s, nil
}

// planned returns the days to play.
func (o *options) planned() ([]day, error) {
	known := func(name string) bool { return slices.ContainsFunc(days, func(d day) bool { return d.name == name }) }
	for _, name := range slices.Concat(o.days, o.skip) {
		if !known(name) {
			return nil, shell.Usage("there is no day %q; \"wxpay checkup --help\" lists them", name)
		}
	}
	var list []day
	for _, d := range days {
		if (len(o.days) == 0 || slices.Contains(o.days, d.name)) && !slices.Contains(o.skip, d.name) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return nil, shell.Usage("no day is left to play")
	}
	return list, nil
}

func (o *options) run(ctx context.Context, sh *shell.Shell) error {
	if o.patience <= 0 || o.slow <= 0 {
		return shell.Usage("--patience and --slow must be longer than nothing")
	}
	mode, err := serve.KeyMode(o.keys)
	if err != nil {
		return err
	}
	planned, err := o.planned()
	if err != nil {
		return err
	}
	if o.port < 0 || o.port > 65535 {
		return shell.Usage("--port: there is no port %d", o.port)
	}
	if o.port == 0 {
		port, claim, err := freePort()
		if err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
		}
		defer claim.Close()
		o.port = port
	} else if err := vacant(o.port); err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	service, err := o.service()
	if err != nil {
		return err
	}
	served, err := serve.Start(sh, "127.0.0.1:0", nil, sandbox.WithKeyMode(mode))
	if err != nil {
		return err
	}
	defer served.Sandbox.Close()
	defer served.Server.Close()
	if o.keysDir != "" {
		if err := serve.WriteKeys(o.keysDir, served.Sandbox); err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("--keys-dir: %w", err)}
		}
	}
	served.Deliveries.To(service.receiver())
	// A service that refunds twice does so a minute later too. Nobody waits for that minute here.
	if err := served.Rules.Relax(sandbox.RefundPace); err != nil {
		return err
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	child, err := start(sh, append(served.Env(), fmt.Sprintf("PORT=%d", o.port)), o.command)
	if err != nil {
		return err
	}
	defer child.stop()
	if err := child.listening(ctx, service.address); err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	results := playAll(ctx, planned, &checkup{sandbox: served.Sandbox, service: service, patience: o.patience, slow: o.slow}, child)
	return o.report(sh, results)
}

// report prints the table, and writes the file.
func (o *options) report(sh *shell.Shell, results []result) error {
	if err := sh.Write(table(sh, results)); err != nil {
		return err
	}
	if o.junit != "" {
		content, err := junit(results)
		if err == nil {
			err = shell.ReplaceFile(o.junit, content)
		}
		if err != nil {
			return &shell.ExitError{Code: shell.ExitRejected, Err: shell.Say("--junit: %w", err)}
		}
	}
	if slices.ContainsFunc(results, func(r result) bool { return r.wrong != nil }) {
		return shell.Exit(shell.ExitRejected)
	}
	return nil
}

// playAll plays the days. Once the service has ended, or cannot even do business on a good day, the others are left out.
func playAll(ctx context.Context, planned []day, c *checkup, child *child) []result {
	var results []result
	var over error
	for _, d := range planned {
		r := result{day: d, left: c.cannot(d)}
		if r.left == nil {
			r.left = over
		}
		if r.left == nil {
			begun := time.Now()
			day, cancel := context.WithCancelCause(ctx)
			go func() {
				select {
				case <-child.ended:
					cancel(child.err)
				case <-day.Done():
				}
			}()
			r.wrong = c.play(day, d)
			cancel(nil)
			r.took = time.Since(begun)
			switch {
			case ctx.Err() != nil:
				r.wrong, over = shell.Say("interrupted"), shell.Say("interrupted")
			case child.hasEnded():
				r.wrong, over = child.err, child.err
			case r.wrong != nil && d.name == days[0].name:
				over = shell.Say("not even the good day was right")
			}
		}
		results = append(results, r)
	}
	return results
}
