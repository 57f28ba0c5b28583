package sandbox_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

const feedPath = "/v3/brand/partner/card-member/user-feeds"

// feed is the body of the sample call.
func feed() map[string]any {
	return map[string]any{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
		"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": "100002322019090134234sfdf", "cell_message": "15_1200_1",
	}
}

// call is a request built by hand, before it is signed.
type call struct {
	method, target string
	body           []byte
	header         http.Header
	authorization  apiv3.Authorization
	signed         *apiv3.Authorization // what the signature is made over, if that differs
	target2        string               // what is signed as the target, if that differs
	body2          *[]byte              // what is signed as the body, if that differs
}

// newCall prepares a good call; a body that is not nil is marshalled, unless it is text.
func newCall(s *sandbox.Sandbox, now time.Time, method, target string, body any) *call {
	c := &call{method: method, target: target, header: http.Header{
		"Accept": {"application/json"}, "User-Agent": {"sandbox-test"}, "Wechatpay-Serial": {s.Keys.PublicKeyID()},
	}}
	switch body := body.(type) {
	case nil:
	case string:
		c.body = []byte(body)
	default:
		var err error
		if c.body, err = json.Marshal(body); err != nil {
			panic(err)
		}
	}
	if c.body != nil {
		c.header.Set("Content-Type", "application/json")
	}
	m := s.Merchant()
	c.authorization = apiv3.Authorization{
		Scheme: apiv3.RSA().Name(), Identity: "mchid", ID: m.ID, Nonce: rand.Text(), Serial: m.Serial,
		Timestamp: strconv.FormatInt(now.Unix(), 10),
	}
	return c
}

// sign puts the Authorization header.
func (c *call) sign(s *sandbox.Sandbox) *call {
	target, body := c.target, c.body
	if c.target2 != "" {
		target = c.target2
	}
	if c.body2 != nil {
		body = *c.body2
	}
	a := c.authorization
	over := a
	if c.signed != nil {
		over = *c.signed
	}
	signature, err := apiv3.RSA().Sign(s.Merchant().PrivateKey, apiv3.AppendRequestMessage(nil, c.method, target, over.Timestamp, over.Nonce, body))
	if err != nil {
		panic(err)
	}
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	c.header.Set("Authorization", string(a.AppendTo(nil)))
	return c
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoErrorf(t, json.Unmarshal(a.body, &m), "%s", a.body)
	return m
}

// send sends the call through a round tripper, to the base URL.
func (c *call) send(t testing.TB, transport http.RoundTripper, base string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), c.method, base+c.target, bytes.NewReader(c.body))
	require.NoError(t, err)
	if c.body == nil {
		request.Body, request.ContentLength = nil, 0
	}
	request.Header = c.header
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response, body}
}

// inProcess is the base URL where the host does not matter.
const inProcess = "https://api.mch.weixin.qq.com"

// ask signs and sends a good call in process.
func ask(t testing.TB, s *sandbox.Sandbox, method, target string, body any) answer {
	t.Helper()
	return newCall(s, time.Now(), method, target, body).sign(s).send(t, s.Transport(), inProcess)
}

// verify checks a response's signature with the key that it names.
func verify(t testing.TB, s *sandbox.Sandbox, now time.Time, a answer) {
	t.Helper()
	signature, err := apiv3.ReadSignature(a.Header)
	require.NoError(t, err)
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.Keys.PublicKeyID(), Key: s.Keys.PublicKey()})
	require.NoError(t, err)
	for _, c := range s.Keys.Certificates() {
		keys, err = keys.With(apiv3.CertificateKey(c))
		require.NoError(t, err)
	}
	key, err := keys.Find(signature.Serial, now)
	require.NoError(t, err)
	require.NoError(t, signature.CheckWindow(now))
	require.Equal(t, "WECHATPAY2-SHA256-RSA2048", signature.Type)
	require.NoError(t, signature.Verify(apiv3.RSA(), key.Key, a.body))
}

func unsigned(t testing.TB, a answer) {
	t.Helper()
	for name := range a.Header {
		require.Falsef(t, strings.HasPrefix(name, "Wechatpay-"), "%s on an answer that must not be signed", name)
	}
}

func newSandbox(t testing.TB, options ...sandbox.Option) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.New(options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		comesBack(t, s)
		hasFacts(t, s)
		resourcesHaveFacts(t, s)
	})
	return s
}

// unpaced makes a sandbox for a test that sends faster than the platform allows.
func unpaced(t testing.TB, options ...sandbox.Option) *sandbox.Sandbox {
	t.Helper()
	s := newSandbox(t, options...)
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	return s
}

// comesBack closes a sandbox and demands that everything in it comes back from a snapshot as it was. So every test of a flow
// tests the records of that flow.
func comesBack(t testing.TB, s *sandbox.Sandbox) {
	t.Helper()
	require.NoError(t, s.Close())
	if err := s.Clock.Freeze(); err != nil {
		return // the test has broken the store
	}
	before, err := s.Snapshot()
	require.NoError(t, err)
	require.NoError(t, s.Restore(before))
	after, err := s.Snapshot()
	require.NoError(t, err)
	tables := func(snapshot []byte) (read struct{ Tables json.RawMessage }) {
		require.NoError(t, json.Unmarshal(snapshot, &read))
		return read
	}
	if was, is := tables(before).Tables, tables(after).Tables; !bytes.Equal(was, is) {
		require.JSONEq(t, string(was), string(is))
	}
}
