package cledger

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Tool 是一个小命令
type Tool struct {
	Help string
	Run  func(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error
}

// Tools 命令表
var Tools = map[string]Tool{
	"order":    {"查订单: order 单号…", order},
	"close":    {"关单: close 单号…", closeOrders},
	"refund":   {"批量退款: refund 文件.csv (单号,退款单号,退款元,总额元,原因)", refunds},
	"refunds":  {"查退款: refunds 退款单号…", refundState},
	"abnormal": {"异常退款转商户账户: abnormal 退款ID 退款单号", abnormal},
	"bill":     {"入账: bill -day 2026-01-02 -o out.csv", bill},
	"compare":  {"核对: compare -day 2026-01-02 本地.csv", compare},
	"complain": {"投诉列表: complain -days 7", complaints},
	"reply":    {"回复投诉: reply 投诉单号 内容 [图片…]", reply},
	"coupon":   {"发券: coupon 批次 openid 单号", coupon},
	"keys":     {"检查密钥", checkKeys},
}

// Main 供 cmd 调用，返回退出码
func Main(args []string) int {
	if len(args) == 0 {
		for name, t := range Tools {
			fmt.Fprintf(os.Stderr, "%-10s %s\n", name, t.Help)
		}
		return 2
	}
	tool, ok := Tools[args[0]]
	if !ok {
		fmt.Fprintln(os.Stderr, "没有这个命令:", args[0])
		return 2
	}
	c, err := wxpay.FromEnv(wxpay.WithTimeout(20 * time.Second))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer c.Close()
	if err := tool.Run(context.Background(), c, args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, wxpay.ErrOutcomeUnknown) {
			return 3 // 结果不明，不要换单号重试
		}
		return 1
	}
	return 0
}

func order(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	for _, no := range args {
		res, err := c.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", no).Query("mchid", c.MchID()).Get(ctx)
		if wxpay.IsCode(err, wxcode.OrderNotExist) {
			fmt.Fprintln(out, no, "不存在")
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", no, err)
		}
		fmt.Fprintln(out, no, res.Get("trade_state"), res.Get("amount.total").Int(), res.Get("success_time"))
	}
	return nil
}

func closeOrders(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	futures := make([]*wxpay.Future, len(args))
	for i, no := range args {
		futures[i] = c.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", no).PostAsync(ctx, wxpay.JSON{"mchid": c.MchID()})
	}
	var bad error
	for i, f := range futures {
		_, err := f.Wait(ctx)
		switch {
		case err == nil:
			fmt.Fprintln(out, args[i], "已关闭")
		case wxpay.IsCode(err, wxcode.OrderPaid):
			fmt.Fprintln(out, args[i], "已支付，未关闭")
		default:
			bad = errors.Join(bad, fmt.Errorf("%s: %w", args[i], err))
		}
	}
	return bad
}

// refunds 逐行退款，结果写到 out；同一个文件可以重复跑
func refunds(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("需要一个文件")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	rd := csv.NewReader(f)
	rd.FieldsPerRecord = 5
	w := csv.NewWriter(out)
	defer w.Flush()
	for {
		rec, err := rd.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		refund, err := wxpay.ParseYuan(rec[2])
		if err != nil {
			return err
		}
		total, err := wxpay.ParseYuan(rec[3])
		if err != nil {
			return err
		}
		v, err := c.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
			"out_trade_no": rec[0], "out_refund_no": rec[1], "reason": rec[4],
			"amount": wxpay.JSON{"refund": refund, "total": total, "currency": "CNY"},
		})
		var api *wxpay.APIError
		switch {
		case err == nil:
			_ = w.Write([]string{rec[0], rec[1], fmt.Sprint(v.State), strconv.Itoa(v.Attempts)})
		case wxpay.IsCode(err, wxcode.NotEnough):
			return fmt.Errorf("余额不足，充值后重跑: %w", err)
		case errors.As(err, &api) && api.Outcome == wxpay.Rejected:
			_ = w.Write([]string{rec[0], rec[1], string(api.Code), api.Message})
		default:
			_ = w.Write([]string{rec[0], rec[1], fmt.Sprint(wxpay.OutcomeOf(err)), err.Error()})
		}
	}
}

func refundState(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	for _, no := range args {
		r, err := wxpay.Into[struct {
			Status      string `json:"status"`
			SuccessTime string `json:"success_time"`
			Account     string `json:"user_received_account"`
			Amount      struct {
				Refund int64 `json:"refund"`
			} `json:"amount"`
		}](c.Chain("v3/refund/domestic/refunds/{out_refund_no}", no).Get(ctx))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, no, r.Status, yuan(r.Amount.Refund), r.Account, r.SuccessTime)
	}
	return nil
}

func abnormal(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("需要 退款ID 退款单号")
	}
	res, err := c.Chain("v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund", args[0]).Post(ctx, wxpay.JSON{
		"out_refund_no": args[1], "type": "MERCHANT_BANK_CARD",
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, res.Get("status"))
	return nil
}

func bill(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bill", flag.ContinueOnError)
	day := fs.String("day", time.Now().In(cst).AddDate(0, 0, -1).Format(time.DateOnly), "日期")
	to := fs.String("o", "", "输出文件")
	if err := fs.Parse(args); err != nil {
		return err
	}
	l := NewLedger()
	n, err := ImportTrades(ctx, c, l, *day)
	if err != nil {
		return err
	}
	fl, err := SumFlows(ctx, c, *day, "BASIC")
	if err != nil {
		return err
	}
	if got := l.Balance()[accCash]; got != fl.In-fl.Out {
		// 提现、充值等不在交易账单里，差额挂待查
		gap := fl.In - fl.Out - got
		if err := l.Post("G"+*day, Entry{Day: *day, Account: accCash, Fen: gap, Memo: "资金账单差额"},
			Entry{Day: *day, Account: accSuspend, Fen: -gap, Memo: "待查"}); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%s: %d 笔，结余 %s\n", *day, n, yuan(fl.Last))
	if *to == "" {
		return l.Dump(out)
	}
	f, err := os.Create(*to)
	if err != nil {
		return err
	}
	if err := l.Dump(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func compare(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	day := fs.String("day", "", "日期")
	if err := fs.Parse(args); err != nil {
		return err
	}
	d, err := time.ParseInLocation(time.DateOnly, *day, cst)
	if err != nil {
		return err
	}
	f, err := os.Open(fs.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	local, err := ReadLocal(f)
	if err != nil {
		return err
	}
	diff, err := Compare(ctx, c, d, local)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(diff); err != nil {
		return err
	}
	if !diff.Empty() {
		return errors.New("有差异")
	}
	return nil
}

func complaints(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("complain", flag.ContinueOnError)
	days := fs.Int("days", 7, "最近几天，最多 30")
	if err := fs.Parse(args); err != nil {
		return err
	}
	now := time.Now().In(cst)
	list := c.Chain("v3/merchant-service/complaints-v2").
		Query("begin_date", now.AddDate(0, 0, -*days).Format(time.DateOnly)).
		Query("end_date", now.Format(time.DateOnly))
	for one, err := range list.Each(ctx, "data") {
		if err != nil {
			return err
		}
		if one.Get("complaint_state").String() == "PROCESSED" {
			continue
		}
		fmt.Fprintln(out, one.Get("complaint_id"), one.Get("complaint_time"), one.Get("problem_type"),
			yuan(one.Get("apply_refund_amount").Int()), one.Get("complaint_order_info.0.out_trade_no"), one.Get("complaint_detail"))
	}
	return nil
}

func reply(ctx context.Context, c *wxpay.Client, args []string, _ io.Writer) error {
	if len(args) < 2 {
		return errors.New("需要 投诉单号 内容")
	}
	images := []string{}
	for _, path := range args[2:] {
		res, err := c.Chain("v3/merchant-service/images/upload").Upload(ctx, wxpay.FileAt(path))
		if err != nil {
			return fmt.Errorf("上传 %s: %w", path, err)
		}
		images = append(images, res.Get("media_id").String())
	}
	body := wxpay.JSON{"complainted_mchid": c.MchID(), "response_content": args[1]}
	if len(images) > 0 {
		body["response_images"] = images
	}
	one := c.Chain("v3/merchant-service/complaints-v2/{complaint_id}", args[0])
	_, err := one.Chain("response").Post(ctx, body)
	return err
}

func coupon(ctx context.Context, c *wxpay.Client, args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("需要 批次 openid 单号")
	}
	res, err := c.Chain("v3/marketing/favor/users/{openid}/coupons", args[1]).Post(ctx, wxpay.JSON{
		"stock_id": args[0], "out_request_no": args[2],
		"appid": os.Getenv("WX_APPID"), "stock_creator_mchid": c.MchID(),
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, res.Get("coupon_id"))
	return nil
}

func checkKeys(ctx context.Context, c *wxpay.Client, _ []string, out io.Writer) error {
	checks, err := c.VerifyKeys(ctx)
	for _, k := range checks {
		fmt.Fprintf(out, "%+v\n", k)
	}
	return err
}
