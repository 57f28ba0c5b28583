package api_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// sent is a request as it reached the wire.
type sent struct{ method, target, body string }

// recorder is a round tripper that keeps what it was given and sends nothing.
type recorder struct {
	mu   sync.Mutex
	seen []sent
}

var errRecorded = errors.New("recorded")

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	got := sent{method: req.Method, target: req.URL.RequestURI()}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if got.body = string(body); strings.HasPrefix(req.Header.Get("Content-Type"), "multipart/form-data; ") {
			got.body = "multipart" // the boundary differs from call to call
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, got)
	return nil, errRecorded
}

// take returns the one request that arrived since the last call.
func (r *recorder) take(t *testing.T) sent {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Len(t, r.seen, 1)
	got := r.seen[0]
	r.seen = nil
	return got
}

// blank signs with nothing, in no time: these tests are not about signatures.
type blank struct{ crypto.Signer }

func (b blank) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 256), nil
}

// recording returns a client whose requests end in the recorder.
func recording(t testing.TB, options ...wxpay.Option) (*wxpay.Client, *recorder) {
	t.Helper()
	gateway, err := sandbox.New()
	require.NoError(t, err)
	m, wire := gateway.Merchant(), new(recorder)
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: blank{m.PrivateKey}},
		append([]wxpay.Option{wxpay.WithCatalog(nil), wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()),
			wxpay.WithTransport(wire), wxpay.WithAttempts(1)}, options...)...)
	require.NoError(t, err)
	return client, wire
}

// walk is a path with operations and the pure chain that leads to it.
type walk struct {
	path string
	to   func(*wxpay.Client) any
}

// value is what a placeholder is filled with: it tells which one, and has to be percent-encoded.
func value(name string) string { return name + "=值/1 %" }

// target is the request target that a template leads to when its placeholders are filled with their values.
func target(template string) string {
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			escaped := url.QueryEscape(value(strings.Trim(segment, "{}")))
			segments[i] = strings.ReplaceAll(escaped, "+", "%20")
		}
	}
	return strings.Join(segments, "/")
}

// The verbs as a node, or a plain chain, has them.
type (
	getter interface {
		Get(context.Context) (*wxpay.Response, error)
		GetAsync(context.Context) *wxpay.Future
	}
	poster interface {
		Post(context.Context, any) (*wxpay.Response, error)
		PostAsync(context.Context, any) *wxpay.Future
	}
	uploader interface {
		Upload(context.Context, wxpay.File) (*wxpay.Response, error)
		UploadAsync(context.Context, wxpay.File) *wxpay.Future
	}
	putter interface {
		Put(context.Context, any) (*wxpay.Response, error)
		PutAsync(context.Context, any) *wxpay.Future
	}
	patcher interface {
		Patch(context.Context, any) (*wxpay.Response, error)
		PatchAsync(context.Context, any) *wxpay.Future
	}
	deleter interface {
		Delete(context.Context) (*wxpay.Response, error)
		DeleteAsync(context.Context) *wxpay.Future
	}
	bodyDeleter interface {
		Delete(context.Context, any) (*wxpay.Response, error)
		DeleteAsync(context.Context, any) *wxpay.Future
	}
)
