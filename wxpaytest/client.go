package wxpaytest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/transport"
)

// Client returns a client whose requests platform answers, in this process.
//
// platform is usually [Answers]. Any other http.Handler works too, for example one that reads the
// request body, or an http.ServeMux. The double signs what the platform signs: every response but a
// 401 and an empty 404 or 405. It leaves a response alone that has a Wechatpay-Signature already. A
// handler that panics with http.ErrAbortHandler loses its response, as [Lost] does.
//
// The client is merchant [MchID]. It retries as every client does; wxpay.WithAttempts(1) turns that
// off. An error of an option ends the test.
func Client(t testing.TB, platform http.Handler, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	keys := keysOf(t)
	d := &double{t: t, handler: platform}
	if answers, ok := platform.(Answers); ok {
		d.table = answers.mux(t)
		d.patterns = strings.Join(slices.Sorted(maps.Keys(answers)), ", ")
	}
	client, err := wxpay.New(
		wxpay.Merchant{ID: MchID, Serial: merchantSerial, PrivateKey: keys.merchant, APIv3Key: apiv3Key},
		append([]wxpay.Option{wxpay.WithPublicKey(publicKeyID, keys.platform.Public()), wxpay.WithTransport(d)}, options...)...)
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	return client
}

// Answers are the answers of a [Client] by method and path, in the form of http.ServeMux:
//
//	wxpaytest.Answers{
//		"POST /v3/pay/transactions/native": wxpaytest.Answer(200, `{"code_url":"weixin://wxpay/1"}`),
//		"GET /v3/pay/transactions/out-trade-no/{out_trade_no}": wxpaytest.Answer(404, `{"code":"ORDER_NOT_EXIST"}`),
//	}
//
// A request that no pattern matches fails the test and gets an empty 404.
type Answers map[string]http.Handler

// ServeHTTP answers a request outside of a [Client]; one that no pattern matches gets 404.
func (a Answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	for pattern, handler := range a {
		mux.Handle(pattern, handler)
	}
	mux.ServeHTTP(w, r)
}

func (a Answers) mux(t testing.TB) *http.ServeMux {
	t.Helper()
	mux := http.NewServeMux()
	for _, pattern := range slices.Sorted(maps.Keys(a)) {
		func() {
			defer func() {
				if problem := recover(); problem != nil {
					t.Fatalf("wxpaytest: the answer for %q: %v", pattern, problem)
				}
			}()
			mux.Handle(pattern, a[pattern])
		}()
	}
	return mux
}

// Answer always answers with status and body. A string, []byte or json.RawMessage is the body
// itself, nil is none, and any other value is marshalled to JSON. It panics if that fails.
func Answer(status int, body any) http.Handler {
	text := bodyOf(body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(text) > 0 {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
		w.WriteHeader(status)
		_, _ = w.Write(text)
	})
}

func bodyOf(body any) []byte {
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(body)
	case []byte:
		return bytes.Clone(body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("wxpaytest: the body cannot be marshalled: %v", err))
	}
	return text
}

// Lost takes the request and loses the response: the outcome of the call is unknown.
func Lost() http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// Encrypt encrypts a value of a response or of a notification that the platform encrypts for the
// merchant, such as payer_phone of a complaint.
func Encrypt(t testing.TB, text string) string {
	t.Helper()
	ciphertext, err := apiv3.RSA().Encrypt(keysOf(t).merchant.Public(), []byte(text))
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	return base64.StdEncoding.EncodeToString(ciphertext)
}

// double is the last hop of a [Client].
type double struct {
	t       testing.TB
	handler http.Handler

	table    *http.ServeMux // of Answers, in place of handler; nil for another handler
	patterns string         // in table
}

// RoundTrip calls the handler and signs its response.
func (d *double) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	arrived := req.Clone(req.Context())
	arrived.RequestURI, arrived.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:0"
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	if !serve(d.answer(arrived), w, arrived) {
		return nil, &transport.SentError{Host: req.URL.Host, Err: io.ErrUnexpectedEOF}
	}
	if req.Context().Err() != nil {
		return nil, context.Cause(req.Context())
	}
	res := w.Result()
	res.Request, res.ContentLength = req, int64(w.Body.Len())
	if signs(res) {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		if a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization")); err == nil {
			at = a.Timestamp // the client's clock may be another
		}
		sign(d.t, res.Header, at, w.Body.Bytes())
	}
	return res, nil
}

// answer returns the handler of a request. A request that the table does not know fails the test.
func (d *double) answer(r *http.Request) http.Handler {
	if d.table == nil {
		return d.handler
	}
	if _, pattern := d.table.Handler(r); pattern != "" {
		return d.table
	}
	d.t.Errorf("wxpaytest: no answer for %s %s; there are answers for: %s", r.Method, r.URL.EscapedPath(), d.patterns)
	return Answer(http.StatusNotFound, nil)
}

// serve reports whether the handler has answered.
func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if problem := recover(); problem == http.ErrAbortHandler {
			answered = false
		} else if problem != nil {
			panic(problem)
		}
	}()
	handler.ServeHTTP(w, r)
	return true
}

// signs reports whether the platform signs such a response.
func signs(res *http.Response) bool {
	switch {
	case res.Header.Get(apiv3.HeaderSignature) != "", res.StatusCode == http.StatusUnauthorized:
		return false
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusMethodNotAllowed:
		return res.ContentLength > 0
	}
	return true
}
