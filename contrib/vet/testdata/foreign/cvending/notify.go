package cvending

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Notify 返回通知处理器。出货要几十秒，所以先校验入账，再交给队列。
func (f *Fleet) Notify(apiV3Key string, jobs chan<- func(context.Context)) (*webhook.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: f.wx.MchID(), APIv3Key: apiV3Key, Keys: f.wx},
		webhook.WithDeduper(webhook.NewMemory(50_000, 25*time.Hour)))
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		no := e.Get("out_trade_no").String()
		sale, ok := f.book.Find(no)
		if !ok {
			return fmt.Errorf("没有记录 %s", no)
		}
		if err := (webhook.Payment{MchID: f.wx.MchID(), AppID: f.appid, OutTradeNo: no, Total: sale.Price}).Check(e); err != nil {
			return err
		}
		id, total := e.Get("transaction_id").String(), sale.Price
		select {
		case jobs <- func(ctx context.Context) {
			if err := f.Paid(ctx, no, id, total); err != nil {
				log.Printf("处理 %s: %v", no, err)
			}
		}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		default:
			return errors.New("队列满") // 平台会再通知
		}
	})
	h.On("REFUND.*", func(_ context.Context, e *webhook.Event) error {
		if err := e.Need("out_trade_no", "out_refund_no", "refund_status"); err != nil {
			return err
		}
		no := e.Get("out_trade_no").String()
		switch status := e.Get("refund_status").String(); status {
		case "SUCCESS":
			f.book.Swap(no, "refunding", "refunded")
		case "ABNORMAL", "CLOSED":
			f.book.Swap(no, "refunding", "manual")
		default:
			log.Printf("未知退款状态 %s", status)
		}
		return nil
	})
	return h, nil
}

// Workers 启动 n 个工人，ctx 结束且队列关闭后返回
func Workers(ctx context.Context, n int, jobs <-chan func(context.Context)) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for job := range jobs {
				job(ctx)
			}
		})
	}
	wg.Wait()
}

// Sweep 定时把没走完的退款再推一遍
func (f *Fleet) Sweep(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			for _, s := range f.book.In("refunding") {
				res, err := f.wx.Chain("v3/refund/domestic/refunds/{out_refund_no}", s.RefundNo).Get(ctx)
				if wxpay.IsCode(err, wxcode.ResourceNotExists) {
					err = f.Refund(ctx, s.No, "出货失败")
				}
				if err != nil {
					log.Printf("退款巡检 %s: %v", s.RefundNo, err)
					continue
				}
				if res != nil && res.Get("status").String() == "SUCCESS" {
					f.book.Swap(s.No, "refunding", "refunded")
				}
			}
		}
	}
}

// Scan 用户出示付款码，机器扫码枪收款
func (f *Fleet) Scan(ctx context.Context, machine, slot, authCode string) (*Sale, error) {
	sl, err := f.slot(machine, slot)
	if err != nil {
		return nil, err
	}
	sale := &Sale{No: saleNo(machine), Machine: machine, Slot: slot, Price: sl.Price, Status: "new", CreatedAt: time.Now()}
	f.book.Put(sale)
	ctx, cancel := context.WithTimeout(ctx, 50*time.Second)
	defer cancel()
	v, err := f.wx.Chain(pathCodepay).UntilFinal().Ensure(ctx, wxpay.JSON{
		"appid": f.appid, "mchid": f.wx.MchID(), "description": sl.Name, "out_trade_no": sale.No,
		"payer":      wxpay.JSON{"auth_code": authCode},
		"amount":     wxpay.JSON{"total": sl.Price, "currency": "CNY"},
		"scene_info": wxpay.JSON{"device_id": machine, "store_info": wxpay.JSON{"out_id": machine}},
	})
	if err != nil {
		if wxpay.OutcomeOf(err) == wxpay.Unknown {
			// 不知道扣没扣，撤销；撤销本身也可能不明，进人工
			if _, rerr := f.wx.Chain(pathReverse, sale.No).Post(context.WithoutCancel(ctx), wxpay.JSON{"appid": f.appid, "mchid": f.wx.MchID()}); rerr != nil {
				f.book.Swap(sale.No, "new", "manual")
				return nil, errors.Join(err, rerr)
			}
		}
		f.book.Swap(sale.No, "new", "closed")
		return nil, fmt.Errorf("付款码 %s: %w", sale.No, err)
	}
	if v.State != wxpay.Succeeded {
		f.book.Swap(sale.No, "new", "closed")
		return nil, fmt.Errorf("付款码 %s: %v", sale.No, v.State)
	}
	if err := f.Paid(ctx, sale.No, v.Response.Get("transaction_id").String(), sale.Price); err != nil {
		return nil, err
	}
	done, _ := f.book.Find(sale.No)
	return done, nil
}

// OpenDoor 开门柜：创建支付分订单，用户确认后开门
func (f *Fleet) OpenDoor(ctx context.Context, serviceID, machine string) (pack string, err error) {
	no := saleNo(machine)
	res, err := f.wx.Chain("v3/payscore/serviceorder").Post(ctx, wxpay.JSON{
		"out_order_no":         no,
		"appid":                f.appid,
		"service_id":           serviceID,
		"service_introduction": "智能柜购物",
		"time_range":           wxpay.JSON{"start_time": "OnAccept"},
		"location":             wxpay.JSON{"start_location": f.units[machine].Address},
		"risk_fund":            wxpay.JSON{"name": "ESTIMATE_ORDER_COST", "amount": 10000},
		"notify_url":           f.notify + "/payscore",
		"need_user_confirm":    true,
		"device":               wxpay.JSON{"start_device_id": machine},
	})
	if err != nil {
		return "", err
	}
	return res.Text("package")
}

// CloseDoor 关门结算：按重力感应识别出的商品收费
func (f *Fleet) CloseDoor(ctx context.Context, serviceID, orderNo string, taken []Slot) error {
	if len(taken) == 0 {
		_, err := f.wx.Chain("v3/payscore/serviceorder/{out_order_no}/cancel", orderNo).Post(ctx, wxpay.JSON{
			"appid": f.appid, "service_id": serviceID, "reason": "未取商品",
		})
		return err
	}
	var total int64
	items := []wxpay.JSON{}
	for _, t := range taken {
		total += t.Price
		items = append(items, wxpay.JSON{"name": t.Name, "amount": t.Price, "count": 1})
	}
	v, err := f.wx.Chain("v3/payscore/serviceorder/{out_order_no}/complete", orderNo).Ensure(ctx, wxpay.JSON{
		"appid": f.appid, "service_id": serviceID, "post_payments": items, "total_amount": total,
	})
	if err != nil {
		return fmt.Errorf("结算 %s: %w", orderNo, err)
	}
	log.Printf("结算 %s: %v, %d 分", orderNo, v.State, total)
	return nil
}

// Routes 是机器和平台访问的接口
func (f *Fleet) Routes(notify http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/notify", notify)
	mux.HandleFunc("POST /m/{machine}/{slot}/qr", func(w http.ResponseWriter, r *http.Request) {
		sale, err := f.QR(r.Context(), r.PathValue("machine"), r.PathValue("slot"))
		if err != nil {
			code := http.StatusBadGateway
			if errors.Is(err, ErrNoSlot) || errors.Is(err, ErrSoldOut) {
				code = http.StatusConflict
			}
			http.Error(w, err.Error(), code)
			return
		}
		go func() {
			if err := f.Watch(context.Background(), sale.No); err != nil {
				log.Printf("watch %s: %v", sale.No, err)
			}
		}()
		_ = json.NewEncoder(w).Encode(sale)
	})
	mux.HandleFunc("GET /sales/{no}", func(w http.ResponseWriter, r *http.Request) {
		s, ok := f.book.Find(r.PathValue("no"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"no": s.No, "status": s.Status, "text": s.Text()})
	})
	return mux
}
