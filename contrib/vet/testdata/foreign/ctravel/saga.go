package ctravel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Supplier 是供应商接口：确认库存。
type Supplier interface {
	Confirm(ctx context.Context, bookingNo string) (ok bool, err error)
}

// Booking 是订单的投影。
type Booking struct {
	No       string `json:"no"`
	Fen      int64  `json:"fen"`
	Supplier string `json:"supplier"`
	Trade    string `json:"trade"`
	State    Phase  `json:"state"`
}

// Phase 是 saga 的阶段。
type Phase string

const (
	PhaseWaiting   Phase = "WAITING"
	PhasePaid      Phase = "PAID"
	PhaseConfirmed Phase = "CONFIRMED"
	PhaseUndoing   Phase = "UNDOING"
	PhaseUndone    Phase = "UNDONE"
	PhaseClosed    Phase = "CLOSED"
	PhaseManual    Phase = "MANUAL"
)

// Repo 保存投影。
type Repo interface {
	Load(ctx context.Context, no string) (Booking, error)
	Save(ctx context.Context, b Booking) error
}

// BookingSaga：付款 → 供应商确认 → 分账；确认失败则退款。
type BookingSaga struct {
	Desk     *Desk
	Repo     Repo
	Supplier Supplier
	Log      *slog.Logger
}

// On 接收一条事件，决定下一步命令。
func (s *BookingSaga) On(ctx context.Context, e Event) {
	b, err := s.Repo.Load(ctx, e.Stream())
	if err != nil {
		s.Log.Error("投影读取失败", "booking", e.Stream(), "err", err)
		return
	}
	next, err := s.step(ctx, &b, e)
	if err != nil {
		s.Log.Error("saga 步骤失败", "booking", b.No, "event", fmt.Sprintf("%T", e), "err", err)
		if wxpay.OutcomeOf(err) != wxpay.NotSent {
			b.State = PhaseManual
		}
	}
	if err := s.Repo.Save(ctx, b); err != nil {
		s.Log.Error("投影保存失败", "booking", b.No, "err", err)
		return
	}
	if next == nil {
		return
	}
	if err := s.Desk.Handle(ctx, next); err != nil {
		s.Log.Error("命令失败", "booking", b.No, "command", fmt.Sprintf("%T", next), "err", err)
	}
}

func (s *BookingSaga) step(ctx context.Context, b *Booking, e Event) (any, error) {
	switch ev := e.(type) {
	case BookingPaid:
		b.State, b.Trade = PhasePaid, ev.TransactionID
		ok, err := s.Supplier.Confirm(ctx, b.No)
		if err != nil {
			return nil, fmt.Errorf("supplier: %w", err)
		}
		if !ok {
			b.State = PhaseUndoing
			return RefundBooking{BookingNo: b.No, RefundNo: b.No + "-R1", Fen: b.Fen, TotalFen: b.Fen, Reason: "库存不足"}, nil
		}
		b.State = PhaseConfirmed
		if b.Supplier == "" {
			return nil, nil
		}
		// 平台抽成 8%，其余归供应商
		return SplitToSupplier{BookingNo: b.No, TransactionID: b.Trade, Finish: true,
			Shares: []Share{{MchID: b.Supplier, Fen: b.Fen - b.Fen*8/100, Note: "房费结算"}}}, nil
	case BookingRefunded:
		b.State = PhaseUndone
	case BookingClosed:
		b.State = PhaseClosed
	case RefundStuck, OutcomeDoubtful:
		b.State = PhaseManual
	}
	return nil, nil
}

// Notices 接收支付与退款通知。
func Notices(d *Desk, repo Repo, apiV3Key string) (http.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: d.Pay.MchID(), APIv3Key: apiV3Key, Keys: d.Pay})
	if err != nil {
		return nil, err
	}
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		no, err := e.Text("out_trade_no")
		if err != nil {
			return err
		}
		b, err := repo.Load(ctx, no)
		if err != nil {
			return err
		}
		want := webhook.Payment{MchID: d.Pay.MchID(), AppID: d.AppID, OutTradeNo: b.No, Total: b.Fen}
		if err := want.Check(e); err != nil {
			return err
		}
		d.Log.Append(ctx, BookingPaid{BookingNo: no, TransactionID: e.Get("transaction_id").String(), Fen: b.Fen})
		return nil
	})
	type refund struct {
		OutTradeNo   string `json:"out_trade_no"`
		OutRefundNo  string `json:"out_refund_no"`
		RefundStatus string `json:"refund_status"`
		Amount       struct {
			Refund int64 `json:"refund"`
			Total  int64 `json:"total"`
		} `json:"amount"`
	}
	webhook.On(h, webhook.RefundSuccess, func(ctx context.Context, _ *webhook.Event, r refund) error {
		d.Log.Append(ctx, BookingRefunded{BookingNo: r.OutTradeNo, RefundNo: r.OutRefundNo, Fen: r.Amount.Refund})
		return nil
	})
	stuck := func(ctx context.Context, _ *webhook.Event, r refund) error {
		d.Log.Append(ctx, RefundStuck{BookingNo: r.OutTradeNo, RefundNo: r.OutRefundNo, Why: r.RefundStatus})
		return nil
	}
	webhook.On(h, webhook.RefundAbnormal, stuck)
	webhook.On(h, webhook.RefundClosed, stuck)
	return h, nil
}

// Sweep 处理超时未付的订单：先查后关。
func (d *Desk) Sweep(ctx context.Context, numbers []string) error {
	var all []error
	for _, no := range numbers {
		res, err := d.Pay.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", no).Query("mchid", d.Pay.MchID()).Get(ctx)
		if wxpay.IsCode(err, wxcode.OrderNotExist) {
			d.Log.Append(ctx, BookingClosed{BookingNo: no, Reason: "未下单"})
			continue
		}
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", no, err))
			continue
		}
		switch res.Get("trade_state").String() {
		case "SUCCESS":
			total, err := res.Fen("amount.total")
			if err != nil {
				all = append(all, err)
				continue
			}
			// 通知丢了，补一条
			d.Log.Append(ctx, BookingPaid{BookingNo: no, TransactionID: res.Get("transaction_id").String(), Fen: total})
		case "NOTPAY":
			if err := d.Cancel(ctx, CancelBooking{BookingNo: no, Reason: "超时"}); err != nil && !errors.Is(err, ErrAlreadyPaid) {
				all = append(all, err)
			}
		case "CLOSED", "REVOKED":
			d.Log.Append(ctx, BookingClosed{BookingNo: no, Reason: "已关闭"})
		}
	}
	return errors.Join(all...)
}

// API 是给小程序的 HTTP 接口。
func (d *Desk) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /bookings", func(w http.ResponseWriter, r *http.Request) {
		var c PlaceBooking
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&c); err != nil {
			http.Error(w, "请求格式不对", http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 8*time.Second)
		defer cancel()
		params, err := d.Place(ctx, c)
		if err != nil {
			status := http.StatusBadGateway
			if errors.Is(err, ErrBadAmount) {
				status = http.StatusBadRequest
			}
			http.Error(w, "下单失败", status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(params)
	})
	mux.HandleFunc("DELETE /bookings/{no}", func(w http.ResponseWriter, r *http.Request) {
		err := d.Cancel(r.Context(), CancelBooking{BookingNo: r.PathValue("no"), Reason: "用户取消"})
		switch {
		case errors.Is(err, ErrAlreadyPaid):
			http.Error(w, "已支付，请申请退款", http.StatusConflict)
		case err != nil:
			http.Error(w, "稍后再试", http.StatusBadGateway)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	return mux
}
