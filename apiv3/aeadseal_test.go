package apiv3_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
)

func TestSealAESGCMStream(t *testing.T) {
	key := bytes.Repeat([]byte("k"), apiv3.KeySize)
	plain := make([]byte, 200_001)
	for i := range plain {
		plain[i] = byte(i * 7 >> 3)
	}
	for _, size := range []int{0, 1, 15, 16, 17, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 200_001} {
		for _, nonce := range []string{"123456789012", "1234567890123456"} {
			for _, additional := range []string{"", "certificate"} {
				want, err := apiv3.SealAESGCM(key, []byte(nonce), []byte(additional), plain[:size])
				require.NoError(t, err)
				for name, source := range map[string]io.Reader{
					"whole":  bytes.NewReader(plain[:size]),
					"halves": iotest.HalfReader(bytes.NewReader(plain[:size])), "end with data": iotest.DataErrReader(bytes.NewReader(plain[:size])),
				} {
					sealed, err := apiv3.SealAESGCMStream(key, []byte(nonce), []byte(additional), source)
					require.NoError(t, err)
					got, err := io.ReadAll(sealed)
					require.NoError(t, err)
					require.True(t, bytes.Equal(want, got), "%d bytes, nonce of %d, %q, %s", size, len(nonce), additional, name)
				}
			}
		}
	}
}

func TestSealAESGCMStreamMistakes(t *testing.T) {
	_, err := apiv3.SealAESGCMStream([]byte("short"), []byte("123456789012"), nil, bytes.NewReader(nil))
	assert.ErrorIs(t, err, apiv3.ErrKey)
	broken := errors.New("broken")
	sealed, err := apiv3.SealAESGCMStream(make([]byte, apiv3.KeySize), []byte("123456789012"), nil,
		io.MultiReader(bytes.NewReader(make([]byte, 5)), iotest.ErrReader(broken)))
	require.NoError(t, err)
	got, err := io.ReadAll(sealed)
	assert.ErrorIs(t, err, broken)
	assert.Len(t, got, 5, "and no tag")
}
