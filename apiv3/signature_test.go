package apiv3_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

func TestCheckWindow(t *testing.T) {
	const at = 1735689600
	for _, test := range []struct {
		name  string
		clock time.Duration // of the verifier, after the timestamp
		skew  time.Duration // of the error; 0 for none
	}{
		{"same", 0, 0},
		{"299 s later", 299 * time.Second, 0},
		{"300 s later", 300 * time.Second, 0},
		{"300.999 s later: the same second", 300*time.Second + 999*time.Millisecond, 0},
		{"301 s later", 301 * time.Second, -301 * time.Second},
		{"301.5 s later", 301*time.Second + 500*time.Millisecond, -301 * time.Second},
		{"6 minutes later", 6 * time.Minute, -6 * time.Minute},
		{"299 s earlier", -299 * time.Second, 0},
		{"300 s earlier", -300 * time.Second, 0},
		{"300.001 s earlier: in the second before", -300*time.Second - time.Millisecond, 301 * time.Second},
		{"301 s earlier", -301 * time.Second, 301 * time.Second},
		{"one nanosecond later", 1, 0},
		{"one nanosecond earlier", -1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 8*3600), time.FixedZone("", -5*3600-1800)} {
				err := apiv3.Signature{Timestamp: strconv.Itoa(at)}.CheckWindow(time.Unix(at, 0).Add(test.clock).In(zone))
				if test.skew == 0 {
					assert.NoError(t, err)
					continue
				}
				var clock *apiv3.ClockError
				require.ErrorAs(t, err, &clock)
				assert.Equal(t, test.skew, clock.Skew)
				assert.ErrorIs(t, err, apiv3.ErrClock)
				assert.NotErrorIs(t, err, apiv3.ErrSignatureHeader)
			}
		})
	}
	for _, text := range []string{
		"", "x", " 1735689600", "1735689600 ", "1735689600.5", "1.7e9", "0x67747180", "1_735_689_600", "+1735689600", "-1735689600", "-0", "１７３５６８９６００",
		"1099511627776", "9223372036854775808", strings.Repeat("9", 100), "2025-01-01T00:00:00Z", "1735689600000000",
	} {
		err := apiv3.Signature{Timestamp: text}.CheckWindow(time.Unix(at, 0))
		assert.ErrorIs(t, err, apiv3.ErrSignatureHeader, "%q", text)
		assert.NotErrorIs(t, err, apiv3.ErrClock, "%q", text)
	}
	assert.ErrorIs(t, apiv3.Signature{Timestamp: "1735689600000"}.CheckWindow(time.Unix(at, 0)),
		apiv3.ErrSignatureHeader, "milliseconds are a mistake, not a clock")
	assert.ErrorIs(t, apiv3.Signature{Timestamp: "0"}.CheckWindow(time.Unix(at, 0)), apiv3.ErrClock)
	assert.ErrorIs(t, apiv3.Signature{Timestamp: "1099511627775"}.CheckWindow(time.Unix(at, 0)), apiv3.ErrClock)
	assert.ErrorIs(t, apiv3.Signature{Timestamp: strconv.Itoa(at)}.CheckWindow(time.Time{}), apiv3.ErrClock)
}

func TestClockErrorTells(t *testing.T) {
	assert.EqualError(t, &apiv3.ClockError{Skew: -6 * time.Minute},
		"the timestamp is 6m0s before the local clock, at most 5m0s are allowed: check this machine's clock first")
	assert.EqualError(t, &apiv3.ClockError{Skew: 301 * time.Second},
		"the timestamp is 5m1s after the local clock, at most 5m0s are allowed: check this machine's clock first")
	assert.NotErrorIs(t, &apiv3.ClockError{}, apiv3.ErrSignature)
}

func TestReadSignature(t *testing.T) {
	full := func() http.Header {
		return http.Header{
			"Wechatpay-Timestamp": {"1735689600"}, "Wechatpay-Nonce": {"n"}, "Wechatpay-Signature": {"c2ln"},
			"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Signature-Type": {"WECHATPAY2-SHA256-RSA2048"}, "Other": {"x", "y"},
		}
	}
	s, err := apiv3.ReadSignature(full())
	require.NoError(t, err)
	assert.Equal(t, apiv3.Signature{Serial: "PUB_KEY_ID_1", Timestamp: "1735689600", Nonce: "n", Value: "c2ln", Type: "WECHATPAY2-SHA256-RSA2048"}, s)
	assert.True(t, apiv3.HasSignature(full()))

	for _, name := range []string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSignature, apiv3.HeaderSerial} {
		for fault, values := range map[string][]string{"absent": nil, "empty": {""}} {
			h := full()
			h[name] = values
			s, err := apiv3.ReadSignature(h)
			assert.EqualError(t, err, "not signed: the header "+name+" is missing", fault)
			assert.ErrorIs(t, err, apiv3.ErrUnsigned)
			assert.Zero(t, s)
		}
		h := full()
		h[name] = append(h[name], "x")
		s, err := apiv3.ReadSignature(h)
		assert.EqualError(t, err, "malformed signature header: "+name+" stands 2 times")
		assert.ErrorIs(t, err, apiv3.ErrSignatureHeader)
		assert.Zero(t, s)
	}
	for _, values := range [][]string{nil, {""}} {
		h := full()
		h[apiv3.HeaderSignatureType] = values
		s, err := apiv3.ReadSignature(h)
		require.NoError(t, err, "the type may be absent")
		assert.Empty(t, s.Type)
	}
	h := full()
	h[apiv3.HeaderSignatureType] = []string{"a", "a"}
	_, err = apiv3.ReadSignature(h)
	assert.ErrorIs(t, err, apiv3.ErrSignatureHeader)

	_, err = apiv3.ReadSignature(nil)
	assert.ErrorIs(t, err, apiv3.ErrUnsigned)
	assert.False(t, apiv3.HasSignature(nil))
	assert.False(t, apiv3.HasSignature(http.Header{"Wechatpay-Serial": {"x"}}), "a serial alone signs nothing")
	for _, name := range []string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSignature} {
		assert.True(t, apiv3.HasSignature(http.Header{name: {"x"}}), name)
	}
}

// signed signs a body with the key of platform certificate A.
func signed(t testing.TB, body string) apiv3.Signature {
	t.Helper()
	s := apiv3.Signature{
		Serial: vectors.Load(t).Parameters.CertificateASerial, Timestamp: "1735689600", Nonce: "804c37132dbc174cd7add22556a05f46",
		Type: "WECHATPAY2-SHA256-RSA2048",
	}
	value, err := apiv3.RSA().Sign(vectors.Key(t, "platform_a"), apiv3.AppendResponseMessage(nil, s.Timestamp, s.Nonce, []byte(body)))
	require.NoError(t, err)
	s.Value = base64.StdEncoding.EncodeToString(value)
	return s
}

func TestVerify(t *testing.T) {
	const body = `{"a":"中"}`
	good := signed(t, body)
	key := vectors.Certificate(t, "platform_a").PublicKey
	require.NoError(t, good.Verify(apiv3.RSA(), key, []byte(body)))
	change := func(f func(*apiv3.Signature)) apiv3.Signature { s := good; f(&s); return s }
	last := strings.TrimRight(good.Value, "=")
	for name, test := range map[string]struct {
		s    apiv3.Signature
		body string
		key  any
		want error // nil: accepted
	}{
		"type absent":          {change(func(s *apiv3.Signature) { s.Type = "" }), body, key, nil},
		"serial is not signed": {change(func(s *apiv3.Signature) { s.Serial = "x" }), body, key, nil},
		"other type":           {change(func(s *apiv3.Signature) { s.Type = "WECHATPAY2-SM2-WITH-SM3" }), body, key, apiv3.ErrSignatureHeader},
		"type in lower case":   {change(func(s *apiv3.Signature) { s.Type = strings.ToLower(s.Type) }), body, key, apiv3.ErrSignatureHeader},
		"other body":           {good, body + " ", key, apiv3.ErrSignature},
		"no body":              {good, "", key, apiv3.ErrSignature},
		"other key":            {good, body, vectors.Certificate(t, "platform_b").PublicKey, apiv3.ErrSignature},
		"no key":               {good, body, nil, apiv3.ErrSignature},
		"other timestamp":      {change(func(s *apiv3.Signature) { s.Timestamp = "1735689601" }), body, key, apiv3.ErrSignature},
		"other nonce":          {change(func(s *apiv3.Signature) { s.Nonce += "x" }), body, key, apiv3.ErrSignature},
		"LF in the nonce":      {change(func(s *apiv3.Signature) { s.Nonce += "\n{" }), body[1:], key, apiv3.ErrSignatureHeader},
		"LF in the timestamp": {change(func(s *apiv3.Signature) {
			s.Timestamp, s.Nonce = s.Timestamp+"\n"+s.Nonce,
				`{"a":"b"}`
		}), "", key, apiv3.ErrSignatureHeader},
		"quote in the nonce":     {change(func(s *apiv3.Signature) { s.Nonce += `"` }), body, key, apiv3.ErrSignatureHeader},
		"empty value":            {change(func(s *apiv3.Signature) { s.Value = "" }), body, key, apiv3.ErrSignature},
		"no padding":             {change(func(s *apiv3.Signature) { s.Value = last }), body, key, apiv3.ErrSignature},
		"more padding":           {change(func(s *apiv3.Signature) { s.Value += "=" }), body, key, apiv3.ErrSignature},
		"URL base64":             {change(func(s *apiv3.Signature) { s.Value = "-_" + s.Value[2:] }), body, key, apiv3.ErrSignature},
		"line break in value":    {change(func(s *apiv3.Signature) { s.Value = s.Value[:76] + "\n" + s.Value[76:] }), body, key, apiv3.ErrSignature},
		"CR behind the value":    {change(func(s *apiv3.Signature) { s.Value += "\r" }), body, key, apiv3.ErrSignature},
		"blank before the value": {change(func(s *apiv3.Signature) { s.Value = " " + s.Value }), body, key, apiv3.ErrSignature},
		"unused bits set": {change(func(s *apiv3.Signature) { s.Value = last[:len(last)-1] + string(last[len(last)-1]+1) + "==" }), body, key,
			apiv3.ErrSignature},
		"shorter signature": {change(func(s *apiv3.Signature) { s.Value = s.Value[4:] }), body, key, apiv3.ErrSignature},
		"probe":             {change(func(s *apiv3.Signature) { s.Value = "WECHATPAY/SIGNTEST/" + s.Value[19:] }), body, key, apiv3.ErrSignature},
		"probe, no base64":  {change(func(s *apiv3.Signature) { s.Value = "WECHATPAY/SIGNTEST/" + s.Value }), body, key, apiv3.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.s.Verify(apiv3.RSA(), test.key, []byte(test.body))
			if test.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, test.want)
			assert.False(t, errors.Is(err, apiv3.ErrSignature) && errors.Is(err, apiv3.ErrSignatureHeader), "one reason")
			if len(test.s.Value) > 20 {
				assert.NotContains(t, err.Error(), test.s.Value[:20])
			}
			assert.Equal(t, strings.HasPrefix(name, "probe"), test.s.IsProbe())
		})
	}
}

// TestVerifyKeepsNothing verifies bodies of falling size one after the other, in buffers that are used again.
func TestVerifyKeepsNothing(t *testing.T) {
	key := vectors.Certificate(t, "platform_a").PublicKey
	for _, size := range []int{100_000, 3000, 100, 0} {
		body := strings.Repeat("x", size)
		s := signed(t, body)
		assert.NoError(t, s.Verify(apiv3.RSA(), key, []byte(body)), "%d", size)
		assert.ErrorIs(t, s.Verify(apiv3.RSA(), key, []byte(body+"y")), apiv3.ErrSignature, "%d", size)
		assert.NoError(t, s.Verify(apiv3.RSA(), key, []byte(body)), "%d", size)
	}
}

func TestStatementMessageBody(t *testing.T) {
	assert.Equal(t, `{"sha1":"0ac6f552415553af1770c605de92d66f087c4881"}`, string(apiv3.StatementMessageBody("0ac6f552415553af1770c605de92d66f087c4881")))
}

// FuzzSignature holds that no signature but the one that was made is accepted, and that nothing panics.
func FuzzSignature(f *testing.F) {
	const body = `{"code_url":"weixin://wxpay/bizpayurl?pr=1"}`
	good := signed(f, body)
	key := vectors.Certificate(f, "platform_a").PublicKey
	now := vectors.Load(f).Parameters.Now()
	f.Add(good.Timestamp, good.Nonce, good.Value, good.Type, []byte(body))
	for _, v := range vectors.Load(f).Vectors {
		if len(v.Headers) > 0 {
			h := headers(v)
			f.Add(h.Get(apiv3.HeaderTimestamp), h.Get(apiv3.HeaderNonce), h.Get(apiv3.HeaderSignature), h.Get(apiv3.HeaderSignatureType), []byte(v.Body))
		}
	}
	// What platform A did sign may be found by the fuzzer among its seeds, and nothing else.
	signedByA := map[string]bool{good.Timestamp + "\n" + good.Nonce + "\n" + body + "\n": true}
	for _, v := range vectors.Load(f).Vectors {
		if v.SignedBy == "keys/platform_a_private_key.jwk.json" {
			signedByA[v.Message] = true
		}
		if v.ID == "rsp-13-neg-timestamp" { // its signature is right
			h := headers(v)
			signedByA[string(apiv3.AppendResponseMessage(nil, h.Get(apiv3.HeaderTimestamp), h.Get(apiv3.HeaderNonce), []byte(v.Body)))] = true
		}
	}
	f.Fuzz(func(t *testing.T, timestamp, nonce, value, kind string, body []byte) {
		s, err := apiv3.ReadSignature(http.Header{
			apiv3.HeaderTimestamp: {timestamp}, apiv3.HeaderNonce: {nonce}, apiv3.HeaderSignature: {value},
			apiv3.HeaderSerial: {"x"}, apiv3.HeaderSignatureType: {kind},
		})
		if err != nil {
			return
		}
		windowErr := s.CheckWindow(now)
		if s.Verify(apiv3.RSA(), key, body) != nil || windowErr != nil {
			return
		}
		if message := apiv3.AppendResponseMessage(nil, timestamp, nonce, body); !signedByA[string(message)] {
			t.Fatalf("accepted what nobody signed: %q, %q, %q", timestamp, nonce, body)
		}
	})
}
