package opinion_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/iotest"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
)

// hexBytes is a text of hexadecimal digits.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) error {
	decoded, err := hex.DecodeString(string(text))
	*b = decoded
	return err
}

// A vector is one test of the project Wycheproof, in the members that we use.
type vector struct {
	ID      int    `json:"tcId"`
	Comment string `json:"comment"`
	Result  string `json:"result"` // valid, invalid or acceptable

	Key, IV, AAD, Msg, CT, Tag, Sig, Label hexBytes
}

func (v vector) String() string { return fmt.Sprintf("vector %d %s", v.ID, v.Comment) }

type vectorGroup struct {
	KeySize         int // in bits
	PrivateKeyPKCS8 hexBytes
	PublicKeyDER    hexBytes
	Tests           []vector
}

func vectors(t *testing.T, name string) []vectorGroup {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name)
	require.NoError(t, err)
	var file struct{ TestGroups []vectorGroup }
	require.NoError(t, json.Unmarshal(text, &file))
	require.NotEmpty(t, file.TestGroups)
	return file.TestGroups
}

// The stream decrypts what GCM allows under a key of 256 bits, nothing else, and seals to the same bytes. So does the form for
// what fits into memory.
func TestWycheproofGCM(t *testing.T) {
	checked := map[string]int{}
	for _, group := range vectors(t, "aes_gcm_test.json") {
		if group.KeySize != 8*apiv3.KeySize {
			continue
		}
		for _, v := range group.Tests {
			checked[v.Result]++
			sealed := append(bytes.Clone(v.CT), v.Tag...)
			plain, err := apiv3.OpenAESGCM(v.Key, v.IV, v.AAD, sealed)
			streamed, streamErr := open(v, sealed)
			if v.Result == "invalid" {
				assert.Error(t, err, v)
				assert.Error(t, streamErr, v)
				assert.Empty(t, plain, v)
				assert.Empty(t, streamed, v)
				continue
			}
			require.NoError(t, err, v)
			require.NoError(t, streamErr, v)
			assert.Equal(t, []byte(v.Msg), append([]byte{}, plain...), v)
			assert.Equal(t, []byte(v.Msg), streamed, v)

			reader, err := apiv3.SealAESGCMStream(v.Key, v.IV, v.AAD, iotest.OneByteReader(bytes.NewReader(v.Msg)))
			require.NoError(t, err, v)
			again, err := io.ReadAll(reader)
			require.NoError(t, err, v)
			assert.Equal(t, sealed, again, v)
		}
	}
	assert.Greater(t, checked["valid"], 70)
	assert.Greater(t, checked["invalid"], 25)
}

// open decrypts with the stream, byte by byte.
func open(v vector, sealed []byte) ([]byte, error) {
	s, err := apiv3.NewAESGCMStream(v.Key, v.IV, v.AAD)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(s, iotest.OneByteReader(bytes.NewReader(sealed))); err != nil {
		return nil, err
	}
	refused := s.Authenticate()
	plain, err := io.ReadAll(iotest.OneByteReader(s.Decrypt(bytes.NewReader(sealed))))
	if refused != nil {
		return plain, refused
	}
	return plain, err
}

// Sensitive fields have OAEP with SHA-1 for both hashes and no label, so a ciphertext with a label is another's.
func TestWycheproofOAEP(t *testing.T) {
	checked := map[string]int{}
	for _, group := range vectors(t, "rsa_oaep_2048_sha1_mgf1sha1_test.json") {
		key, err := apiv3.ParsePrivateKey(group.PrivateKeyPKCS8)
		require.NoError(t, err)
		for _, v := range group.Tests {
			plain, err := apiv3.RSA().Decrypt(key.(crypto.Decrypter), v.CT)
			if v.Result == "invalid" || len(v.Label) > 0 {
				checked["refused"]++
				assert.ErrorIs(t, err, apiv3.ErrDecrypt, v)
				assert.Empty(t, plain, v)
				continue
			}
			checked["decrypted"]++
			require.NoError(t, err, v)
			assert.Equal(t, []byte(v.Msg), append([]byte{}, plain...), v)
		}
	}
	assert.Greater(t, checked["decrypted"], 8)
	assert.Greater(t, checked["refused"], 20)
}

// Signatures have PKCS #1 v1.5 with SHA-256 in exactly one encoding: what Wycheproof calls acceptable, for the sake of old
// signers, is refused.
func TestWycheproofPKCS1(t *testing.T) {
	checked := map[string]int{}
	for _, size := range []string{"2048", "3072", "4096"} {
		for _, group := range vectors(t, "rsa_signature_"+size+"_sha256_test.json") {
			key, err := apiv3.ParsePublicKey(group.PublicKeyDER)
			require.NoError(t, err)
			for _, v := range group.Tests {
				checked[v.Result]++
				err := apiv3.RSA().Verify(key, v.Msg, v.Sig)
				if v.Result == "valid" {
					assert.NoError(t, err, v)
				} else {
					assert.ErrorIs(t, err, apiv3.ErrSignature, v)
				}
			}
		}
	}
	assert.Greater(t, checked["valid"], 20)
	assert.Greater(t, checked["invalid"], 600)
	assert.Positive(t, checked["acceptable"])
}
