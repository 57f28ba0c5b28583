// Package smoke runs wxpay smoke, which tries the merchant of the user with one order of one fen, and gives the fen back.
//
// Once the order is sent, the run ends with a closed order, with a refund, or with a text that says loudly what is not
// known and which command resolves it.
package smoke

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Command returns wxpay smoke.
func Command(sh *shell.Shell) *cobra.Command {
	o := new(options)
	command := &cobra.Command{
		Use:   "smoke --appid APPID | smoke --bill DAY --out-trade-no NUMBER",
		Short: "Try your own merchant with one fen, and give it back",
		Long: `Try your own merchant with real money: one fen, which you pay from your phone and which is refunded. The steps:

  keys          the platform echoes a text with each of its keys: signing, encrypting, verifying and decrypting work
  echo          with --listen: the notification of that arrives here
  order         a Native order of one fen
  payment       the QR code is on stderr; wxpay asks until the order is paid, until --wait is over, or until Ctrl-C. Then
                it closes an order that is not paid
  refund        the fen is refunded, also after Ctrl-C; wxpay asks until the platform states the end
  notification  with --listen: the notification of the payment arrived, is verified, and names this order
  bill          on the next day, after 10:00 in Beijing: --bill and --out-trade-no look both up in the bill

wxpay first shows the plan, with the number of the order, and asks; --yes is for scripts. Without a terminal and without
--yes nothing is sent. If the keys do not work, no order is placed. The order closes by itself shortly after --wait.

Each step is a line on stdout: done, failed, unknown or skipped, and why. If money was taken and is not known to be back,
the last lines say so, with the command that resolves it. If the program is killed, use the number of the plan with
"wxpay resolve POST v3/pay/transactions/native NUMBER".

--notify-url is an address at which the platform reaches your program, or wxpay itself: --listen receives behind it, by
plain http, so a proxy or a tunnel has to serve the https of the address. It lets every notification of other orders fail,
so that the platform sends it again, and needs WXPAY_APIV3_KEY.

--record writes a transcript that identifies nobody: names and types of the fields of the responses, known headers, error
codes, and times. Read it before you give it away.

It is for merchants of the mainland who take payments themselves. A service provider's orders, brands and merchants
abroad are not tried.

` + shell.CredentialsHelp + `

Exit codes:
  0  every step is done, or skipped
  1  a step failed, or a notification did not arrive; no money is outstanding
  2  wrong usage: nothing was sent
  3  it is not known whether the order was paid or the refund took effect
  4  no order was sent: there was no connection, or an interrupt came first
  5  every step is done, and the result or the transcript could not be written
  7  the fen was taken and is not given back: you have to act`,
		Example: `  wxpay smoke --appid wxd678efh567hg6787
  wxpay smoke --appid wxd678efh567hg6787 --notify-url https://shop.example.com/smoke --listen :8080 --record smoke.json
  wxpay smoke --bill 2026-11-30 --out-trade-no SMOKE20261130101500ABCDEF
  wxpay smoke --appid wxd678efh567hg6787 --sandbox`,
		Args: shell.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.appID, "appid", "", "`APPID` of the order, which is bound to the merchant")
	flags.StringVar(&o.description, "description", "wxpay smoke", "what the payer reads")
	flags.StringVar(&o.notifyURL, "notify-url", "", "`URL` at which the platform notifies of the payment")
	flags.StringVar(&o.listen, "listen", "", "receive the notifications here, on `HOST:PORT`")
	flags.DurationVar(&o.wait, "wait", 5*time.Minute, "how long to wait for the payment, at most 24h")
	flags.StringVar(&o.record, "record", "", "write a transcript that identifies nobody to `FILE`, which must not exist")
	flags.BoolVar(&o.yes, "yes", false, "do not ask")
	flags.BoolVar(&o.sandbox, "sandbox", false, "try an embedded sandbox, whose user pays: no money, no credentials")
	flags.StringVar(&o.date, "bill", "", "look the order up in the bill of a `DAY`, YYYY-MM-DD")
	flags.StringVar(&o.number, "out-trade-no", "", "with --bill: the `NUMBER` of the order")
	o.credentials.Add(flags)
	return command
}

func (o *options) check() error {
	switch {
	case o.date != "" || o.number != "":
		return o.checkBill()
	case o.appID == "":
		return shell.Usage("--appid is missing: give the appid that is bound to the merchant, such as wxd678efh567hg6787")
	case o.description == "":
		return shell.Usage("--description is empty, and an order needs one")
	case o.wait <= 0 || o.wait > 24*time.Hour:
		return shell.Usage("--wait is %s, it must be positive and at most 24h", o.wait)
	case o.listen != "" && o.notifyURL == "":
		return shell.Usage("--listen needs --notify-url: the address by which the platform reaches it")
	case o.credentials.Overseas:
		return shell.Usage("--overseas: a merchant abroad is not tried, its orders have another path and another currency")
	}
	if o.notifyURL != "" {
		if u, err := url.Parse(o.notifyURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return shell.Usage("--notify-url is not an address such as https://shop.example.com/notify")
		}
	}
	return nil
}

func (o *options) checkBill() error {
	_, err := time.Parse(time.DateOnly, o.date)
	switch {
	case o.date == "" || o.number == "":
		return shell.Usage("--bill and --out-trade-no belong together: the day of the payment, and the number of the order")
	case err != nil:
		return shell.Usage("--bill %q is not of the form YYYY-MM-DD", o.date)
	case o.appID != "" || o.notifyURL != "" || o.listen != "":
		return shell.Usage("--bill places no order, so --appid, --notify-url and --listen mean nothing with it")
	case o.sandbox:
		return shell.Usage("--bill: the embedded sandbox of an earlier run is gone, with its orders")
	}
	return nil
}

func (o *options) run(ctx context.Context, sh *shell.Shell) error {
	transcript := newTranscript()
	account, leave, err := o.connect(sh, transcript)
	if err != nil {
		return err
	}
	defer leave()
	r := newRunner(sh, account, *o, transcript)
	if o.listen != "" && o.date == "" {
		stop, err := r.listenOn(o.listen)
		if err != nil {
			return err
		}
		defer stop()
	}
	var file *atomicfile.File
	if o.record != "" {
		if file, err = newRecord(o.record); err != nil {
			return err
		}
		defer file.Abandon()
	}
	if o.date == "" {
		if err := r.agree(); err != nil {
			return err
		}
	}
	// A reader of stdout that has gone must not end the program between payment and refund.
	defer ignorePipes()()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	if o.date == "" {
		r.firstDay(ctx)
	} else {
		r.secondDay(ctx)
	}
	err = r.result()
	if file != nil {
		if failure := transcript.write(file, r.report.steps); failure != nil {
			sh.Note("--record: %w", failure)
			if err == nil {
				err = shell.Exit(shell.ExitConfirmed)
			}
		}
	}
	return err
}

// connect returns a client whose calls the transcript records.
func (o *options) connect(sh *shell.Shell, t *transcript) (account, func(), error) {
	source := shell.Source{
		Sandbox: o.sandbox, Flags: o.credentials,
		Options: []wxpay.Option{wxpay.WithMiddleware(t.middleware), wxpay.WithLogger(slog.New(slog.DiscardHandler))},
	}
	if o.sandbox {
		if err := source.Flags.Check(true); err != nil {
			return account{}, nil, err
		}
		client, server, err := sh.Connect(source)
		if err != nil {
			return account{}, nil, err
		}
		return account{client, server.Merchant().APIv3Key, payer(server.Sandbox)}, func() { server.Close() }, nil
	}
	credentials, err := sh.Credentials(&source.Flags)
	if err != nil {
		return account{}, nil, err
	}
	if credentials.Get("WXPAY_BRAND_ID") != "" {
		return account{}, nil, shell.Usage("the credentials are a brand's, and brands take no payments: use those of the merchant")
	}
	if abroad, err := credentials.Bool("WXPAY_OVERSEAS"); err == nil && abroad {
		return account{}, nil, shell.Usage("the credentials are of a merchant abroad, which is not tried: its orders have another path and another currency")
	}
	client, leave, err := sh.Client(source)
	if err != nil {
		return account{}, nil, err
	}
	return account{client, credentials.Get("WXPAY_APIV3_KEY"), nil}, leave, nil
}

// payer is the user of a sandbox, who pays every order.
func payer(s *sandbox.Sandbox) func(string) error {
	return func(number string) error {
		_, err := s.Users.Pay(number)
		return err
	}
}

// plan shows what will happen, and what it costs.
func (r *runner) plan() {
	if r.sandbox {
		r.sh.Note("An embedded sandbox is tried: no money moves.")
	} else {
		r.sh.Note("This takes 1 fen (0.01 yuan) from your phone for merchant %s at %s, and gives it back.", r.client.MchID(), r.client.BaseURL())
		r.sh.Note("Whether the platform charges a fee for it stands in your contract.")
	}
	r.sh.Note("  keys          each key of the platform is tried; that changes nothing")
	if r.listen != "" {
		r.sh.Note("  echo          a notification is asked for, and expected on %s", r.listen)
	}
	r.sh.Note("  order         out_trade_no %s, appid %s; it closes by itself at %s", r.number, r.appID, r.expires.Format(time.DateTime))
	r.sh.Note("  payment       you scan the QR code and pay within %s; Ctrl-C closes the order", r.wait)
	r.sh.Note("  refund        out_refund_no %s", r.refundNumber())
	switch {
	case r.listen != "":
		r.sh.Note("  notification  of the payment, at %s, is expected on %s", r.notifyURL, r.listen)
	case r.notifyURL != "":
		r.sh.Note("  notification  of the payment goes to %s and is not seen here", r.notifyURL)
	default:
		r.sh.Note("  notification  of the payment goes nowhere: --notify-url is not given, and the order gets %s", nowhere)
	}
	r.sh.Note("  bill          tomorrow, with another command")
}

// agree shows the plan, and asks.
func (r *runner) agree() error {
	r.plan()
	if r.yes || r.sandbox {
		return nil
	}
	if !shell.IsTerminal(r.sh.Stdin) {
		return shell.Usage("nobody can be asked, since stdin is not a terminal: nothing was sent; --yes goes on without asking")
	}
	answer, err := r.sh.ReadLine(r.sh.Words("Go on? (y/N)") + " ")
	if err != nil && !errors.Is(err, io.EOF) {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("nothing was sent")}
}

// firstDay makes every step up to the bill.
func (r *runner) firstDay(ctx context.Context) {
	r.money = untouched
	if !r.keys(ctx) {
		return
	}
	if r.receiver != nil {
		r.echo(ctx)
	}
	if ctx.Err() != nil {
		r.unsent = true
		r.add(stepOrder, skipped, shell.Say("interrupted: no order was sent"))
		return
	}
	code, placed := r.order(ctx)
	if !placed || !r.payment(ctx, code) {
		return
	}
	r.money = uncertain // until the refund is known
	r.refund(context.WithoutCancel(ctx))
	r.notification(ctx)
	r.add(stepBill, skipped, shell.Say(`the platform makes it tomorrow; after 10:00 in Beijing: wxpay smoke --bill %s --out-trade-no %s%s`,
		r.paidOn.In(shell.China).Format(time.DateOnly), r.number, r.flags()))
}
