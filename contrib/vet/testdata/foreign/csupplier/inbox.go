package csupplier

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/webhook"
)

// Message 先存后处理的一条通知
type Message struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Resource json.RawMessage `json:"resource"`
	Tries    int             `json:"tries"`
	Next     time.Time       `json:"next"`
}

// Queue 是持久队列
type Queue interface {
	Push(ctx context.Context, m Message) error
	Pop(ctx context.Context) (Message, error) // 阻塞
	Dead(ctx context.Context, m Message, why error) error
}

// Inbox 收通知入队
func (s *Service) Inbox(apiV3Key string, q Queue, log *slog.Logger) (*webhook.Handler, error) {
	h, err := webhook.New(
		webhook.Merchant{ID: s.client.MchID(), APIv3Key: apiV3Key, Keys: s.client},
		webhook.WithLogger(log),
		webhook.WithObserver(func(_ context.Context, o webhook.Observation) {
			if o.Status >= 500 {
				log.Warn("通知处理失败", "type", o.Type, "status", o.Status, "failure", o.Failure)
			}
		}),
	)
	if err != nil {
		return nil, err
	}
	store := func(ctx context.Context, e *webhook.Event) error {
		return q.Push(ctx, Message{ID: e.ID, Type: e.Type, Resource: e.Resource(), Next: time.Now()})
	}
	for _, t := range []string{
		webhook.MchTransferBillFinished,
		webhook.ComplaintCreate,
		webhook.ComplaintStateChange,
	} {
		h.On(t, store)
	}
	h.Ignore(webhook.TransactionSuccess, "REFUND.*") // 这个商户号的收款由另一服务处理
	return h, nil
}

// Consumer 处理一类消息
type Consumer func(ctx context.Context, m Message) error

// typed 解码后调用 fn
func typed[T any](fn func(context.Context, T) error) Consumer {
	return func(ctx context.Context, m Message) error {
		var v T
		if err := json.Unmarshal(m.Resource, &v); err != nil {
			return fmt.Errorf("%s %s: %w", m.Type, m.ID, err)
		}
		return fn(ctx, v)
	}
}

type finished struct {
	OutBillNo  string    `json:"out_bill_no"`
	State      BillState `json:"state"`
	Amount     int64     `json:"transfer_amount"`
	OpenID     string    `json:"openid"`
	FailReason string    `json:"fail_reason"`
}

type complaint struct {
	ComplaintID string `json:"complaint_id"`
	ActionType  string `json:"action_type"`
}

// Consumers 是消息类型到处理函数的表
func (s *Service) Consumers(alert func(text string)) map[string]Consumer {
	c := typed(func(_ context.Context, c complaint) error {
		alert("投诉 " + c.ComplaintID + " " + c.ActionType)
		return nil
	})
	return map[string]Consumer{
		webhook.MchTransferBillFinished: typed(s.finish),
		webhook.ComplaintCreate:         c,
		webhook.ComplaintStateChange:    c,
	}
}

func (s *Service) finish(ctx context.Context, f finished) error {
	p, err := s.store.Get(ctx, f.OutBillNo)
	if err != nil {
		return err
	}
	if p.State.Final() {
		return nil
	}
	if f.Amount != p.Fen {
		return fmt.Errorf("%s 通知金额 %d, 本地 %d", p.No, f.Amount, p.Fen)
	}
	p.State, p.Reason, p.Updated = f.State, f.FailReason, time.Now()
	return s.store.Put(ctx, p)
}

// Run 消费队列直到 ctx 结束
func Run(ctx context.Context, workers int, q Queue, table map[string]Consumer, log *slog.Logger) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				m, err := q.Pop(ctx)
				if err != nil {
					if ctx.Err() == nil {
						time.Sleep(time.Second)
					}
					continue
				}
				handle(ctx, q, table, m, log)
			}
		})
	}
	wg.Wait()
}

func handle(ctx context.Context, q Queue, table map[string]Consumer, m Message, log *slog.Logger) {
	fn, ok := table[m.Type]
	if !ok {
		_ = q.Dead(ctx, m, fmt.Errorf("没有处理函数"))
		return
	}
	err := fn(ctx, m)
	if err == nil {
		return
	}
	m.Tries++
	log.Warn("消息处理失败", "id", m.ID, "type", m.Type, "tries", m.Tries, "err", err)
	if m.Tries >= 8 {
		if err := q.Dead(ctx, m, err); err != nil {
			log.Error("死信写入失败", "id", m.ID, "err", err)
		}
		return
	}
	m.Next = time.Now().Add(time.Duration(1<<m.Tries) * time.Second)
	if err := q.Push(ctx, m); err != nil {
		log.Error("重新入队失败", "id", m.ID, "err", err)
	}
}

// ConfirmPage 给小程序的接口：返回确认收款参数
func (s *Service) ConfirmPage(w http.ResponseWriter, r *http.Request) {
	p, err := s.store.Get(r.Context(), r.PathValue("no"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	c, err := s.Confirmation(p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c)
}
