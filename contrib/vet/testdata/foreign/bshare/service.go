package bshare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// ReceiverVO 接收方请求体。
type ReceiverVO struct {
	Type        string `json:"type"`
	Account     string `json:"account"`
	Name        string `json:"name,omitempty"`
	Amount      int64  `json:"amount"`
	Description string `json:"description"`
}

// ShareRequest 请求分账。
type ShareRequest struct {
	SubMchid        string       `json:"sub_mchid"`
	Appid           string       `json:"appid"`
	SubAppid        string       `json:"sub_appid,omitempty"`
	TransactionID   string       `json:"transaction_id"`
	OutOrderNo      string       `json:"out_order_no"`
	Receivers       []ReceiverVO `json:"receivers"`
	UnfreezeUnsplit bool         `json:"unfreeze_unsplit"`
}

// ShareResult 分账结果。
type ShareResult struct {
	TransactionID string     `json:"transaction_id"`
	OutOrderNo    string     `json:"out_order_no"`
	OrderID       string     `json:"order_id"`
	State         OrderState `json:"state"`
	Receivers     []struct {
		Amount      int64          `json:"amount"`
		Description string         `json:"description"`
		Type        string         `json:"type"`
		Account     string         `json:"account"`
		Result      ReceiverResult `json:"result"`
		FailReason  string         `json:"fail_reason"`
		DetailID    string         `json:"detail_id"`
		FinishTime  string         `json:"finish_time"`
	} `json:"receivers"`
}

// ReturnRequest 分账回退。
type ReturnRequest struct {
	SubMchid    string `json:"sub_mchid"`
	OutOrderNo  string `json:"out_order_no"`
	OutReturnNo string `json:"out_return_no"`
	ReturnMchid string `json:"return_mchid"`
	Amount      int64  `json:"amount"`
	Description string `json:"description"`
}

// Task 一笔待分账的订单。
type Task struct {
	SubMchid      string
	TransactionID string
	OutOrderNo    string
	TotalFen      int64
	Rules         []Rule
}

// TaskRepository 任务表。
type TaskRepository interface {
	Pending(ctx context.Context, limit int) ([]Task, error)
	Update(ctx context.Context, outOrderNo, state, remark string) error
}

// ProfitSharingService 分账服务。
type ProfitSharingService struct {
	Client *wxpay.Client
	Appid  string
	Tasks  TaskRepository
	Logger *slog.Logger
}

// AddReceiver 添加接收方，重复添加视为成功。
func (s *ProfitSharingService) AddReceiver(ctx context.Context, subMchid string, rule Rule, relation, custom string) error {
	body := wxpay.JSON{
		"sub_mchid":     subMchid,
		"appid":         s.Appid,
		"type":          rule.Type,
		"account":       rule.Account,
		"relation_type": relation,
	}
	if rule.Name != "" {
		body["name"] = rule.Name
	}
	if relation == RelationCustom {
		body["custom_relation"] = custom
	}
	_, err := s.Client.Chain("v3/profitsharing/receivers/add").Post(ctx, body)
	if err != nil && !wxpay.IsCode(err, wxcode.AlreadyExists) {
		return fmt.Errorf("添加分账接收方 %s: %w", rule.Account, err)
	}
	return nil
}

// RemoveReceiver 删除接收方。
func (s *ProfitSharingService) RemoveReceiver(ctx context.Context, subMchid string, rule Rule) error {
	_, err := s.Client.Chain("v3/profitsharing/receivers/delete").Post(ctx, wxpay.JSON{
		"sub_mchid": subMchid, "appid": s.Appid, "type": rule.Type, "account": rule.Account,
	})
	return err
}

// MaxRatio 查询子商户的最大分账比例。
func (s *ProfitSharingService) MaxRatio(ctx context.Context, subMchid string) (int64, error) {
	res, err := s.Client.Chain("v3/profitsharing/merchant-configs/{sub_mchid}", subMchid).Get(ctx)
	if err != nil {
		return 0, err
	}
	return res.Int("max_ratio")
}

// Unsplit 剩余待分金额。
func (s *ProfitSharingService) Unsplit(ctx context.Context, transactionID string) (int64, error) {
	res, err := s.Client.Chain("v3/profitsharing/transactions/{transaction_id}/amounts", transactionID).Get(ctx)
	if err != nil {
		return 0, err
	}
	return res.Fen("unsplit_amount")
}

// Share 执行一笔分账。
func (s *ProfitSharingService) Share(ctx context.Context, task Task) (*ShareResult, error) {
	maxRatio, err := s.MaxRatio(ctx, task.SubMchid)
	if err != nil {
		return nil, err
	}
	shares, err := NewPlanBuilder(task.TotalFen, maxRatio).Add(task.Rules...).Build()
	if err != nil {
		return nil, err
	}
	if len(shares) == 0 {
		return nil, s.Unfreeze(ctx, task, "无需分账")
	}
	request := ShareRequest{
		SubMchid: task.SubMchid, Appid: s.Appid, TransactionID: task.TransactionID,
		OutOrderNo: task.OutOrderNo, UnfreezeUnsplit: true,
	}
	for _, share := range shares {
		request.Receivers = append(request.Receivers, ReceiverVO{
			Type: share.Type, Account: share.Account, Name: share.Name, Amount: share.Fen, Description: share.Remark,
		})
	}
	verdict, err := s.Client.Chain("v3/profitsharing/orders").Ensure(ctx, request)
	if err != nil {
		if errors.Is(err, wxpay.ErrNumberConflict) {
			return nil, fmt.Errorf("分账单号 %s 被其他参数占用: %w", task.OutOrderNo, err)
		}
		return nil, fmt.Errorf("分账 %s: %w", task.OutOrderNo, err)
	}
	var result ShareResult
	if verdict.Response != nil {
		if err := verdict.Response.Decode(&result); err != nil {
			return nil, err
		}
	}
	return &result, nil
}

// Query 查询分账结果。
func (s *ProfitSharingService) Query(ctx context.Context, task Task) (ShareResult, error) {
	return wxpay.Into[ShareResult](s.Client.Chain("v3/profitsharing/orders/{out_order_no}", task.OutOrderNo).
		Queries(map[string]string{"sub_mchid": task.SubMchid, "transaction_id": task.TransactionID}).
		Get(ctx))
}

// Unfreeze 解冻剩余资金。
func (s *ProfitSharingService) Unfreeze(ctx context.Context, task Task, reason string) error {
	verdict, err := s.Client.Chain("v3/profitsharing/orders/unfreeze").Ensure(ctx, wxpay.JSON{
		"sub_mchid":      task.SubMchid,
		"transaction_id": task.TransactionID,
		"out_order_no":   task.OutOrderNo,
		"description":    reason,
	})
	if err != nil {
		return err
	}
	s.Logger.InfoContext(ctx, "解冻", "order", task.OutOrderNo, "state", verdict.State)
	return nil
}

// Return 退款前把分出去的钱退回来。
func (s *ProfitSharingService) Return(ctx context.Context, request ReturnRequest) (bool, error) {
	verdict, err := s.Client.Chain("v3/profitsharing/return-orders").UntilFinal().Ensure(ctx, request)
	if err != nil {
		return false, fmt.Errorf("分账回退 %s: %w", request.OutReturnNo, err)
	}
	if verdict.State == wxpay.Failed {
		s.Logger.WarnContext(ctx, "分账回退失败", "no", request.OutReturnNo,
			"reason", verdict.Response.Get("fail_reason").String())
	}
	return verdict.State == wxpay.Succeeded, nil
}

// RunOnce 定时任务：处理一批。
func (s *ProfitSharingService) RunOnce(ctx context.Context) error {
	tasks, err := s.Tasks.Pending(ctx, 100)
	if err != nil {
		return err
	}
	for _, task := range tasks {
		result, err := s.Share(ctx, task)
		switch {
		case err == nil && result == nil:
			err = s.Tasks.Update(ctx, task.OutOrderNo, "UNFROZEN", "")
		case err == nil:
			err = s.Tasks.Update(ctx, task.OutOrderNo, string(result.State), summarize(result))
		case errors.Is(err, wxpay.ErrOutcomeUnknown):
			// 状态不变，下一轮用同一单号继续
			s.Logger.WarnContext(ctx, "分账结果未知", "order", task.OutOrderNo, "err", err)
			continue
		case wxpay.IsCode(err, wxcode.NoAuth, wxcode.SignError):
			return err // 整个商户都有问题，别再试了
		default:
			err = s.Tasks.Update(ctx, task.OutOrderNo, "ERROR", err.Error())
		}
		if err != nil {
			s.Logger.ErrorContext(ctx, "更新任务失败", "order", task.OutOrderNo, "err", err)
		}
	}
	return nil
}

func summarize(result *ShareResult) string {
	failed := 0
	reason := ""
	for _, r := range result.Receivers {
		if r.Result == ReceiverResultClosed {
			failed++
			reason = FailReasonText(r.FailReason)
		}
	}
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d 个接收方失败: %s", failed, reason)
}

// RegisterNotify 分账动账通知。
func (s *ProfitSharingService) RegisterNotify(handler *webhook.Handler) {
	webhook.On(handler, "*/profitsharing", func(ctx context.Context, e *webhook.Event, n struct {
		SpMchid       string `json:"sp_mchid"`
		SubMchid      string `json:"sub_mchid"`
		TransactionID string `json:"transaction_id"`
		OrderID       string `json:"order_id"`
		OutOrderNo    string `json:"out_order_no"`
		SuccessTime   string `json:"success_time"`
		Receiver      struct {
			Type        string `json:"type"`
			Account     string `json:"account"`
			Amount      int64  `json:"amount"`
			Description string `json:"description"`
		} `json:"receiver"`
	}) error {
		s.Logger.InfoContext(ctx, "分账动账", "type", e.Type, "order", n.OutOrderNo, "fen", n.Receiver.Amount)
		return s.Tasks.Update(ctx, n.OutOrderNo, string(OrderStateFinished), n.OrderID)
	})
}
