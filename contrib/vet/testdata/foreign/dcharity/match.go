package dcharity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"text/tabwriter"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxbill"
	"github.com/wxpay-go/wxpay/wxcode"
)

const charity = "v3/fund-app/mch-transfer/partner"

// 配捐状态。
const (
	matchNew      = "NEW"
	matchDoubt    = "DOUBT"
	matchAccepted = "ACCEPTED"
	matchDone     = "SUCCESS"
	matchClosed   = "CLOSE"
	matchRefused  = "REFUSED"
)

// BudgetRequest 企业的配捐预算。
type BudgetRequest struct {
	OutBudgetNo string `json:"out_budget_no"`
	Sponsor     string `json:"sponsor_mchid"`
	Subject     string `json:"sponsor_subject_name"`
	Activity    string `json:"activity_name"`
	Remark      string `json:"activity_remark"`
	Amount      int64  `json:"amount"`
	NotifyURL   string `json:"notify_url,omitempty"`
}

// Budget 预算单。
type Budget struct {
	OutBudgetNo string `json:"out_budget_no"`
	BudgetID    string `json:"budget_id"`
	Amount      int64  `json:"amount"`
	Remain      int64  `json:"remain_amount"`
	State       string `json:"state"`
	ConfirmURL  string `json:"confirm_url"`
}

// ApplyBudget 申请预算，企业超管到 ConfirmURL 确认出资。
func (a *App) ApplyBudget(ctx context.Context, req BudgetRequest) (Budget, error) {
	b, err := wxpay.Into[Budget](a.Wechat.Chain(charity+"/charity-budget").Post(ctx, req))
	if errors.Is(err, wxpay.ErrOutcomeUnknown) {
		return a.Budget(ctx, req.OutBudgetNo, req.Sponsor)
	}
	return b, err
}

// Budget 查预算。
func (a *App) Budget(ctx context.Context, outBudgetNo, sponsor string) (Budget, error) {
	return wxpay.Into[Budget](a.Wechat.Chain(charity+"/charity-budget/{out_budget_no}", outBudgetNo).
		Query("sponsor_mchid", sponsor).Get(ctx))
}

// UnlockBudget 活动结束，剩下的钱解锁。
func (a *App) UnlockBudget(ctx context.Context, outBudgetNo, sponsor string) (int64, error) {
	res, err := a.Wechat.Chain(charity).Chain("charity-budget/{out_budget_no}/unlock", outBudgetNo).
		Post(ctx, wxpay.JSON{"sponsor_mchid": sponsor, "activity_remark": "活动结束"})
	if err != nil {
		return 0, err
	}
	if !res.Get("unlocked_amount").Exists() {
		return 0, nil
	}
	return res.Fen("unlocked_amount")
}

// MatchAll 给每笔已付且未配捐的捐款配捐，最多配 limit 分一笔。
func (a *App) MatchAll(ctx context.Context, budgetNo, sponsor string, limit int64) error {
	todo := a.Donations.Where(func(d Donation) bool { return d.Paid && !d.Matched })
	sort.Slice(todo, func(i, j int) bool { return todo[i].PaidAt.Before(todo[j].PaidAt) })
	var errs []error
	for _, d := range todo {
		m := Match{TransferNo: "M" + d.Number, BudgetNo: budgetNo, Sponsor: sponsor, Fen: min(d.Fen, limit), State: matchNew}
		a.Matches.Insert(m)
		err := a.match(ctx, d, m.TransferNo)
		if wxpay.IsCode(err, wxcode.NotEnough) {
			return fmt.Errorf("预算 %s 用完: %w", budgetNo, err)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (a *App) match(ctx context.Context, d Donation, transferNo string) error {
	m, _ := a.Matches.Get(transferNo)
	switch m.State {
	case matchDoubt:
		return a.refreshMatch(ctx, m)
	case matchDone, matchAccepted, matchClosed:
		return nil
	}
	res, err := a.Wechat.Chain(charity+"/charity-transfer-bills").Post(ctx, wxpay.JSON{
		"out_budget_no":   m.BudgetNo,
		"out_transfer_no": m.TransferNo,
		"transaction_info": wxpay.JSON{
			"transaction_type": "WXPAY",
			"transaction_id":   d.WechatID,
		},
		"sponsor_mchid":   m.Sponsor,
		"receive_mchid":   a.Receiver,
		"amount":          m.Fen,
		"transfer_remark": "企业配捐",
	})
	if err != nil {
		state := matchNew
		switch wxpay.OutcomeOf(err) {
		case wxpay.Unknown:
			state = matchDoubt
		case wxpay.Rejected:
			if !wxpay.IsCode(err, wxcode.NotEnough) {
				state = matchRefused
			}
		case wxpay.Confirmed:
			state = matchAccepted
		}
		a.Matches.Update(m.TransferNo, func(m *Match) { m.State = state })
		return fmt.Errorf("配捐 %s: %w", m.TransferNo, err)
	}
	a.setMatch(m.TransferNo, d.Number, res.Get("state").String())
	return nil
}

func (a *App) setMatch(transferNo, donation, state string) {
	a.Matches.Update(transferNo, func(m *Match) { m.State = state })
	if state == matchDone {
		a.Donations.Update(donation, func(d *Donation) { d.Matched = true })
	}
}

func (a *App) refreshMatch(ctx context.Context, m Match) error {
	res, err := a.Wechat.Chain(charity+"/charity-transfer-bills/out-transfer-no/{out_transfer_no}", m.TransferNo).
		Queries(wxpay.JSON{"sponsor_mchid": m.Sponsor, "out_budget_no": m.BudgetNo}).Get(ctx)
	if err != nil {
		return fmt.Errorf("查配捐 %s: %w", m.TransferNo, err)
	}
	a.setMatch(m.TransferNo, m.TransferNo[1:], res.Get("state").String())
	return nil
}

// Aid 发给受助人的一笔救助金。
type Aid struct {
	OutBillNo string
	OpenID    string
	Name      string
	Fen       int64
}

// PayAid 救助金用商家转账，用户在小程序里确认。返回 nil 表示不需要确认。
func (a *App) PayAid(ctx context.Context, aid Aid) (*wxpay.TransferConfirmation, error) {
	body := wxpay.JSON{
		"appid":             a.AppID,
		"out_bill_no":       aid.OutBillNo,
		"openid":            aid.OpenID,
		"transfer_amount":   aid.Fen,
		"transfer_remark":   "救助金",
		"transfer_scene_id": "1002",
		"transfer_scene_report_infos": []wxpay.JSON{
			{"info_type": "救助项目", "info_content": "大病救助"},
		},
	}
	if aid.Name != "" {
		body["user_name"] = wxpay.Secret(aid.Name)
	}
	verdict, err := a.Wechat.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, body)
	if err != nil {
		return nil, fmt.Errorf("救助金 %s: %w", aid.OutBillNo, err)
	}
	if verdict.State == wxpay.Failed {
		return nil, fmt.Errorf("救助金 %s 转账失败", aid.OutBillNo)
	}
	if verdict.Response == nil || verdict.Response.Get("package_info").String() == "" {
		return nil, nil
	}
	c, err := a.Wechat.Invoke().Transfer(a.AppID, verdict.Response.Get("package_info").String())
	return &c, err
}

// Kindness 爱心餐数量。
type Kindness struct {
	Donated  int64 `json:"donate_count"`
	Consumed int64 `json:"consume_count"`
}

// Meals 爱心餐品牌的数量。
func (a *App) Meals(ctx context.Context, brandID string) (Kindness, error) {
	return wxpay.Into[Kindness](a.Wechat.Chain("v3/lovefeast/brands/{brand_id}", brandID).Get(ctx))
}

// MealsOf 用户捐过的餐，按来源计数。
func (a *App) MealsOf(ctx context.Context, openID string, brandID int) (map[string]int, error) {
	count := make(map[string]int)
	orders := a.Wechat.At("v3", "lovefeast", "users", "_openid_", "orders", "brandId", "_brand_id_").
		Var("openid", openID).Var("brand_id", brandID)
	for order, err := range orders.Each(ctx, "data") {
		if err != nil {
			return nil, err
		}
		count[order.Get("donate_source").String()]++
	}
	return count, nil
}

// Complaints 处理投诉：有图的存图，能说明的回复，已退款的结案。
func (a *App) Complaints(ctx context.Context, from, to time.Time, dir string) error {
	for c, err := range a.Wechat.Chain("v3/merchant-service/complaints-v2").
		Query("begin_date", from.Format(time.DateOnly)).Query("end_date", to.Format(time.DateOnly)).Each(ctx, "data") {
		if err != nil {
			return err
		}
		id := c.Get("complaint_id").String()
		if c.Get("complaint_state").String() == "PROCESSED" {
			continue
		}
		one := a.Wechat.Chain("v3/merchant-service/complaints-v2/{complaint_id}", id)
		mch := c.Get("complainted_mchid").String()
		n := 0
		for _, media := range c.Get("complaint_media_list").Array() {
			for _, u := range media.Get("media_url").Array() {
				n++
				path := filepath.Join(dir, fmt.Sprintf("%s-%d.jpg", id, n))
				if _, err := a.Wechat.Fetch(ctx, u.String(), wxpay.ToFile(path).Replace()); err != nil {
					fmt.Fprintln(os.Stderr, "下载投诉图片:", id, err)
				}
			}
		}
		if c.Get("complaint_full_refunded").Bool() {
			if _, err := one.Chain("complete").Post(ctx, wxpay.JSON{"complainted_mchid": mch}); err != nil {
				return fmt.Errorf("投诉 %s 结案: %w", id, err)
			}
			continue
		}
		if c.Get("complaint_state").String() != "PENDING" {
			continue
		}
		if _, err := one.Chain("response").Post(ctx, wxpay.JSON{
			"complainted_mchid": mch,
			"response_content":  "您好，捐款去向可在项目页面查看，误捐可申请退回。",
		}); err != nil {
			return fmt.Errorf("投诉 %s 回复: %w", id, err)
		}
	}
	return nil
}

// Totals 一天的收支，单位分。
type Totals struct{ In, Out int64 }

// FundTotals 按资金账单统计。
func (a *App) FundTotals(ctx context.Context, day time.Time) (t Totals, err error) {
	bill, err := a.Wechat.Chain("v3/bill/fundflowbill").Query("bill_date", day.Format(time.DateOnly)).
		Bill(ctx, wxpay.WaitAtMost(10*time.Minute))
	if errors.Is(err, wxpay.ErrNotReady) {
		return t, fmt.Errorf("%s 的账单还没出: %w", day.Format(time.DateOnly), err)
	}
	if err != nil {
		return t, err
	}
	defer bill.Close()
	for row, err := range bill.Rows() {
		if err != nil {
			return Totals{}, err
		}
		fen, err := row.Fen(wxbill.FundAmount)
		if err != nil {
			return Totals{}, err
		}
		if row.Get(wxbill.FundDirection) == "收入" {
			t.In += fen
		} else {
			t.Out += fen
		}
	}
	return t, nil
}

// Run 小工具：report | archive | meals BRAND。
func (a *App) Run(ctx context.Context, args []string, out io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(out, "用法: charity report|archive|meals BRAND")
		return 2
	}
	yesterday := time.Now().AddDate(0, 0, -1)
	switch args[0] {
	case "report":
		t, err := a.FundTotals(ctx, yesterday)
		if err != nil {
			fmt.Fprintln(out, err)
			return 1
		}
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintf(w, "收入\t%d.%02d 元\n支出\t%d.%02d 元\n", t.In/100, t.In%100, t.Out/100, t.Out%100)
		w.Flush()
	case "archive":
		path := "trade-" + yesterday.Format("20060102") + ".csv"
		got, err := a.Wechat.Chain("v3/bill/tradebill").Query("bill_date", yesterday).BillTo(ctx, wxpay.ToFile(path))
		if err != nil {
			fmt.Fprintln(out, err)
			return 1
		}
		fmt.Fprintln(out, path, got.Size)
	case "meals":
		if len(args) < 2 {
			return 2
		}
		k, err := a.Meals(ctx, args[1])
		if err != nil {
			fmt.Fprintln(out, err)
			return 1
		}
		fmt.Fprintln(out, "捐赠", k.Donated, "供餐", k.Consumed)
	default:
		return 2
	}
	return 0
}
