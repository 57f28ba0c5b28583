package file

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

type billOptions struct {
	request.Options // path, query, sandbox

	kind   string
	date   string
	gzip   bool
	format string
	wait   time.Duration
	out    destination
}

// billKind is one kind of bill: how to apply for it.
type billKind struct {
	name, path string
	query      []string // name=value besides the date; the user's -q of the same name replaces it
	date       string   // name of the date in the query
	layout     string   // of the date
	zips       bool
}

const day = time.DateOnly

// billKinds are the bills of the platform. Those with an algorithm arrive encrypted.
var billKinds = []billKind{
	{"trade", "v3/bill/tradebill", nil, "bill_date", day, true},
	{"fundflow", "v3/bill/fundflowbill", nil, "bill_date", day, true},
	{"profitsharing", "v3/profitsharing/bills", nil, "bill_date", day, true},
	{"withdraw", "v3/merchant/fund/withdraw/bill-type/NO_SUCC", nil, "bill_date", day, true},
	{"sub-merchant", "v3/bill/sub-merchant-fundflowbill", []string{"account_type=BASIC", "algorithm=AEAD_AES_256_GCM"},
		"bill_date", day, true},
	{"ecommerce", "v3/ecommerce/bill/fundflowbill", []string{"account_type=ALL", "algorithm=AEAD_AES_256_GCM"},
		"bill_date", day, true},
	{"payscore", "v3/payscore/merchant-bill", []string{"encryption_algorithm=AEAD_AES_256_GCM"}, "bill_date", day, true},
	{"oversea", "v3/funds-to-oversea/bill-download-url", nil, "bill_date", day, false},
	{"statement", "v3/global/statements", nil, "date", "20060102", false},
}

func billKindNames() (names []string) {
	for _, kind := range billKinds {
		names = append(names, kind.name)
	}
	return names
}

var billFormats = []string{"csv", "json", "table"}

// Bill returns wxpay bill.
func Bill(sh *shell.Shell) *cobra.Command {
	o := new(billOptions)
	command := &cobra.Command{
		Use:   "bill KIND --date YYYY-MM-DD [-o FILE]",
		Short: "Download a bill, verified",
		Long: `Download the bill of a day: wxpay applies for it, downloads, expands, decrypts and verifies it, and only then writes it.

KIND is one of:
  trade           all orders; -q bill_type=SUCCESS or REFUND for some of them
  fundflow        movements of the account; -q account_type=OPERATION or FEES for another account
  profitsharing   profit sharing
  withdraw        withdrawals that failed
  sub-merchant    movements of one sub-merchant's account, encrypted: -q sub_mchid=… is needed
  ecommerce       movements of all sub-merchants' accounts, encrypted
  payscore        pay score, encrypted: -q service_id=… is needed
  oversea         purchases of foreign currency
  statement       overseas statement: -q mchid=…, or sp_mchid and sub_mchid, is needed
-q adds any other field to the query of the application.

The platform makes a bill from 9:00 of the next day, Beijing time, and has it after 10:00. A bill that is not made yet
gives exit code 1, unless --wait gives it time. A day without transactions has an empty bill.

--format csv writes the bill as the platform made it; json writes one object a line, with all values as text; table is for
reading. json and table leave out the back-ticks; json leaves out the summary too. A line that is no row, or whose bytes
are not UTF-8, is left out, told on stderr with its number, and makes exit code 1 at the end; csv always has every byte.

Temporary files go to TMPDIR, compressed or encrypted as they came. On a terminal stderr shows the progress.

` + exitCodeHelp,
		Example: `  wxpay bill trade --date 2026-11-22 --gzip -o trade.csv
  wxpay bill fundflow --date 2026-11-22 --format json | jq -r '.["微信支付业务单号"]'
  wxpay bill trade --date 2026-11-22 --format table --sandbox`,
		ValidArgs: billKindNames(),
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) != 1 || !slices.Contains(billKindNames(), args[0]):
				return shell.Usage("name one kind of bill: %s", strings.Join(billKindNames(), ", "))
			case !slices.Contains(billFormats, o.format):
				return shell.Usage("--format %q is not one of %s", o.format, strings.Join(billFormats, ", "))
			case o.date == "":
				return shell.Usage("name the day: --date 2026-11-22")
			case o.wait < 0:
				return shell.Usage("--wait must not be negative")
			}
			o.kind = args[0]
			if err := o.out.check(); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.date, "date", "", "`DAY` of the bill, YYYY-MM-DD")
	flags.BoolVar(&o.gzip, "gzip", false, "transfer it compressed")
	o.out.flags(flags)
	flags.StringVar(&o.format, "format", "csv", "`csv`, json or table")
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(billFormats, cobra.ShellCompDirectiveNoFileComp))
	flags.VarP(&shell.PairFlag{List: &o.Query}, "query", "q", "a further `name=value` of the application")
	_ = command.RegisterFlagCompletionFunc("query", operation.CompleteQuery(sh.Facts(), func(args []string) (path string, but []string) {
		for _, kind := range billKinds {
			if len(args) == 1 && kind.name == args[0] {
				return kind.path, []string{kind.date, "tar_type"} // --date and --gzip
			}
		}
		return "", nil
	}))
	flags.DurationVar(&o.wait, "wait", 0, "how long to wait for a bill that is not made yet, such as 2h")
	shell.TimeoutFlag(flags, &o.Timeout, "how long to wait for a response, or for a transfer that stands still, such as 5s")
	flags.BoolVar(&o.Sandbox, "sandbox", false, "get an invented bill from an embedded sandbox, which needs no credentials")
	o.Credentials.Add(flags)
	return command
}

// sandboxRows is how many rows the bills of an embedded sandbox have.
const sandboxRows = 20

// application adds the path and the query of the kind.
func (o *billOptions) application() error {
	kind := billKinds[slices.Index(billKindNames(), o.kind)]
	date, err := time.Parse(day, o.date)
	if err != nil {
		return shell.Usage("--date %q is not of the form YYYY-MM-DD", o.date)
	}
	if o.gzip && !kind.zips {
		return shell.Usage("the platform does not compress bills of the kind %s", o.kind)
	}
	given := o.Query
	o.Path, o.Query = kind.path, []shell.Pair{{Name: kind.date, Value: date.Format(kind.layout)}}
	if o.gzip {
		o.Query = append(o.Query, shell.Pair{Name: "tar_type", Value: "GZIP"})
	}
	for _, q := range kind.query {
		name, value, _ := strings.Cut(q, "=")
		if !slices.ContainsFunc(given, func(g shell.Pair) bool { return g.Name == name }) {
			o.Query = append(o.Query, shell.Pair{Name: name, Value: value})
		}
	}
	o.Query = append(o.Query, given...)
	return nil
}

func (o *billOptions) run(ctx context.Context, sh *shell.Shell) error {
	if err := o.application(); err != nil {
		return err
	}
	source := o.Source(sh)
	source.Gateway = []sandbox.Option{sandbox.WithBillRows(sandboxRows)}
	client, leave, err := sh.Client(source)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	bar, end := newBar(sh, shell.Text("downloading"))
	defer end()
	options := []wxpay.DownloadOption{
		wxpay.Progress(bar.show), wxpay.Waiting(bar.wait), wxpay.WaitAtMost(o.wait), wxpay.DigestAlgorithm("SM3", sm.NewSM3),
	}

	var got *wxpay.DownloadResult
	left := leftOut{sh: sh}
	if o.format == "csv" && !o.out.stdout() {
		got, err = o.Chain(client).BillTo(ctx, o.out.target(), options...)
	} else {
		out, beginErr := o.out.begin()
		if beginErr != nil {
			return beginErr
		}
		defer out.discard()
		var bill *wxpay.Bill
		if bill, err = o.Chain(client).Bill(ctx, options...); err == nil {
			defer bill.Close()
			end()
			got = &bill.DownloadResult
			err = out.write(sh, func(w io.Writer) error { return writeBill(untilEnded{ctx, w}, bill, o.format, &left) })
		}
	}
	end()
	var rejection *wxpay.APIError
	switch {
	case o.wait == 0 && errors.Is(err, wxpay.ErrNotReady) &&
		errors.As(err, &rejection) && rejection.Code == wxcode.StatementCreating:
		sh.Note("wxpay: %s\n--wait gives it time.", shell.Plainly(err))
		return shell.Exit(shell.ExitRejected)
	case err != nil:
		return o.out.failure(err)
	case got.Empty:
		sh.Note("nothing happened on %s: the bill is empty", o.date)
	}
	o.out.note(sh, got)
	return left.result()
}
