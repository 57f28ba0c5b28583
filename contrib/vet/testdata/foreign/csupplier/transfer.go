// Package csupplier 给个人供应商（民宿房东、补货员）打款：发起转账、用户确认收款、撤销、回单。
package csupplier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// TransferBill 是发起转账的请求
type TransferBill struct {
	AppID      string       `json:"appid"`
	OutBillNo  string       `json:"out_bill_no"`
	OpenID     string       `json:"openid"`
	UserName   wxpay.Secret `json:"user_name,omitempty"`
	Amount     int64        `json:"transfer_amount"`
	Remark     string       `json:"transfer_remark"`
	NotifyURL  string       `json:"notify_url,omitempty"`
	Perception string       `json:"user_recv_perception,omitempty"`
	SceneID    string       `json:"transfer_scene_id"`
	Reports    []ReportInfo `json:"transfer_scene_report_infos"`
}

// ReportInfo 场景报备
type ReportInfo struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

// 场景 1005：佣金报酬
const sceneCommission = "1005"

// nameFrom 起（含）必须传收款人姓名
const nameFrom = 200000

type BillState string

const (
	Accepted    BillState = "ACCEPTED"
	InProgress  BillState = "PROCESSING"
	WaitConfirm BillState = "WAIT_USER_CONFIRM"
	Moving      BillState = "TRANSFERING"
	Success     BillState = "SUCCESS"
	Fail        BillState = "FAIL"
	Canceling   BillState = "CANCELING"
	Cancelled   BillState = "CANCELLED"
)

// Final 表示不会再变
func (s BillState) Final() bool { return s == Success || s == Fail || s == Cancelled }

// Payout 一次打款
type Payout struct {
	No      string
	OpenID  string
	Name    string
	Fen     int64
	Role    string // 岗位类型
	Purpose string // 报酬说明
	State   BillState
	Package string
	Reason  string
	Updated time.Time
}

// Store 打款单的存储
type Store interface {
	Get(ctx context.Context, no string) (*Payout, error)
	Put(ctx context.Context, p *Payout) error
	Pending(ctx context.Context, before time.Time) ([]*Payout, error)
}

// Service 打款服务
type Service struct {
	client *wxpay.Client
	store  Store
	appID  string
	notify string
	limit  int64 // 单笔上限
}

type Option func(*Service)

func Limit(fen int64) Option { return func(s *Service) { s.limit = fen } }

func New(client *wxpay.Client, store Store, appID, notify string, opts ...Option) *Service {
	s := &Service{client: client, store: store, appID: appID, notify: notify, limit: 500000}
	for _, o := range opts {
		o(s)
	}
	return s
}

var (
	ErrTooMuch  = errors.New("csupplier: 超过单笔上限")
	ErrNoName   = errors.New("csupplier: 大额转账需要姓名")
	ErrNotReady = errors.New("csupplier: 尚不能确认收款")
)

// Start 发起转账并返回确认收款的参数。重复调用使用同一单号，平台保证只生效一次。
func (s *Service) Start(ctx context.Context, p *Payout) (*wxpay.TransferConfirmation, error) {
	switch {
	case p.Fen <= 0 || p.Fen > s.limit:
		return nil, ErrTooMuch
	case p.Fen >= nameFrom && p.Name == "":
		return nil, ErrNoName
	}
	if p.State == "" {
		p.State = Accepted
	}
	p.Updated = time.Now()
	if err := s.store.Put(ctx, p); err != nil { // 先存单号
		return nil, err
	}
	bill := TransferBill{
		AppID: s.appID, OutBillNo: p.No, OpenID: p.OpenID, Amount: p.Fen,
		Remark: p.Purpose, NotifyURL: s.notify, SceneID: sceneCommission, Perception: "劳务报酬",
		Reports: []ReportInfo{{"岗位类型", p.Role}, {"报酬说明", p.Purpose}},
	}
	if p.Name != "" {
		bill.UserName = wxpay.Secret(p.Name)
	}
	verdict, err := s.client.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, bill)
	if err != nil {
		if errors.Is(err, wxpay.ErrNumberConflict) {
			return nil, fmt.Errorf("单号 %s 已用于另一笔转账: %w", p.No, err)
		}
		if wxpay.OutcomeOf(err) == wxpay.Rejected && wxpay.IsCode(err, wxcode.ParamError) {
			p.State, p.Reason = Fail, "参数错误"
			return nil, errors.Join(err, s.store.Put(ctx, p))
		}
		return nil, fmt.Errorf("转账 %s: %w", p.No, err) // 单号保留，稍后 Settle
	}
	if verdict.Response == nil {
		return nil, ErrNotReady
	}
	if err := s.absorb(ctx, p, verdict.Response); err != nil {
		return nil, err
	}
	return s.Confirmation(p)
}

// absorb 把回应写进打款单
func (s *Service) absorb(ctx context.Context, p *Payout, res *wxpay.Response) error {
	state, err := res.Text("state")
	if err != nil {
		return err
	}
	p.State = BillState(state)
	p.Reason = res.Get("fail_reason").String()
	if pkg := res.Get("package_info"); pkg.Exists() {
		p.Package = pkg.String()
	}
	p.Updated = time.Now()
	return s.store.Put(ctx, p)
}

// Confirmation 是 wx.requestMerchantTransfer 的参数
func (s *Service) Confirmation(p *Payout) (*wxpay.TransferConfirmation, error) {
	if p.State != WaitConfirm || p.Package == "" {
		return nil, fmt.Errorf("%w: %s", ErrNotReady, p.State)
	}
	c, err := s.client.Invoke().Transfer(s.appID, p.Package)
	if err != nil {
		return nil, err
	}
	c.OpenID = p.OpenID
	return &c, nil
}

// Refresh 查一次
func (s *Service) Refresh(ctx context.Context, no string) (*Payout, error) {
	p, err := s.store.Get(ctx, no)
	if err != nil {
		return nil, err
	}
	res, err := s.client.Chain("v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", no).Get(ctx)
	if err != nil {
		return nil, err
	}
	fen, err := res.Fen("transfer_amount")
	if err != nil {
		return nil, err
	}
	if fen != p.Fen {
		return nil, fmt.Errorf("%s 金额不符: 本地 %d, 平台 %d", no, p.Fen, fen)
	}
	return p, s.absorb(ctx, p, res)
}

// Cancel 用户确认前可以撤销
func (s *Service) Cancel(ctx context.Context, no string) error {
	p, err := s.store.Get(ctx, no)
	if err != nil {
		return err
	}
	if p.State.Final() {
		return fmt.Errorf("%s 已是终态 %s", no, p.State)
	}
	res, err := s.client.Chain("v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", no).Chain("cancel").Post(ctx, nil)
	if err != nil {
		// 撤销失败不代表用户没收到钱，查询为准
		if _, qerr := s.Refresh(ctx, no); qerr != nil {
			return errors.Join(err, qerr)
		}
		return err
	}
	return s.absorb(ctx, p, res)
}

// Settle 巡检未终态的单子；没有记录的用同一单号重发
func (s *Service) Settle(ctx context.Context) error {
	list, err := s.store.Pending(ctx, time.Now().Add(-10*time.Minute))
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range list {
		_, err := s.Refresh(ctx, p.No)
		if wxpay.IsCode(err, wxcode.NotFound) {
			_, err = s.Start(ctx, p)
			if errors.Is(err, ErrNotReady) {
				err = nil
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", p.No, err))
		}
	}
	return errors.Join(failed...)
}

// Proof 下载电子回单（已申请的）
func (s *Service) Proof(ctx context.Context, no, path string) error {
	if _, err := s.client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no").Post(ctx, wxpay.JSON{"out_bill_no": no}); err != nil &&
		!wxpay.IsCode(err, wxcode.AlreadyExists) {
		return fmt.Errorf("申请回单: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	got, err := s.client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", no).
		Receipt(ctx, wxpay.ToFile(path).Replace(), wxpay.WaitAtMost(5*time.Minute))
	if err != nil {
		return err
	}
	if !got.Verified {
		return fmt.Errorf("回单 %s 未校验", no)
	}
	return nil
}
