//go:build go1.25

package keylist_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keylist"
)

func TestFileStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	store := keylist.FileStore(dir)
	ctx := t.Context()
	copied, err := store.Load(ctx, "1900000109")
	require.NoError(t, err)
	assert.Nil(t, copied)
	require.NoError(t, store.Save(ctx, "1900000109", []byte("one")))
	require.NoError(t, store.Save(ctx, "1900000110", []byte("other")))
	require.NoError(t, store.Save(ctx, "1900000109", []byte("two")))
	copied, err = store.Load(ctx, "1900000109")
	require.NoError(t, err)
	assert.Equal(t, "two", string(copied))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file is left")
	info, err := entries[0].Info()
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	for _, name := range []string{"", "..", "../x", "a/b", "/etc/passwd"} {
		assert.ErrorContains(t, store.Save(ctx, name, nil), "cannot be a file name", name)
		_, err := store.Load(ctx, name)
		assert.ErrorContains(t, err, "cannot be a file name", name)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	assert.Error(t, keylist.FileStore(blocked).Save(ctx, "1", nil))

	// A reader sees one copy or another, whole.
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			whole := bytes.Repeat([]byte{byte('a' + i)}, 64<<10)
			for range 20 {
				assert.NoError(t, store.Save(ctx, "1900000109", whole))
				read, err := store.Load(ctx, "1900000109")
				assert.NoError(t, err)
				assert.Len(t, read, len(whole))
				assert.Equal(t, len(read), bytes.Count(read, read[:1]))
			}
		})
	}
	wait.Wait()
}

// memoryStore is a store in memory that can go wrong.
type memoryStore struct {
	mu    sync.Mutex
	saved []byte
	fails error
	hangs bool
}

func (m *memoryStore) Load(ctx context.Context, _ string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return m.saved, m.fails
}

func (m *memoryStore) Save(_ context.Context, _ string, copied []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saved = copied
	return m.fails
}

// exitingStore ends the goroutine that asks it.
type exitingStore struct{ memoryStore }

func (*exitingStore) Load(context.Context, string) ([]byte, error) {
	runtime.Goexit()
	return nil, nil
}

func in(store keylist.Store) func(*keylist.Source) {
	return func(s *keylist.Source) { s.Store = store }
}

// A copy is not believed: it is decrypted and verified, and if that fails the list is read from the platform.
func TestStoresAreNotTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		honest := new(memoryStore)
		require.NoError(t, usual(t).follow(0, nil, in(honest)).Ready(t.Context()))
		begin, good := time.Now(), honest.saved
		assert.NotContains(t, string(good), "BEGIN CERTIFICATE", "it is kept as the platform encrypted it")
		edit := func(change func(map[string]any)) []byte {
			var copied map[string]any
			require.NoError(t, json.Unmarshal(good, &copied))
			change(copied)
			data, err := json.Marshal(copied)
			require.NoError(t, err)
			return data
		}
		header := func(name string, value any) []byte {
			return edit(func(m map[string]any) { m["header"].(map[string]any)[name] = value })
		}
		for _, test := range []struct {
			name  string
			data  []byte
			fails error
			after time.Duration // since the copy was made
			reads int
		}{
			{name: "good", data: good},
			{name: "empty", data: []byte{}, reads: 1},
			{name: "not JSON", data: []byte("<html>"), reads: 1},
			{name: "no signature", data: header(apiv3.HeaderSignature, nil), reads: 1},
			{name: "another time", data: header(apiv3.HeaderTimestamp, []string{fmt.Sprint(begin.Unix() - 7)}), reads: 1},
			{name: "a time to come", data: header(apiv3.HeaderTimestamp, []string{fmt.Sprint(begin.Add(time.Hour).Unix())}), reads: 1},
			{name: "another signer", data: header(apiv3.HeaderSerial, []string{serialOf(2)}), reads: 1},
			{name: "another body", data: edit(func(m map[string]any) { m["body"] = []byte(`{"data":[]}`) }), reads: 1},
			{name: "a store that fails", data: good, fails: errors.New("disk is full"), reads: 1},
			{name: "old", data: good, after: 6 * time.Hour, reads: 1},
		} {
			time.Sleep(time.Until(begin.Add(test.after)))
			p, store, log := usual(t), &memoryStore{saved: test.data, fails: test.fails}, new(bytes.Buffer)
			keys := p.follow(0, nil, in(store), logged(log))
			require.NoError(t, keys.Ready(t.Context()), test.name)
			assert.Equal(t, test.reads, p.count(), test.name)
			assert.Len(t, keys.Usable(), 2, test.name)
			if test.fails != nil {
				assert.Contains(t, log.String(), "wxpay stored certificate list not read")
				assert.Contains(t, log.String(), "wxpay certificate list not stored")
				assert.Contains(t, log.String(), "disk is full")
			}
			require.NoError(t, keys.Refresh(t.Context()))
			assert.Equal(t, test.reads+1, p.count(), "asked for by hand it comes from the platform: %s", test.name)
		}
	})
}

// Processes share one list: whoever comes first reads it, a restart takes the copy, and a certificate that the copy does
// not name is looked for once for all.
func TestProcessesShareOneList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := usual(t), new(memoryStore)
		var fleet []*keylist.Keys
		for range 10 {
			fleet = append(fleet, p.follow(0, nil, in(store)))
		}
		for _, keys := range fleet {
			require.NoError(t, keys.Ready(t.Context()))
		}
		assert.Equal(t, 1, p.count())
		p.entries = append(p.entries, entry{testKeys().first, 3, -time.Hour, 3000 * time.Hour, nil})
		for _, keys := range fleet {
			time.Sleep(time.Second)
			_, err := keys.Key(t.Context(), serialOf(3))
			require.NoError(t, err)
		}
		assert.Equal(t, 2, p.count())
	})
}

// A store that hangs holds nobody up for long.
func TestHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		require.NoError(t, usual(t).follow(0, nil, in(&memoryStore{hangs: true})).Ready(t.Context()))
		assert.Equal(t, 5*time.Second, time.Since(begin))
	})
}
