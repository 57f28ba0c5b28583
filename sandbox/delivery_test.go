//go:build go1.25

package sandbox_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

const notifyURL = "https://shop.example.com/notify"

// TestSchedules fails every attempt and looks at when they come.
func TestSchedules(t *testing.T) {
	usual := []string{"15s", "15s", "30s", "3m", "10m", "20m", "30m", "30m", "30m", "1h", "3h", "3h", "3h", "6h", "6h"}
	repeat := func(n int, d string) []string { return strings.Fields(strings.Repeat(d+" ", n)) }
	join := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for event, want := range map[string][]string{
		"TRANSACTION.SUCCESS":                   usual,
		"REFUND.ABNORMAL":                       usual,
		"NEWS.TODAY":                            usual,
		"MCHTRANSFERX.BILL":                     usual,
		"COUPON.SENDING":                        usual,
		"MCHTRANSFER.BILL.FINISHED":             join(repeat(10, "15s"), repeat(10, "5m"), repeat(44, "30m")),
		"MCHWITHDRAW.CHANGE":                    join(repeat(10, "15s"), repeat(10, "5m"), repeat(47, "30m")),
		"COUPON.SEND":                           repeat(11, "60s"),
		"COUPON.USE":                            repeat(9, "60s"),
		"PAYSCORE.USER_SIGN_PLAN":               repeat(11, "60s"),
		"PAYSCORE.USER_CANCEL_SIGN_PLAN":        repeat(11, "60s"),
		"PAYSCORE.USER_PAID":                    usual,
		"PRODUCT_COUPON_SP.SEND":                repeat(11, "60s"),
		"BRAND_MEMBER_CARD_SP.USER_CARD.CREATE": repeat(11, "60s"),
		"PAPAY.TERMINATE":                       join([]string{"15s", "15s", "30s", "180s"}, repeat(4, "1800s"), repeat(1, "3600s")),
		"CROSS_BORDER_PAY.GET_MCH_INFO":         {},
		"ENTRUST.TERMINATE_RETENTION":           {},
		"ENTRUST.TERMINATE_INQUIRY":             {},
		"PARKING_FEE.QUERY_TRANS_INFO":          {},
		"TRANSACTION.SUCCESS/profitsharing":     usual,
	} {
		t.Run(event, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := newReceiver(t)
				r.answers = make([]int, 100)
				for i := range r.answers {
					r.answers[i] = 500
				}
				id, err := s.Deliveries.Deliver(notifyURL, event, "{}")
				require.NoError(t, err)
				time.Sleep(72 * time.Hour)
				synctest.Wait()
				var durations []time.Duration
				for _, text := range want {
					d, err := time.ParseDuration(text)
					require.NoError(t, err)
					durations = append(durations, d)
				}
				assert.Equal(t, durations, r.waits())
				log := s.Deliveries.All()
				require.Len(t, log, 1)
				assert.Equal(t, sandbox.GivenUp, log[0].State)
				assert.Len(t, log[0].Attempts, len(want)+1)
				assert.Equal(t, id, log[0].ID)
				assert.Zero(t, log[0].Next)
				for i, n := range r.notices() {
					assert.Equal(t, id, n.ID, "the same notification")
					assert.NoError(t, r.verdicts()[i], "each attempt is signed anew")
				}
			})
		})
	}
}

func TestDeliveryAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t, 500, 301, 202, 404, 200)
		start := time.Now()
		id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		assert.Equal(t, sandbox.Waiting, s.Deliveries.All()[0].State)
		synctest.Wait()
		d := s.Deliveries.All()[0]
		assert.Equal(t, sandbox.Waiting, d.State)
		assert.Equal(t, start.Add(15*time.Second), d.Next)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute}, r.waits())
		d = s.Deliveries.All()[0]
		assert.Equal(t, sandbox.Delivered, d.State)
		assert.Equal(t, []string{id, "TRANSACTION.SUCCESS", notifyURL}, []string{d.ID, d.Event, d.URL})
		assert.Equal(t, r.notices()[0].body, d.Body)
		var statuses []int
		offsets := []time.Duration{0, 15 * time.Second, 30 * time.Second, time.Minute, 4 * time.Minute}
		for i, a := range d.Attempts {
			statuses = append(statuses, a.Status)
			assert.Empty(t, a.Error)
			assert.Equal(t, start.Add(offsets[i]), a.Time)
			assert.NotEmpty(t, a.Header.Get("Wechatpay-Signature"))
		}
		assert.Equal(t, []int{500, 301, 202, 404, 200}, statuses)
		assert.JSONEq(t, `{"code":"FAIL","message":"失败"}`, string(d.Attempts[0].Response))
		assert.NotEqual(t, d.Attempts[0].Header, d.Attempts[1].Header)

		require.NoError(t, s.Deliveries.Redeliver(id))
		synctest.Wait()
		assert.Len(t, s.Deliveries.All()[0].Attempts, 6)
		assert.Len(t, r.notices(), 6)
		assert.Error(t, s.Deliveries.Redeliver("none"))
	})
}

// TestDeliveryLimit: a response that takes too long is none.
func TestDeliveryLimit(t *testing.T) {
	for event, limit := range map[string]time.Duration{
		"TRANSACTION.SUCCESS": 5 * time.Second, "ENTRUST.TERMINATE_RETENTION": time.Second, "CROSS_BORDER_PAY.PUSH_ORDER_INFO": 3 * time.Second,
	} {
		for _, late := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s, r := newReceiver(t)
				if r.delay = limit - time.Millisecond; late {
					r.delay = limit + time.Millisecond
				}
				s.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{Waits: []time.Duration{}} })
				_, err := s.Deliveries.Deliver(notifyURL, event, nil)
				require.NoError(t, err)
				time.Sleep(time.Minute)
				d := s.Deliveries.All()[0]
				require.Len(t, d.Attempts, 1)
				if late {
					assert.Equal(t, sandbox.GivenUp, d.State)
					assert.Equal(t, limit, d.Attempts[0].Took)
					assert.Equal(t, "no answer within "+limit.String(), d.Attempts[0].Error)
				} else {
					assert.Equal(t, sandbox.Delivered, d.State)
					assert.Equal(t, r.delay, d.Attempts[0].Took)
				}
			})
		}
	}
}

// TestPlans: duplicates, disorder and faults on request.
func TestPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t)
		s.Deliveries.Plan(func(event, url string) sandbox.Plan {
			assert.Equal(t, notifyURL, url)
			switch event {
			case "REFUND.SUCCESS":
				return sandbox.Plan{After: 10 * time.Second}
			case "REFUND.CLOSED":
				return sandbox.Plan{Copies: 2}
			case "REFUND.ABNORMAL":
				return sandbox.Plan{Faults: []fault.Kind{fault.Probe}}
			}
			return sandbox.Plan{}
		})
		for _, event := range []string{"REFUND.SUCCESS", "TRANSACTION.SUCCESS"} {
			_, err := s.Deliveries.Deliver(notifyURL, event, nil)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"TRANSACTION.SUCCESS", "REFUND.SUCCESS"}, []string{r.notices()[0].EventType, r.notices()[1].EventType}, "the later one came first")

		_, err := s.Deliveries.Deliver(notifyURL, "REFUND.CLOSED", nil)
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, r.notices(), 5)
		assert.Equal(t, r.notices()[2].ID, r.notices()[4].ID)
		assert.Len(t, s.Deliveries.All()[2].Attempts, 3)

		r.answer(401, 401, 401, 200) // copies are not repeated
		_, err = s.Deliveries.Deliver(notifyURL, "REFUND.CLOSED", nil)
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		assert.Len(t, r.notices(), 9)

		r.answer(401)
		_, err = s.Deliveries.Deliver(notifyURL, "REFUND.ABNORMAL", nil)
		require.NoError(t, err)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		require.Len(t, r.notices(), 11)
		assert.Error(t, r.verdicts()[9])
		assert.NoError(t, r.verdicts()[10], "the repeat of a probe is genuine")

		for reason, plan := range map[string]sandbox.Plan{
			`cannot have the fault "refuse"`: {Faults: []fault.Kind{fault.Refuse}},
			"negative":                       {Copies: -1},
		} {
			s.Deliveries.Plan(func(string, string) sandbox.Plan { return plan })
			id, err := s.Deliveries.Deliver(notifyURL, "REFUND.CLOSED", nil)
			assert.ErrorContains(t, err, reason)
			assert.ErrorContains(t, s.Deliveries.Redeliver(id), "was never sent")
		}
		assert.Len(t, r.notices(), 11)
	})
}

// TestMoneyIsAnnounced: who gave a notify_url hears what became of it.
func TestMoneyIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t)
		heard := func(n int) map[string]any {
			synctest.Wait()
			require.Len(t, r.notices(), n)
			require.NoError(t, r.verdicts()[n-1])
			require.NoError(t, r.notices()[n-1].failed)
			var resource map[string]any
			require.NoError(t, json.Unmarshal(r.notices()[n-1].opened, &resource))
			return resource
		}
		beijing := func() string { return time.Now().In(time.FixedZone("", 8*3600)).Format(time.RFC3339) }
		mchid := s.Merchant().ID
		order := with(with(native(s), "attach", "A"), "amount", map[string]any{"total": 100})
		require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", order).StatusCode)
		transaction, err := s.Users.Pay("ORDER-0001")
		require.NoError(t, err)
		assert.Equal(t, map[string]any{
			"appid": "wx0123456789abcdef", "mchid": mchid, "out_trade_no": "ORDER-0001", "transaction_id": transaction, "trade_type": "NATIVE",
			"trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": "A", "success_time": beijing(),
			"payer":  map[string]any{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
			"amount": map[string]any{"total": 100.0, "currency": "CNY", "payer_total": 100.0, "payer_currency": "CNY"},
		}, heard(1))
		assert.Equal(t, "TRANSACTION.SUCCESS", r.notices()[0].EventType)

		s.Ledger.SetEnding(func(kind sandbox.EffectKind, number string) sandbox.Ending {
			return map[string]sandbox.Ending{"R1": {After: time.Minute}, "R2": {State: "ABNORMAL"}, "B1": {State: "FAIL", After: time.Hour}}[number]
		})
		notified := func(body map[string]any) map[string]any { return with(body, "notify_url", notifyURL) }
		created := ask(t, s, "POST", refundPath, notified(refund("R1", 60))).json(t)
		heard(1)
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]any{
			"mchid": mchid, "out_trade_no": "ORDER-0001", "transaction_id": transaction, "out_refund_no": "R1", "refund_id": created["refund_id"],
			"refund_status": "SUCCESS", "success_time": beijing(), "user_received_account": "支付用户零钱",
			"amount": map[string]any{"total": 100.0, "refund": 60.0, "payer_total": 100.0, "payer_refund": 60.0},
		}, heard(2))
		assert.Equal(t, "REFUND.SUCCESS", r.notices()[1].EventType)

		require.Equal(t, 200, ask(t, s, "POST", refundPath, notified(refund("R2", 40))).StatusCode)
		assert.Equal(t, "ABNORMAL", heard(3)["refund_status"])
		require.NoError(t, s.Ledger.Settle(sandbox.RefundEffect, "R2", "CLOSED"))
		assert.Equal(t, "CLOSED", heard(4)["refund_status"])
		assert.Equal(t, "REFUND.CLOSED", r.notices()[3].EventType)

		started := beijing()
		accepted := ask(t, s, "POST", billsPath, notified(bill("B1"))).json(t)
		time.Sleep(time.Hour)
		assert.Equal(t, map[string]any{
			"mch_id": mchid, "out_bill_no": "B1", "transfer_bill_no": accepted["transfer_bill_no"], "state": "FAIL", "fail_reason": "PAYEE_ACCOUNT_ABNORMAL",
			"transfer_amount": 100.0, "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "create_time": started, "update_time": beijing(),
		}, heard(5))
		assert.Equal(t, "MCHTRANSFER.BILL.FINISHED", r.notices()[4].EventType)

		require.Equal(t, 200, ask(t, s, "POST", billsPath, bill("B2")).StatusCode)
		time.Sleep(time.Hour)
		heard(5) // without a notify_url nobody is told
	})
}

// TestDeliveriesStayHome: over the network notifications go to loopback and to what is permitted.
func TestDeliveriesStayHome(t *testing.T) {
	came := make(chan *http.Request, 10)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came <- r
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	defer shop.Close()
	server := sandbox.Start(t)
	s := server.Sandbox
	s.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{Waits: []time.Duration{}} })
	_, err := s.Deliveries.Deliver(shop.URL+"/notify", "REFUND.SUCCESS", nil)
	require.NoError(t, err)
	r := <-came
	assert.Equal(t, "/notify", r.URL.Path)
	assert.Len(t, r.Header["Wechatpay-Signature"], 1)
	id, err := s.Deliveries.Deliver(shop.URL+"/moved", "REFUND.SUCCESS", nil)
	require.NoError(t, err)
	assert.Equal(t, "/moved", (<-came).URL.Path)
	moved, err := s.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	assert.Equal(t, sandbox.GivenUp, moved.State)
	assert.Equal(t, 302, moved.Attempts[0].Status, "a redirect is not followed")

	for address, reason := range map[string]string{
		"https://shop.example.com/notify": "the host shop.example.com is neither loopback nor permitted; use Deliveries.To, or WithNotifyHosts",
		"http://192.0.2.1/":               "the host 192.0.2.1 is neither loopback nor permitted; use Deliveries.To, or WithNotifyHosts",
		"http://127.0.0.1.example/":       "the host 127.0.0.1.example is neither loopback nor permitted; use Deliveries.To, or WithNotifyHosts",
		"/notify":                         "the address is not an absolute http or https URL",
		"ftp://127.0.0.1/":                "the address is not an absolute http or https URL",
	} {
		_, err := s.Deliveries.Deliver(address, "REFUND.SUCCESS", nil)
		assert.EqualError(t, err, "sandbox: deliver: "+reason)
		last := s.Deliveries.All()[len(s.Deliveries.All())-1]
		assert.Equal(t, sandbox.Unsent, last.State)
		assert.Equal(t, reason, last.Reason)
	}
	_, err = s.Deliveries.Deliver(shop.URL, "REFUND.SUCCESS", make(chan int))
	assert.Error(t, err)
	assert.Len(t, s.Deliveries.All(), 7)

	permitted := newSandbox(t, sandbox.WithNotifyHosts("localhost.", "shop.example.com"))
	defer permitted.Close()
	permitted.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{After: time.Hour} })
	_, err = permitted.Deliveries.Deliver("https://shop.example.com/notify", "REFUND.SUCCESS", nil)
	assert.NoError(t, err)
	for _, bad := range []string{"", "https://a", "a:80"} {
		_, err := sandbox.New(sandbox.WithNotifyHosts(bad))
		assert.Error(t, err, bad)
	}
}

// TestClose: what the sandbox does by itself ends, and nothing is left behind.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t, 500)
		r.delay = 3 * time.Second
		paid(t, s)
		s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: time.Minute} })
		require.Equal(t, 200, ask(t, s, "POST", refundPath, with(refund("R1", 1), "notify_url", notifyURL)).StatusCode)
		_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		time.Sleep(time.Second)
		start := time.Now()
		require.NoError(t, s.Close())
		assert.Zero(t, time.Since(start), "the attempt was cut short")
		require.NoError(t, s.Close())
		time.Sleep(time.Hour)
		assert.Len(t, r.notices(), 1)
		assert.Equal(t, "SUCCESS", ask(t, s, "GET", refundPath+"/R1", nil).json(t)["status"], "a query finds what is due")
		synctest.Wait()
		assert.Len(t, r.notices(), 1)
		id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		assert.EqualError(t, err, "sandbox: deliver: the sandbox is closed")
		assert.Error(t, s.Deliveries.Redeliver(id))
		assert.Error(t, s.Deliveries.Redeliver(s.Deliveries.All()[0].ID))
	})
}

// TestDeliveryLogIsBounded: the oldest give way, and are not attempted again.
func TestDeliveryLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t)
		s.Deliveries.Plan(func(event, _ string) sandbox.Plan {
			if event == "FIRST" {
				return sandbox.Plan{After: time.Hour}
			}
			return sandbox.Plan{After: 2 * time.Hour}
		})
		for _, event := range append([]string{"FIRST", "FIRST"}, strings.Fields(strings.Repeat("NEXT ", 2999))...) {
			_, err := s.Deliveries.Deliver(notifyURL, event, "{}")
			require.NoError(t, err)
		}
		log := s.Deliveries.All()
		require.True(t, len(log) == 3000, "%d", len(log))
		assert.Equal(t, []string{"FIRST", "NEXT"}, []string{log[0].Event, log[1].Event})
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Len(t, r.notices(), 1)
		require.NoError(t, s.Close())
	})
}

// TestDeliveriesInParallel runs everything at a time, for the race detector.
func TestDeliveriesInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t)
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				id, err := s.Deliveries.Deliver(notifyURL, "REFUND.SUCCESS", nil)
				assert.NoError(t, err)
				number := fmt.Sprint("ORDER-", i)
				ask(t, s, "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", number))
				_, err = s.Users.Pay(number)
				assert.NoError(t, err)
				assert.NoError(t, s.Deliveries.Redeliver(id))
				s.Deliveries.All()
				s.Ledger.Effects()
				s.Deliveries.Plan(nil)
			})
		}
		wait.Wait()
		synctest.Wait()
		assert.Len(t, r.notices(), 48)
		require.NoError(t, s.Close())
	})
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t, 500, 500)
		id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil, fault.Probe)
		require.NoError(t, err)
		start := time.Now()
		d, err := s.Deliveries.Await(t.Context(), id, 2)
		require.NoError(t, err)
		assert.Len(t, d.Attempts, 2)
		assert.Equal(t, 15*time.Second, time.Since(start))
		assert.Error(t, r.verdicts()[0])
		assert.NoError(t, r.verdicts()[1], "a fault is of the first attempt")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d, err = s.Deliveries.Await(ctx, id, 3)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, d.Attempts, 2)

		d, err = s.Deliveries.Await(t.Context(), id, 1000)
		require.NoError(t, err)
		assert.Equal(t, sandbox.Delivered, d.State)
		assert.Len(t, d.Attempts, 3)
		require.NoError(t, s.Deliveries.Redeliver(id))
		d, err = s.Deliveries.Await(t.Context(), id, 1000)
		require.NoError(t, err)
		assert.Len(t, d.Attempts, 4, "what was asked for is waited for")

		_, err = s.Deliveries.Await(t.Context(), "none", 1)
		assert.EqualError(t, err, `sandbox: await: there is no notification "none" among the last 1000`)
		_, err = s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil, fault.Refuse)
		assert.ErrorContains(t, err, `cannot have the fault "refuse"`)
		r.answer(500)
		id, err = s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { s.Close() })
		_, err = s.Deliveries.Await(t.Context(), id, 2)
		assert.EqualError(t, err, "sandbox: await: the sandbox is closed")
	})
}

// TestEchoIsAnnounced: the self-test of keys has a notification, too.
func TestEchoIsAnnounced(t *testing.T) {
	s, r := newReceiver(t)
	sealed, err := apiv3.RSA().Encrypt(s.Keys.PublicKey(), []byte("密"))
	require.NoError(t, err)
	body := map[string]any{"echo_message": "明", "encrypted_echo_message": base64.StdEncoding.EncodeToString(sealed), "notify_url": notifyURL}
	a := ask(t, s, "POST", "/v3/security/echo", body)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	d := s.Deliveries.All()
	require.Len(t, d, 1)
	_, err = s.Deliveries.Await(t.Context(), d[0].ID, 1)
	require.NoError(t, err)
	n := r.notices()[0]
	require.NoError(t, n.failed)
	var resource map[string]any
	require.NoError(t, json.Unmarshal(n.opened, &resource))
	assert.Equal(t, map[string]any{"echo_message": "明", "encrypt_echo_message": a.json(t)["encrypted_echo_message"]}, resource)
	assert.Equal(t, "SECURITY_ECHO.SUCCESS", n.EventType)
	body["notify_url"] = "https://shop.example.com/?x"
	assert.Equal(t, 400, ask(t, s, "POST", "/v3/security/echo", body).StatusCode)
	assert.Len(t, s.Deliveries.All(), 1)
}

// TestReceiverPanics: a receiver's panic is a failed attempt, as over the network.
func TestReceiverPanics(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	s.Deliveries.To(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }))
	id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
	require.NoError(t, err)
	d, err := s.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	assert.Equal(t, "the receiver panicked: no", d.Attempts[0].Error)
	assert.Zero(t, d.Attempts[0].Status)
	assert.Equal(t, sandbox.Waiting, d.State)
}

// TestWaitingDeliveriesAreKept has more notifications follow one that failed than the log has room for.
func TestWaitingDeliveriesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t, sandbox.WithScheme(quick{apiv3.RSA()}))
		defer s.Close()
		status := 500
		s.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		first, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		synctest.Wait()
		status = 204
		for range 1100 {
			_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
			require.NoError(t, err)
			synctest.Wait()
		}
		list := s.Deliveries.All()
		require.True(t, len(list) == 1000, "%d", len(list))
		assert.Equal(t, first, list[0].ID)
		d, err := s.Deliveries.Await(t.Context(), first, 2)
		require.NoError(t, err)
		assert.Equal(t, sandbox.Delivered, d.State)
	})
}

// TestManyNotificationsAtOnce pays more orders at once than the log has room for while nobody listens.
func TestManyNotificationsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t, sandbox.WithScheme(quick{apiv3.RSA()}))
		defer s.Close()
		var down atomic.Bool
		down.Store(true)
		reached := make(map[string]bool)
		var mu sync.Mutex
		s.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				w.WriteHeader(503)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			reached[r.URL.Path] = true
		}))
		for i := range 1500 {
			_, err := s.Deliveries.Deliver(notifyURL+"/"+strconv.Itoa(i), "TRANSACTION.SUCCESS", nil)
			require.NoError(t, err)
		}
		synctest.Wait()
		down.Store(false)
		require.NoError(t, s.Clock.Jump(time.Minute))
		assert.True(t, len(reached) == 1500, "%d", len(reached))
		_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		assert.True(t, len(s.Deliveries.All()) == 1000, "%d", len(s.Deliveries.All()))
	})
}
