// Command ops is the tool of the operations team.
package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wxpay-go/wxpay"
)

type command struct {
	name string
	help string
	run  func(ctx context.Context, client *wxpay.Client, args []string) error
}

var commands = []command{
	{"order", "order NUMBER", order},
	{"refund", "refund ORDER NUMBER YUAN TOTAL", refund},
	{"refunds", "refunds FILE", refundFile},
	{"balance", "balance", balance},
	{"bills", "bills DATE", bills},
	{"transfer", "transfer NUMBER", transfer},
	{"raw", "raw METHOD PATH [JSON]", raw},
}

func main() {
	flag.Usage = func() {
		for _, c := range commands {
			fmt.Fprintln(os.Stderr, "ops", c.help)
		}
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := wxpay.FromEnv()
	if err != nil {
		fatal(err)
	}
	for _, c := range commands {
		if c.name == flag.Arg(0) {
			if err := c.run(ctx, client, flag.Args()[1:]); err != nil {
				fatal(err)
			}
			return
		}
	}
	flag.Usage()
	os.Exit(2)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "ops:", err)
	if errors.Is(err, wxpay.ErrOutcomeUnknown) {
		fmt.Fprintln(os.Stderr, "do not do it again before you have asked about the number")
	}
	os.Exit(1)
}

func need(args []string, n int) error {
	if len(args) != n {
		return fmt.Errorf("%d arguments are needed, not %d", n, len(args))
	}
	return nil
}

func order(ctx context.Context, client *wxpay.Client, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	path := "v3/pay/transactions/out-trade-no/{number}"
	if strings.HasPrefix(args[0], "42000") {
		path = "v3/pay/transactions/id/{number}"
	}
	res, err := client.Chain(path, args[0]).Query("mchid", client.MchID()).Get(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, field := range []string{"out_trade_no", "transaction_id", "trade_type", "trade_state", "success_time", "payer.openid", "amount.total"} {
		fmt.Fprintf(w, "%s\t%s\n", field, res.Get(field))
	}
	return w.Flush()
}

func refund(ctx context.Context, client *wxpay.Client, args []string) error {
	if err := need(args, 4); err != nil {
		return err
	}
	fen, err := wxpay.ParseYuan(args[2])
	if err != nil {
		return err
	}
	total, err := wxpay.ParseYuan(args[3])
	if err != nil {
		return err
	}
	verdict, err := client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"out_trade_no": args[0], "out_refund_no": args[1],
		"amount": wxpay.JSON{"refund": fen, "total": total, "currency": "CNY"},
	})
	if err != nil {
		return err
	}
	fmt.Println(verdict.State, verdict.Response.Get("status"))
	return nil
}

// refundFile reads lines of order, number, fen and total.
func refundFile(ctx context.Context, client *wxpay.Client, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(bufio.NewReader(file)).ReadAll()
	if err != nil {
		return err
	}
	refunds := client.Chain("v3/refund/domestic/refunds")
	failed := 0
	for i, row := range rows {
		fen, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		total, err := strconv.ParseInt(row[3], 10, 64)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		res, err := refunds.Post(ctx, wxpay.JSON{
			"out_trade_no": row[0], "out_refund_no": row[1], "reason": "批量退款",
			"amount": wxpay.JSON{"refund": fen, "total": total, "currency": "CNY"},
		})
		switch outcome := wxpay.OutcomeOf(err); {
		case err == nil:
			fmt.Println(row[1], res.Get("status"))
		case outcome == wxpay.Unknown:
			return fmt.Errorf("line %d: ask about %s before you go on: %w", i+1, row[1], err)
		default:
			failed++
			fmt.Println(row[1], outcome, err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d were rejected", failed, len(rows))
	}
	return nil
}

func balance(ctx context.Context, client *wxpay.Client, _ []string) error {
	for _, account := range []string{"BASIC", "OPERATION", "FEES"} {
		res, err := client.Chain("v3/merchant/fund/balance/{account_type}", account).Get(ctx)
		if err != nil {
			return err
		}
		available, err := res.Fen("available_amount")
		if err != nil {
			return err
		}
		pending := res.Get("pending_amount").Int()
		fmt.Printf("%-10s %12.2f %12.2f\n", account, float64(available)/100, float64(pending)/100)
	}
	return nil
}

func bills(ctx context.Context, client *wxpay.Client, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, args[0])
	if err != nil {
		return err
	}
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", day).Bill(ctx, wxpay.WaitAtMost(10*time.Minute))
	if err != nil {
		return err
	}
	defer bill.Close()
	sums := map[string]int64{}
	for row, err := range bill.Rows() {
		if err != nil {
			return err
		}
		fen, err := row.Fen("应结订单金额")
		if err != nil {
			return err
		}
		sums[row.Get("交易类型")] += fen
	}
	for kind, fen := range sums {
		fmt.Println(kind, fen)
	}
	return nil
}

func transfer(ctx context.Context, client *wxpay.Client, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	bill := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Chain("out-bill-no/{out_bill_no}", args[0])
	res, err := bill.Get(ctx)
	if err != nil {
		return err
	}
	if err := res.Need("state", "transfer_amount"); err != nil {
		return err
	}
	fmt.Println(res.Get("state"), res.Get("transfer_amount"), res.Get("fail_reason"))
	if res.Get("state").String() != "WAIT_USER_CONFIRM" {
		return nil
	}
	fmt.Print("cancel it? ")
	if answer, _ := bufio.NewReader(os.Stdin).ReadString('\n'); strings.TrimSpace(answer) != "yes" {
		return nil
	}
	_, err = bill.Chain("cancel").Post(ctx, nil)
	return err
}

func raw(ctx context.Context, client *wxpay.Client, args []string) error {
	if len(args) < 2 {
		return errors.New("METHOD PATH")
	}
	var body any
	if len(args) > 2 {
		body = args[2]
	}
	res, err := client.Chain(args[1]).Do(ctx, strings.ToUpper(args[0]), body)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(res.Raw())
	return err
}
