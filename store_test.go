package wxpay_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// sharedStore counts what a client does with a store of its Config.
type sharedStore struct {
	opened, closed, acquired int
	copies                   map[string][]byte
}

func (s *sharedStore) Load(_ context.Context, name string) ([]byte, error) {
	return s.copies[name], nil
}

func (s *sharedStore) Save(_ context.Context, name string, list []byte) error {
	s.copies[name] = list
	return nil
}

func (s *sharedStore) Acquire(context.Context, middleware.LimitKey, fact.Rate) (func(), error) {
	s.acquired++
	return nil, nil
}

func (s *sharedStore) open(_ context.Context, url string) (wxpay.Store, error) {
	switch {
	case strings.HasSuffix(url, ":empty"):
		return wxpay.Store{}, nil
	case strings.HasSuffix(url, ":broken"):
		return wxpay.Store{}, errors.New("the server refuses the password")
	}
	s.opened++
	return wxpay.Store{Keys: s, Limiter: s, Close: func() error { s.closed++; return errors.New("closing") }}, nil
}

var testStore sharedStore

func init() { wxpay.RegisterStore("teststore", testStore.open) }

// A configuration names the stores that an imported package has registered. One URL is opened once, and closed with the client.
func TestConfigStores(t *testing.T) {
	gateway := sandbox.Start(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	testStore = sharedStore{copies: map[string][]byte{}}
	config := func(stores map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			if value, ok := stores[name]; ok {
				return value, true
			}
			return gateway.LookupEnv(name)
		}
	}
	client, err := wxpay.FromLookupEnv(config(map[string]string{
		"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": "teststore://user:password@host", "WXPAY_LIMITER": "TestStore://user:password@host",
	}))
	require.NoError(t, err)
	_, err = client.Chain(feedsPath).Post(t.Context(), feed())
	require.NoError(t, err)
	assert.Len(t, testStore.copies, 1)
	assert.Equal(t, 1, testStore.opened)
	assert.Positive(t, testStore.acquired)
	require.ErrorContains(t, client.Close(), "closing")
	assert.Equal(t, 1, testStore.closed)

	t.Chdir(t.TempDir())
	client, err = wxpay.FromLookupEnv(config(map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": "TestStore://user:password@host"}))
	require.NoError(t, err)
	require.ErrorContains(t, client.Close(), "closing")
	assert.NoDirExists(t, "TestStore:", "a URL is never taken for a folder")

	dir := t.TempDir()
	client, err = wxpay.FromLookupEnv(config(map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": dir}))
	require.NoError(t, err)
	_, err = client.Chain(feedsPath).Post(t.Context(), feed())
	require.NoError(t, err)
	require.NoError(t, client.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.NotEmpty(t, entries, "a folder is a store, too")

	testStore.closed = 0
	for name, tt := range map[string]struct {
		stores map[string]string
		says   string
	}{
		"not imported": {map[string]string{"WXPAY_LIMITER": "redis://:password@localhost:6379"},
			`wxpay: WXPAY_LIMITER: the program does not import the stores of redis: add import _ "github.com/wxpay-go/wxpay/contrib/redis"`},
		"unknown scheme": {map[string]string{"WXPAY_LIMITER": "memcache://password@host"},
			`wxpay: WXPAY_LIMITER: no imported package has registered the scheme "memcache"`},
		"no URL": {map[string]string{"WXPAY_LIMITER": "localhost"}, "wxpay: WXPAY_LIMITER: it is not the URL of a store, such as redis://localhost:6379"},
		"keeps no keys": {map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": "teststore:empty"},
			"wxpay: WXPAY_KEY_STORE: a store of this scheme keeps no keys"},
		"counts nothing": {map[string]string{"WXPAY_LIMITER": "teststore:empty"}, "wxpay: WXPAY_LIMITER: a store of this scheme counts no requests; contrib/redis has one that does"},
		"broken":         {map[string]string{"WXPAY_LIMITER": "teststore:broken"}, "wxpay: WXPAY_LIMITER: the server refuses the password"},
		"fetches nothing": {map[string]string{"WXPAY_KEY_STORE": "teststore:a"},
			"wxpay: WXPAY_KEY_STORE is set, but the client fetches no certificates to keep there"},
		"a fault besides": {map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": "teststore:a", "WXPAY_BASE_URL": "ftp://x"}, "ftp"},
	} {
		_, err := wxpay.FromLookupEnv(config(tt.stores))
		require.ErrorContains(t, err, tt.says, name)
		assert.NotContains(t, err.Error(), "password@", name)
	}
	assert.Equal(t, 1, testStore.closed, "the store of a client that could not be made")
	assert.Panics(t, func() { wxpay.RegisterStore("teststore", testStore.open) })
	assert.Panics(t, func() { wxpay.RegisterStore("another", nil) })
}
