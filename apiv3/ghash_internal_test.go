package apiv3

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestElement(t *testing.T) {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	a, b := readElement(raw[:16]), readElement(raw[16:])
	assert.Equal(t, raw[:16], a.append(nil))
	assert.Equal(t, a, a.times(one))
	assert.Equal(t, a.times(b), b.times(a))
	assert.Equal(t, one, a.times(a.inverse()))
	assert.Equal(t, a.times(a).times(a), a.power(3))
	assert.Equal(t, one, a.power(0))
	// From the specification of GCM, test case 2: H·C, with the length block added, by H again.
	h := readElement(mustHex(t, "66e94bd4ef8a2c3b884cfa59ca342b2e"))
	x := readElement(mustHex(t, "0388dace60b6a392f328c2b971b2fe78")).times(h)
	assert.Equal(t, "5e2ec746917062882c85b0685353deb7", hexText(x))
	assert.Equal(t, "f38cbb1ad69223dcc3457ae5b6b0f885", hexText(x.plus(element{0, 0x80}).times(h)))
}

// GCM's counter has 32 bits and overflows into nothing: with a nonce of 16 bytes it may begin anywhere, so that happens in
// one of four files of 16 GB. The nonces here are computed so that it happens early.
func TestCounterOverflows(t *testing.T) {
	key := bytes.Repeat([]byte{7}, KeySize)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	g, err := newGHASH(block)
	require.NoError(t, err)
	plain := bytes.Repeat([]byte("0123456789abcdef"), 8192)
	for _, left := range []uint64{0, 1, 2, 3, 100, 4096, 5000} {
		j0 := element{0x0123456789abcdef, 0xffffffff<<32 | 0xffffffff - left} // all ones above, where a carry would show
		// J0 = (nonce·H + length)·H
		nonce := j0.times(g.inverse).plus(element{0, 128}).times(g.inverse).append(nil)
		sealed, err := SealAESGCM(key, nonce, nil, plain)
		require.NoError(t, err)
		s, err := NewAESGCMStream(key, nonce, nil)
		require.NoError(t, err)
		require.Equal(t, j0, readElement(s.j0[:]))
		_, err = s.Write(sealed)
		require.NoError(t, err)
		require.NoError(t, s.Authenticate())
		got, err := io.ReadAll(s.Decrypt(bytes.NewReader(sealed)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got), left)
	}
}

func mustHex(t *testing.T, text string) []byte {
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	return raw
}

func hexText(a element) string { return hex.EncodeToString(a.append(nil)) }
