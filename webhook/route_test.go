package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

func TestRouting(t *testing.T) {
	tests := []struct {
		eventType, originalType string
		patterns                []string
		want                    string
	}{
		{"TRANSACTION.SUCCESS", "transaction", []string{"TRANSACTION.SUCCESS"}, "TRANSACTION.SUCCESS"},
		{"TRANSACTION.SUCCESS", "", []string{"TRANSACTION.SUCCESS"}, "TRANSACTION.SUCCESS"},
		{"TRANSACTION.SUCCESS", "profitsharing", []string{"TRANSACTION.SUCCESS"}, "default"},
		{"TRANSACTION.SUCCESS", "profitsharing", []string{"TRANSACTION.*"}, "default"},
		{"TRANSACTION.SUCCESS", "pay_back", []string{"TRANSACTION.SUCCESS"}, "default"},
		{"TRANSACTION.PAY_BACK", "pay_back", []string{"TRANSACTION.PAY_BACK"}, "TRANSACTION.PAY_BACK"},
		{"TRANSACTION.PAY_BACK", "profitsharing", []string{"TRANSACTION.PAY_BACK"}, "default"},
		{"TRANSACTION.SUCCESS", "profitsharing", []string{"TRANSACTION.SUCCESS", "TRANSACTION.SUCCESS/profitsharing"}, "TRANSACTION.SUCCESS/profitsharing"},
		{"TRANSACTION.SUCCESS", "profitsharing", []string{"TRANSACTION.SUCCESS", "*/profitsharing"}, "*/profitsharing"},
		{"PROFITSHARING.RETURN", "profitsharing", []string{"*/profitsharing"}, "*/profitsharing"},
		{"PROFITSHARING.RETURN", "profitsharing", []string{"*/profitsharing", "PROFITSHARING.*"}, "PROFITSHARING.*"},
		{"TRANSACTION.SUCCESS", "transaction", []string{"TRANSACTION.SUCCESS/transaction", "TRANSACTION.SUCCESS"}, "TRANSACTION.SUCCESS/transaction"},
		{"TRANSACTION.SUCCESS", "", []string{"TRANSACTION.SUCCESS/transaction", "TRANSACTION.SUCCESS"}, "TRANSACTION.SUCCESS"},
		{"TRANSACTION.PAY_BACK", "transaction", []string{"TRANSACTION.SUCCESS", "TRANSACTION.*"}, "TRANSACTION.*"},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", []string{"MCHTRANSFER.*"}, "MCHTRANSFER.*"},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", []string{"MCHTRANSFER.*", "MCHTRANSFER.BILL.*"}, "MCHTRANSFER.BILL.*"},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", []string{"MCHTRANSFER.BILL.*", "MCHTRANSFER.BILL.FINISHED"}, "MCHTRANSFER.BILL.FINISHED"},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", []string{"MCHTRANSFER.*/mch_payment", "MCHTRANSFER.*"}, "MCHTRANSFER.*/mch_payment"},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", []string{"MCHTRANSFER.*/other"}, "default"},
		{"MCHTRANSFERX.BILL", "", []string{"MCHTRANSFER.*"}, "default"},
		{"MCHTRANSFER", "", []string{"MCHTRANSFER.*"}, "default"},
		{"REFUND.SUCCESS", "refund", []string{"TRANSACTION.SUCCESS"}, "default"},
		{"REFUND.SUCCESS", "something_new", []string{"REFUND.SUCCESS"}, "REFUND.SUCCESS"},
		{"NEVER.HEARD.OF.IT", "news", []string{"TRANSACTION.SUCCESS"}, "default"},
		{"refund.success", "refund", []string{"REFUND.SUCCESS"}, "default"},
	}
	for _, test := range tests {
		for _, reversed := range []bool{false, true} {
			h := newHandler(t, webhook.WithEvents("MCHTRANSFER.BILL.FINISHED/other"))
			got := ""
			h.OnDefault(func(context.Context, *webhook.Event) error { got += "default"; return nil })
			for i := range test.patterns {
				pattern := test.patterns[i]
				if reversed {
					pattern = test.patterns[len(test.patterns)-1-i]
				}
				h.On(pattern, func(context.Context, *webhook.Event) error { got += pattern; return nil })
			}
			assert.Equal(t, 204, event(test.eventType, test.originalType, `{}`).send(h).Code)
			assert.Equal(t, test.want, got, "%s of %q among %q", test.eventType, test.originalType, test.patterns)
		}
	}
}

// An event that nobody wants is taken, and shown. One that tells of money is not taken unless somebody says so: a slip where a
// function is registered must not lose what was paid.
func TestUnhandled(t *testing.T) {
	for _, test := range []struct {
		eventType, originalType string
		ignored                 []string
		status                  int
	}{
		{"NEVER.HEARD.OF.IT", "news", nil, 204},
		{"COUPON.USE", "coupon", nil, 204},
		{"PROFITSHARING.SUCCESS", "profitsharing", nil, 204},
		{"TRANSACTION.SUCCESS", "profitsharing", nil, 204},
		{"TRANSACTION.SUCCESS", "transaction", nil, 500},
		{"TRANSACTION.SUCCESS", "", nil, 500},
		{"TRANSACTION.SUCCESS", "a_new_kind", nil, 500},
		{"TRANSACTION.OF_TOMORROW", "transaction", nil, 500},
		{"REFUND.SUCCESS", "refund", nil, 500},
		{"MCHTRANSFER.BILL.FINISHED", "mch_payment", nil, 500},
		{"REFUND.SUCCESS", "refund", []string{"TRANSACTION.SUCCESS"}, 500},
		{"REFUND.SUCCESS", "refund", []string{"REFUND.*"}, 204},
		{"REFUND.SUCCESS", "refund", []string{"TRANSACTION.*", "*/refund"}, 204},
		{"TRANSACTION.SUCCESS", "profitsharing", []string{"*/profitsharing"}, 204},
	} {
		var seen observed
		h := newHandler(t, seen.option())
		h.On("VIOLATION.*", func(context.Context, *webhook.Event) error { panic("not for me") })
		h.Ignore(test.ignored...)
		for range 2 {
			w := event(test.eventType, test.originalType, `{}`).send(h)
			o := seen.one(t)
			assert.Equal(t, test.status, w.Code, test)
			assert.Equal(t, test.status, o.Status, test)
			assert.Equal(t, test.eventType, o.Type)
			ignored := test.status == 204 && test.ignored != nil
			assert.Equal(t, ignored, o.Ignored, test)
			assert.Equal(t, !ignored, o.Unhandled, test)
			if test.status == 204 {
				require.NoError(t, o.Err)
				continue
			}
			assertFail(t, 500, w)
			require.ErrorIs(t, o.Err, webhook.ErrNoHandler)
			assert.ErrorContains(t, o.Err, fmt.Sprintf("register a function with On(%q, …), or say Ignore(%q)", test.eventType, test.eventType))
		}
	}
}

// A function beside Ignore gets what is its own.
func TestIgnoreIsAPattern(t *testing.T) {
	h := newHandler(t)
	h.Ignore("REFUND.*")
	ran := 0
	h.On(webhook.RefundAbnormal, func(context.Context, *webhook.Event) error { ran++; return nil })
	assert.Equal(t, 204, event("REFUND.SUCCESS", "refund", `{}`).send(h).Code)
	assert.Equal(t, 204, event("REFUND.ABNORMAL", "refund", `{}`).send(h).Code)
	assert.Equal(t, 1, ran)
	assert.Contains(t, panicText(t, func() { h.On("REFUND.*", func(context.Context, *webhook.Event) error { return nil }) }), "registered already")
}

func TestRegisteringPanicsAtMistakes(t *testing.T) {
	fn := func(context.Context, *webhook.Event) error { return nil }
	answer := func(context.Context, *webhook.Event) (any, error) { return nil, nil }
	for pattern, want := range map[string]string{
		"": "no event type", "*": "OnDefault", "/kind": "no event type", "A.B/": "no original type", "A*": "does not follow a dot",
		"*.B": "star, slash or blank", "A.*.C": "star, slash or blank", "A.B/*": "star, slash or blank", "A.B/c/d": "star, slash or blank",
		"A. B": "star, slash or blank", "ENTRUST.TERMINATE_INQUIRY": "OnInquiry", "REFUND.SUCCESS": "registered already",

		"TRANSACTION.SUCESS":               `"TRANSACTION.SUCESS" fits no event that is known: did you mean "TRANSACTION.SUCCESS"? (WithEvents names what is newer`,
		"transaction.success":              `did you mean "TRANSACTION.SUCCESS"?`,
		"REFUND.SUCCES/refund":             `did you mean "REFUND.SUCCESS"?`,
		"TRANSACTION":                      "fits no event that is known: did you mean",
		"SOMETHING.ELSE":                   "fits no event that is known (WithEvents",
		"TRANSACTON.*":                     `"TRANSACTON.*" fits no event that is known: did you mean "TRANSACTION.*"?`,
		"MCHTRANSFER.BIL.*":                `did you mean "MCHTRANSFER.BILL.*"?`,
		"NOTHING.*":                        "fits no event that is known (WithEvents",
		"TRANSACTION.SUCCESS/profitsharng": "the original type is documented to be profitsharing or transaction (WithEvents",
		"MCHTRANSFER.*/mch_paiment":        "the original type is documented to be mch_payment (WithEvents",
		"*/profitsharng":                   "no event is known to have that original type",
		"TRANSACTION.\u200bSUCCESS":        `"TRANSACTION.\u200bSUCCESS" fits no event that is known: did you mean "TRANSACTION.SUCCESS"?`,
	} {
		h := newHandler(t)
		h.On("REFUND.SUCCESS", fn)
		assert.Contains(t, panicText(t, func() { h.On(pattern, fn) }), want, "%q", pattern)
		assert.Contains(t, panicText(t, func() { h.Ignore(pattern) }), want, "%q", pattern)
	}
	assert.Contains(t, panicText(t, func() { newHandler(t).OnInquiry("PARKING_FEE.QUERY_TRANS_INF", answer) }), `did you mean "PARKING_FEE.QUERY_TRANS_INFO"?`)
	h := newHandler(t)
	assert.Contains(t, panicText(t, func() { h.On("A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { webhook.On[int](h, "A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { h.OnDefault(nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { h.OnInquiry("A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { webhook.OnInquiry[int](h, "A.B", nil) }), "is nil")
	for _, pattern := range []string{"A.*", "*/a", "A.B/c", "", "A B"} {
		assert.Contains(t, panicText(t, func() { h.OnInquiry(pattern, answer) }), "not one event type", "%q", pattern)
	}
	h.OnInquiry("PARKING_FEE.QUERY_TRANS_INFO", answer)
	assert.Contains(t, panicText(t, func() { h.OnInquiry("PARKING_FEE.QUERY_TRANS_INFO", answer) }), "registered already")
	assert.Contains(t, panicText(t, func() { h.OnInquiry("CROSS_BORDER_PAY.GET_MCH_INFO", answer) }), "ID, Serial and PrivateKey")
}

// What is newer than the catalogue is named once; without a catalogue nothing is known, and every name is taken.
func TestEventsOfTomorrow(t *testing.T) {
	fn := func(context.Context, *webhook.Event) error { return nil }
	answer := func(context.Context, *webhook.Event) (any, error) { return nil, nil }
	h := newHandler(t, webhook.WithEvents("BRAND_NEW.STATE.DONE", "BRAND_NEW.QUESTION", "TRANSACTION.SUCCESS/new_kind", "REFUND.SUCCESS"))
	for _, pattern := range []string{"BRAND_NEW.STATE.DONE", "BRAND_NEW.*", "BRAND_NEW.STATE.*",
		"BRAND_NEW.STATE.DONE/any", "TRANSACTION.SUCCESS/new_kind", "*/new_kind", "REFUND.SUCCESS"} {
		h.On(pattern, fn)
	}
	h.OnInquiry("BRAND_NEW.QUESTION", answer)
	assert.Contains(t, panicText(t, func() { h.On("BRAND_NEW.STATE.GONE", fn) }), "fits no event that is known")
	assert.Contains(t, panicText(t, func() { h.On("TRANSACTION.SUCCESS/newer_kind", fn) }), "is documented to be")
	for _, wrong := range []string{"", "A.*", "A B"} {
		_, err := webhook.New(merchant(t), webhook.WithEvents(wrong))
		require.ErrorContains(t, err, "WithEvents: ")
	}

	h = newHandler(t, webhook.WithCatalog(nil))
	h.On("WHATEVER.IT.IS", fn)
	h.On("WHATEVER.*/kind", fn)
}

func panicText(t testing.TB, fn func()) (text string) {
	t.Helper()
	defer func() { text, _ = recover().(string) }()
	fn()
	t.Error("it did not panic")
	return ""
}

func TestTypedFunction(t *testing.T) {
	type refund struct {
		Number string `json:"out_refund_no"`
		Amount struct{ Refund int64 }
	}
	var seen observed
	h := newHandler(t, seen.option())
	var got refund
	webhook.On(h, "REFUND.SUCCESS", func(_ context.Context, e *webhook.Event, r refund) error {
		assert.Equal(t, "refund", e.OriginalType)
		got = r
		if r.Number == "bad" {
			return errors.New("no such refund")
		}
		return nil
	})
	assert.Equal(t, 204, event("REFUND.SUCCESS", "refund", `{"out_refund_no":"R1","amount":{"refund":5}}`).send(h).Code)
	assert.Equal(t, refund{Number: "R1", Amount: struct{ Refund int64 }{5}}, got)
	seen.take()

	assertFail(t, 500, event("REFUND.SUCCESS", "refund", `{"out_refund_no":"bad"}`).send(h))
	assert.Equal(t, "function", seen.one(t).Failure)
	got = refund{}
	assertFail(t, 500, event("REFUND.SUCCESS", "refund", `{"out_refund_no":7}`).send(h))
	assert.Equal(t, "decoding", seen.one(t).Failure)
	assert.Zero(t, got, "the function did not run")
}

// Routes may be added while notifications come in.
func TestRegisteringWhileServing(t *testing.T) {
	h := newHandler(t, webhook.WithCatalog(nil))
	header, body := event("A.B", "", `{}`).build()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			h.Deliver(context.Background(), &webhook.Delivery{Header: header, Body: body})
		}
	}()
	for i := range 50 {
		h.On("X."+string(rune('A'+i)), func(context.Context, *webhook.Event) error { return nil })
	}
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	<-done
	require.NoError(t, h.Wait(t.Context()))
}
