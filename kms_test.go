//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// kms is a private key behind a network.
type kms struct {
	crypto.Signer
	latency time.Duration // 0 hangs until released
	release chan struct{}
	fails   error
	panics  bool
	inside  atomic.Int32
	most    atomic.Int32
}

func (k *kms) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	n := k.inside.Add(1)
	defer k.inside.Add(-1)
	for most := k.most.Load(); n > most && !k.most.CompareAndSwap(most, n); most = k.most.Load() {
	}
	if k.latency == 0 {
		<-k.release
	}
	time.Sleep(k.latency)
	switch {
	case k.panics:
		panic("boom")
	case k.fails != nil:
		return nil, k.fails
	}
	return k.Signer.Sign(rand, digest, opts)
}

// obedientKMS can be told to stop.
type obedientKMS struct{ *kms }

func (k obedientKMS) SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.inside.Add(1)
	defer k.inside.Add(-1)
	select {
	case <-time.After(k.latency):
		return k.Signer.Sign(rand, digest, opts)
	case <-ctx.Done():
		return nil, errors.New("the service's own words")
	}
}

func kmsClient(t testing.TB, sb *sandbox.Sandbox, key crypto.Signer, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	merchant := merchantOf(sb)
	merchant.PrivateKey = key
	client, err := wxpay.New(merchant,
		append([]wxpay.Option{wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithTransport(sb.Transport())}, options...)...)
	require.NoError(t, err)
	return client
}

// 64 calls through a signer that takes 50 ms take 50 ms together, and one that is cancelled ends at once.
func TestSlowSigner(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(*kms) crypto.Signer{
		"a plain signer":             func(k *kms) crypto.Signer { return k },
		"one that heeds the context": func(k *kms) crypto.Signer { return obedientKMS{k} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sb := unpaced(t)
				slow := &kms{Signer: sb.Merchant().PrivateKey, latency: 50 * time.Millisecond}
				client := kmsClient(t, sb, wrap(slow))
				begin := time.Now()
				var wait sync.WaitGroup
				for range 64 {
					wait.Go(func() { assert.NoError(t, post(t.Context(), client)) })
				}
				wait.Wait()
				assert.Equal(t, 50*time.Millisecond, time.Since(begin))

				begin = time.Now()
				sb.Journal.Reset()
				ctx, cancel := context.WithCancelCause(t.Context())
				reason := errors.New("the customer left")
				for range 64 {
					wait.Go(func() {
						err := post(ctx, client)
						assert.ErrorIs(t, err, reason)
						assert.ErrorIs(t, err, wxpay.StageSign)
						assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
						assert.ErrorContains(t, err, "the signer had not answered when the call ended")
					})
				}
				time.Sleep(20 * time.Millisecond)
				assert.EqualValues(t, 64, slow.inside.Load())
				cancel(reason)
				wait.Wait()
				assert.Equal(t, 20*time.Millisecond, time.Since(begin), "at once")
				assert.Empty(t, sb.Journal.All())
				time.Sleep(time.Second)
				assert.Zero(t, slow.inside.Load(), "what was left behind has ended")
				require.NoError(t, post(t.Context(), client))
			})
		})
	}
}

// A signer that hangs for ever costs its callers their time limit, and the process a bounded number of goroutines.
func TestHangingSigner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sb := newSandbox(t)
		stuck := &kms{Signer: sb.Merchant().PrivateKey, release: make(chan struct{})}
		client := kmsClient(t, sb, stuck, wxpay.WithAttemptTimeout(time.Second), wxpay.WithTimeout(time.Second))
		var wait sync.WaitGroup
		var full atomic.Int32
		begin := time.Now()
		for range 1500 {
			wait.Go(func() {
				err := post(t.Context(), client)
				assert.ErrorIs(t, err, wxpay.StageSign)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
				if assert.Error(t, err); errorContains(err, "the signer seems to hang") {
					full.Add(1)
				}
			})
		}
		wait.Wait()
		assert.Equal(t, time.Second, time.Since(begin))
		assert.EqualValues(t, 1024, stuck.inside.Load())
		assert.EqualValues(t, 1500-1024, full.Load())
		stuck.fails = errors.New("too late for RSA")
		close(stuck.release)
		synctest.Wait()
		assert.Zero(t, stuck.inside.Load())
		stuck.fails = nil
		require.NoError(t, post(t.Context(), client), "it came back, and so did the client")
	})
}

func errorContains(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

// A signer that fails or panics fails the call, not the process, and says so.
func TestFailingSigner(t *testing.T) {
	sb := newSandbox(t)
	locked := errors.New("the key is locked")
	client := kmsClient(t, sb, &kms{Signer: sb.Merchant().PrivateKey, latency: 1, fails: locked})
	err := post(t.Context(), client)
	require.ErrorIs(t, err, locked)
	assert.ErrorIs(t, err, wxpay.StageSign)
	assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))

	client = kmsClient(t, sb, &kms{Signer: sb.Merchant().PrivateKey, latency: 1, panics: true})
	err = post(t.Context(), client)
	require.ErrorIs(t, err, wxpay.StageSign)
	assert.ErrorContains(t, err, "the signer panicked with a string")
	assert.NotContains(t, err.Error(), "boom")

	// By hand, and for front ends, the same holds.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client = kmsClient(t, sb, &kms{Signer: sb.Merchant().PrivateKey, latency: 1})
	_, err = client.Sign(ctx, "x")
	assert.ErrorIs(t, err, context.Canceled)
	_, err = client.Invoke().JSAPI(ctx, "wx0123456789abcdef", "wx01")
	assert.ErrorIs(t, err, context.Canceled)
}
