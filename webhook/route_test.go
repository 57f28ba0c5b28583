package webhook_test

import (
	"context"
	"errors"
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
			h := newHandler(t)
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

// An event that nobody wants is none of our errors: it is taken, and shown.
func TestUnhandled(t *testing.T) {
	var seen observed
	h := newHandler(t, seen.option())
	h.On("TRANSACTION.SUCCESS", func(context.Context, *webhook.Event) error { panic("not for me") })
	for range 2 {
		assert.Equal(t, 204, event("NEVER.HEARD.OF.IT", "news", `{}`).send(h).Code)
		o := seen.one(t)
		assert.True(t, o.Unhandled)
		assert.NoError(t, o.Err)
		assert.Equal(t, "NEVER.HEARD.OF.IT", o.Type)
	}
}

func TestRegisteringPanicsAtMistakes(t *testing.T) {
	fn := func(context.Context, *webhook.Event) error { return nil }
	answer := func(context.Context, *webhook.Event) (any, error) { return nil, nil }
	for pattern, want := range map[string]string{
		"": "no event type", "*": "OnDefault", "/kind": "no event type", "A.B/": "no original type", "A*": "does not follow a dot",
		"*.B": "star, slash or blank", "A.*.C": "star, slash or blank", "A.B/*": "star, slash or blank", "A.B/c/d": "star, slash or blank",
		"A. B": "star, slash or blank", "ENTRUST.TERMINATE_INQUIRY": "OnQuestion", "TAKEN": "registered already",
	} {
		h := newHandler(t)
		h.On("TAKEN", fn)
		assert.Contains(t, panicText(t, func() { h.On(pattern, fn) }), want, "%q", pattern)
	}
	h := newHandler(t)
	assert.Contains(t, panicText(t, func() { h.On("A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { webhook.On[int](h, "A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { h.OnDefault(nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { h.OnQuestion("A.B", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { webhook.OnQuestion[int](h, "A.B", nil) }), "is nil")
	for _, pattern := range []string{"A.*", "*/a", "A.B/c", "", "A B"} {
		assert.Contains(t, panicText(t, func() { h.OnQuestion(pattern, answer) }), "not one event type", "%q", pattern)
	}
	h.OnQuestion("PARKING_FEE.QUERY_TRANS_INFO", answer)
	assert.Contains(t, panicText(t, func() { h.OnQuestion("PARKING_FEE.QUERY_TRANS_INFO", answer) }), "registered already")
	assert.Contains(t, panicText(t, func() { h.OnQuestion("CROSS_BORDER_PAY.GET_MCH_INFO", answer) }), "ID, Serial and PrivateKey")
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
	h := newHandler(t)
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
