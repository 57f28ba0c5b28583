package sparekey_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/sparekey"
)

// Everybody who asks for a name gets one key, and another name has another.
func TestOneKeyForAName(t *testing.T) {
	sparekey.Forget()
	a, b := sparekey.Named("a"), sparekey.Named("b")
	assert.False(t, a.Made())
	assert.Empty(t, sparekey.Made())
	var asking sync.WaitGroup
	for range 4 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			assert.Same(t, a.Private(), sparekey.Named("a").Private())
		}()
	}
	asking.Wait()
	assert.True(t, a.Made())
	assert.Len(t, sparekey.Made(), 1)
	require.NoError(t, sparekey.Generate(a, b))
	assert.False(t, a.Private().Equal(b.Private()))
	assert.Equal(t, sparekey.Bits, b.Private().N.BitLen())
	assert.Same(t, a.Private(), sparekey.Of(a.Private()).Private())
}

// A process that reads the keys of another has the same under the same names, and makes others.
func TestKeysOfAnotherProcess(t *testing.T) {
	sparekey.Forget()
	file := filepath.Join(t.TempDir(), "keys.json")
	here := sparekey.Named("a").Private()
	require.NoError(t, sparekey.Write(file))
	sparekey.Forget()
	require.NoError(t, sparekey.Read(file))
	assert.Empty(t, sparekey.Made(), "it is read when it is used")
	assert.True(t, here.Equal(sparekey.Named("a").Private()))
	assert.False(t, here.Equal(sparekey.Named("b").Private()))

	require.NoError(t, os.WriteFile(file, []byte(`{"c":"AAAA"}`), 0o600))
	require.NoError(t, sparekey.Read(file))
	_, err := sparekey.Named("c").Generate()
	assert.ErrorContains(t, err, "generating a key")
}
