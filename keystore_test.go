//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

func TestFileStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	store := wxpay.FileStore(dir)
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
	assert.Error(t, wxpay.FileStore(blocked).Save(ctx, "1", nil))

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
	saved map[string][]byte
	fails error
	hangs bool
	loads int
}

func (m *memoryStore) Load(ctx context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	hangs := m.hangs
	m.loads++
	defer m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return m.saved[name], m.fails
}

func (m *memoryStore) Save(_ context.Context, name string, copied []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saved == nil {
		m.saved = map[string][]byte{}
	}
	m.saved[name] = copied
	return m.fails
}

// A fleet reads the list from the platform once an interval, whoever comes first; a restart reads it not at all.
func TestFleetSharesOneList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := hashScheme{apiv3.RSA()}
		sb := unpaced(t, sandbox.WithScheme(scheme), sandbox.WithKeyMode(sandbox.CertificatesOnly))
		store := new(memoryStore)
		reads := 0 // the journal is a ring and forgets
		count := wxpay.WithTransport(listInterceptor(sb, func(*http.Response, []byte) { reads++ }))
		var fleet []*wxpay.Client
		for range 10 {
			fleet = append(fleet, certificateClient(t, sb, count, wxpay.WithScheme(scheme), wxpay.WithCertificates(wxpay.StoreIn(store), wxpay.RefreshInterval(time.Hour))))
		}
		for _, client := range fleet {
			require.NoError(t, post(t.Context(), client))
		}
		assert.Equal(t, 1, reads)
		assert.Len(t, store.saved, 1)
		assert.NotContains(t, string(store.saved["1900000109"]), "BEGIN CERTIFICATE", "it is kept as the platform encrypted it")
		for range 24 * 4 {
			time.Sleep(15 * time.Minute)
			for _, client := range fleet {
				require.NoError(t, post(t.Context(), client))
				synctest.Wait() // what is read beside the call
			}
		}
		assert.LessOrEqual(t, reads, 1+24*5/4, "about once an hour, not ten times")
		for _, client := range fleet[1:] {
			assert.WithinDuration(t, fleet[0].KeyStatus().Fetched, client.KeyStatus().Fetched, 75*time.Minute)
		}

		before := reads
		again := certificateClient(t, sb, count, wxpay.WithScheme(scheme), wxpay.WithCertificates(wxpay.StoreIn(store), wxpay.RefreshInterval(2*time.Hour)))
		require.NoError(t, post(t.Context(), again))
		assert.Equal(t, before, reads)

		// A certificate that the copy does not name is looked for at the platform, once for all.
		added, err := sb.AddCertificate(24 * time.Hour)
		require.NoError(t, err)
		require.NoError(t, sb.SignWith(apiv3.Serial(added), 100))
		for _, client := range append(fleet, again) {
			require.NoError(t, post(t.Context(), client))
		}
		assert.Equal(t, before+1, reads)
	})
}

// What a store gives is not believed: it is decrypted and verified, and failing that the list is read from the platform.
func TestStoresAreNotTrusted(t *testing.T) {
	sb := newSandbox(t)
	honest := new(memoryStore)
	require.NoError(t, post(t.Context(), certificateClient(t, sb, wxpay.WithCertificates(wxpay.StoreIn(honest)))))
	good := honest.saved["1900000109"]
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
	stranger := newSandbox(t, sandbox.WithMerchant("1900000110"))
	strangers := new(memoryStore)
	require.NoError(t, post(t.Context(), certificateClient(t, stranger, wxpay.WithCertificates(wxpay.StoreIn(strangers)))))

	for name, test := range map[string]struct {
		data  []byte
		fails error
		now   time.Duration
		reads int
	}{
		"good":               {data: good},
		"empty":              {data: []byte{}, reads: 1},
		"not JSON":           {data: []byte("<html>"), reads: 1},
		"no signature":       {data: header("Wechatpay-Signature", nil), reads: 1},
		"another time":       {data: header("Wechatpay-Timestamp", []string{fmt.Sprint(time.Now().Unix() - 7)}), reads: 1},
		"a time to come":     {data: good, now: -10 * time.Minute, reads: 1},
		"old":                {data: good, now: 6 * time.Hour, reads: 1},
		"another signer":     {data: header("Wechatpay-Serial", []string{apiv3.Serial(sb.Certificates()[1])}), reads: 1},
		"another body":       {data: edit(func(m map[string]any) { m["body"] = []byte(`{"data":[]}`) }), reads: 1},
		"another merchant's": {data: strangers.saved["1900000110"], reads: 1},
		"a store that fails": {data: good, fails: errors.New("disk is full"), reads: 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &memoryStore{saved: map[string][]byte{"1900000109": test.data}, fails: test.fails}
			later := newSandbox(t, sandbox.WithClock(func() time.Time { return time.Now().Add(test.now) }))
			log := new(lockedBuffer)
			client := certificateClient(t, later, wxpay.WithCertificates(wxpay.StoreIn(store)), wxpay.WithLogger(slog.New(slog.NewJSONHandler(log, nil))),
				wxpay.WithClock(func() time.Time { return time.Now().Add(test.now) }))
			require.NoError(t, client.RefreshKeys(t.Context()), "asked for by hand it comes from the platform anyway")
			later.ResetJournal()
			fresh := certificateClient(t, later, wxpay.WithCertificates(wxpay.StoreIn(&memoryStore{saved: map[string][]byte{"1900000109": test.data}, fails: test.fails})),
				wxpay.WithClock(func() time.Time { return time.Now().Add(test.now) }), wxpay.WithLogger(slog.New(slog.NewJSONHandler(log, nil))))
			require.NoError(t, post(t.Context(), fresh))
			assert.Equal(t, test.reads, listed(later))
			if test.fails != nil {
				assert.Contains(t, log.String(), "disk is full")
				assert.Contains(t, log.String(), "wxpay certificate list not stored")
			}
		})
	}
}

// A store that hangs holds nobody up for long.
func TestHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := newSandbox(t)
		client := certificateClient(t, sb, wxpay.WithCertificates(wxpay.StoreIn(&memoryStore{hangs: true})))
		begin := time.Now()
		require.NoError(t, post(t.Context(), client))
		assert.Equal(t, 5*time.Second, time.Since(begin))
	})
}
