package apiv3_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// forms writes one PEM text in every way in which users carry it.
func forms(text []byte) map[string][]byte {
	s := string(text)
	replaced := func(old, new string) []byte { return []byte(strings.ReplaceAll(s, old, new)) }
	return map[string][]byte{
		"as it is":             text,
		"CRLF":                 replaced("\n", "\r\n"),
		`literal \n`:           replaced("\n", `\n`),
		`literal \r\n`:         replaced("\n", `\r\n`),
		`literal \n, one real`: append(replaced("\n", `\n`), '\n'),
		"BOM":                  append([]byte("\xef\xbb\xbf"), text...),
		"no LF at the end":     bytes.TrimRight(text, "\n"),
		"text before":          append([]byte("Bag Attributes\n    friendlyName: x\n"), text...),
		"text after":           append(bytes.Clone(text), "\nend of file\n"...),
		"blank lines around":   append(append([]byte("\n\n"), text...), "\n\n"...),
		"indented":             replaced("\n", "\n    "),
		"indented by tabs":     append([]byte("\t"), replaced("\n", "\n\t")...),
		"on one line":          replaced("\n", ""),
		"blanks for lines":     replaced("\n", " "),
		"quoted":               []byte(`"` + s + `"`),
		"quoted, escaped":      []byte(`'` + string(replaced("\n", `\n`)) + `'`),
		"each line quoted":     []byte(`"` + strings.Join(strings.Split(strings.TrimSpace(s), "\n"), "\",\n\"") + `"`),
		"escaped twice":        replaced("\n", `\\n`),
		"escaped three times":  replaced("\n", `\\\\n`),
		"JSON of PHP":          []byte(strings.ReplaceAll(string(replaced("\n", `\n`)), "/", `\/`)),
		"UTF-16, little":       utf16Of(s, 1, 0),
		"UTF-16, big":          utf16Of(s, 0, 1),
		"UTF-16, no mark":      utf16Of(s, 1, 0)[2:],
		"base64 of PEM":        []byte(base64.StdEncoding.EncodeToString(text)),
		"base64 of PEM, lines": []byte(lines(base64.StdEncoding.EncodeToString(text))),
		"base64 alone":         []byte(lines(inside(s))),
		"base64, one line":     []byte(inside(s)),
		"base64, quoted":       []byte(`"` + inside(s) + `"`),
		"base64, UTF-16":       utf16Of(inside(s), 1, 0),
		"base64, no padding":   []byte(strings.TrimRight(inside(s), "=")),
	}
}

// utf16Of returns UTF-16 with a byte order mark; low and high are the places of the two bytes of a unit.
func utf16Of(s string, high, low int) (out []byte) {
	for _, r := range "\ufeff" + s {
		unit := make([]byte, 2)
		unit[low], unit[high] = byte(r), byte(r>>8)
		out = append(out, unit...)
	}
	return out
}

// inside returns the base64 between the lines of a PEM text.
func inside(text string) string {
	block, _ := pem.Decode([]byte(text))
	return base64.StdEncoding.EncodeToString(block.Bytes)
}

func lines(s string) string {
	var b strings.Builder
	for ; len(s) > 76; s = s[76:] {
		b.WriteString(s[:76] + "\r\n")
	}
	return b.String() + s
}

// A file with several blocks gives the one that is asked for, if there is no doubt which.
func TestParseSeveral(t *testing.T) {
	key := vectors.Key(t, "merchant")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	private, certificate := pemOf("PRIVATE KEY", pkcs8), vectors.File(t, "keys/merchant_cert.pem")
	public := vectors.File(t, "keys/wechatpay_pub_key.pem")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, []byte("\n")) }
	for name, all := range map[string][]byte{
		"certificate first": join(certificate, private, public), "key first": join(private, certificate, public),
		"escaped":            []byte(strings.ReplaceAll(string(join(certificate, private, public)), "\n", `\n`)),
		"twice the same key": join(private, certificate, pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), public),
	} {
		signer, err := apiv3.ParsePrivateKey(all)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(signer), name)
		read, err := apiv3.ParseCertificate(all)
		require.NoError(t, err, name)
		assert.True(t, vectors.Certificate(t, "merchant").Equal(read), name)
		verifier, err := apiv3.ParsePublicKey(all)
		require.NoError(t, err, name)
		assert.True(t, vectors.PublicKey(t, "keys/wechatpay_pub_key.pem").Equal(verifier), name)
	}

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, err = apiv3.ParsePrivateKey(join(private, pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(other))))
	assert.EqualError(t, err, "unusable key: there are 2 different private keys in one file: keep only the one that is meant")
	_, err = apiv3.ParseCertificate(join(certificate, vectors.File(t, "keys/platform_b_cert.pem")))
	assert.EqualError(t, err, "unusable key: there are 2 different certificates in one file: keep only the one that is meant")
	_, err = apiv3.ParsePrivateKey(join(certificate, public))
	assert.EqualError(t, err, "unusable key: this is a certificate and a public key; the private key is the file apiclient_key.pem")
	_, err = apiv3.ParsePrivateKey(join(private, certificate[:100]))
	assert.EqualError(t, err, "unusable key: the PEM text is damaged: the end of a block is missing")
}

// What is no key that WeChat Pay takes is read as what it is, or named.
func TestParseForeign(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(curve)
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"SEC 1": pemOf("EC PRIVATE KEY", sec1), "SEC 1, DER": sec1,
		"as OpenSSL writes it": append(pemOf("EC PARAMETERS", []byte{6, 8}), pemOf("EC PRIVATE KEY", sec1)...),
	} {
		key, err := apiv3.ParsePrivateKey(data)
		require.NoError(t, err, name)
		assert.True(t, curve.Equal(key), name)
		assert.ErrorContains(t, apiv3.RSA().CheckPublicKey(key.Public()), "it is *ecdsa.PublicKey, the scheme WECHATPAY2-SHA256-RSA2048 needs RSA", name)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, curve)
	require.NoError(t, err)
	for want, data := range map[string][]byte{
		"a PKCS#12 file (apiclient_cert.p12), which contrib/pkcs12 reads": []byte(base64.StdEncoding.EncodeToString(pkcs12(t))),
		"a certificate request":            pemOf("CERTIFICATE REQUEST", request),
		"a PEM block OPENSSH PRIVATE KEY;": pemOf("OPENSSH PRIVATE KEY", random(64)),
	} {
		_, err := apiv3.ParsePrivateKey(data)
		assert.ErrorContains(t, err, "unusable key: this is "+want)
	}
}

// encrypted builds the outer form of an encrypted PKCS#8 key; what is inside does not matter.
func encrypted(t *testing.T) []byte {
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, Parameters: asn1.NullRawValue}, random(64)})
	require.NoError(t, err)
	return der
}

// pkcs12 builds the outer form of a .p12 file.
func pkcs12(t *testing.T) []byte {
	content, err := asn1.Marshal(random(64))
	require.NoError(t, err)
	der, err := asn1.Marshal(struct {
		Version int
		Safe    struct {
			ContentType asn1.ObjectIdentifier
			Content     asn1.RawValue
		}
	}{3, struct {
		ContentType asn1.ObjectIdentifier
		Content     asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}}})
	require.NoError(t, err)
	return der
}

func TestParsePrivateKey(t *testing.T) {
	key := vectors.Key(t, "merchant")
	pkcs1 := x509.MarshalPKCS1PrivateKey(key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)

	good := map[string][]byte{"PKCS#1, DER": pkcs1, "PKCS#8, DER": pkcs8, "PKCS#8 in the wrong block": pemOf("RSA PRIVATE KEY", pkcs8)}
	for name, data := range forms(pemOf("RSA PRIVATE KEY", pkcs1)) {
		good["PKCS#1, "+name] = data
	}
	for name, data := range forms(pemOf("PRIVATE KEY", pkcs8)) {
		good["PKCS#8, "+name] = data
	}
	for name, data := range good {
		before := bytes.Clone(data)
		parsed, err := apiv3.ParsePrivateKey(data)
		if assert.NoError(t, err, name) {
			assert.True(t, key.Equal(parsed), name)
		}
		assert.Equal(t, before, data, "%s: the input was changed", name)
	}

	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(elliptical)
	require.NoError(t, err)
	parsed, err := apiv3.ParsePrivateKey(pemOf("PRIVATE KEY", der))
	require.NoError(t, err, "another algorithm is for the scheme to refuse")
	assert.True(t, elliptical.Equal(parsed))

	agreement, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	x25519, err := x509.MarshalPKCS8PrivateKey(agreement)
	require.NoError(t, err)
	certificate := vectors.File(t, "keys/merchant_cert.pem")
	legacy := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: random(128), Headers: map[string]string{
		"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,000102030405060708090A0B0C0D0E0F",
	}})
	const file, decrypt = "; the private key is the file apiclient_key.pem",
		"this private key is encrypted; decrypt it first (openssl pkey -in FILE -out apiclient_key.pem)"
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":            {nil, "it is empty"},
		"white space":        {[]byte(" \r\n\t"), "it is empty"},
		"a BOM only":         {[]byte("\xef\xbb\xbf"), "it is empty"},
		"certificate":        {certificate, "this is a certificate" + file},
		"certificate, DER":   {vectors.Certificate(t, "merchant").Raw, "this is a certificate" + file},
		"public key":         {vectors.File(t, "keys/merchant_public_key.pem"), "this is a public key" + file},
		"public key, PKCS#1": {vectors.File(t, "keys/wechatpay_pub_key_pkcs1.pem"), "this is a public key" + file},
		"public key, DER":    {x509.MarshalPKCS1PublicKey(&key.PublicKey), "this is a public key" + file},
		"mislabelled":        {pemOf("PRIVATE KEY", vectors.Certificate(t, "merchant").Raw), "this is a certificate" + file},
		"PKCS#12": {pkcs12(t), "this is a PKCS#12 file (apiclient_cert.p12), which contrib/pkcs12 reads; the private key is also " +
			"the file apiclient_key.pem"},
		"encrypted PKCS#8":      {pemOf("ENCRYPTED PRIVATE KEY", encrypted(t)), decrypt},
		"encrypted PKCS#8, DER": {encrypted(t), decrypt},
		"encrypted PKCS#1":      {legacy, decrypt},
		"cannot sign":           {pemOf("PRIVATE KEY", x25519), "this is a key of type *ecdh.PrivateKey, which cannot sign" + file},
		"cut PEM":               {pemOf("PRIVATE KEY", pkcs8)[:200], "the PEM text is damaged: the end of a block is missing"},
		"base64 damaged":        {[]byte(strings.Replace(string(pemOf("PRIVATE KEY", pkcs8)), "MII", "M!!", 1)), "the PEM text is damaged: it has a character that does not belong there, or lacks some"},
		"cut DER":               {pkcs8[:len(pkcs8)-1], "not a private key in PKCS#8 or PKCS#1"},
		"any text":              {[]byte("apiclient_key.pem"), "not a private key in PKCS#8 or PKCS#1"},
		"any block":             {pemOf("DH PARAMETERS", []byte("x")), "not a private key in PKCS#8 or PKCS#1"},
	} {
		parsed, err := apiv3.ParsePrivateKey(test.data)
		assert.EqualError(t, err, "unusable key: "+test.want, name)
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.Nil(t, parsed, name)
	}
}

func TestParsePublicKey(t *testing.T) {
	public := vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")
	spki, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	good := map[string][]byte{"SPKI, DER": spki, "PKCS#1, DER": pkcs1, "PKCS#1 in the wrong block": pemOf("PUBLIC KEY", pkcs1)}
	for name, data := range forms(vectors.File(t, "keys/wechatpay_pub_key.pem")) {
		good["SPKI, "+name] = data
	}
	for name, data := range forms(vectors.File(t, "keys/wechatpay_pub_key_pkcs1.pem")) {
		good["PKCS#1, "+name] = data
	}
	for name, data := range good {
		parsed, err := apiv3.ParsePublicKey(data)
		if assert.NoError(t, err, name) {
			assert.True(t, public.Equal(parsed), name)
		}
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(edwards)
	require.NoError(t, err)
	parsed, err := apiv3.ParsePublicKey(der)
	require.NoError(t, err, "another algorithm is for the scheme to refuse")
	assert.True(t, edwards.Equal(parsed))

	private := vectors.Key(t, "merchant")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":               {nil, "it is empty"},
		"certificate":           {vectors.File(t, "keys/platform_a_cert.pem"), "this is a certificate, not a public key"},
		"certificate, DER":      {vectors.Certificate(t, "platform_a").Raw, "this is a certificate, not a public key"},
		"private key, PKCS#8":   {pemOf("PRIVATE KEY", pkcs8), "this is a private key, not a public key"},
		"private key, PKCS#1":   {pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), "this is a private key, not a public key"},
		"private key, DER":      {pkcs8, "this is a private key, not a public key"},
		"encrypted private key": {pemOf("ENCRYPTED PRIVATE KEY", encrypted(t)), "this is an encrypted private key, not a public key"},
		"PKCS#12":               {pkcs12(t), "this is a PKCS#12 file (apiclient_cert.p12), not a public key"},
		"any block":             {pemOf("DH PARAMETERS", []byte("x")), "not a public key in SPKI or PKCS#1"},
		"any text":              {[]byte("PUB_KEY_ID_0119000001092025010100000000000001"), "not a public key in SPKI or PKCS#1"},
		"damaged":               {vectors.File(t, "keys/wechatpay_pub_key.pem")[:100], "the PEM text is damaged: the end of a block is missing"},
	} {
		parsed, err := apiv3.ParsePublicKey(test.data)
		assert.EqualError(t, err, "unusable key: "+test.want, name)
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.Nil(t, parsed, name)
	}
}

func TestParseCertificate(t *testing.T) {
	certificate := vectors.Certificate(t, "platform_b")
	good := forms(vectors.File(t, "keys/platform_b_cert.pem"))
	good["DER"] = certificate.Raw
	good["chain"] = append(vectors.File(t, "keys/platform_b_cert.pem"), vectors.File(t, "keys/test_ca_cert.pem")...)
	for name, data := range good {
		parsed, err := apiv3.ParseCertificate(data)
		if assert.NoError(t, err, name) {
			assert.True(t, certificate.Equal(parsed), name)
		}
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(vectors.Key(t, "merchant"))
	require.NoError(t, err)
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":            {nil, "it is empty"},
		"private key":        {pemOf("PRIVATE KEY", pkcs8), "this is a private key, not a certificate"},
		"public key":         {vectors.File(t, "keys/wechatpay_pub_key.pem"), "this is a public key, not a certificate"},
		"public key, PKCS#1": {vectors.File(t, "keys/wechatpay_pub_key_pkcs1.pem"), "this is a public key, not a certificate"},
		"PKCS#12":            {pkcs12(t), "this is a PKCS#12 file (apiclient_cert.p12), not a certificate"},
		"any text":           {[]byte("x"), "not an X.509 certificate"},
		"cut":                {certificate.Raw[:len(certificate.Raw)-1], "not an X.509 certificate"},
		"damaged":            {vectors.File(t, "keys/platform_b_cert.pem")[:100], "the PEM text is damaged: the end of a block is missing"},
	} {
		parsed, err := apiv3.ParseCertificate(test.data)
		assert.EqualError(t, err, "unusable key: "+test.want, name)
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.Nil(t, parsed, name)
	}
}

// TestNoKeyInErrors damages a key at many places: no error may repeat a part of it.
func TestNoKeyInErrors(t *testing.T) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(vectors.Key(t, "merchant"))
	require.NoError(t, err)
	text := pemOf("PRIVATE KEY", pkcs8)
	for i := 0; i < len(text); i += 7 {
		damaged := bytes.Clone(text)
		damaged[i] = '!'
		_, err := apiv3.ParsePrivateKey(damaged)
		if err == nil {
			continue // it was outside the block
		}
		for j := 40; j+12 < len(text)-40; j += 12 {
			require.NotContains(t, err.Error(), string(text[j:j+12]))
		}
	}
}

func TestSerial(t *testing.T) {
	for hex, want := range map[string]string{
		"0":    strings.Repeat("0", 40),
		"1":    strings.Repeat("0", 39) + "1",
		"abc":  strings.Repeat("0", 37) + "ABC",
		"ff00": strings.Repeat("0", 36) + "FF00",
		"0b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e":   "0B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E",
		"00005c6d7e8f90a1b2c3d4e5f60718293a4b5c6d":   "00005C6D7E8F90A1B2C3D4E5F60718293A4B5C6D",
		"7fffffffffffffffffffffffffffffffffffffff":   "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"123456789012345678901234567890123456789012": "123456789012345678901234567890123456789012",
	} {
		n, ok := new(big.Int).SetString(hex, 16)
		require.True(t, ok)
		assert.Equal(t, want, apiv3.Serial(&x509.Certificate{SerialNumber: n}))
	}
	p := vectors.Load(t).Parameters
	for role, serial := range map[string]string{
		"merchant": p.MerchantSerial, "platform_a": p.CertificateASerial, "platform_b": p.CertificateBSerial, "platform_expired": p.CertificateExpiredSerial,
	} {
		assert.Equal(t, serial, apiv3.Serial(vectors.Certificate(t, role)), role)
		assert.True(t, apiv3.IsSerial(serial), role)
	}
	for text, want := range map[string]bool{
		strings.Repeat("0", 40): true, strings.Repeat("F", 40): true, strings.Repeat("9", 40): true, strings.Repeat("A", 40): true,
		"": false, strings.Repeat("0", 39): false, strings.Repeat("0", 41): false, strings.Repeat("f", 40): false, strings.Repeat("G", 40): false,
		strings.Repeat("0", 39) + " ": false, " " + strings.Repeat("0", 39): false, strings.Repeat("0", 19) + "x" + strings.Repeat("0", 20): false,
		p.PublicKeyID: false, "4D:7E:1F:2A:3B:4C:5D:6E:7F:80:91:A2:B3:C4": false, strings.Repeat("0", 39) + "\n": false,
	} {
		assert.Equal(t, want, apiv3.IsSerial(text), "%q", text)
	}
}

func TestCheckKey(t *testing.T) {
	for length, good := range map[int]bool{0: false, 16: false, 31: false, 32: true, 33: false, 64: false} {
		err := apiv3.CheckKey([]byte(strings.Repeat("k", length)))
		if good {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, apiv3.ErrKey, "%d", length)
		assert.NotContains(t, err.Error(), "kkk")
		assert.Contains(t, err.Error(), "instead of 32")
	}
	visible := strings.Repeat("k", 31)
	for key, says := range map[string]string{
		visible + "\n": "character 32 is a line break", " " + visible: "character 1 is a blank",
		visible[:15] + "\u200b" + visible[:14]: "character 16 is a space of no width",
		visible + "k\r\n":                      "34 bytes instead of 32, and its character 33 is a carriage return",
		"\ufeff" + visible + "k":               "35 bytes instead of 32, and its character 1 is a byte order mark",
	} {
		err := apiv3.CheckKey([]byte(key))
		require.ErrorIs(t, err, apiv3.ErrKey, "%q", key)
		assert.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "kkk")
	}
}

func TestSchemeChecksKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	scheme := apiv3.RSA()
	with := func(change func(*rsa.PublicKey)) *rsa.PublicKey { // a key that parses, and that anybody could sign with
		key := vectors.Key(t, "merchant").PublicKey
		key.N = new(big.Int).Set(key.N)
		change(&key)
		return &key
	}
	assert.Equal(t, "WECHATPAY2-SHA256-RSA2048", scheme.Name())
	assert.Equal(t, "WECHATPAY2-SHA256-RSA2048", scheme.SignatureType())
	assert.Equal(t, "mchid", scheme.Identity())
	assert.NoError(t, scheme.CheckPublicKey(&vectors.Key(t, "merchant").PublicKey))
	assert.Equal(t, 214, scheme.MaxPlaintext(&vectors.Key(t, "merchant").PublicKey))
	for name, key := range map[string]any{
		"nil": nil, "nil pointer": (*rsa.PublicKey)(nil), "empty": &rsa.PublicKey{}, "value": vectors.Key(t, "merchant").PublicKey,
		"private": vectors.Key(t, "merchant"), "too short": &small.PublicKey, "elliptic": &elliptical.PublicKey, "text": "key",
		"no exponent": with(func(k *rsa.PublicKey) { k.E = 0 }), "exponent 1": with(func(k *rsa.PublicKey) { k.E = 1 }),
		"exponent 2": with(func(k *rsa.PublicKey) { k.E = 2 }), "an even exponent": with(func(k *rsa.PublicKey) { k.E = 65536 }),
		"a negative exponent": with(func(k *rsa.PublicKey) { k.E = -65537 }), "an even modulus": with(func(k *rsa.PublicKey) { k.N.SetBit(k.N, 0, 0) }),
	} {
		assert.ErrorIs(t, scheme.CheckPublicKey(key), apiv3.ErrKey, name)
		err := scheme.Verify(key, []byte("m"), random(256))
		assert.ErrorIs(t, err, apiv3.ErrSignature, name)
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		_, err = scheme.Encrypt(key, []byte("m"))
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		if public, ok := key.(*rsa.PublicKey); !ok || public == nil || public.N == nil {
			assert.Zero(t, scheme.MaxPlaintext(key), name)
		}
	}
}
