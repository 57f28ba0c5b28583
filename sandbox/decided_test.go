package sandbox_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// TestDecisionsThatDoNotReturn gives the sandbox functions that panic, or end their goroutine as a failing test does: the sandbox says
// so, and goes on.
func TestDecisionsThatDoNotReturn(t *testing.T) {
	for want, end := range map[string]func(){"panicked: mine": func() { panic("mine") }, "ended its goroutine": runtime.Goexit} {
		t.Run(want, func(t *testing.T) {
			s, r := newReceiver(t)
			defer s.Close()
			require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", with(native(s), "notify_url", notifyURL)).StatusCode)
			s.Deliveries.Plan(func(string, string) sandbox.Plan { end(); return sandbox.Plan{} })
			s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { end(); return sandbox.Ending{} })

			ended := make(chan struct{})
			go func() {
				defer close(ended) // also where Goexit came through
				_, err := s.Users.Pay("ORDER-0001")
				assert.NoError(t, err)
			}()
			<-ended
			require.Len(t, s.Deliveries.All(), 1)
			assert.Equal(t, sandbox.Unsent, s.Deliveries.All()[0].State)
			assert.Contains(t, s.Deliveries.All()[0].Reason, want)
			assert.Empty(t, r.notices())

			_, err := s.Users.AddPaidOrder("ORDER-0002", 100)
			require.NoError(t, err)
			assert.Equal(t, 500, ask(t, s, "POST", refundPath, with(refund("R1", 1), "out_trade_no", "ORDER-0002")).StatusCode)
			assert.Contains(t, lastEntry(t, s).Reason, want)
			assert.Empty(t, s.Ledger.Effects(sandbox.RefundEffect))
		})
	}
}
