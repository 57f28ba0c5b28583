// Package arider 骑手结算：按日汇总配送费，通过商家转账打到骑手零钱。
package arider

import (
	"context"
	"errors"
	"time"
)

// TransferState 转账单状态，与微信文档一致。
type TransferState string

const (
	TransferNew         TransferState = "NEW" // 仅本地使用
	TransferAccepted    TransferState = "ACCEPTED"
	TransferProcessing  TransferState = "PROCESSING"
	TransferWaitConfirm TransferState = "WAIT_USER_CONFIRM"
	TransferRunning     TransferState = "TRANSFERING"
	TransferSuccess     TransferState = "SUCCESS"
	TransferFail        TransferState = "FAIL"
	TransferCanceling   TransferState = "CANCELING"
	TransferCancelled   TransferState = "CANCELLED"
)

// Done 终态。
func (s TransferState) Done() bool {
	return s == TransferSuccess || s == TransferFail || s == TransferCancelled
}

// Rider 骑手档案。
type Rider struct {
	ID       int64
	OpenID   string
	RealName string
	City     string
	Blocked  bool
}

// Payout 一笔结算。
type Payout struct {
	BillNo      string        `json:"out_bill_no"`
	RiderID     int64         `json:"rider_id"`
	Day         string        `json:"day"` // 2006-01-02
	Deliveries  int           `json:"deliveries"`
	Amount      int64         `json:"amount"` // 分
	State       TransferState `json:"state"`
	TransferNo  string        `json:"transfer_bill_no"`
	PackageInfo string        `json:"package_info"`
	FailReason  string        `json:"fail_reason"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

// 转账限额（分），与商户平台上的配置保持一致。
const (
	MinAmount      int64 = 30     // 0.3 元
	NameNeedAmount int64 = 200000 // 2000 元及以上必须传姓名
	NameMinAmount  int64 = 30     // 0.3 元以下不支持传姓名
)

const sceneSalary = "1005" // 佣金报酬

var (
	ErrBlocked   = errors.New("骑手账号已冻结")
	ErrTooSmall  = errors.New("结算金额低于最低转账金额")
	ErrNoPayout  = errors.New("结算单不存在")
	ErrNotCancel = errors.New("当前状态不能撤销")
)

// Riders 骑手档案服务。
type Riders interface {
	Rider(ctx context.Context, id int64) (*Rider, error)
}

// Ledger 结算账本。
type Ledger interface {
	// Open 按 (rider, day) 幂等创建结算单。
	Open(ctx context.Context, p *Payout) (*Payout, error)
	Get(ctx context.Context, billNo string) (*Payout, error)
	Update(ctx context.Context, billNo string, change func(*Payout) error) error
	Pending(ctx context.Context, limit int) ([]*Payout, error)
}

// Transferer 转账通道。
type Transferer interface {
	Transfer(ctx context.Context, p *Payout, r *Rider) (*Transfer, error)
	Query(ctx context.Context, billNo string) (*Transfer, error)
	Cancel(ctx context.Context, billNo string) error
	Confirmation(packageInfo string) (any, error)
}

// Transfer 通道返回的转账单。
type Transfer struct {
	State       TransferState
	TransferNo  string
	PackageInfo string
	FailReason  string
}
