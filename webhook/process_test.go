//go:build go1.25

package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

// sending delivers a notification beside the test, and returns where its response arrives.
func sending(h *webhook.Handler, n notification) <-chan *httptest.ResponseRecorder {
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() { answered <- n.send(h) }()
	return answered
}

// again is the same notification, delivered once more at the time that it is now.
func (n notification) again() notification {
	n.at = time.Now()
	n.signNonce = fmt.Sprintf("redelivery%d", notificationIDs.Add(1))
	return n
}

func TestFunctionFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		fn      webhook.Func
		message string
		failure string
	}{
		{"error", func(context.Context, *webhook.Event) error { return errors.New("secret of oTestOpenid") }, "processing failed", "function"},
		{"message for the platform", func(context.Context, *webhook.Event) error {
			return fmt.Errorf("secret: %w", webhook.Fail("库存 <不足>"))
		}, "库存 <不足>", "function"},
		{"panic", func(context.Context, *webhook.Event) error { panic("secret of oTestOpenid") }, "processing failed", "panic"},
		{"panic with an error", func(context.Context, *webhook.Event) error { panic(webhook.ErrTooLarge) }, "processing failed", "panic"},
		{"end of the goroutine", func(context.Context, *webhook.Event) error { runtime.Goexit(); return nil }, "processing failed", "function"},
		{"an error of this package's", func(context.Context, *webhook.Event) error { return webhook.ErrTooLarge }, "processing failed", "function"},
		{"an error that looks like a probe",
			func(context.Context, *webhook.Event) error { return &webhook.VerifyError{Probe: true} }, "processing failed", "function"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var seen observed
			h := newHandler(t, seen.option())
			runs := 0
			h.OnDefault(func(ctx context.Context, e *webhook.Event) error {
				if runs++; runs == 3 {
					return nil
				}
				return test.fn(ctx, e)
			})
			n := payment()
			for range 2 { // a failure releases the event
				w := n.send(h)
				assertFail(t, 500, w)
				assert.Contains(t, w.Body.String(), test.message)
				assert.NotContains(t, w.Body.String(), "secret")
				o := seen.one(t)
				assert.Equal(t, test.failure, o.Failure)
				assert.False(t, o.Probe)
				if test.failure == "panic" {
					var panicked *webhook.PanicError
					require.ErrorAs(t, o.Err, &panicked)
					assert.NotEmpty(t, panicked.Stack)
					assert.NotContains(t, fmt.Sprintf("%+v", o.Err), "secret")
				}
			}
			assert.Equal(t, 204, n.send(h).Code)
			assert.Equal(t, 204, n.send(h).Code)
			assert.Equal(t, 3, runs)
			all := seen.take()
			require.Len(t, all, 2)
			assert.False(t, all[0].Duplicate)
			assert.True(t, all[1].Duplicate)
			assert.Zero(t, h.Probes())
		})
	}
}

// A function that overruns is answered in time, keeps its claim, and records its success when it comes.
func TestOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen observed
		h := newHandler(t, seen.option())
		var runs atomic.Int32
		h.OnDefault(func(ctx context.Context, _ *webhook.Event) error {
			runs.Add(1)
			time.Sleep(20 * time.Second)
			return ctx.Err() // the context outlives the budget and the request
		})
		n := payment()
		begin := time.Now()
		assertFail(t, 500, n.send(h))
		assert.Equal(t, 4500*time.Millisecond, time.Since(begin))
		o := seen.one(t)
		assert.Equal(t, "overrun", o.Failure)
		require.ErrorIs(t, o.Err, webhook.ErrOverrun)

		// The redelivery waits for it, within its budget, and does not run beside it.
		time.Sleep(10 * time.Second)
		begin = time.Now()
		assertFail(t, 503, n.again().send(h))
		assert.Equal(t, 4500*time.Millisecond, time.Since(begin))
		assert.Equal(t, "busy", seen.one(t).Failure)

		// The next is there when it ends, and is answered as soon as it is done: 20 s after the first began.
		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, 204, n.again().send(h).Code)
		require.NoError(t, h.Wait(context.Background()))
		all := seen.take()
		require.Len(t, all, 2)
		late, duplicate := all[0], all[1]
		if late.Duplicate { // the two are observed at the same moment
			late, duplicate = duplicate, late
		}
		assert.True(t, duplicate.Duplicate)
		assert.Equal(t, 500*time.Millisecond, duplicate.Duration)
		assert.True(t, late.Late)
		assert.NoError(t, late.Err)
		assert.Equal(t, 20*time.Second, late.Duration)
		assert.Equal(t, 500, late.Status)
		assert.EqualValues(t, 1, runs.Load())
	})
}

// One that fails late releases the event, also to a delivery that waits already.
func TestOverrunThenFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen observed
		h := newHandler(t, seen.option())
		var runs atomic.Int32
		h.OnDefault(func(context.Context, *webhook.Event) error {
			if runs.Add(1) == 1 {
				time.Sleep(6 * time.Second)
				panic("late")
			}
			return nil
		})
		n := payment()
		assertFail(t, 500, n.send(h))
		seen.take()
		assert.Equal(t, 204, n.again().send(h).Code, "it waits from 4.5 s to 6 s, then runs itself")
		assert.EqualValues(t, 2, runs.Load())
		require.NoError(t, h.Wait(context.Background()))
		var late, second webhook.Observation
		for _, o := range seen.take() {
			if o.Late {
				late = o
			} else {
				second = o
			}
		}
		assert.Equal(t, "panic", late.Failure)
		assert.Equal(t, 1500*time.Millisecond, second.Duration)
		assert.False(t, second.Duplicate)
	})
}

// A redelivery that comes while the first still runs is answered 2xx only when that is done.
func TestDuplicateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		ended := false
		h.OnDefault(func(context.Context, *webhook.Event) error {
			time.Sleep(3 * time.Second)
			ended = true
			return nil
		})
		n := payment()
		first := sending(h, n)
		time.Sleep(time.Second)
		second := sending(h, n.again())
		synctest.Wait()
		select {
		case <-second:
			t.Error("the duplicate was answered before the first was done")
		default:
		}
		assert.Equal(t, 204, (<-second).Code)
		assert.True(t, ended)
		assert.Equal(t, 204, (<-first).Code)
	})
}

func TestParallelDuplicatesRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		var runs, beside atomic.Int32
		h.OnDefault(func(context.Context, *webhook.Event) error {
			assert.EqualValues(t, 1, beside.Add(1))
			defer beside.Add(-1)
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		})
		n := payment()
		header, body := n.build()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				assert.Equal(t, 204, h.Deliver(context.Background(), &webhook.Delivery{Header: header, Body: body}).Status)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, runs.Load())
	})
}

// The context of a function ends after WithTimeout, not with the request, and has the request's values.
func TestContextOfFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var seen observed
		h := newHandler(t, seen.option(), webhook.WithTimeout(30*time.Second))
		h.OnDefault(func(ctx context.Context, _ *webhook.Event) error {
			assert.Equal(t, "value", ctx.Value(key{}))
			<-ctx.Done()
			return ctx.Err()
		})
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
		r := payment().request().WithContext(ctx)
		begin := time.Now()
		go func() {
			time.Sleep(time.Second)
			cancel() // the platform hangs up
		}()
		w := newRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, time.Second, time.Since(begin))
		assert.Equal(t, "sender gone", seen.one(t).Failure)
		require.NoError(t, h.Wait(context.Background()))
		assert.Equal(t, 30*time.Second, time.Since(begin))
		o := seen.one(t)
		assert.True(t, o.Late)
		require.ErrorIs(t, o.Err, context.DeadlineExceeded)
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		require.NoError(t, h.Wait(context.Background()), "nothing runs")
		h.OnDefault(func(context.Context, *webhook.Event) error { time.Sleep(10 * time.Second); return nil })
		begin := time.Now()
		assertFail(t, 500, payment().send(h))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Wait(ctx), context.DeadlineExceeded)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { assert.NoError(t, h.Wait(context.Background())) })
		}
		wg.Wait()
		assert.Equal(t, 10*time.Second, time.Since(begin))
	})
}

// A store that cannot wait is asked again.
func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &faulty{Memory: webhook.NewMemory(0, 0)}
		var claims atomic.Int32
		store.claim = func() error { claims.Add(1); return nil }
		h := newHandler(t, webhook.WithDeduper(store))
		h.OnDefault(func(context.Context, *webhook.Event) error { time.Sleep(1100 * time.Millisecond); return nil })
		n := payment()
		first := sending(h, n)
		synctest.Wait()
		begin := time.Now()
		assert.Equal(t, 204, n.again().send(h).Code)
		assert.Equal(t, 1200*time.Millisecond, time.Since(begin))
		assert.EqualValues(t, 1+7, claims.Load())
		assert.Equal(t, 204, (<-first).Code)
	})
}

func TestDeduplication(t *testing.T) {
	type delivery struct {
		id, eventType, originalType, resource string
	}
	const order = `{"mchid":"1","transaction_id":"T1","trade_state":"SUCCESS"}`
	for _, test := range []struct {
		name string
		a, b delivery
		same bool
	}{
		{"redelivery", delivery{"E1", "X.Y", "x", `{}`}, delivery{"E1", "X.Y", "x", `{}`}, true},
		{"two events of a kind without number", delivery{"E1", "X.Y", "x", `{}`}, delivery{"E2", "X.Y", "x", `{}`}, false},
		{"one payment told twice", delivery{"E1", "TRANSACTION.SUCCESS", "transaction", order},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", order}, true},
		{"two payments", delivery{"E1", "TRANSACTION.SUCCESS", "transaction", order},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"1","transaction_id":"T2","trade_state":"SUCCESS"}`}, false},
		{"two merchants", delivery{"E1", "TRANSACTION.SUCCESS", "transaction", order},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"2","transaction_id":"T1","trade_state":"SUCCESS"}`}, false},
		{"two sub-merchants", delivery{"E1", "TRANSACTION.SUCCESS", "transaction",
			`{"sp_mchid":"1","sub_mchid":"2","transaction_id":"T1","trade_state":"SUCCESS"}`},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"sp_mchid":"1","sub_mchid":"3","transaction_id":"T1","trade_state":"SUCCESS"}`}, false},
		{"a state that is not final", delivery{"E1", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"1","transaction_id":"T1","trade_state":"ACCEPT"}`},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"1","transaction_id":"T1","trade_state":"ACCEPT"}`}, false},
		{"original type not stated", delivery{"E1", "TRANSACTION.SUCCESS", "", order}, delivery{"E2", "TRANSACTION.SUCCESS", "", order}, false},
		{"profit sharing to two receivers of one order", delivery{"E1", "TRANSACTION.SUCCESS", "profitsharing", order},
			delivery{"E2", "TRANSACTION.SUCCESS", "profitsharing", order}, false},
		{"parking, paid and then repaid",
			delivery{"E1", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"1","transaction_id":"T1","trade_state":"SUCCESS","user_repaid":"N"}`},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"mchid":"1","transaction_id":"T1","trade_state":"SUCCESS","user_repaid":"Y"}`}, false},
		{"combined payment without a number of its own", delivery{"E1", "TRANSACTION.SUCCESS", "transaction", `{"combine_out_trade_no":"C1","sub_orders":[]}`},
			delivery{"E2", "TRANSACTION.SUCCESS", "transaction", `{"combine_out_trade_no":"C1","sub_orders":[]}`}, false},
		{"one refund told twice", delivery{"E1", "REFUND.SUCCESS", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"SUCCESS"}`},
			delivery{"E2", "REFUND.SUCCESS", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"SUCCESS"}`}, true},
		{"a refund abnormal twice", delivery{"E1", "REFUND.ABNORMAL", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"ABNORMAL"}`},
			delivery{"E2", "REFUND.ABNORMAL", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"ABNORMAL"}`}, false},
		{"a refund abnormal, then successful", delivery{"E1", "REFUND.ABNORMAL", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"ABNORMAL"}`},
			delivery{"E2", "REFUND.SUCCESS", "refund", `{"mchid":"1","refund_id":"R1","refund_status":"SUCCESS"}`}, false},
		{"one transfer told twice", delivery{"E1", "MCHTRANSFER.BILL.FINISHED", "mch_payment", `{"mch_id":"1","transfer_bill_no":"B1","state":"FAIL"}`},
			delivery{"E2", "MCHTRANSFER.BILL.FINISHED", "mch_payment", `{"mch_id":"1","transfer_bill_no":"B1","state":"FAIL"}`}, true},
		{"a complaint changing twice", delivery{"E1", "COMPLAINT.STATE_CHANGE", "complaint", `{"complaint_id":"C1","action_type":"USER_RESPONSE"}`},
			delivery{"E2", "COMPLAINT.STATE_CHANGE", "complaint", `{"complaint_id":"C1","action_type":"USER_RESPONSE"}`}, false},
		{"points of a card synchronised twice", delivery{"E1", "BRAND_MEMBER_CARD_SP.SYNC_USER_POINT", "sync_user_point", `{"user_card_code":"K1"}`},
			delivery{"E2", "BRAND_MEMBER_CARD_SP.SYNC_USER_POINT", "sync_user_point", `{"user_card_code":"K1"}`}, false},
		{"a number with a slash", delivery{"E1", "REFUND.SUCCESS", "refund", `{"mchid":"1","refund_id":"R/1","refund_status":"SUCCESS"}`},
			delivery{"E2", "REFUND.SUCCESS", "refund", `{"mchid":"1","refund_id":"R/1","refund_status":"SUCCESS"}`}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHandler(t)
			runs := 0
			h.OnDefault(func(context.Context, *webhook.Event) error { runs++; return nil })
			for _, d := range []delivery{test.a, test.b} {
				n := event(d.eventType, d.originalType, d.resource)
				n.id = d.id
				assert.Equal(t, 204, n.send(h).Code)
			}
			assert.Equal(t, test.same, runs == 1, "%d runs", runs)
		})
	}
}

func TestQuestions(t *testing.T) {
	t.Run("nobody answers", func(t *testing.T) {
		for _, eventType := range []string{
			"ENTRUST.TERMINATE_INQUIRY", "ENTRUST.TERMINATE_RETENTION", "CROSS_BORDER_PAY.GET_MCH_INFO",
			"CROSS_BORDER_PAY.PUSH_ORDER_INFO", "PARKING_FEE.QUERY_TRANS_INFO",
		} {
			var seen observed
			h := newHandler(t, seen.option())
			never := func(context.Context, *webhook.Event) error {
				t.Error("an ordinary function got a question")
				return nil
			}
			h.OnDefault(never)
			h.On("ENTRUST.*", never)
			h.On("*/cross_border_pay", never)
			assertFail(t, 500, event(eventType, "cross_border_pay", `{}`).send(h))
			require.ErrorIs(t, seen.one(t).Err, webhook.ErrNoHandler, eventType)
		}
	})
	t.Run("each delivery is asked", func(t *testing.T) {
		h := newHandler(t)
		runs := 0
		h.OnInquiry("PARKING_FEE.QUERY_TRANS_INFO", func(_ context.Context, e *webhook.Event) (any, error) {
			runs++
			return map[string]any{"code": "SUCCESS", "total_amount": 100 * runs, "place": "<东>"}, nil
		})
		n := event("PARKING_FEE.QUERY_TRANS_INFO", "parking_fee", `{"out_serial_number":"P1"}`)
		for i := 1; i <= 2; i++ {
			w := n.send(h)
			assert.Equal(t, 200, w.Code)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, fmt.Sprintf(`{"code":"SUCCESS","place":"<东>","total_amount":%d00}`, i), w.Body.String())
			assert.Empty(t, w.Header().Get("Authorization"))
		}
	})
	t.Run("budgets", func(t *testing.T) {
		for eventType, budget := range map[string]time.Duration{
			"ENTRUST.TERMINATE_RETENTION": 900 * time.Millisecond, "ENTRUST.TERMINATE_INQUIRY": 2700 * time.Millisecond,
			"PARKING_FEE.QUERY_TRANS_INFO": 2700 * time.Millisecond, "OF.MY.OWN": 2700 * time.Millisecond,
		} {
			synctest.Test(t, func(t *testing.T) {
				var seen observed
				h := newHandler(t, seen.option(), webhook.WithEvents("OF.MY.OWN"))
				h.OnInquiry(eventType, func(ctx context.Context, _ *webhook.Event) (any, error) {
					<-ctx.Done() // with the budget, for a late answer is none
					time.Sleep(time.Second)
					return map[string]string{"code": "SUCCESS"}, nil
				})
				begin := time.Now()
				assertFail(t, 500, event(eventType, "x", `{}`).send(h))
				assert.Equal(t, budget, time.Since(begin), eventType)
				require.ErrorIs(t, seen.one(t).Err, webhook.ErrOverrun)
				require.NoError(t, h.Wait(context.Background()))
				assert.True(t, seen.one(t).Late)
			})
		}
		synctest.Test(t, func(t *testing.T) { // a shorter budget of the handler holds for questions, too
			h := newHandler(t, webhook.WithBudget(100*time.Millisecond))
			h.OnInquiry("ENTRUST.TERMINATE_RETENTION", func(ctx context.Context, _ *webhook.Event) (any, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			begin := time.Now()
			assertFail(t, 500, event("ENTRUST.TERMINATE_RETENTION", "entrust", `{}`).send(h))
			assert.Equal(t, 100*time.Millisecond, time.Since(begin))
		})
	})
	t.Run("answers", func(t *testing.T) {
		for _, test := range []struct {
			name    string
			fn      webhook.InquiryFunc
			status  int
			body    string
			failure string
		}{
			{"raw bytes", func(context.Context, *webhook.Event) (any, error) { return []byte(`{"code" : "FAIL"}`), nil }, 200, `{"code" : "FAIL"}`, ""},
			{"struct", func(context.Context, *webhook.Event) (any, error) { return struct{ Code string }{"SUCCESS"}, nil }, 200, `{"Code":"SUCCESS"}`, ""},
			{"nothing", func(context.Context, *webhook.Event) (any, error) { return nil, nil }, 500, "", "function"},
			{"null", func(context.Context, *webhook.Event) (any, error) { return (*int)(nil), nil }, 500, "", "function"},
			{"no bytes", func(context.Context, *webhook.Event) (any, error) { return []byte{}, nil }, 500, "", "function"},
			{"no JSON", func(context.Context, *webhook.Event) (any, error) { return []byte("yes"), nil }, 500, "", "function"},
			{"not UTF-8", func(context.Context, *webhook.Event) (any, error) { return map[string]string{"a": "\xff"}, nil }, 500, "", "function"},
			{"bytes that are not UTF-8", func(context.Context, *webhook.Event) (any, error) { return []byte("{\"a\":\"\xff\"}"), nil }, 500, "", "function"},
			{"not encodable", func(context.Context, *webhook.Event) (any, error) { return make(chan int), nil }, 500, "", "function"},
			{"error", func(context.Context, *webhook.Event) (any, error) { return nil, errors.New("secret") }, 500, "", "function"},
			{"refusal", func(context.Context, *webhook.Event) (any, error) { return nil, webhook.Fail("not now") },
				500, `{"code":"FAIL","message":"not now"}`, "function"},
			{"panic", func(context.Context, *webhook.Event) (any, error) { panic("secret") }, 500, "", "panic"},
			{"end of the goroutine", func(context.Context, *webhook.Event) (any, error) { runtime.Goexit(); return nil, nil }, 500, "", "function"},
		} {
			t.Run(test.name, func(t *testing.T) {
				var seen observed
				h := newHandler(t, seen.option())
				h.OnInquiry("ENTRUST.TERMINATE_INQUIRY", test.fn)
				w := event("ENTRUST.TERMINATE_INQUIRY", "", `{}`).send(h)
				assert.Equal(t, test.failure, seen.one(t).Failure)
				if test.status == 200 {
					assert.Equal(t, 200, w.Code)
				} else {
					assertFail(t, test.status, w)
					assert.NotContains(t, w.Body.String(), "secret")
				}
				if test.body != "" {
					assert.Equal(t, test.body, w.Body.String())
				}
			})
		}
	})
	t.Run("typed", func(t *testing.T) {
		h := newHandler(t)
		webhook.OnInquiry(h, "PARKING_FEE.QUERY_TRANS_INFO", func(_ context.Context, _ *webhook.Event, q struct {
			Number string `json:"out_serial_number"`
		}) (any, error) {
			return map[string]string{"code": "SUCCESS", "for": q.Number}, nil
		})
		assert.JSONEq(t, `{"code":"SUCCESS","for":"P1"}`,
			event("PARKING_FEE.QUERY_TRANS_INFO", "parking_fee", `{"out_serial_number":"P1"}`).send(h).Body.String())
		assertFail(t, 500, event("PARKING_FEE.QUERY_TRANS_INFO", "parking_fee", `{"out_serial_number":1}`).send(h))
	})
}
