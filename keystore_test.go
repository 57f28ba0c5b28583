//go:build go1.25

package wxpay_test

import (
	"context"
	"net/http"
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

// memoryStore is a store in memory.
type memoryStore struct {
	mu    sync.Mutex
	saved map[string][]byte
}

func (m *memoryStore) Load(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saved[name], nil
}

func (m *memoryStore) Save(_ context.Context, name string, copied []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saved == nil {
		m.saved = map[string][]byte{}
	}
	m.saved[name] = copied
	return nil
}

// A fleet reads the list from the platform once an interval, whoever comes first; a restart reads it not at all.
func TestFleetSharesOneList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := unpaced(t, sandbox.WithScheme(scheme), sandbox.WithKeyMode(sandbox.CertificatesOnly))
		store := new(memoryStore)
		reads := 0 // the journal is a ring and forgets
		count := wxpay.WithTransport(listInterceptor(sb, func(*http.Response, []byte) { reads++ }))
		var fleet []*wxpay.Client
		for range 10 {
			fleet = append(fleet, certificateClient(t, sb, count, wxpay.WithScheme(scheme),
				wxpay.WithCertificates(wxpay.StoreIn(store), wxpay.RefreshInterval(time.Hour))))
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
		added, err := sb.Keys.AddCertificate(24 * time.Hour)
		require.NoError(t, err)
		require.NoError(t, sb.Keys.SignWith(apiv3.Serial(added), 100))
		for _, client := range append(fleet, again) {
			require.NoError(t, post(t.Context(), client))
		}
		assert.Equal(t, before+1, reads)
	})
}
