//go:build go1.25

package webhook_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// untouched is a body that must not be read.
type untouched struct{ reads int }

func (b *untouched) Read([]byte) (int, error) { b.reads++; return 0, io.ErrUnexpectedEOF }
func (b *untouched) Close() error             { return nil }

func TestNewRefusesAtOnce(t *testing.T) {
	empty, err := apiv3.NewKeySet()
	require.NoError(t, err)
	own := keySet(t, apiv3.PlatformKey{Serial: publicKeyID, Key: &merchantKey().PublicKey})
	weak := platformKey().PublicKey
	weak.E = 1
	forgeable := keySet(t, apiv3.PlatformKey{Serial: publicKeyID, Key: &weak})
	ownSerial := keySet(t, apiv3.PlatformKey{Serial: serial, Key: &platformKey().PublicKey, NotAfter: time.Now().Add(time.Hour)})
	for _, test := range []struct {
		name   string
		change func(m *webhook.Merchant)
		option webhook.Option
		want   string
	}{
		{"no APIv3 key", func(m *webhook.Merchant) { m.APIv3Key = "" }, nil, "APIv3Key is missing"},
		{"31 bytes", func(m *webhook.Merchant) { m.APIv3Key = apiv3Key[1:] }, nil, "31 bytes instead of 32"},
		{"33 bytes", func(m *webhook.Merchant) { m.APIv3Key += "x" }, nil, "33 bytes instead of 32"},
		{"no keys", func(m *webhook.Merchant) { m.Keys = nil }, nil, "Keys is missing"},
		{"nil set", func(m *webhook.Merchant) { m.Keys = webhook.Static(nil) }, nil, "no platform key"},
		{"empty set", func(m *webhook.Merchant) { m.Keys = webhook.Static(empty) }, nil, "no platform key"},
		{"own public key", func(m *webhook.Merchant) {
			m.Keys, m.PrivateKey = webhook.Static(own), merchantKey()
		}, nil, "the merchant's own key"},
		{"own serial", func(m *webhook.Merchant) {
			m.Keys, m.Serial = webhook.Static(ownSerial), serial
		}, nil, "the merchant's own key"},
		{"serial of another form", func(m *webhook.Merchant) { m.Serial = publicKeyID }, nil, "40 upper-case hex digits"},
		{"serial with a line break", func(m *webhook.Merchant) { m.Serial = serial + "\n" }, nil, `Merchant.Serial is "` + serial + `\n"`},
		{"number with a blank", func(m *webhook.Merchant) { m.ID = mchID + " " }, nil, `Merchant.ID is "1900000109 "`},
		{"number with a zero-width space", func(m *webhook.Merchant) { m.ID = mchID + "\u200b" }, nil, `Merchant.ID is "1900000109\u200b"`},
		{"an appid for a number", func(m *webhook.Merchant) { m.ID = "wx8888888888888888" }, nil, "not made of digits"},
		{"APIv3 key with a line break", func(m *webhook.Merchant) { m.APIv3Key += "\n" }, nil, "33 bytes instead of 32, and its character 33 is a line break"},
		{"APIv3 key with a line break in place of its end",
			func(m *webhook.Merchant) { m.APIv3Key = m.APIv3Key[:31] + "\n" }, nil, "character 32 is a line break"},
		{"a key that anybody can sign with", func(m *webhook.Merchant) { m.Keys = webhook.Static(forgeable) }, nil,
			"Merchant.Keys, " + publicKeyID + ": unusable key: its modulus is even or its exponent is 1"},
		{"key of another scheme", func(m *webhook.Merchant) { m.PrivateKey = notRSA{} }, nil, "needs RSA"},
		{"nil option", nil, nilOption, "an option is nil"},
		{"nil deduper", nil, webhook.WithDeduper(nil), "WithDeduper"},
		{"nil signer", nil, webhook.WithResponseSigner(nil), "WithResponseSigner"},
		{"nil clock", nil, webhook.WithClock(nil), "WithClock"},
		{"no body at all", nil, webhook.WithMaxBody(0), "WithMaxBody"},
		{"no budget", nil, webhook.WithBudget(0), "WithBudget"},
		{"budget beyond the platform's", nil, webhook.WithBudget(5*time.Second + 1), "WithBudget"},
		{"no timeout", nil, webhook.WithTimeout(0), "WithTimeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := merchant(t)
			if test.change != nil {
				test.change(&m)
			}
			var options []webhook.Option
			if test.option != nil {
				options = []webhook.Option{test.option}
			} else if test.change == nil {
				options = []webhook.Option{nil}
			}
			h, err := webhook.New(m, options...)
			require.ErrorContains(t, err, test.want)
			assert.Nil(t, h)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), m.APIv3Key+"x")
			assert.NotContains(t, err.Error(), apiv3Key)
		})
	}

	_, err = webhook.New(webhook.Merchant{}, webhook.WithMaxBody(-1))
	for _, want := range []string{"APIv3Key", "Keys", "WithMaxBody"} {
		require.ErrorContains(t, err, want, "all problems are told at once")
	}
	_, err = webhook.NewMulti(nil)
	require.ErrorContains(t, err, "is nil")
}

var nilOption webhook.Option

type notRSA struct{}

func (notRSA) Public() crypto.PublicKey { return "a text" }
func (notRSA) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("cannot")
}

func TestMerchantPrintsRedacted(t *testing.T) {
	m := merchant(t)
	m.PrivateKey, m.Serial = merchantKey(), serial
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(verb, m)
		assert.Contains(t, text, mchID)
		assert.NotContains(t, text, apiv3Key)
		assert.NotContains(t, text, merchantKey().D.String()[:20])
	}
	assert.NotContains(t, m.LogValue().String(), apiv3Key)
}

func TestMethods(t *testing.T) {
	var seen observed
	h := newHandler(t, seen.option())
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		n := payment()
		r := n.request()
		r.Method = method
		w := newRecorder()
		h.ServeHTTP(w, r)
		assertFail(t, http.StatusMethodNotAllowed, w)
		assert.Equal(t, "POST", w.Header().Get("Allow"))
		assert.Equal(t, "method", seen.one(t).Failure)
	}
}

// A gigabyte is refused by its announced length, or after the limit, and never held.
func TestHugeBody(t *testing.T) {
	h := newHandler(t)
	header, _ := payment().build()

	body := new(untouched)
	r := httptest.NewRequest(http.MethodPost, "/notify", body)
	r.Header, r.ContentLength = header, 1<<30
	w := newRecorder()
	h.ServeHTTP(w, r)
	assertFail(t, http.StatusRequestEntityTooLarge, w)
	assert.Zero(t, body.reads)

	endless := &zeros{}
	r = httptest.NewRequest(http.MethodPost, "/notify", endless)
	r.Header, r.ContentLength = header, -1
	w = newRecorder()
	h.ServeHTTP(w, r)
	assertFail(t, http.StatusRequestEntityTooLarge, w)
	assert.LessOrEqual(t, endless.read, int64(1<<20+1))

	// The boundary, for both entries.
	n := payment()
	n.alterBody = func(s string) string { return s + strings.Repeat(" ", 4096-len(s)) }
	for limit, status := range map[int64]int{4096: 204, 4095: 413} {
		h := accepting(newHandler(t, webhook.WithMaxBody(limit)))
		assert.Equal(t, status, n.send(h).Code, limit)
		header, body := n.build()
		_, err := h.Parse(t.Context(), header, body)
		assert.Equal(t, status == 413, errors.Is(err, webhook.ErrTooLarge), limit)
		r := n.request()
		r.ContentLength = -1
		w := newRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, status, w.Code, "chunked, %d", limit)
	}
}

type zeros struct{ read int64 }

func (z *zeros) Read(p []byte) (int, error) { z.read += int64(len(p)); return len(p), nil }

// What other middleware does to bodies is told as what it is.
func TestBodyConsumed(t *testing.T) {
	for _, test := range []struct {
		name       string
		middleware func(r *http.Request)
		failure    string
	}{
		{"read to the end", func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, "body consumed"},
		{"read in part", func(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 10) }, "body consumed"},
		{"read and closed", func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); r.Body.Close(); r.Body = closed{} }, "body consumed"},
		{"taken away", func(r *http.Request) { r.Body = http.NoBody }, "body consumed"},
		{"nil", func(r *http.Request) { r.Body = nil }, "body consumed"},
		{"serialised again", func(r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(`","`), []byte(`", "`))))
		}, "body consumed"},
		{"consumed, length unknown", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, -1 }, "body consumed"},
		{"restored", func(r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var seen observed
			h := accepting(newHandler(t, seen.option()))
			r := payment().request()
			test.middleware(r)
			w := newRecorder()
			h.ServeHTTP(w, r)
			o := seen.one(t)
			assert.Equal(t, test.failure, o.Failure)
			if test.failure != "" {
				assertFail(t, 500, w)
				require.ErrorIs(t, o.Err, webhook.ErrBodyConsumed)
				assert.ErrorContains(t, o.Err, "outside of middleware")
			}
		})
	}
}

type closed struct{}

func (closed) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }
func (closed) Close() error             { return nil }

// The handler on a real socket.
func TestOverTheNetwork(t *testing.T) {
	got := make(chan string, 1)
	h := newHandler(t)
	h.On("TRANSACTION.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		got <- e.Get("trade_state").String()
		return nil
	})
	server := httptest.NewServer(h)
	defer server.Close()
	header, body := payment().build()
	r, err := http.NewRequest(http.MethodPost, server.URL+"/notify", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header = header
	res, err := server.Client().Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusNoContent, res.StatusCode)
	assert.Equal(t, "SUCCESS", <-got)
}

// A sender that trickles its body is cut off when the budget ends, whatever the server's own limits are. So is one whose
// headers were refused and who goes on sending.
func TestSlowBody(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(n *notification)
		status int
	}{
		{"of a notification", func(*notification) {}, http.StatusRequestTimeout},
		{"of junk", func(n *notification) { n.at = n.at.Add(-time.Hour) }, http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(newHandler(t, webhook.WithBudget(50*time.Millisecond)))
			defer server.Close()
			n := payment()
			test.change(&n)
			header, body := n.build()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			var head bytes.Buffer
			fmt.Fprintf(&head, "POST /notify HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n", len(body))
			require.NoError(t, header.Write(&head))
			head.WriteString("\r\n")
			_, err = conn.Write(append(head.Bytes(), body[:10]...))
			require.NoError(t, err)
			// Nothing more is sent: the response comes, and the server closes the connection.
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.Contains(t, string(answer), fmt.Sprintf("HTTP/1.1 %d ", test.status))
			assert.Contains(t, string(answer), `{"code":"FAIL"`)
		})
	}
}

// deadlines is a ResponseWriter that notes the read deadlines it is given.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// The read deadline must not end the connection while a function works. Where the body is not wanted it stays, for the
// server goes on reading what is left.
func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := accepting(newHandler(t))
		begin := time.Now()
		w := &deadlines{ResponseRecorder: newRecorder()}
		h.ServeHTTP(w, payment().request())
		assert.Equal(t, 204, w.Code)
		assert.Equal(t, []time.Time{begin.Add(4500 * time.Millisecond), {}}, w.set)

		junk := payment()
		junk.serial = "PUB_KEY_ID_0"
		w = &deadlines{ResponseRecorder: newRecorder()}
		h.ServeHTTP(w, junk.request())
		assert.Equal(t, 401, w.Code)
		assert.Equal(t, []time.Time{begin.Add(4500 * time.Millisecond)}, w.set)
	})
}

func TestSeveralMerchants(t *testing.T) {
	second := webhook.Merchant{
		ID: "1900000110", APIv3Key: strings.Repeat("2", 32),
		Keys: webhook.Static(keySet(t, apiv3.PlatformKey{Serial: "PUB_KEY_ID_2", Key: &strangerKey().PublicKey})),
	}
	firstOne := merchant(t)
	broken := errors.New("the table of merchants is locked")
	var seen observed
	h, err := webhook.NewMulti(func(_ context.Context, d *webhook.Delivery) (*webhook.Merchant, error) {
		if d.Request != nil && d.Request.URL.Path != "/notify" {
			switch d.Request.URL.Path {
			case "/broken":
				return nil, broken
			case "/nil":
				return nil, nil
			case "/nokeys":
				return &webhook.Merchant{APIv3Key: apiv3Key}, nil
			}
		}
		switch d.Serial() {
		case publicKeyID:
			return &firstOne, nil
		case "PUB_KEY_ID_2":
			return &second, nil
		}
		return nil, webhook.ErrUnknownMerchant
	}, seen.option())
	require.NoError(t, err)
	var got []string
	h.OnDefault(func(_ context.Context, e *webhook.Event) error {
		got = append(got, e.Merchant)
		return nil
	})

	ofSecond := payment()
	ofSecond.key, ofSecond.serial, ofSecond.apiv3Key = strangerKey(), "PUB_KEY_ID_2", second.APIv3Key
	assert.Equal(t, 204, payment().send(h).Code)
	assert.Equal(t, 204, ofSecond.send(h).Code)
	assert.Equal(t, []string{mchID, second.ID}, got)
	seen.take()

	// One merchant's notification under another's name: each check holds it back.
	crossed := payment()
	crossed.serial = "PUB_KEY_ID_2"
	assertFail(t, 401, crossed.send(h))
	crossed = ofSecond
	crossed.apiv3Key = apiv3Key
	assertFail(t, 500, crossed.send(h))
	seen.take()

	for path, want := range map[string]struct {
		status  int
		failure string
	}{
		"/broken": {503, "choosing the merchant"}, "/nil": {404, "unknown merchant"}, "/nokeys": {503, "choosing the merchant"},
	} {
		r := payment().request()
		r.URL.Path = path
		w := newRecorder()
		h.ServeHTTP(w, r)
		assertFail(t, want.status, w)
		assert.NotContains(t, w.Body.String(), "table")
		assert.Equal(t, want.failure, seen.one(t).Failure)
	}
	stranger := payment()
	stranger.serial = "PUB_KEY_ID_3"
	assertFail(t, 404, stranger.send(h))
	header, body := stranger.build()
	_, err = h.Parse(t.Context(), header, body)
	require.ErrorIs(t, err, webhook.ErrUnknownMerchant)
}

func TestDeliver(t *testing.T) {
	h := newHandler(t)
	runs := 0
	h.OnDefault(func(context.Context, *webhook.Event) error { runs++; return nil })
	header, body := payment().build()
	d := &webhook.Delivery{Header: header, Body: body}
	assert.Equal(t, webhook.Response{Status: 204}, h.Deliver(t.Context(), d))
	assert.Equal(t, webhook.Response{Status: 204}, h.Deliver(t.Context(), d))
	assert.Equal(t, 1, runs)
	d.Body = append(bytes.Clone(body), ' ')
	answer := h.Deliver(t.Context(), d)
	assert.Equal(t, 401, answer.Status)
	assert.JSONEq(t, `{"code":"FAIL","message":"the notification was not accepted"}`, string(answer.Body))
	assert.NotContains(t, fmt.Sprintf("%+v", answer), "accepted")
}

// A server such as fasthttp uses the buffers of a request again once Deliver has returned, also while the function still runs.
func TestDeliverKeepsNoBuffer(t *testing.T) {
	for name, take := range map[string]func(*webhook.Handler, map[string][]string, []byte) *webhook.Event{
		"Deliver": func(h *webhook.Handler, header map[string][]string, body []byte) (event *webhook.Event) {
			h.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error { event = e; return nil })
			require.Equal(t, http.StatusNoContent, h.Deliver(t.Context(), &webhook.Delivery{Header: header, Body: body}).Status)
			return event
		},
		"Parse": func(h *webhook.Handler, header map[string][]string, body []byte) *webhook.Event {
			event, err := h.Parse(t.Context(), header, body)
			require.NoError(t, err)
			return event
		},
	} {
		t.Run(name, func(t *testing.T) {
			built, body := payment().build()
			// The texts of the headers lie in a buffer too.
			var buffers [][]byte
			header := map[string][]string{}
			for key, values := range built {
				buffer := []byte(values[0])
				buffers = append(buffers, buffer, body)
				header[key] = []string{unsafe.String(unsafe.SliceData(buffer), len(buffer))}
			}
			event := take(newHandler(t), header, body)
			before := []any{string(event.Raw()), event.ID, event.Serial, event.RequestID, event.Get("out_trade_no").String()}
			for i := range before {
				if text, ok := before[i].(string); ok {
					before[i] = strings.Clone(text)
				}
			}
			for _, buffer := range buffers {
				for i := range buffer {
					buffer[i] = 'X'
				}
			}
			assert.Equal(t, before, []any{string(event.Raw()), event.ID, event.Serial, event.RequestID, event.Get("out_trade_no").String()})
		})
	}
}
