package wxpay

import (
	"context"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/call"
)

// Get reads.
func (c Chain) Get(ctx context.Context) (*Response, error) { return c.Do(ctx, http.MethodGet, nil) }

// Delete deletes. For the few operations that take a body with DELETE use Do.
func (c Chain) Delete(ctx context.Context) (*Response, error) {
	return c.Do(ctx, http.MethodDelete, nil)
}

// Post sends body; see [Chain.Do].
func (c Chain) Post(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPost, body)
}

// Put sends body; see [Chain.Do].
func (c Chain) Put(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPut, body)
}

// Patch sends body; see [Chain.Do].
func (c Chain) Patch(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPatch, body)
}

// Do makes the call: GET, POST, PUT, PATCH or DELETE.
//
// body is marshalled to JSON, without HTML escaping: a struct, a map, [JSON]. A json.RawMessage,
// []byte or string travels verbatim. A bare nil means no body. A value that marshals to null is a
// mistake, and so is text that is not UTF-8, which encoding/json would silently change: the error
// names the field.
//
// A call that does not end with a verified 2xx returns an [*APIError], a [*VerifyError] or a
// [*CallError]; [OutcomeOf] tells whether the operation may have taken effect.
func (c Chain) Do(ctx context.Context, method string, body any) (*Response, error) {
	both := new(struct { // one piece of memory: the response holds the call
		call     call.Call
		response Response
	})
	spec := c.spec()
	if err := c.line(&spec).PrepareInto(ctx, &both.call, &spec, method, body); err != nil {
		return nil, err
	}
	return both.response.of(ctx, &both.call)
}

// GetAsync is [Chain.Get] in the background.
func (c Chain) GetAsync(ctx context.Context) *Future { return c.DoAsync(ctx, http.MethodGet, nil) }

// DeleteAsync is [Chain.Delete] in the background.
func (c Chain) DeleteAsync(ctx context.Context) *Future {
	return c.DoAsync(ctx, http.MethodDelete, nil)
}

// PostAsync is [Chain.Post] in the background.
func (c Chain) PostAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPost, body)
}

// PutAsync is [Chain.Put] in the background.
func (c Chain) PutAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPut, body)
}

// PatchAsync is [Chain.Patch] in the background.
func (c Chain) PatchAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPatch, body)
}

// DoAsync is [Chain.Do] in the background. The body is marshalled before DoAsync returns, so it may
// be changed afterwards. [WithConcurrency] bounds the running and the waiting calls; beyond that
// the Future fails at once with [ErrQueueFull]. The time limits begin when the call runs, not while
// it waits; ctx ends it in both states. The outcome of a running write is then unknown: pass a
// context that ends with the failure of another call, such as that of errgroup.WithContext, to
// [Future.Wait] and not to a write.
func (c Chain) DoAsync(ctx context.Context, method string, body any) *Future {
	prepared, err := c.prepare(ctx, method, body)
	if err != nil {
		return failed(err)
	}
	return submit(ctx, c.client.queue, prepared)
}
