package apiv3_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
)

func TestAESGCM(t *testing.T) {
	key := []byte("TestOnlyAPIv3Key0123456789abcdef")
	for _, nonce := range [][]byte{[]byte("n"), random(8), random(12), random(16), random(64)} {
		for _, additional := range [][]byte{nil, {}, []byte("transaction")} {
			for _, plaintext := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("中"), 5000)} {
				sealed, err := apiv3.SealAESGCM(key, nonce, additional, plaintext)
				require.NoError(t, err)
				assert.Len(t, sealed, len(plaintext)+16)
				opened, err := apiv3.OpenAESGCM(key, nonce, additional, sealed)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(plaintext, opened))
				opener, err := apiv3.NewOpener(key)
				require.NoError(t, err)
				for range 2 {
					opened, err = opener.Open([]byte("before"), nonce, additional, sealed)
					require.NoError(t, err)
					assert.Equal(t, "before"+string(plaintext), string(opened))
				}
				opened, err = opener.Open(sealed[:0], nonce, additional, sealed)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(plaintext, opened), "in place")
			}
		}
	}
	nonce, additional := []byte("gZiqzlfayUu2"), []byte("transaction")
	sealed, err := apiv3.SealAESGCM(key, nonce, additional, []byte("plaintext"))
	require.NoError(t, err)
	flip := func(b []byte, i int) []byte { b = bytes.Clone(b); b[i] ^= 1; return b }
	for name, test := range map[string]struct {
		key, nonce, additional, ciphertext []byte
		want                               error
	}{
		"other key":          {flip(key, 0), nonce, additional, sealed, apiv3.ErrDecrypt},
		"other nonce":        {key, flip(nonce, 11), additional, sealed, apiv3.ErrDecrypt},
		"longer nonce":       {key, append(bytes.Clone(nonce), 0), additional, sealed, apiv3.ErrDecrypt},
		"empty nonce":        {key, nil, additional, sealed, apiv3.ErrDecrypt},
		"other data":         {key, nonce, []byte("refund"), sealed, apiv3.ErrDecrypt},
		"no data":            {key, nonce, nil, sealed, apiv3.ErrDecrypt},
		"changed ciphertext": {key, nonce, additional, flip(sealed, 0), apiv3.ErrDecrypt},
		"changed tag":        {key, nonce, additional, flip(sealed, len(sealed)-1), apiv3.ErrDecrypt},
		"cut":                {key, nonce, additional, sealed[:len(sealed)-1], apiv3.ErrDecrypt},
		"shorter than a tag": {key, nonce, additional, sealed[:15], apiv3.ErrDecrypt},
		"a tag only":         {key, nonce, additional, sealed[len(sealed)-16:], apiv3.ErrDecrypt},
		"empty":              {key, nonce, additional, nil, apiv3.ErrDecrypt},
		"no key":             {nil, nonce, additional, sealed, apiv3.ErrKey},
		"key of 16":          {key[:16], nonce, additional, sealed, apiv3.ErrKey},
		"key of 33":          {append(bytes.Clone(key), 'x'), nonce, additional, sealed, apiv3.ErrKey},
	} {
		plaintext, err := apiv3.OpenAESGCM(test.key, test.nonce, test.additional, test.ciphertext)
		assert.ErrorIs(t, err, test.want, name)
		assert.Nil(t, plaintext, name)
		opener, err := apiv3.NewOpener(test.key)
		if test.want != apiv3.ErrKey {
			require.NoError(t, err, name)
			plaintext, err = opener.Open(nil, test.nonce, test.additional, test.ciphertext)
		}
		assert.ErrorIs(t, err, test.want, name)
		assert.Nil(t, plaintext, name)
		if test.want == apiv3.ErrKey {
			_, err := apiv3.SealAESGCM(test.key, test.nonce, test.additional, []byte("x"))
			assert.ErrorIs(t, err, apiv3.ErrKey, name)
		}
	}
	_, err = apiv3.SealAESGCM(key, nil, nil, []byte("x"))
	assert.Error(t, err, "a nonce is needed")
}
