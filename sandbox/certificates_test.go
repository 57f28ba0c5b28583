package sandbox_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
)

func TestCertificateList(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	for _, query := range []string{"", "?algorithm_type=RSA", "?algorithm_type=ALL"} {
		c := newCall(s, noon, "GET", "/v3/certificates"+query, nil)
		c.header.Del("Wechatpay-Serial")
		a := c.sign(s).send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		verify(t, s, noon, a)
		var list struct {
			Data []struct {
				SerialNo           string    `json:"serial_no"`
				EffectiveTime      time.Time `json:"effective_time"`
				ExpireTime         time.Time `json:"expire_time"`
				EncryptCertificate struct {
					Algorithm, Nonce, Ciphertext string
					AssociatedData               string `json:"associated_data"`
				} `json:"encrypt_certificate"`
			}
		}
		require.NoError(t, json.Unmarshal(a.body, &list))
		require.Len(t, list.Data, 2)
		for i, entry := range list.Data {
			sealed := entry.EncryptCertificate
			assert.Equal(t, "AEAD_AES_256_GCM", sealed.Algorithm)
			assert.Equal(t, "certificate", sealed.AssociatedData)
			assert.Len(t, sealed.Nonce, 12)
			ciphertext, err := base64.StdEncoding.DecodeString(sealed.Ciphertext)
			require.NoError(t, err)
			plaintext, err := apiv3.OpenAESGCM([]byte(s.Merchant().APIv3Key), []byte(sealed.Nonce), []byte(sealed.AssociatedData), ciphertext)
			require.NoError(t, err)
			certificate, err := apiv3.ParseCertificate(plaintext)
			require.NoError(t, err)
			assert.True(t, certificate.Equal(s.Keys.Certificates()[i]))
			assert.Equal(t, entry.SerialNo, apiv3.Serial(certificate))
			assert.True(t, entry.EffectiveTime.Equal(certificate.NotBefore))
			assert.True(t, entry.ExpireTime.Equal(certificate.NotAfter))
			_, offset := entry.ExpireTime.Zone()
			assert.Equal(t, 8*60*60, offset)
		}
		assert.NotEqual(t, list.Data[0].EncryptCertificate.Nonce, list.Data[1].EncryptCertificate.Nonce)
		assert.Equal(t, list.Data[0].SerialNo, a.Header.Get("Wechatpay-Serial"), "the certificate signs where the request names no key")
	}
	a := newCall(s, noon, "GET", "/v3/certificates?algorithm_type=SM2", nil).sign(s).send(t, s.Transport(), inProcess)
	assert.Equal(t, 404, a.StatusCode)
	assert.Equal(t, "RESOURCE_NOT_EXISTS", a.json(t)["code"])
	verify(t, s, noon, a)
}

func TestKeysFitTogether(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	m := s.Merchant()
	assert.Equal(t, "1900000109", m.ID)
	assert.NoError(t, apiv3.CheckKey([]byte(m.APIv3Key)))
	assert.Regexp(t, `^[0-9A-Za-z]{32}$`, m.APIv3Key)
	assert.True(t, apiv3.IsSerial(m.Serial))
	assert.Equal(t, m.Serial, apiv3.Serial(m.Certificate))
	assert.True(t, m.PrivateKey.PublicKey.Equal(m.Certificate.PublicKey))
	assert.Equal(t, m.ID, m.Certificate.Subject.CommonName)
	assert.Regexp(t, `^PUB_KEY_ID_01[0-9]{30}$`, s.Keys.PublicKeyID())

	certificates := s.Keys.Certificates()
	require.Len(t, certificates, 2)
	assert.Regexp(t, `^0[0-9A-F]{39}$`, apiv3.Serial(certificates[1]))
	assert.True(t, certificates[1].NotAfter.After(certificates[0].NotAfter))
	for _, c := range append(certificates, m.Certificate) {
		assert.Equal(t, x509.RSA, c.PublicKeyAlgorithm)
		assert.NoError(t, apiv3.RSA().CheckPublicKey(c.PublicKey))
		assert.True(t, noon.After(c.NotBefore) && noon.Before(c.NotAfter), "%s is valid at the sandbox's time", c.Subject)
	}
	certificates[0] = nil
	assert.NotNil(t, s.Keys.Certificates()[0], "the list is the caller's own")

	again := newSandbox(t)
	assert.True(t, again.Merchant().PrivateKey.Equal(m.PrivateKey), "keys are made once per process")
	other := newSandbox(t, withMerchant("12345678"))
	assert.Equal(t, "12345678", other.Merchant().ID)
	assert.False(t, other.Merchant().PrivateKey.Equal(m.PrivateKey), "merchants have keys of their own")
	assert.NotEqual(t, m.Serial, other.Merchant().Serial)
	assert.NotEqual(t, m.APIv3Key, other.Merchant().APIv3Key)
	assert.Regexp(t, `^PUB_KEY_ID_010012345678[0-9]{20}$`, other.Keys.PublicKeyID())
	a := newCall(other, noon, "GET", "/v3/certificates", nil).sign(other).send(t, s.Transport(), inProcess)
	assert.Equal(t, 401, a.StatusCode, "one sandbox refuses another's merchant")
}
