package dparking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxbill"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Server 停车服务的接口。
type Server struct {
	Dao       *Dao
	Pay       *wxpay.Client
	AppID     string
	NotifyURL string
}

// Resp 统一返回。
type Resp struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
	Data any    `json:"data,omitempty"`
}

func ok(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(Resp{Data: data})
}

func fail(w http.ResponseWriter, status int, msg string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Resp{Code: status, Msg: msg})
}

// Routes 路由，一个接口一个函数。
func (s *Server) Routes(notify http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plate/service", s.PlateService)
	mux.HandleFunc("POST /parking/enter", s.Enter)
	mux.HandleFunc("POST /parking/leave", s.Leave)
	mux.HandleFunc("GET /parking/order/{no}", s.QueryOrder)
	mux.HandleFunc("POST /parking/refund", s.Refund)
	mux.HandleFunc("POST /parking/scan", s.ScanPay)
	mux.Handle("POST /wxpay/notify", notify)
	return mux
}

// PlateService 查询车牌是否开通了无感支付。
func (s *Server) PlateService(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	res, err := s.Pay.Chain("v3/vehicle/parking/services/find").
		Query("appid", s.AppID).
		Query("sub_mchid", q.Get("sub_mchid")).
		Query("plate_number", q.Get("plate_number")).
		Query("plate_color", q.Get("plate_color")).
		Query("openid", q.Get("openid")).
		Get(r.Context())
	if wxpay.IsCode(err, wxcode.ResourceNotExists) {
		ok(w, map[string]any{"open": false})
		return
	}
	if err != nil {
		log.Printf("查询车牌服务失败: %v", err)
		fail(w, 502, "查询失败")
		return
	}
	ok(w, map[string]any{
		"open":  res.Get("service_state").String() == "NORMAL",
		"state": res.Get("service_state").String(),
	})
}

// EnterReq 入场请求。
type EnterReq struct {
	OutParkingNo string `json:"out_parking_no"`
	PlateNumber  string `json:"plate_number"`
	PlateColor   string `json:"plate_color"`
	LotID        int64  `json:"lot_id"`
}

// Enter 入场。
func (s *Server) Enter(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var req EnterReq
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		fail(w, 400, "参数错误")
		return
	}
	lot, err := s.Dao.GetLot(ctx, req.LotID)
	if err != nil {
		fail(w, 404, "没有这个停车场")
		return
	}
	entry := &ParkingEntry{OutParkingNo: req.OutParkingNo, PlateNumber: req.PlateNumber, PlateColor: req.PlateColor, LotID: lot.ID, StartTime: time.Now()}
	if err := s.Dao.InsertEntry(ctx, entry); err != nil {
		fail(w, 500, "入场失败")
		return
	}
	res, err := s.Pay.Chain("v3/vehicle/parking/parkings").Post(ctx, wxpay.JSON{
		"sub_mchid":      lot.SubMchID,
		"out_parking_no": entry.OutParkingNo,
		"plate_number":   entry.PlateNumber,
		"plate_color":    entry.PlateColor,
		"notify_url":     s.NotifyURL,
		"start_time":     entry.StartTime.Format(time.RFC3339),
		"parking_name":   lot.Name,
		"free_duration":  lot.FreeSeconds,
	})
	if err != nil {
		// 抬杆不能等，出场时走扫码
		log.Printf("入场 %s: %v", entry.OutParkingNo, err)
		ok(w, map[string]any{"auto_pay": false})
		return
	}
	state := res.Get("state").String()
	if err := s.Dao.UpdateEntry(ctx, entry.ID, res.Get("id").String(), state, res.Get("block_reason").String()); err != nil {
		fail(w, 500, "入场失败")
		return
	}
	ok(w, map[string]any{"auto_pay": state == "NORMAL"})
}

// LeaveReq 出场请求。
type LeaveReq struct {
	OutParkingNo string `json:"out_parking_no"`
	DeviceID     string `json:"device_id"`
}

// Leave 出场扣费。
func (s *Server) Leave(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var req LeaveReq
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		fail(w, 400, "参数错误")
		return
	}
	entry, err := s.Dao.GetEntry(ctx, req.OutParkingNo)
	if err != nil {
		fail(w, 404, "没有入场记录")
		return
	}
	lot, err := s.Dao.GetLot(ctx, entry.LotID)
	if err != nil {
		fail(w, 404, "没有这个停车场")
		return
	}
	// 一次入场只有一个订单号
	order, err := s.Dao.GetOrder(ctx, "PK"+entry.OutParkingNo)
	if errors.Is(err, ErrNoRow) {
		now := time.Now()
		order = &ParkingOrder{OutTradeNo: "PK" + entry.OutParkingNo, EntryID: entry.ID, Total: Fee(lot, entry.StartTime, now), EndTime: now, DeviceID: req.DeviceID}
		if order.Total == 0 {
			ok(w, map[string]any{"total": 0})
			return
		}
		err = s.Dao.InsertOrder(ctx, order)
	}
	if err != nil {
		fail(w, 500, "下单失败")
		return
	}
	if order.Status != OrderCreated {
		ok(w, order)
		return
	}
	res, err := s.Pay.Chain("v3/vehicle/transactions/parking").Post(ctx, s.deductBody(lot, entry, order))
	if err != nil {
		switch {
		case errors.Is(err, wxpay.ErrOutcomeUnknown):
			// 可能已经扣了，交给后台查单，不能再扣一次
			s.Dao.SetOrderStatus(ctx, order.OutTradeNo, OrderDoubt, "")
			fail(w, 202, "扣费处理中")
		case wxpay.OutcomeOf(err) == wxpay.NotSent:
			fail(w, 503, "网络异常，请重试")
		default:
			s.Dao.SetOrderStatus(ctx, order.OutTradeNo, OrderFailed, "")
			log.Printf("扣费 %s: %v", order.OutTradeNo, err)
			fail(w, 402, "扣费失败，请扫码")
		}
		return
	}
	s.Dao.SetOrderStatus(ctx, order.OutTradeNo, stateOf(res.Get("trade_state").String()), res.Get("transaction_id").String())
	ok(w, map[string]any{"out_trade_no": order.OutTradeNo, "total": order.Total})
}

func (s *Server) deductBody(lot *ParkingLot, e *ParkingEntry, o *ParkingOrder) wxpay.JSON {
	return wxpay.JSON{
		"appid":        s.AppID,
		"sub_mchid":    lot.SubMchID,
		"description":  lot.Name + "停车费",
		"out_trade_no": o.OutTradeNo,
		"trade_scene":  "PARKING",
		"notify_url":   s.NotifyURL,
		"amount":       wxpay.JSON{"total": o.Total, "currency": "CNY"},
		"parking_info": wxpay.JSON{
			"parking_id":        e.ParkingID,
			"plate_number":      e.PlateNumber,
			"plate_color":       e.PlateColor,
			"start_time":        e.StartTime.Format(time.RFC3339),
			"end_time":          o.EndTime.Format(time.RFC3339),
			"parking_name":      lot.Name,
			"charging_duration": int64(o.EndTime.Sub(e.StartTime) / time.Second),
			"device_id":         o.DeviceID,
		},
	}
}

func stateOf(tradeState string) int {
	switch tradeState {
	case "SUCCESS":
		return OrderPaid
	case "ACCEPTED":
		return OrderAccepted
	case "PAY_FAIL":
		return OrderFailed
	case "REFUND":
		return OrderRefunded
	}
	return OrderDoubt
}

// QueryOrder 查单。
func (s *Server) QueryOrder(w http.ResponseWriter, r *http.Request) {
	if err := s.sync(r.Context(), r.PathValue("no"), r.URL.Query().Get("sub_mchid")); err != nil {
		log.Println("查单失败:", err)
	}
	o, err := s.Dao.GetOrder(r.Context(), r.PathValue("no"))
	if err != nil {
		fail(w, 404, "没有订单")
		return
	}
	ok(w, o)
}

func (s *Server) sync(ctx context.Context, outTradeNo, subMchID string) error {
	res, err := s.Pay.Chain("v3/vehicle/transactions/out-trade-no/{out_trade_no}", outTradeNo).Query("sub_mchid", subMchID).Get(ctx)
	if err != nil {
		return err
	}
	return s.Dao.SetOrderStatus(ctx, outTradeNo, stateOf(res.Get("trade_state").String()), res.Get("transaction_id").String())
}

// ScanPay 没有开通无感支付的车主扫码。
func (s *Server) ScanPay(w http.ResponseWriter, r *http.Request) {
	var req struct {
		OutParkingNo string `json:"out_parking_no"`
	}
	if json.NewDecoder(r.Body).Decode(&req) != nil {
		fail(w, 400, "参数错误")
		return
	}
	ctx := r.Context()
	entry, err := s.Dao.GetEntry(ctx, req.OutParkingNo)
	if err != nil {
		fail(w, 404, "没有入场记录")
		return
	}
	lot, err := s.Dao.GetLot(ctx, entry.LotID)
	if err != nil {
		fail(w, 404, "没有这个停车场")
		return
	}
	// 自动扣费明确失败之后才能扫码，否则会收两次
	if auto, err := s.Dao.GetOrder(ctx, "PK"+entry.OutParkingNo); err == nil && auto.Status != OrderFailed {
		fail(w, 409, "自动扣费未失败，不能扫码")
		return
	} else if err != nil && !errors.Is(err, ErrNoRow) {
		fail(w, 500, "查询失败")
		return
	}
	order := &ParkingOrder{OutTradeNo: "PS" + entry.OutParkingNo, EntryID: entry.ID, EndTime: time.Now(), DeviceID: "scan"}
	order.Total = Fee(lot, entry.StartTime, order.EndTime)
	if old, err := s.Dao.GetOrder(ctx, order.OutTradeNo); err == nil {
		order = old
	} else if err := s.Dao.InsertOrder(ctx, order); err != nil {
		fail(w, 500, "下单失败")
		return
	}
	res, err := s.Pay.Chain("v3/pay/partner/transactions/native").Post(ctx, wxpay.JSON{
		"sp_appid": s.AppID, "sp_mchid": s.Pay.MchID(), "sub_mchid": lot.SubMchID,
		"description": lot.Name + "停车费", "out_trade_no": order.OutTradeNo, "notify_url": s.NotifyURL,
		"amount": wxpay.JSON{"total": order.Total, "currency": "CNY"},
	})
	if err != nil {
		fail(w, 502, "下单失败")
		return
	}
	ok(w, map[string]string{"code_url": res.Get("code_url").String()})
}

// RefundReq 退款请求。
type RefundReq struct {
	OutTradeNo string `json:"out_trade_no"`
	Seq        int    `json:"seq"`
	Amount     int64  `json:"amount"`
	Reason     string `json:"reason"`
	SubMchID   string `json:"sub_mchid"`
}

// Refund 退款。
func (s *Server) Refund(w http.ResponseWriter, r *http.Request) {
	var req RefundReq
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		fail(w, 400, "参数错误")
		return
	}
	order, err := s.Dao.GetOrder(r.Context(), req.OutTradeNo)
	if err != nil || order.Status != OrderPaid || req.Amount <= 0 || req.Amount > order.Total {
		fail(w, 409, "不能退款")
		return
	}
	rf := &ParkingRefund{OutRefundNo: fmt.Sprintf("%sR%d", order.OutTradeNo, req.Seq), OutTradeNo: order.OutTradeNo, Amount: req.Amount, Reason: req.Reason}
	if err := s.Dao.InsertRefund(r.Context(), rf); err != nil {
		fail(w, 409, "重复退款")
		return
	}
	v, err := s.Pay.Chain("v3/refund/domestic/refunds").Timeout(20*time.Second).Ensure(r.Context(), wxpay.JSON{
		"sub_mchid": req.SubMchID, "out_trade_no": rf.OutTradeNo, "out_refund_no": rf.OutRefundNo, "reason": rf.Reason,
		"notify_url": s.NotifyURL,
		"amount":     wxpay.JSON{"refund": rf.Amount, "total": order.Total, "currency": "CNY"},
	})
	if err != nil {
		st := RefundDoubt
		if wxpay.OutcomeOf(err) == wxpay.Rejected {
			st = RefundClosed
		}
		s.Dao.SetRefundStatus(r.Context(), rf.OutRefundNo, st)
		fail(w, 502, "退款失败或处理中")
		return
	}
	switch v.State {
	case wxpay.Succeeded:
		s.Dao.SetRefundStatus(r.Context(), rf.OutRefundNo, RefundDone)
		s.Dao.MarkRefunded(r.Context(), rf.OutTradeNo)
	case wxpay.NeedsAction:
		s.Dao.SetRefundStatus(r.Context(), rf.OutRefundNo, RefundAbnormal)
	case wxpay.Failed:
		s.Dao.SetRefundStatus(r.Context(), rf.OutRefundNo, RefundClosed)
	}
	ok(w, rf)
}

// Notify 通知处理。
func (s *Server) Notify(apiv3Key string) (*webhook.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: s.Pay.MchID(), APIv3Key: apiv3Key, Keys: s.Pay})
	if err != nil {
		return nil, err
	}
	h.On(webhook.TransactionSuccess, s.onPaid)
	h.On(webhook.TransactionFail, func(ctx context.Context, e *webhook.Event) error {
		return s.Dao.SetOrderStatus(ctx, e.Get("out_trade_no").String(), OrderFailed, "")
	})
	h.On(webhook.RefundSuccess, func(ctx context.Context, e *webhook.Event) error {
		if err := s.Dao.SetRefundStatus(ctx, e.Get("out_refund_no").String(), RefundDone); err != nil {
			return err
		}
		return s.Dao.MarkRefunded(ctx, e.Get("out_trade_no").String())
	})
	h.On(webhook.RefundAbnormal, func(ctx context.Context, e *webhook.Event) error {
		return s.Dao.SetRefundStatus(ctx, e.Get("out_refund_no").String(), RefundAbnormal)
	})
	h.On(webhook.RefundClosed, func(ctx context.Context, e *webhook.Event) error {
		return s.Dao.SetRefundStatus(ctx, e.Get("out_refund_no").String(), RefundClosed)
	})
	h.Ignore("VEHICLE.*")
	return h, nil
}

func (s *Server) onPaid(ctx context.Context, e *webhook.Event) error {
	no := e.Get("out_trade_no").String()
	order, err := s.Dao.GetOrder(ctx, no)
	if err != nil {
		return fmt.Errorf("订单 %s: %w", no, err)
	}
	want := webhook.Payment{MchID: s.Pay.MchID(), SubMchID: e.Get("sub_mchid").String(), OutTradeNo: no, Total: order.Total}
	if err := want.Check(e); err != nil {
		return err
	}
	return s.Dao.SetOrderStatus(ctx, no, OrderPaid, e.Get("transaction_id").String())
}

// SyncLoop 后台查没有结果的订单。
func (s *Server) SyncLoop(ctx context.Context, subMchID string) {
	t := time.NewTicker(30 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		list, err := s.Dao.ListOrders(ctx, 100, OrderDoubt, OrderAccepted)
		if err != nil {
			log.Println("SyncLoop:", err)
			continue
		}
		for _, o := range list {
			if err := s.sync(ctx, o.OutTradeNo, subMchID); err != nil {
				log.Printf("查单 %s: %v", o.OutTradeNo, err)
			}
		}
	}
}

// CheckBill 对账：账单里有、库里没有或金额不同的订单号。
func (s *Server) CheckBill(ctx context.Context, day time.Time) ([]string, error) {
	bill, err := s.Pay.Chain("v3/bill/tradebill").Query("bill_date", day.Format("2006-01-02")).Query("bill_type", "SUCCESS").Bill(ctx)
	if err != nil {
		return nil, err
	}
	defer bill.Close()
	var bad []string
	for row, err := range bill.Rows() {
		if err != nil {
			return bad, err
		}
		fen, err := row.Fen(wxbill.Amount)
		if err != nil {
			return bad, err
		}
		o, err := s.Dao.GetOrder(ctx, row.Get(wxbill.OutTradeNo))
		if err != nil || o.Total != fen {
			bad = append(bad, row.Get(wxbill.OutTradeNo))
		}
	}
	return bad, nil
}
