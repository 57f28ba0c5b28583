package apiv3_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

func TestKeySetFind(t *testing.T) {
	p := vectors.Load(t).Parameters
	a, b, expired := vectors.Certificate(t, "platform_a"), vectors.Certificate(t, "platform_b"), vectors.Certificate(t, "platform_expired")
	public := vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")
	set, err := apiv3.NewKeySet(apiv3.CertificateKey(a), apiv3.CertificateKey(b), apiv3.CertificateKey(expired),
		apiv3.PlatformKey{Serial: p.PublicKeyID, Key: public})
	require.NoError(t, err)
	assert.Equal(t, 4, set.Len())

	for name, test := range map[string]struct {
		serial string
		now    time.Time
		want   error
		key    crypto.PublicKey
	}{
		"certificate":                 {p.CertificateASerial, p.Now(), nil, a.PublicKey},
		"leading zero":                {p.CertificateBSerial, p.Now(), nil, b.PublicKey},
		"public key":                  {p.PublicKeyID, p.Now(), nil, public},
		"public key, any time":        {p.PublicKeyID, time.Time{}, nil, public},
		"expired":                     {p.CertificateExpiredSerial, p.Now(), apiv3.ErrExpired, nil},
		"expired, while it was valid": {p.CertificateExpiredSerial, expired.NotBefore.Add(time.Hour), nil, expired.PublicKey},
		"first instant":               {p.CertificateASerial, a.NotBefore, nil, a.PublicKey},
		"before it":                   {p.CertificateASerial, a.NotBefore.Add(-time.Nanosecond), apiv3.ErrExpired, nil},
		"last instant":                {p.CertificateASerial, a.NotAfter, nil, a.PublicKey},
		"after it":                    {p.CertificateASerial, a.NotAfter.Add(time.Nanosecond), apiv3.ErrExpired, nil},
		"unknown":                     {"7E" + p.CertificateASerial[2:], p.Now(), apiv3.ErrUnknownSerial, nil},
		"merchant's own":              {p.MerchantSerial, p.Now(), apiv3.ErrUnknownSerial, nil},
		"empty":                       {"", p.Now(), apiv3.ErrUnknownSerial, nil},
		"lower case":                  {"0b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e", p.Now(), apiv3.ErrUnknownSerial, nil},
		"zero lost":                   {p.CertificateBSerial[1:], p.Now(), apiv3.ErrUnknownSerial, nil},
		"part of an id":               {"PUB_KEY_ID_", p.Now(), apiv3.ErrUnknownSerial, nil},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := set.Find(test.serial, test.now)
			if test.want != nil {
				assert.ErrorIs(t, err, test.want)
				assert.Zero(t, key)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.serial, key.Serial)
			assert.Equal(t, test.key, key.Key)
			assert.Equal(t, test.serial != p.PublicKeyID, key.IsCertificate())
		})
	}
	_, err = set.Find(p.CertificateExpiredSerial, p.Now())
	assert.EqualError(t, err, "platform certificate outside its validity (2018-03-26 to 2023-03-25)")

	empty := new(apiv3.KeySet)
	assert.Zero(t, empty.Len())
	_, err = empty.Find(p.PublicKeyID, p.Now())
	assert.ErrorIs(t, err, apiv3.ErrUnknownSerial)
}

func TestKeySetChooses(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	public := vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")
	key := func(serial string, from, to time.Duration) apiv3.PlatformKey {
		return apiv3.PlatformKey{Serial: serial, Key: public, NotBefore: now.Add(from), NotAfter: now.Add(to)}
	}
	id := func(serial string) apiv3.PlatformKey { return apiv3.PlatformKey{Serial: serial, Key: public} }
	const hour = time.Hour
	for name, test := range map[string]struct {
		keys                []apiv3.PlatformKey
		certificate, public string
	}{
		"nothing":         {nil, "", ""},
		"one certificate": {[]apiv3.PlatformKey{key("A", -hour, hour)}, "A", ""},
		"the later expiry": {
			[]apiv3.PlatformKey{key("A", -hour, 2*hour), key("B", -2*hour, 3*hour), key("C", -hour, hour)}, "B", "",
		},
		"not yet valid":        {[]apiv3.PlatformKey{key("A", -hour, hour), key("B", hour, 9*hour)}, "A", ""},
		"expired":              {[]apiv3.PlatformKey{key("A", -hour, hour), key("B", -9*hour, -hour)}, "A", ""},
		"none valid":           {[]apiv3.PlatformKey{key("A", hour, 2*hour), key("B", -2*hour, -hour)}, "", ""},
		"same expiry":          {[]apiv3.PlatformKey{key("B", -hour, hour), key("A", -hour, hour)}, "A", ""},
		"public key":           {[]apiv3.PlatformKey{id("PUB_KEY_ID_1")}, "", "PUB_KEY_ID_1"},
		"both kinds":           {[]apiv3.PlatformKey{id("PUB_KEY_ID_1"), key("A", -hour, hour)}, "A", "PUB_KEY_ID_1"},
		"two public keys":      {[]apiv3.PlatformKey{id("PUB_KEY_ID_2"), id("PUB_KEY_ID_1")}, "", "PUB_KEY_ID_1"},
		"valid to this moment": {[]apiv3.PlatformKey{key("A", -hour, 0)}, "A", ""},
	} {
		set, err := apiv3.NewKeySet(test.keys...)
		require.NoError(t, err, name)
		for range 5 { // the order of a map must not matter
			certificate, ok := set.Certificate(now)
			assert.Equal(t, test.certificate != "", ok, name)
			assert.Equal(t, test.certificate, certificate.Serial, name)
			found, ok := set.PublicKey()
			assert.Equal(t, test.public != "", ok, name)
			assert.Equal(t, test.public, found.Serial, name)
		}
	}
}

func TestKeySetRefuses(t *testing.T) {
	one, two := &vectors.Key(t, "platform_a").PublicKey, &vectors.Key(t, "platform_b").PublicKey
	same := *one
	for name, test := range map[string]struct {
		keys []apiv3.PlatformKey
		want string // empty: accepted
	}{
		"no serial": {[]apiv3.PlatformKey{{Key: one}}, "unusable key: a platform key has no serial"},
		"a line break": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1\n", Key: one}},
			`unusable key: of the platform key's serial "PUB_KEY_ID_1\n", character 13 is a line break (U+000A)`},
		"a certificate's": {[]apiv3.PlatformKey{{Serial: "7F\u00a0", Key: one, NotAfter: time.Now()}},
			`unusable key: of the platform key's serial "7F\u00a0", character 3 is a no-break space (U+00A0)`},
		"no digits": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_", Key: one}},
			`unusable key: "PUB_KEY_ID_" is no id of a public key, which is PUB_KEY_ID_ and digits, as the merchant platform shows it beside the ` +
				`key (CertificateKey is for certificates)`},
		"another beginning": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_1", Key: one}},
			`unusable key: "PUB_KEY_1" is no id of a public key, which is PUB_KEY_ID_ and digits, as the merchant platform shows it beside the key ` +
				`(CertificateKey is for certificates)`},
		"no key":      {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1"}}, "unusable key: platform key PUB_KEY_ID_1 is <nil>, not a public key"},
		"nil pointer": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: (*rsa.PublicKey)(nil)}}, "unusable key: platform key PUB_KEY_ID_1 is nil"},
		"private key": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: vectors.Key(t, "platform_a")}},
			"unusable key: platform key PUB_KEY_ID_1 is *rsa.PrivateKey, not a public key"},
		"text": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: "key"}},
			"unusable key: platform key PUB_KEY_ID_1 is string, not a public key"},
		"two under one": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: one},
			{Serial: "PUB_KEY_ID_1", Key: two}}, "unusable key: two different platform keys have the serial PUB_KEY_ID_1"},
		"the same twice":      {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: one}, {Serial: "PUB_KEY_ID_1", Key: &same}}, ""},
		"one under two names": {[]apiv3.PlatformKey{{Serial: "PUB_KEY_ID_1", Key: one}, {Serial: "PUB_KEY_ID_2", Key: one}}, ""},
	} {
		set, err := apiv3.NewKeySet(test.keys...)
		if test.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.EqualError(t, err, test.want, name)
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.Nil(t, set, name)
	}
}

func TestKeySetDoesNotChange(t *testing.T) {
	fresh, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := vectors.Load(t).Parameters
	set, err := apiv3.NewKeySet(apiv3.CertificateKey(vectors.Certificate(t, "platform_a")))
	require.NoError(t, err)
	left, err := set.With(apiv3.CertificateKey(vectors.Certificate(t, "platform_b")))
	require.NoError(t, err)
	right, err := set.With(apiv3.PlatformKey{Serial: "PUB_KEY_ID_1", Key: &fresh.PublicKey})
	require.NoError(t, err)
	_, err = set.With(apiv3.PlatformKey{Serial: p.CertificateASerial, Key: &fresh.PublicKey})
	assert.ErrorIs(t, err, apiv3.ErrKey)

	assert.Equal(t, []int{1, 2, 2}, []int{set.Len(), left.Len(), right.Len()})
	_, err = set.Find(p.CertificateBSerial, p.Now())
	assert.ErrorIs(t, err, apiv3.ErrUnknownSerial)
	_, err = right.Find(p.CertificateBSerial, p.Now())
	assert.ErrorIs(t, err, apiv3.ErrUnknownSerial)
	for _, s := range []*apiv3.KeySet{set, left, right} {
		key, err := s.Find(p.CertificateASerial, p.Now())
		require.NoError(t, err)
		assert.Equal(t, vectors.Certificate(t, "platform_a").PublicKey, key.Key)
	}
}

func TestKeySetAll(t *testing.T) {
	p := vectors.Load(t).Parameters
	public := vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")
	a, b, expired := vectors.Certificate(t, "platform_a"), vectors.Certificate(t, "platform_b"), vectors.Certificate(t, "platform_expired")
	set, err := apiv3.NewKeySet(apiv3.CertificateKey(expired), apiv3.CertificateKey(a),
		apiv3.PlatformKey{Serial: p.PublicKeyID, Key: public}, apiv3.CertificateKey(b))
	require.NoError(t, err)
	var serials []string
	for _, key := range set.All() {
		serials = append(serials, key.Serial)
	}
	assert.Equal(t, []string{p.PublicKeyID, p.CertificateBSerial, p.CertificateASerial, p.CertificateExpiredSerial}, serials)
	assert.Empty(t, new(apiv3.KeySet).All())

	// The same key with a nearer end replaces the one that was there.
	ending := apiv3.CertificateKey(b)
	ending.NotAfter = p.Now().Add(time.Minute)
	set, err = set.With(ending)
	require.NoError(t, err)
	assert.Equal(t, 4, set.Len())
	newest, ok := set.Certificate(p.Now())
	require.True(t, ok)
	assert.Equal(t, p.CertificateASerial, newest.Serial)
	_, err = set.Find(p.CertificateBSerial, p.Now().Add(2*time.Minute))
	assert.ErrorIs(t, err, apiv3.ErrExpired)
}
