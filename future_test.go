//go:build go1.25

package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// gate is a gateway that responds when it is told to, and knows how many calls are with it.
type gate struct {
	open    chan struct{}
	inside  atomic.Int32
	highest atomic.Int32
	calls   atomic.Int32
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	g.calls.Add(1)
	now := g.inside.Add(1)
	for highest := g.highest.Load(); now > highest && !g.highest.CompareAndSwap(highest, now); highest = g.highest.Load() {
	}
	defer g.inside.Add(-1)
	select {
	case <-g.open:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return newCanned(`{"path":"` + req.URL.Path + `"}`).RoundTrip(req)
}

func asyncClient(t *testing.T, rt http.RoundTripper, options ...wxpay.Option) *wxpay.Client {
	return newClient(t, append([]wxpay.Option{wxpay.WithTransport(rt), wxpay.WithScheme(stubScheme{apiv3.RSA()})}, options...)...)
}

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(3, 4))
		var futures []*wxpay.Future
		for i := range 8 {
			futures = append(futures, client.Chain(fmt.Sprintf("v3/n%d", i)).GetAsync(ctx))
		}
		synctest.Wait()
		assert.Equal(t, int32(3), g.inside.Load(), "as many as WithConcurrency run")

		// The eighth found the queue full, at once, and nothing was sent.
		select {
		case <-futures[7].Done():
		default:
			t.Fatal("a full queue must fail at once")
		}
		_, err := futures[7].Wait(ctx)
		require.ErrorIs(t, err, wxpay.ErrQueueFull)
		assert.ErrorIs(t, err, wxpay.StageQueue)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		assert.ErrorContains(t, err, "not sent")

		close(g.open)
		answers, err := wxpay.WaitAll(ctx, futures[:7]...)
		require.NoError(t, err)
		for i, res := range answers {
			assert.Equal(t, fmt.Sprintf("/v3/n%d", i), res.Get("path").String(), "All keeps the order")
		}
		assert.Equal(t, int32(3), g.highest.Load())
		assert.Equal(t, int32(7), g.calls.Load())

		// The queue takes calls again.
		_, err = client.Chain("v3/x").GetAsync(ctx).Wait(ctx)
		require.NoError(t, err)
	})
}

func TestQueueCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(1, 2))
		background := context.Background()
		running := client.Chain("v3/running").GetAsync(background)
		synctest.Wait()

		ctx, cancel := context.WithCancel(background)
		waiting := client.Chain("v3/waiting").GetAsync(ctx)
		behind := client.Chain("v3/behind").GetAsync(background)
		cancel()
		_, err := waiting.Wait(background) // at once, not when its turn comes
		require.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, wxpay.StageQueue)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))

		// Its place is free again.
		next := client.Chain("v3/next").GetAsync(background)
		full := client.Chain("v3/full").GetAsync(background)
		_, err = full.Wait(background)
		require.ErrorIs(t, err, wxpay.ErrQueueFull)

		close(g.open)
		_, err = wxpay.WaitAll(background, running, behind, next)
		require.NoError(t, err)
		assert.Equal(t, int32(3), g.calls.Load())

		_, err = client.Chain("v3/x").GetAsync(ctx).Wait(background)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		assert.Equal(t, int32(3), g.calls.Load())
	})
}

// Cancelling a running call ends it, and its outcome is unknown; ending Wait alone does not end the call.
func TestWaitDoesNotCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		client := asyncClient(t, g)
		f := client.Chain("v3/x").PostAsync(context.Background(), wxpay.JSON{})
		impatient, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := f.Wait(impatient)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "the call goes on")
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
		//lint:ignore SA1012 a nil context must not panic
		_, err = f.Wait(nil)
		require.ErrorContains(t, err, "the context given to Wait is nil")
		_, err = wxpay.WaitAll(impatient, f)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(g.open)
		res, err := f.Wait(context.Background())
		require.NoError(t, err)
		assert.Equal(t, 200, res.Status)
		_, err = f.Wait(impatient)
		require.NoError(t, err, "what has ended is there, whatever ctx says")

		g.open = make(chan struct{})
		ctx, stop := context.WithCancel(context.Background())
		f = client.Chain("v3/x").PostAsync(ctx, wxpay.JSON{})
		synctest.Wait()
		stop()
		_, err = f.Wait(context.Background())
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
	})
}

// The body is written before the verb returns, so the caller may change it at once.
func TestAsyncEncodesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		client := asyncClient(t, middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			<-g.open
			body := make([]byte, req.ContentLength)
			_, _ = req.Body.Read(body)
			return newCanned(string(body)).RoundTrip(&http.Request{})
		}))
		body := wxpay.JSON{"a": "before"}
		f := client.Chain("v3/x").PostAsync(context.Background(), body)
		body["a"] = "after"
		close(g.open)
		res, err := f.Wait(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "before", res.Get("a").String())
	})
}

// A caller may write the next body into the same bytes: a queued call keeps its own.
func TestAsyncKeepsItsBytes(t *testing.T) {
	for name, body := range map[string]func(own []byte) any{
		"bytes":     func(own []byte) any { return own },
		"JSON text": func(own []byte) any { return json.RawMessage(own) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := make(chan struct{})
				client := asyncClient(t, middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					<-open
					sent, err := io.ReadAll(req.Body)
					require.NoError(t, err)
					return newCanned(string(sent)).RoundTrip(&http.Request{})
				}))
				shared := []byte(`{"a":"before"}`)
				f := client.Chain("v3/x").PostAsync(context.Background(), body(shared))
				copy(shared, `{"a":"after!"}`)
				close(open)
				res, err := f.Wait(context.Background())
				require.NoError(t, err)
				assert.Equal(t, "before", res.Get("a").String())
			})
		})
	}
}

func TestThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(1, 10_000))
		var mu sync.Mutex
		var order []string
		note := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, s)
		}
		failing := errors.New("the disk is full")

		call := client.Chain("v3/x").PostAsync(ctx, wxpay.JSON{})
		saved := call.Then(func(res *wxpay.Response) error { note("first " + res.Get("path").String()); return nil }).
			Then(func(*wxpay.Response) error { note("second"); return nil })
		broken := call.Then(func(*wxpay.Response) error { return failing })
		after := broken.Then(func(*wxpay.Response) error { note("never"); return nil })
		panicking := call.Then(func(*wxpay.Response) error { panic("oSECRET") })
		panickingError := call.Then(func(*wxpay.Response) error { panic(failing) })
		close(g.open)

		res, err := saved.Wait(ctx)
		require.NoError(t, err)
		assert.Equal(t, "/v3/x", res.Get("path").String())
		for _, f := range []*wxpay.Future{broken, after} {
			_, err = f.Wait(ctx)
			require.ErrorIs(t, err, failing)
			assert.ErrorIs(t, err, wxpay.StageCallback)
			assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err), "the call itself succeeded")
			var failure *wxpay.CallError
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, 200, failure.Response.Status)
		}
		var panicked *wxpay.PanicError
		_, err = panicking.Wait(ctx)
		require.ErrorAs(t, err, &panicked)
		assert.Equal(t, "oSECRET", panicked.Value)
		assert.NotEmpty(t, panicked.Stack)
		assert.NotContains(t, err.Error(), "SECRET")
		_, err = panickingError.Wait(ctx)
		require.ErrorIs(t, err, failing)

		// A step given after the end runs too.
		_, err = call.Then(func(*wxpay.Response) error { note("late"); return nil }).Wait(ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"first /v3/x", "second", "late"}, order)

		// The step of a failed call is not run.
		_, err = client.Chain("v3//x").GetAsync(ctx).Then(func(*wxpay.Response) error { note("never"); return nil }).Wait(ctx)
		require.ErrorIs(t, err, wxpay.StageBuild)
		assert.NotContains(t, order, "never")
	})
}

// A step runs after the call has given its place away, so a slow or calling step never blocks the queue.
func TestStepsHoldNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		g := newGate()
		close(g.open)
		client := asyncClient(t, g, wxpay.WithConcurrency(1, 10_000))
		stuck := make(chan struct{})
		first := client.Chain("v3/a").GetAsync(ctx).Then(func(*wxpay.Response) error {
			_, err := client.Chain("v3/b").GetAsync(ctx).Wait(ctx) // would wait for its own place for ever
			<-stuck
			return err
		})
		_, err := client.Chain("v3/c").GetAsync(ctx).Wait(ctx)
		require.NoError(t, err)
		close(stuck)
		_, err = first.Wait(ctx)
		require.NoError(t, err)
	})
}

// All joins the errors and keeps what succeeded.
func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		g := newGate()
		close(g.open)
		client := asyncClient(t, g)
		answers, err := wxpay.WaitAll(ctx, client.Chain("v3/a").GetAsync(ctx), client.Chain("v3//b").GetAsync(ctx), client.Chain("v3/c").
			GetAsync(ctx), client.At("").GetAsync(ctx))
		require.ErrorContains(t, err, "two slashes")
		require.ErrorContains(t, err, "is empty")
		require.Len(t, answers, 4)
		assert.Equal(t, "/v3/a", answers[0].Get("path").String())
		assert.Nil(t, answers[1])
		assert.Equal(t, "/v3/c", answers[2].Get("path").String())
		answers, err = wxpay.WaitAll(ctx)
		require.NoError(t, err)
		assert.Empty(t, answers)
	})
}

// A thousand callers at once, half of them changing their mind: every future ends once, and no goroutine is left (the
// bubble would not end otherwise).
func TestQueueUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(8, 2000))
		var ended atomic.Int32
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				f := client.Chain("v3/x").PostAsync(ctx, wxpay.JSON{"i": i})
				if i%2 == 0 {
					cancel()
				}
				res, err := f.Wait(context.Background())
				assert.True(t, (res == nil) != (err == nil))
				ended.Add(1)
			})
		}
		time.Sleep(time.Second)
		close(g.open)
		callers.Wait()
		assert.Equal(t, int32(1000), ended.Load())
		assert.Zero(t, g.inside.Load())
		assert.LessOrEqual(t, g.highest.Load(), int32(8))
	})
}

// A job that is cancelled at the very moment when its turn comes ends once, whoever is first.
func TestCancelledAtItsTurn(t *testing.T) {
	for range 3000 {
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(1, 10_000))
		ctx, cancel := context.WithCancel(context.Background())
		// Of a path that it does not know, each client would look for the nearest.
		running := client.Chain("v3/certificates").GetAsync(context.Background())
		waiting := client.Chain("v3/certificates").GetAsync(ctx)
		go close(g.open)
		cancel()
		_, err := wxpay.WaitAll(context.Background(), running, waiting)
		assert.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
	}
}

// Several calls in one select: whoever ends is known to have ended, and is read without waiting, also when the context has
// ended meanwhile.
func TestFutureInSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		quick, slow := newGate(), newGate()
		close(quick.open)
		first := asyncClient(t, quick).Chain("v3/quick").GetAsync(context.Background())
		second := asyncClient(t, slow).Chain("v3/slow").GetAsync(context.Background())
		select {
		case <-first.Done():
		case <-second.Done():
			t.Error("the slow one was first")
		}
		cancel()
		res, err := first.Wait(ctx)
		require.NoError(t, err)
		assert.Equal(t, "/v3/quick", res.Get("path").String())

		_, err = second.Wait(ctx)
		require.ErrorIs(t, err, context.Canceled)
		select {
		case <-second.Done():
			t.Error("it did not go on")
		default:
		}
		close(slow.open)
		type answer struct{ Path string }
		got, err := wxpay.Into[answer](second.Wait(context.Background()))
		require.NoError(t, err)
		assert.Equal(t, "/v3/slow", got.Path)
	})
}

// A group of calls as errgroup makes it: the first failure is the cause of the context, with which the others stop waiting.
// Their calls go on, and the failure is not taken for theirs.
func TestFutureInGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		open := newGate()
		refused := newClient(t, wxpay.WithTransport(answer{status: 403, body: `{"code":"NO_AUTH","message":"x"}`})).Chain("v3/a").
			PostAsync(context.Background(), wxpay.JSON{})
		going := asyncClient(t, open).Chain("v3/b").PostAsync(context.Background(), wxpay.JSON{})
		_, err := refused.Wait(ctx)
		require.True(t, wxpay.IsCode(err, wxcode.NoAuth))
		cancel(err)
		_, err = going.Wait(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
		assert.False(t, wxpay.IsCode(err, wxcode.NoAuth), "%v", err)
		close(open.open)
		_, err = going.Wait(context.Background())
		require.NoError(t, err)
	})
}
