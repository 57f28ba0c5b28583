//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

// hookKeys, hookStore: what a handler may be given.
type hookKeys struct{ fails error }

func (k hookKeys) Key(context.Context, string) (crypto.PublicKey, error) { return nil, k.fails }

type hookStore struct{ claim, done, release error }

func (s hookStore) Claim(context.Context, string, string) (webhook.State, error) {
	return webhook.Claimed, s.claim
}
func (s hookStore) Done(context.Context, string, string) error    { return s.done }
func (s hookStore) Release(context.Context, string, string) error { return s.release }

// What comes from outside of a handler is told to the observer, and never decides how a notification is answered.
func TestErrorsFromOutsideOfNotifications(t *testing.T) {
	const apiv3Key = "TestOnlyAPIv3Key0123456789abcdef"
	merchant := func(t *testing.T) webhook.Merchant {
		set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: testKeyID, Key: testKeys().platform.Public()})
		require.NoError(t, err)
		return webhook.Merchant{ID: testMerchant, APIv3Key: apiv3Key, Keys: webhook.Static(set), Serial: testSerial, PrivateKey: testKeys().merchant}
	}
	const asks = "CROSS_BORDER_PAY.GET_MCH_INFO"
	succeeds := func(context.Context, *webhook.Event) error { return nil }
	answers := func(context.Context, *webhook.Event) (any, error) { return wxpay.JSON{"code": "SUCCESS"}, nil }
	handler := func(t *testing.T, m webhook.Merchant, fn webhook.Func, options ...webhook.Option) *webhook.Handler {
		h, err := webhook.New(m, options...)
		require.NoError(t, err)
		h.OnDefault(fn)
		h.OnInquiry(asks, answers)
		return h
	}
	tests := []struct {
		name      string
		eventType string
		handler   func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler
		except    []string // what the code may say by contract
	}{
		{"a function", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), func(context.Context, *webhook.Event) error { return fails }, observe)
		}, nil},
		{"a panic of a function", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), func(context.Context, *webhook.Event) error { panic(fails) }, observe)
		}, nil},
		{"a function's target", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), func(_ context.Context, e *webhook.Event) error { return e.Decode(&failing{fails: fails}) }, observe)
		}, nil},
		{"a store that does not claim", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), succeeds, observe, webhook.WithDeduper(hookStore{claim: fails}))
		}, nil},
		{"a store that does not note", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), succeeds, observe, webhook.WithDeduper(hookStore{done: fails}))
		}, nil},
		{"a store that does not release", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), func(context.Context, *webhook.Event) error { return errors.New("x") }, observe,
				webhook.WithDeduper(hookStore{release: fails}))
		}, nil},
		{"keys", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			m := merchant(t)
			m.Keys = hookKeys{fails}
			return handler(t, m, succeeds, observe)
		}, []string{"apiv3.ErrUnknownSerial", "apiv3.ErrExpired"}},
		{"the choice of a merchant", "COUPON.USE", func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			h, err := webhook.NewMulti(func(context.Context, *webhook.Delivery) (*webhook.Merchant, error) { return nil, fails }, observe)
			require.NoError(t, err)
			return h
		}, []string{"webhook.ErrUnknownMerchant"}},
		{"a signer of answers", asks, func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			return handler(t, merchant(t), succeeds, observe,
				webhook.WithResponseSigner(func(context.Context, *webhook.Merchant, *webhook.Delivery, []byte) (string, error) { return "", fails }))
		}, nil},
		{"a key that does not sign", asks, func(t *testing.T, fails error, observe webhook.Option) *webhook.Handler {
			m := merchant(t)
			m.PrivateKey = failingKey{testKeys().merchant, fails}
			return handler(t, m, succeeds, observe)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := func(fails error) (int, error) {
				var seen webhook.Observation
				h := tt.handler(t, fails, webhook.WithObserver(func(_ context.Context, o webhook.Observation) { seen = o }))
				answered := h.Deliver(t.Context(), notificationOf(t, apiv3Key, tt.eventType, "x", `{"n":1}`))
				require.NoError(t, h.Wait(t.Context()))
				return answered.Status, seen.Err
			}
			status, plain := run(errOfUser)
			require.Error(t, plain)
			poisonedStatus, poisoned := run(poison(tt.except...))
			assert.Equal(t, status, poisonedStatus)
			assert.Equal(t, claims(plain), claims(poisoned), poisoned)
			for _, err := range []error{plain, poisoned} {
				require.ErrorIs(t, err, errOfUser, "the observer is told")
			}
			require.ErrorAs(t, poisoned, new(lying))
			for _, said := range tt.except {
				_, err := run(ownValues[said])
				require.ErrorIs(t, err, ownValues[said])
			}
		})
	}
}
