package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

type billOptions struct {
	callOptions // path, variables, query, sandbox

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
	query      []pair // what it needs besides the date; a member that the user gives replaces it
	date       string // name of the date's member
	layout     string // of the date
	zips       bool
}

const day = time.DateOnly

// billKinds are the bills that can be had. Those with an algorithm are encrypted, which nobody notices.
var billKinds = []billKind{
	{"trade", "v3/bill/tradebill", nil, "bill_date", day, true},
	{"fundflow", "v3/bill/fundflowbill", nil, "bill_date", day, true},
	{"profitsharing", "v3/profitsharing/bills", nil, "bill_date", day, true},
	{"withdraw", "v3/merchant/fund/withdraw/bill-type/NO_SUCC", nil, "bill_date", day, true},
	{"sub-merchant", "v3/bill/sub-merchant-fundflowbill", []pair{{"account_type", "BASIC"}, {"algorithm", "AEAD_AES_256_GCM"}}, "bill_date", day, true},
	{"ecommerce", "v3/ecommerce/bill/fundflowbill", []pair{{"account_type", "ALL"}, {"algorithm", "AEAD_AES_256_GCM"}}, "bill_date", day, true},
	{"payscore", "v3/payscore/merchant-bill", []pair{{"encryption_algorithm", "AEAD_AES_256_GCM"}}, "bill_date", day, true},
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

func billCommand(run func(context.Context, billOptions) error) *cobra.Command {
	o := new(billOptions)
	command := &cobra.Command{
		Use:   "bill KIND --date YYYY-MM-DD [-o FILE]",
		Short: "Download a bill, verified",
		Long: `Download the bill of a day: it is applied for, downloaded, expanded, decrypted and verified, and only then written.

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
-q adds any other member of the application.

Bills are made from 9:00 of the next day, Beijing time, and are there after 10:00. One that is not made yet is exit code 1,
unless --wait gives it time. A day without transactions has an empty bill.

--format csv writes the bill as the platform made it; json one object a line, with all values as text; table is for reading.
The latter two leave out the back-ticks; json leaves out the summary too.

Temporary files go to TMPDIR, compressed or encrypted as they came. On a terminal stderr shows how far it is.

` + fileExitCodeHelp,
		Example: `  wxpay bill trade --date 2026-11-22 --gzip -o trade.csv
  wxpay bill fundflow --date 2026-11-22 --format json | jq -r '.["微信支付业务单号"]'
  wxpay bill trade --date 2026-11-22 --format table --sandbox`,
		ValidArgs: billKindNames(),
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) != 1 || !slices.Contains(billKindNames(), args[0]):
				return usageError("name one kind of bill: %s", strings.Join(billKindNames(), ", "))
			case !slices.Contains(billFormats, o.format):
				return usageError("--format %q is not one of %s", o.format, strings.Join(billFormats, ", "))
			case o.date == "":
				return usageError("name the day: --date 2026-11-22")
			case o.wait < 0:
				return usageError("--wait must not be negative")
			}
			o.kind = args[0]
			if err := o.out.check(); err != nil {
				return err
			}
			return run(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.date, "date", "", "`DAY` of the bill, YYYY-MM-DD")
	flags.BoolVar(&o.gzip, "gzip", false, "have it travel compressed")
	o.out.flags(flags)
	flags.StringVar(&o.format, "format", "csv", "`csv`, json or table")
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(billFormats, cobra.ShellCompDirectiveNoFileComp))
	flags.VarP(&pairFlag{&o.query, "="}, "query", "q", "a further `name=value` of the application")
	flags.DurationVar(&o.wait, "wait", 0, "how long to wait for a bill that is not made yet, such as 2h")
	flags.BoolVar(&o.sandbox, "sandbox", false, "get an invented bill from an embedded sandbox, which needs no credentials")
	return command
}

// sandboxRows is how many rows the bills of an embedded sandbox have.
const sandboxRows = 20

// application completes the options with what the kind needs.
func (o *billOptions) application() error {
	kind := billKinds[slices.Index(billKindNames(), o.kind)]
	date, err := time.Parse(day, o.date)
	if err != nil {
		return usageError("--date %q is not of the form YYYY-MM-DD", o.date)
	}
	if o.gzip && !kind.zips {
		return usageError("the platform does not compress bills of the kind %s", o.kind)
	}
	given := o.query
	o.path, o.query = kind.path, []pair{{kind.date, date.Format(kind.layout)}}
	if o.gzip {
		o.query = append(o.query, pair{"tar_type", "GZIP"})
	}
	for _, q := range kind.query {
		if !slices.ContainsFunc(given, func(g pair) bool { return g.name == q.name }) {
			o.query = append(o.query, q)
		}
	}
	o.query = append(o.query, given...)
	return nil
}

func (p *program) bill(ctx context.Context, o billOptions) error {
	if err := o.application(); err != nil {
		return err
	}
	client, leave, err := p.clientOf(o.sandbox, []sandbox.Option{sandbox.WithBillRows(sandboxRows)}, p.checking(o.callOptions)...)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := interruptible(ctx)
	defer stop()
	bar, end := p.newBar("downloading")
	defer end()
	options := []wxpay.DownloadOption{wxpay.Progress(bar.show), wxpay.WaitAtMost(o.wait), wxpay.DigestAlgorithm("SM3", sm.NewSM3)}

	var got *wxpay.DownloadResult
	if o.format == "csv" && !o.out.stdout() {
		got, err = o.chain(client).BillTo(ctx, o.out.target(), options...)
		end()
	} else {
		out, beginErr := o.out.begin()
		if beginErr != nil {
			return beginErr
		}
		defer out.abandon()
		var bill *wxpay.Bill
		if bill, err = o.chain(client).Bill(ctx, options...); err == nil {
			defer bill.Close()
			end()
			got = &bill.DownloadResult
			err = out.write(p, func(w io.Writer) error { return writeBill(untilEnded{ctx, w}, bill, o.format) })
		}
	}
	end()
	var refusal *wxpay.APIError
	switch {
	case errors.Is(err, wxpay.ErrNotReady) && errors.As(err, &refusal) && refusal.Code == wxcode.StatementCreating && o.wait == 0:
		p.note("wxpay: %s\n--wait gives it time.", plainly(err))
		return &exitError{code: exitRefused}
	case err != nil:
		return o.out.fileError(err)
	case got.Empty:
		p.note("nothing happened on %s: the bill is empty", o.date)
	}
	p.described(&o.out, got)
	return nil
}

// writeBill writes a bill in a format.
func writeBill(w io.Writer, bill *wxpay.Bill, format string) error {
	if format == "csv" {
		_, err := bill.WriteTo(w)
		return err
	}
	out := bufio.NewWriter(w)
	table := billTable{out: out}
	for row, err := range bill.Rows() {
		if err == nil && format == "table" {
			err = table.add(row)
		} else if err == nil {
			err = writeObject(out, row)
		}
		if err != nil {
			return err
		}
	}
	if format == "table" {
		summary, err := bill.Summary()
		if err != nil {
			return err
		}
		for _, row := range summary {
			if err := table.add(row); err != nil {
				return err
			}
		}
		if err := table.flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeObject writes a row as one line of JSON, its members in the order of the columns.
func writeObject(w *bufio.Writer, row wxpay.Row) error {
	values := row.Values()
	for i, name := range row.Columns() {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(values[i])
		if err != nil {
			return err
		}
		_ = w.WriteByte(before)
		_, _ = w.Write(key)
		_ = w.WriteByte(':')
		_, _ = w.Write(value)
	}
	_, err := w.WriteString("}\n")
	return err
}

// tableRows is how many rows are aligned with each other.
const tableRows = 1000

// billTable aligns rows in columns, so many at a time that memory stays bounded.
type billTable struct {
	out  *bufio.Writer
	rows [][]string
	over []string // the names over the rows
}

func (t *billTable) add(row wxpay.Row) error {
	if !slices.Equal(t.over, row.Columns()) {
		if t.over != nil {
			if err := t.flush(); err != nil {
				return err
			}
			_ = t.out.WriteByte('\n')
		}
		t.over = row.Columns()
		t.rows = append(t.rows, t.over)
	}
	if t.rows = append(t.rows, row.Values()); len(t.rows) > tableRows {
		return t.flush()
	}
	return nil
}

func (t *billTable) flush() error {
	var widths []int
	for _, row := range t.rows {
		for i, value := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(printable(value)))
		}
	}
	for _, row := range t.rows {
		for i, value := range row {
			value = printable(value)
			_, _ = t.out.WriteString(value)
			if i < len(row)-1 {
				_, _ = t.out.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(value)+2))
			}
		}
		if err := t.out.WriteByte('\n'); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}
