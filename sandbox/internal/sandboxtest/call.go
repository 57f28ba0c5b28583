package sandboxtest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
)

// Host is the host that every request of a bench is for.
const Host = "https://api.mch.weixin.qq.com"

// Response is a response, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Call sends a request that the merchant signed, and returns the response. A body is marshalled;
// nil is none.
func (b *Bench) Call(method, target string, body any) Response {
	b.t.Helper()
	var content []byte
	if body != nil {
		var err error
		content, err = json.Marshal(body)
		require.NoError(b.t, err)
	}
	return b.send(method, target, "application/json", content, content)
}

// Upload sends a file with its meta, of which the merchant signed the meta. part names the part of
// the file.
func (b *Bench) Upload(path string, meta any, part, name string, file []byte) Response {
	b.t.Helper()
	const boundary = "TestOnlyBoundary7MA4YWxkTrZu0gW"
	signed, err := json.Marshal(meta)
	require.NoError(b.t, err)
	var body bytes.Buffer
	fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=\"meta\"\r\n", boundary)
	fmt.Fprintf(&body, "Content-Type: application/json\r\n\r\n%s\r\n", signed)
	fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=%q; filename=\"%s\"\r\n", boundary, part, name)
	fmt.Fprintf(&body, "Content-Type: image/png\r\n\r\n%s\r\n--%s--\r\n", file, boundary)
	return b.send(http.MethodPost, path, "multipart/form-data; boundary="+boundary, body.Bytes(), signed)
}

// send sends a body, with the signature of another text where that is what a signature covers.
func (b *Bench) send(method, target, content string, body, signed []byte) Response {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, Host+target, bytes.NewReader(body))
	require.NoError(b.t, err)
	request.Header = http.Header{
		"Accept": {"application/json"}, "User-Agent": {"sandbox-test"}, apiv3.HeaderSerial: {b.Keys.Platform().PublicKeyID},
	}
	if body == nil {
		request.Body, request.ContentLength = nil, 0
	} else {
		request.Header.Set("Content-Type", content)
	}
	m := b.Keys.Merchant()
	a := apiv3.Authorization{
		Scheme: b.Scheme.Name(), Identity: b.Scheme.Identity(), ID: m.ID, Nonce: rand.Text(), Serial: m.Serial,
		Timestamp: strconv.FormatInt(b.Clock.Wire().Unix(), 10),
	}
	message := apiv3.AppendRequestMessage(nil, method, target, a.Timestamp, a.Nonce, signed)
	signature, err := b.Scheme.Sign(m.PrivateKey, message)
	require.NoError(b.t, err)
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	request.Header.Set("Authorization", string(a.AppendTo(nil)))
	response, err := inprocess.Transport{Handler: b.Merchant, Clock: b.Clock.Wire}.RoundTrip(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return Response{Status: response.StatusCode, Header: response.Header, Body: read}
}

// Do sends a request that a flow must carry out, and returns the object of the response; nil if
// that is empty.
func (b *Bench) Do(method, target string, body any) map[string]any {
	b.t.Helper()
	r := b.Call(method, target, body)
	require.Truef(b.t, r.Status == 200 || r.Status == 204, "%s %s: %d %s", method, target, r.Status, r.Body)
	require.Equal(b.t, "stateful", r.Header.Get(gate.Header), "no flow serves %s %s", method, target)
	if len(r.Body) == 0 {
		return nil
	}
	return b.Object(r)
}

// Object is the object in the body of a response.
func (b *Bench) Object(r Response) (object map[string]any) {
	b.t.Helper()
	require.NoErrorf(b.t, json.Unmarshal(r.Body, &object), "%s", r.Body)
	return object
}

// Rejected sends a request that must be rejected, and returns status and code, as in "404
// NOT_FOUND".
func (b *Bench) Rejected(method, target string, body any) string {
	b.t.Helper()
	r := b.Call(method, target, body)
	require.GreaterOrEqual(b.t, r.Status, 400, "%s %s: %s", method, target, r.Body)
	return fmt.Sprint(r.Status, " ", b.Object(r)["code"])
}

// Follow downloads from the address in a response.
func (b *Bench) Follow(link any) Response {
	b.t.Helper()
	text, _ := link.(string)
	target, ok := strings.CutPrefix(text, Host)
	require.True(b.t, ok, "%v is no address on the host that was asked", link)
	return b.Call(http.MethodGet, target, nil)
}

// Reason is the reason in the journal for the response to the last request.
func (b *Bench) Reason() string {
	b.t.Helper()
	entries, _ := b.Journal.All()
	require.NotEmpty(b.t, entries)
	return entries[len(entries)-1].Reason
}
