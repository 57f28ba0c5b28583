package sandbox_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// wire is one good request as bytes, and what makes it up.
type wire struct {
	server        *sandbox.Server
	raw           []byte
	call          *call
	authorization apiv3.Authorization
}

// newWire makes the request of an order, with a query and a body; the sandbox's clock stands still so that it stays good.
func newWire(t testing.TB) *wire {
	now := time.Now()
	server := sandbox.Start(t, fixed(now))
	order := native(server.Sandbox)
	order["out_trade_no"], order["attach"] = "FLIPPED-0001", "<会员>&"
	c := newCall(server.Sandbox, now, "POST", "/v3/pay/transactions/native", order).sign(server.Sandbox)
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "POST %s HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\n", c.target)
	for _, name := range []string{"Accept", "User-Agent", "Content-Type", "Wechatpay-Serial", "Authorization"} {
		fmt.Fprintf(&raw, "%s: %s\r\n", name, c.header.Get(name))
	}
	fmt.Fprintf(&raw, "Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
	a, err := apiv3.ParseAuthorization(c.header.Get("Authorization"))
	require.NoError(t, err)
	return &wire{server, raw.Bytes(), c, a}
}

// send writes bytes on a connection of their own and returns the status of the first response; 0 when there is none.
func (w *wire) send(t testing.TB, raw []byte) int {
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	require.NoError(t, err)
	defer connection.Close()
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	if _, err := connection.Write(raw); err != nil {
		return 0
	}
	connection.(*net.TCPConn).CloseWrite() // no more of the body is to come
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// check sends changed bytes. Accepted may only be what says the same: the same method, target and body, the same five values
// in Authorization. Free are the host, the agent, the order of languages, the case of header names and media types, white
// space around values, headers that nobody reads, and the platform key of a request without an encrypted field.
func (w *wire) check(t testing.TB, raw []byte, what string) (accepted bool) {
	w.server.Journal.Reset()
	status := w.send(t, raw)
	entries := w.server.Journal.All()
	if status < 200 || status >= 300 {
		for _, entry := range entries {
			assert.False(t, entry.Verified && entry.Status < 300, "%s: answered %d and carried out", what, status)
		}
		return false
	}
	if len(entries) == 0 {
		return false // the end of the request is that of net/http, such as OPTIONS *
	}
	entry := entries[0]
	assert.True(t, entry.Verified, what)
	assert.Equal(t, w.call.method, entry.Method, what)
	assert.Equal(t, w.call.target, entry.Target, what)
	assert.Equal(t, string(w.call.body), string(entry.Body), what)
	a, err := apiv3.ParseAuthorization(entry.Header.Get("Authorization"))
	assert.NoError(t, err, what)
	assert.Equal(t, w.authorization, a, what)
	return true
}

// TestEveryByteFlipped changes one bit in every byte of a good request, in turn; WXPAY_TEST_LONG changes each of its bits.
func TestEveryByteFlipped(t *testing.T) {
	w := newWire(t)
	require.True(t, w.check(t, w.raw, "the request itself"))
	masks := []byte{0x01}
	if os.Getenv("WXPAY_TEST_LONG") != "" {
		masks = []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF}
	}
	accepted := make(map[string]int)
	for _, mask := range masks {
		for at := range w.raw {
			changed := bytes.Clone(w.raw)
			changed[at] ^= mask
			if w.check(t, changed, fmt.Sprintf("byte %d, %q for %q", at, changed[at], w.raw[at])) {
				line := bytes.Count(w.raw[:at], []byte("\n"))
				accepted[string(bytes.SplitN(bytes.Split(w.raw, []byte("\n"))[line], []byte(":"), 2)[0])]++
			}
		}
	}
	t.Logf("%d bytes in %d ways; accepted as equal, by line: %v", len(w.raw), len(masks), accepted)
	for line := range accepted {
		assert.Contains(t, []string{"POST " + w.call.target + " HTTP/1.1\r", "Host", "Accept", "User-Agent", "Content-Type",
			"Wechatpay-Serial", "Authorization", "Content-Length"}, line, "the body has no equal")
	}
	assert.Len(t, w.server.Ledger.Effects(), 1, "the order was placed once")
	require.True(t, w.check(t, w.raw, "the request itself stayed good"))
}

// FuzzOneByte puts any byte in any place of a good request.
func FuzzOneByte(f *testing.F) {
	for _, at := range []uint16{0, 5, 40, 60, 200, 400, 700, 900} {
		f.Add(at, byte(' '))
		f.Add(at, byte('"'))
		f.Add(at, byte('\n'))
	}
	w := newWire(f)
	f.Fuzz(func(t *testing.T, at uint16, value byte) {
		changed := bytes.Clone(w.raw)
		changed[int(at)%len(changed)] = value
		w.check(t, changed, "byte "+strconv.Itoa(int(at)%len(changed)))
	})
}
