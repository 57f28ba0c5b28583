package apiv3_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
)

// openStream opens by stream, written in pieces of step bytes.
func openStream(key, nonce, additional, sealed []byte, step int) ([]byte, error) {
	s, err := apiv3.NewAESGCMStream(key, nonce, additional)
	if err != nil {
		return nil, err
	}
	for rest := sealed; len(rest) > 0; {
		n := min(step, len(rest))
		if _, err := s.Write(rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	if err := s.Authenticate(); err != nil {
		if _, leak := io.ReadAll(s.Decrypt(bytes.NewReader(sealed))); leak == nil {
			return nil, fmt.Errorf("something was decrypted: %w", io.ErrShortWrite)
		}
		return nil, err
	}
	return io.ReadAll(s.Decrypt(bytes.NewReader(sealed)))
}

// The stream opens what the standard cipher seals, at every size around its pieces and blocks, and nothing else.
func TestAESGCMStream(t *testing.T) {
	key := random(32)
	for _, size := range []int{0, 1, 15, 16, 17, 31, 32, 33, 1000, 64<<10 - 17, 64<<10 - 16, 64<<10 - 1, 64 << 10,
		64<<10 + 1, 64<<10 + 16, 64<<10 + 17, 200_001, 1 << 20} {
		for _, nonceSize := range []int{1, 12, 16, 17, 32} {
			plain, nonce := random(size), random(nonceSize)
			for _, additional := range [][]byte{nil, []byte("transaction"), random(64<<10 + 5)} {
				sealed, err := apiv3.SealAESGCM(key, nonce, additional, plain)
				require.NoError(t, err)
				step := size/3 + 1
				got, err := openStream(key, nonce, additional, sealed, step)
				require.NoError(t, err, "%d bytes, nonce of %d", size, nonceSize)
				require.True(t, bytes.Equal(plain, got), "%d bytes, nonce of %d", size, nonceSize)
				for _, at := range []int{0, len(sealed) / 2, len(sealed) - 17, len(sealed) - 16, len(sealed) - 1} {
					if at < 0 {
						continue
					}
					sealed[at] ^= 0x10
					_, err = openStream(key, nonce, additional, sealed, step)
					require.ErrorIs(t, err, apiv3.ErrDecrypt)
					require.NotErrorIs(t, err, io.ErrShortWrite)
					sealed[at] ^= 0x10
				}
				_, err = openStream(key, nonce, append(additional, 0), sealed, step)
				require.ErrorIs(t, err, apiv3.ErrDecrypt)
				_, err = openStream(key, append(nonce, 0), additional, sealed, step)
				require.ErrorIs(t, err, apiv3.ErrDecrypt)
				_, err = openStream(key, nonce, additional, sealed[:len(sealed)-1], step)
				require.ErrorIs(t, err, apiv3.ErrDecrypt)
				_, err = openStream(key, nonce, additional, append(sealed, 0), step)
				require.ErrorIs(t, err, apiv3.ErrDecrypt)
			}
		}
	}
}

func TestAESGCMStreamMistakes(t *testing.T) {
	_, err := apiv3.NewAESGCMStream(random(16), random(16), nil)
	require.ErrorIs(t, err, apiv3.ErrKey)
	_, err = apiv3.NewAESGCMStream(random(32), nil, nil)
	require.ErrorIs(t, err, apiv3.ErrDecrypt)

	key, nonce := random(32), random(16)
	plain := random(1000)
	sealed, err := apiv3.SealAESGCM(key, nonce, nil, plain)
	require.NoError(t, err)
	s, err := apiv3.NewAESGCMStream(key, nonce, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(s.Decrypt(bytes.NewReader(sealed)))
	require.ErrorIs(t, err, apiv3.ErrDecrypt)
	_ = s.Decrypt(bytes.NewReader(sealed))
	_, err = s.Write(sealed[:10])
	require.NoError(t, err)
	for range 2 {
		require.ErrorIs(t, s.Authenticate(), apiv3.ErrDecrypt)
	}
	_, err = s.Write(sealed[10:])
	require.Error(t, err, "it is decided")

	s, err = apiv3.NewAESGCMStream(key, nonce, nil)
	require.NoError(t, err)
	early := s.Decrypt(bytes.NewReader(sealed)) // made before, read after
	_, err = io.Copy(s, iotest.OneByteReader(bytes.NewReader(sealed)))
	require.NoError(t, err)
	require.NoError(t, s.Authenticate())
	require.NoError(t, s.Authenticate())
	assert.Equal(t, int64(1000), s.Size())
	_, err = s.Write([]byte{1})
	assert.Error(t, err)
	for range 2 {
		got, err := io.ReadAll(iotest.OneByteReader(s.Decrypt(bytes.NewReader(sealed))))
		require.NoError(t, err)
		assert.Equal(t, plain, got)
	}
	got, err := io.ReadAll(s.Decrypt(iotest.DataErrReader(bytes.NewReader(sealed[:1000]))))
	require.NoError(t, err)
	assert.Equal(t, plain, got)
	_, err = io.ReadAll(s.Decrypt(bytes.NewReader(sealed[:999])))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	got, err = io.ReadAll(early)
	require.NoError(t, err)
	assert.Equal(t, plain, got)
}

// Whatever the sizes and however it is divided, the stream agrees with the standard cipher.
func FuzzAESGCMStream(f *testing.F) {
	f.Add([]byte("key"), []byte("a8607ef79034c49c"), []byte{}, []byte("plain"), 1, uint16(3))
	f.Add([]byte{}, []byte("123456789012"), []byte("transaction"), bytes.Repeat([]byte("x"), 100), 200, uint16(50))
	f.Fuzz(func(t *testing.T, seed, nonce, additional, plain []byte, step int, times uint16) {
		key := make([]byte, 32)
		copy(key, seed)
		if len(nonce) == 0 || step <= 0 {
			t.Skip()
		}
		plain = bytes.Repeat(plain, int(times))
		if len(plain) > 1<<20 {
			plain = plain[:1<<20]
		}
		sealed, err := apiv3.SealAESGCM(key, nonce, additional, plain)
		require.NoError(t, err)
		if len(sealed)/step > 10_000 {
			step = len(sealed)/10_000 + 1
		}
		got, err := openStream(key, nonce, additional, sealed, step)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
		sealed[step%len(sealed)] ^= 1 << (step % 8)
		_, err = openStream(key, nonce, additional, sealed, step)
		require.ErrorIs(t, err, apiv3.ErrDecrypt)
	})
}

func BenchmarkAESGCMStream(b *testing.B) {
	key, nonce, plain := make([]byte, 32), make([]byte, 16), make([]byte, 16<<20)
	_, _ = rand.Read(plain)
	sealed, err := apiv3.SealAESGCM(key, nonce, nil, plain)
	require.NoError(b, err)
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := apiv3.OpenAESGCM(key, nonce, nil, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		buffer := make([]byte, 64<<10)
		for b.Loop() {
			s, err := apiv3.NewAESGCMStream(key, nonce, nil)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = s.Write(sealed)
			if err := s.Authenticate(); err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s.Decrypt(bytes.NewReader(sealed)), buffer); err != nil {
				b.Fatal(err)
			}
		}
	})
}
