package apiv3_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// kinds says what exercises the vectors of each kind, and how many there are. The SM algorithms belong to a module of
// their own, which brings the scheme that they need.
var kinds = map[string]struct {
	count int
	run   func(*testing.T, vectors.Parameters, vectors.Vector) // nil: not in this module
}{
	"request-sign":    {15, requestVector},
	"response-verify": {13, answerVector},
	"certificates":    {1, certificatesVector},
	"callback":        {4, notificationVector},
	"gcm-decrypt":     {1, gcmVector},
	"oaep":            {5, oaepVector},
	"front-sign":      {3, frontVector},
	"hmac-sign":       {1, hmacVector},
	"bill":            {2, billVector},
	"sm2-sign":        {1, nil},
	"sm2-encrypt":     {1, nil},
	"sm4-gcm":         {1, nil},
}

// TestVectors runs every vector that this module can, and fails when one is left out.
func TestVectors(t *testing.T) {
	set := vectors.Load(t)
	found, ran := make(map[string]int), make(map[string]int)
	for _, v := range set.Vectors {
		kind, known := kinds[v.Kind]
		require.True(t, known, "%s: nothing exercises vectors of the kind %s", v.ID, v.Kind)
		found[v.Kind]++
		if kind.run == nil {
			require.True(t, strings.HasPrefix(v.ID, "sm-"), "%s was left out", v.ID)
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			kind.run(t, set.Parameters, v)
			ran[v.Kind]++
		})
	}
	left := 0
	for name, kind := range kinds {
		assert.Equal(t, kind.count, found[name], "number of vectors of the kind %s", name)
		if kind.run == nil {
			left += kind.count
		} else if !t.Failed() {
			assert.Equal(t, kind.count, ran[name], "number of exercised vectors of the kind %s", name)
		}
	}
	assert.Equal(t, 3, left, "only the three SM vectors are left to the module of the SM scheme")
}

// sameMessage checks a message that was built against the vector's.
func sameMessage(t *testing.T, v vectors.Vector, message []byte) {
	t.Helper()
	assert.Equal(t, v.Message, string(message))
	assert.Len(t, message, v.MessageLength)
	if v.MessageSHA256 != "" {
		assert.Equal(t, v.MessageSHA256, hexSHA256(message))
	}
}

func requestVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	require.True(t, v.Valid())
	key := vectors.Key(t, v.Key)
	body := []byte(v.SignedBody)
	message := apiv3.AppendRequestMessage(nil, v.Method, v.Target, v.Timestamp, v.Nonce, body)
	sameMessage(t, v, message)

	signature, err := apiv3.RSA().Sign(key, message)
	require.NoError(t, err)
	assert.Equal(t, v.Signature, base64.StdEncoding.EncodeToString(signature))
	assert.NoError(t, apiv3.RSA().Verify(&key.PublicKey, message, signature))

	caller := apiv3.Authorization{ID: p.MchID, Serial: p.MerchantSerial, Nonce: v.Nonce, Timestamp: v.Timestamp}
	header, size, err := apiv3.SignRequest(apiv3.RSA(), key, caller, v.Method, v.Target, body)
	require.NoError(t, err)
	assert.Equal(t, v.Authorization, header)
	assert.Equal(t, v.MessageLength, size)

	parsed, err := apiv3.ParseAuthorization(header)
	require.NoError(t, err)
	assert.Equal(t, apiv3.Authorization{
		Scheme: "WECHATPAY2-SHA256-RSA2048", Identity: "mchid", ID: p.MchID, Nonce: v.Nonce, Timestamp: v.Timestamp,
		Serial: p.MerchantSerial, Signature: v.Signature,
	}, parsed)
	assert.Equal(t, v.Authorization, string(parsed.AppendTo(nil)))

	if v.SentBodyFile != "" {
		sent := vectors.File(t, v.SentBodyFile)
		assert.Equal(t, v.SentBodySHA256, hexSHA256(sent))
		_, parameters, err := mime.ParseMediaType(v.ContentType)
		require.NoError(t, err)
		parts := multipart.NewReader(bytes.NewReader(sent), parameters["boundary"])
		meta, err := parts.NextRawPart()
		require.NoError(t, err)
		assert.Equal(t, "meta", meta.FormName())
		text, err := io.ReadAll(meta)
		require.NoError(t, err)
		assert.Equal(t, v.SignedBody, string(text), "the meta part is what is signed")
		file, err := parts.NextRawPart()
		require.NoError(t, err)
		content, err := io.ReadAll(file)
		require.NoError(t, err)
		assert.Equal(t, v.FileSHA256, hexSHA256(content))
		assert.Equal(t, vectors.File(t, v.File), content)
		assert.Contains(t, v.SignedBody, v.FileSHA256)
	}
}

// headers gives the vector's headers in the form that net/http delivers.
func headers(v vectors.Vector) http.Header {
	h := make(http.Header, len(v.Headers))
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return h
}

// accept goes the way of a receiver: headers, window, key by serial, signature over body.
func accept(t *testing.T, p vectors.Parameters, v vectors.Vector, keys *apiv3.KeySet, body []byte) error {
	t.Helper()
	s, err := apiv3.ReadSignature(headers(v))
	if err != nil {
		return err
	}
	now := v.Now(p)
	if err := s.CheckWindow(now); err != nil {
		return err
	}
	key, err := keys.Find(s.Serial, now)
	if err != nil {
		return err
	}
	return s.Verify(apiv3.RSA(), key.Key, body)
}

// platformKeys is the set that a merchant in the middle of every change would have.
func platformKeys(t *testing.T, p vectors.Parameters) *apiv3.KeySet {
	t.Helper()
	public, err := apiv3.ParsePublicKey(vectors.File(t, "keys/wechatpay_pub_key.pem"))
	require.NoError(t, err)
	keys := []apiv3.PlatformKey{{Serial: p.PublicKeyID, Key: public}}
	for _, name := range []string{"platform_a", "platform_b", "platform_expired"} {
		certificate, err := apiv3.ParseCertificate(vectors.File(t, "keys/"+name+"_cert.pem"))
		require.NoError(t, err)
		keys = append(keys, apiv3.CertificateKey(certificate))
	}
	set, err := apiv3.NewKeySet(keys...)
	require.NoError(t, err)
	for _, serial := range []string{p.CertificateASerial, p.CertificateBSerial, p.PublicKeyID} {
		_, err := set.Find(serial, p.Now())
		require.NoError(t, err)
	}
	_, err = set.Find(p.CertificateExpiredSerial, p.Now())
	require.ErrorIs(t, err, apiv3.ErrExpired)
	return set
}

// why maps the vectors' reasons to the errors that say so.
var why = map[string]error{
	"signature mismatch": apiv3.ErrSignature,
	"signature mismatch (the value is well-formed base64, verification fails)": apiv3.ErrSignature,
	"not decodable as strict base64 (length not a multiple of 4)":              apiv3.ErrSignature,
	"outside the five-minute window (signature itself is valid)":               apiv3.ErrClock,
}

func answerVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	body := []byte(v.Body)
	if v.BodyFile != "" {
		body = vectors.File(t, v.BodyFile)
	}
	signed := body
	if digest := headers(v).Get(apiv3.HeaderStatementSHA1); digest != "" {
		sum := sha1.Sum(body)
		assert.Equal(t, digest, hex.EncodeToString(sum[:]))
		signed = apiv3.StatementMessageBody(digest)
	}
	err := accept(t, p, v, platformKeys(t, p), signed)
	h := headers(v)
	assert.True(t, apiv3.HasSignature(h))
	assert.Equal(t, strings.Contains(v.ID, "signtest"), apiv3.Signature{Value: h.Get(apiv3.HeaderSignature)}.IsProbe())
	if !v.Valid() {
		require.NotNil(t, why[v.Reason], "no error stands for the reason %q", v.Reason)
		assert.ErrorIs(t, err, why[v.Reason])
		assert.NotContains(t, err.Error(), h.Get(apiv3.HeaderSignature))
		return
	}
	require.NoError(t, err)
	sameMessage(t, v, apiv3.AppendResponseMessage(nil, h.Get(apiv3.HeaderTimestamp), h.Get(apiv3.HeaderNonce), signed))
	signature, err := apiv3.RSA().Sign(vectors.Key(t, v.SignedBy), []byte(v.Message))
	require.NoError(t, err)
	assert.Equal(t, h.Get(apiv3.HeaderSignature), base64.StdEncoding.EncodeToString(signature))
	if v.BodyFile != "" {
		assert.ErrorIs(t, accept(t, p, v, platformKeys(t, p), body), apiv3.ErrSignature, "the text itself is not what is signed")
	}
}

func certificatesVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	require.True(t, v.Valid())
	var list struct {
		Data []struct {
			SerialNo  string   `json:"serial_no"`
			Encrypted resource `json:"encrypt_certificate"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(v.Body), &list))
	require.Len(t, list.Data, len(v.DecryptedFiles))
	set := new(apiv3.KeySet)
	for i, entry := range list.Data {
		plaintext, err := entry.Encrypted.open(t, v.APIv3Key)
		require.NoError(t, err)
		assert.Equal(t, string(vectors.File(t, v.DecryptedFiles[i])), string(plaintext))
		certificate, err := apiv3.ParseCertificate(plaintext)
		require.NoError(t, err)
		assert.Equal(t, entry.SerialNo, apiv3.Serial(certificate))
		set, err = set.With(apiv3.CertificateKey(certificate))
		require.NoError(t, err)
	}
	require.NoError(t, accept(t, p, v, set, []byte(v.Body)), "by a certificate out of the answer itself")
	newest, ok := set.Certificate(v.Now(p))
	require.True(t, ok)
	assert.Equal(t, v.NewestSerial, newest.Serial)
	sameMessage(t, v, apiv3.AppendResponseMessage(nil, v.Headers[apiv3.HeaderTimestamp], v.Headers[apiv3.HeaderNonce], []byte(v.Body)))
}

// resource is something encrypted with the APIv3 key.
type resource struct {
	Algorithm      string
	Nonce          string
	AssociatedData string `json:"associated_data"`
	Ciphertext     string
}

func (r resource) open(t *testing.T, key string) ([]byte, error) {
	t.Helper()
	ciphertext, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	require.NoError(t, err)
	return apiv3.OpenAESGCM([]byte(key), []byte(r.Nonce), []byte(r.AssociatedData), ciphertext)
}

func notificationVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	err := accept(t, p, v, platformKeys(t, p), []byte(v.Body))
	if v.Valid() {
		require.NoError(t, err)
	} else {
		require.NotNil(t, why[v.Reason])
		assert.ErrorIs(t, err, why[v.Reason], "refused before anything is opened")
	}
	var envelope struct{ Resource resource }
	require.NoError(t, json.Unmarshal([]byte(v.Body), &envelope))
	assert.Equal(t, apiv3.AlgorithmAESGCM, envelope.Resource.Algorithm)
	plaintext, err := envelope.Resource.open(t, v.APIv3Key)
	require.NoError(t, err)
	assert.Equal(t, v.Plaintext, string(plaintext))

	sealed, err := apiv3.SealAESGCM([]byte(v.APIv3Key), []byte(envelope.Resource.Nonce), []byte(envelope.Resource.AssociatedData), plaintext)
	require.NoError(t, err)
	assert.Equal(t, envelope.Resource.Ciphertext, base64.StdEncoding.EncodeToString(sealed))
	assert.Equal(t, v.TagHex, hex.EncodeToString(sealed[len(sealed)-16:]))
	if !v.Valid() {
		return
	}
	h := headers(v)
	sameMessage(t, v, apiv3.AppendResponseMessage(nil, h.Get(apiv3.HeaderTimestamp), h.Get(apiv3.HeaderNonce), []byte(v.Body)))
	signature, err := apiv3.RSA().Sign(vectors.Key(t, v.SignedBy), []byte(v.Message))
	require.NoError(t, err)
	assert.Equal(t, h.Get(apiv3.HeaderSignature), base64.StdEncoding.EncodeToString(signature))
}

func gcmVector(t *testing.T, _ vectors.Parameters, v vectors.Vector) {
	require.False(t, v.Valid())
	plaintext, err := resource{Nonce: v.GCMNonce, AssociatedData: v.AssociatedData, Ciphertext: v.Ciphertext}.open(t, v.APIv3Key)
	assert.ErrorIs(t, err, apiv3.ErrDecrypt)
	assert.Nil(t, plaintext)
}

func oaepVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	ciphertext, err := base64.StdEncoding.DecodeString(v.Ciphertext)
	require.NoError(t, err)
	plaintext, err := apiv3.RSA().Decrypt(vectors.Key(t, v.DecryptWith), ciphertext)
	if !v.Valid() {
		assert.ErrorIs(t, err, apiv3.ErrDecrypt)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, v.Plaintext, string(plaintext))
	assert.Len(t, plaintext, v.PlaintextLength)

	public := vectors.PublicKey(t, v.EncryptWith)
	if v.WechatpaySerial != "" {
		key, err := platformKeys(t, p).Find(v.WechatpaySerial, p.Now())
		require.NoError(t, err)
		assert.True(t, public.Equal(key.Key), "the serial names the key that encrypted")
	}
	sealed, err := apiv3.RSA().Encrypt(public, plaintext)
	require.NoError(t, err)
	assert.NotEqual(t, ciphertext, sealed, "the padding is random")
	again, err := apiv3.RSA().Decrypt(vectors.Key(t, v.DecryptWith), sealed)
	require.NoError(t, err)
	assert.Equal(t, plaintext, again)
	if len(plaintext) == apiv3.RSA().MaxPlaintext(public) {
		_, err := apiv3.RSA().Encrypt(public, append(plaintext, 'x'))
		assert.ErrorIs(t, err, apiv3.ErrTooLong)
	}
}

func frontVector(t *testing.T, _ vectors.Parameters, v vectors.Vector) {
	require.True(t, v.Valid())
	message := apiv3.AppendLines(nil, v.Lines...)
	sameMessage(t, v, message)
	signature, err := apiv3.RSA().Sign(vectors.Key(t, v.Key), message)
	require.NoError(t, err)
	text := base64.StdEncoding.EncodeToString(signature)
	assert.Equal(t, v.Signature, text)
	given := v.Params["paySign"]
	if given == "" {
		given = v.Params["sign"] // of an app
	}
	assert.Equal(t, given, text)
}

func hmacVector(t *testing.T, p vectors.Parameters, v vectors.Vector) {
	require.True(t, v.Valid())
	assert.Equal(t, p.APIv2Key, v.HMACKey)
	assert.Equal(t, v.Signature, apiv3.SignHMAC(v.Params, v.HMACKey))
	assert.Len(t, v.Message, v.MessageLength)
	assert.NotEqual(t, v.Signature, apiv3.SignHMAC(v.Params, p.APIv3Key))
}

func billVector(t *testing.T, _ vectors.Parameters, v vectors.Vector) {
	require.True(t, v.Valid())
	type bill struct {
		HashType   string `json:"hash_type"`
		HashValue  string `json:"hash_value"`
		EncryptKey string `json:"encrypt_key"`
		Nonce      string
	}
	var applied struct {
		bill
		List []bill `json:"download_bill_list"`
	}
	require.NoError(t, json.Unmarshal(v.ApplyResponse, &applied))
	b := applied.bill
	if len(applied.List) > 0 {
		b = applied.List[0]
	}
	content := vectors.File(t, v.DownloadedFile)
	if v.DownloadedSHA1 != "" {
		assert.Equal(t, v.DownloadedSHA1, hexSHA1(content))
	}
	if b.EncryptKey != "" {
		assert.Len(t, b.Nonce, 16, "not the 12 of notifications")
		sealed, err := base64.StdEncoding.DecodeString(b.EncryptKey)
		require.NoError(t, err)
		key, err := apiv3.RSA().Decrypt(vectors.Key(t, v.DecryptWith), sealed)
		require.NoError(t, err)
		assert.Equal(t, v.DataKey, string(key))
		streamed, err := openStream(key, []byte(b.Nonce), nil, content, 7)
		require.NoError(t, err)
		content, err = apiv3.OpenAESGCM(key, []byte(b.Nonce), nil, content)
		require.NoError(t, err)
		assert.Equal(t, content, streamed)
	}
	if v.Compressed {
		unzip, err := gzip.NewReader(bytes.NewReader(content))
		require.NoError(t, err)
		content, err = io.ReadAll(unzip)
		require.NoError(t, err)
	}
	assert.Equal(t, vectors.File(t, v.PlainFile), content)
	assert.Equal(t, "SHA1", b.HashType)
	assert.Equal(t, b.HashValue, hexSHA1(content))
}

func hexSHA256(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }
func hexSHA1(b []byte) string   { sum := sha1.Sum(b); return hex.EncodeToString(sum[:]) }

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
