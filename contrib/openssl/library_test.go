//go:build ((linux && !android) || (darwin && !ios)) && (amd64 || arm64)

package openssl

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where there is no library, or another one under its name, the error says so and what to do.
func TestUnavailable(t *testing.T) {
	before := names
	defer func() { names = before }()

	names = []string{"libcrypto-that-is-not-there.so.3", "nor-this-one.so"}
	_, err := open()
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "apt install libssl3")
	assert.ErrorContains(t, err, "libcrypto-that-is-not-there.so.3")
	assert.ErrorContains(t, err, "nor-this-one.so")

	names = []string{map[string]string{"linux": "libc.so.6", "darwin": "/usr/lib/libSystem.B.dylib"}[runtime.GOOS]}
	_, err = open()
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "it is too old or another library, OpenSSL_version_num is missing")

	names = append([]string{"libcrypto-that-is-not-there.so.3"}, before...)
	l, err := open()
	require.NoError(t, err, "the next name is tried")
	assert.Len(t, l.digests, len(hashes), "every hash")
	assert.Regexp(t, `^libcrypto 3\.\d+\.\d+$`, libraryVersion())
}

// Goroutines that change threads all the time lose no reason: the library of C keeps it by thread, until it is asked for.
func TestUnavailableToMany(t *testing.T) {
	before := names
	defer func() { names = before }()
	names = []string{"libcrypto-that-is-not-there.so.3"}

	failures := make([]error, 64)
	var all sync.WaitGroup
	for i := range failures {
		all.Go(func() {
			for range 100 {
				runtime.Gosched()
				if _, err := open(); err == nil || !strings.Contains(err.Error(), names[0]) {
					failures[i] = fmt.Errorf("lost: %w", err)
				}
			}
		})
	}
	all.Wait()
	assert.NoError(t, errors.Join(failures...))
}

// What the library cannot read is an error with its reason, and the next call does not see it.
func TestImportRefuses(t *testing.T) {
	_, err := importKey([]byte("no key"))
	require.ErrorContains(t, err, "openssl: reading the key: error:")
	l, err := libcrypto()
	require.NoError(t, err)
	assert.ErrorContains(t, l.failure("x"), "error:00000000", "the queue is empty")
}

// A key that is freed leaves no memory behind in the library, and a Signer that nothing refers to any more frees its own.
func TestKeysAreFreed(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	signer, err := New(key)
	require.NoError(t, err)
	handle := signer.key
	runtime.GC()
	assert.NotZero(t, handle.address.Load())
	runtime.KeepAlive(signer)
	require.Eventually(t, func() bool { runtime.GC(); return handle.address.Load() == 0 }, time.Minute, time.Millisecond)

	if runtime.GOOS != "linux" {
		t.Skip("the rest reads /proc")
	}
	der := x509.MarshalPKCS1PrivateKey(key)
	const rounds = 1000
	resident := func() (pages int) {
		for range rounds {
			k, err := importKey(der)
			require.NoError(t, err)
			_, err = k.sign(t.Context(), make([]byte, 32), crypto.SHA256, paddingPKCS1, 0, 16) // too small: it fails, and leaves nothing either
			require.Error(t, err)
			k.free()
		}
		debug.FreeOSMemory() // what the collector of Go keeps is not the library's
		text, err := os.ReadFile("/proc/self/statm")
		require.NoError(t, err)
		_, err = fmt.Sscan(strings.Fields(string(text))[1], &pages)
		require.NoError(t, err)
		return pages
	}
	before, grown := resident(), math.MaxInt
	for range 3 { // the least: what is leaked is leaked each time
		now := resident()
		before, grown = now, min(grown, (now-before)*os.Getpagesize())
	}
	t.Logf("%d keys: %d KiB more", rounds, grown>>10)
	assert.Less(t, grown, rounds*3<<9, "a key that stayed would cost twice that")
}
