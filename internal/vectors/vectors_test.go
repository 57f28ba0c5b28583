package vectors_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/internal/vectors"
)

func TestKeysFitTheirCertificates(t *testing.T) {
	for _, role := range []string{"merchant", "platform_a", "platform_b", "platform_expired"} {
		assert.True(t, vectors.Key(t, role).PublicKey.Equal(vectors.Certificate(t, role).PublicKey), role)
		assert.True(t, vectors.Key(t, "keys/"+role+"_private_key.jwk.json").Equal(vectors.Key(t, role)), role)
		assert.True(t, vectors.Certificate(t, "keys/"+role+"_cert.pem").Equal(vectors.Certificate(t, role)), role)
		assert.True(t, vectors.PublicKey(t, "keys/"+role+"_cert.pem").Equal(vectors.Certificate(t, role).PublicKey), role)
	}
	public := &vectors.Key(t, "wechatpay_pub_key").PublicKey
	for _, name := range []string{"keys/wechatpay_pub_key.pem", "keys/wechatpay_pub_key_pkcs1.pem"} {
		assert.True(t, vectors.PublicKey(t, name).Equal(public), name)
	}
	for _, role := range []string{"merchant", "platform_a", "platform_b"} {
		assert.NoError(t, vectors.Certificate(t, role).CheckSignatureFrom(vectors.Certificate(t, "test_ca")), role)
	}
}

func TestVectorsAreAllThere(t *testing.T) {
	set := vectors.Load(t)
	assert.Equal(t, 1, set.Format)
	assert.Len(t, set.Vectors, 48)
	assert.Equal(t, int64(1735689600), set.Parameters.Now().Unix())
	seen := make(map[string]bool)
	for _, v := range set.Vectors {
		assert.False(t, seen[v.ID], "%s stands twice", v.ID)
		seen[v.ID] = true
		assert.Contains(t, []string{"valid", "invalid"}, v.Expect, v.ID)
		assert.Equal(t, v.Valid(), v.Reason == "", "%s: what is refused says why", v.ID)
		for _, name := range append([]string{v.Key, v.VerifyWith, v.SignedBy, v.EncryptWith, v.DecryptWith, v.SentBodyFile, v.File, v.BodyFile,
			v.DownloadedFile, v.PlainFile}, v.DecryptedFiles...) {
			if name != "" {
				assert.NotEmpty(t, vectors.File(t, name), "%s: %s", v.ID, name)
			}
		}
	}
}

// failing is a testing.TB that remembers the message of Fatalf.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestWhatIsMissingFails(t *testing.T) {
	for want, do := range map[string]func(testing.TB){
		"no such file or directory|cannot find": func(t testing.TB) { vectors.File(t, "files/none") },
		`none of the files \["nobody"`:          func(t testing.TB) { vectors.Key(t, "nobody") },
		`is of the type "EC", not RSA`:          func(t testing.TB) { vectors.Key(t, "sm2_merchant") },
		"is not PEM":                            func(t testing.TB) { vectors.Certificate(t, "files/bill.csv") },
		"not PEM":                               func(t testing.TB) { vectors.PublicKey(t, "files/bill.csv") },
		"the key vectors.json is of the type":   func(t testing.TB) { vectors.Key(t, "vectors.json") },
	} {
		f := &failing{TB: t}
		done := make(chan struct{})
		go func() { defer close(done); do(f) }()
		<-done
		assert.Regexp(t, want, f.message)
	}
}
