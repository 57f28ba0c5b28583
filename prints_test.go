package wxpay_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"html/template"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	text "text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/webhook"
)

// This file holds one rule: whatever is printed, with whatever verb or encoding, shows no key, no body, no signature and no
// identity. It finds the types by itself; a new one that may hold a secret fails the test until somebody says how it prints.

// Everything secret has this in it, so that it is found wherever it turns up.
const gold = "SECRET"

const (
	goldKey       = "SECRETapiv3keySECRETapiv3key0123" // 32 bytes
	goldOpenID    = "oSECRETopenid"
	goldBody      = `{"openid":"oSECRETopenid"}`
	goldSignature = "SECRETsignature=="
)

// specimen is how one type is checked: by values with secrets in them.
type specimen struct {
	forms []form
	wire  bool // the type is made to be marshalled: encodings show all of it on purpose, and a log none
	plain string
}

// form is one value of the type in one surrounding.
type form struct {
	name  string
	value any
	keys  bool // lies in an unexported field, where no method is called: keys alone are hidden there
}

// of makes the specimen of a type whose values may be copied.
func of[T any](v T) specimen {
	s := pointed(&v)
	s.forms = append(s.forms, form{"value", v, false}, form{"in a field", struct{ V T }{v}, false},
		form{"in a slice", []T{v}, false}, form{"in a map", map[string]T{"k": v}, false}, form{"in any", []any{v}, false})
	return s
}

// pointed makes the specimen of a type whose values must not be copied.
func pointed[T any](p *T) specimen {
	return specimen{forms: []form{
		{"pointer", p, false}, {"pointer to a pointer", &p, false}, {"pointer in a field", struct{ V *T }{p}, false},
		{"pointer in a slice", []*T{p}, false}, {"pointer in a map", map[string]*T{"k": p}, false}, {"pointer in any", []any{p}, false},
	}}
}

// sealed makes the specimen of a type that holds keys and shows none of them even where no method is called.
func sealed[T any](p *T) specimen {
	s := pointed(p)
	s.forms = append(s.forms, form{"hidden pointer", struct{ v *T }{p}, true}, form{"pointer to a hidden pointer", &struct{ v *T }{p}, true},
		form{"in a hidden any", struct{ v any }{p}, true})
	return s
}

// deep is of and sealed in one.
func deep[T any](v T) specimen {
	s := join(of(v), sealed(&v))
	s.forms = append(s.forms, form{"hidden", struct{ v T }{v}, true}, form{"hidden in a map", struct{ v map[string]T }{map[string]T{"k": v}}, true})
	return s
}

func wire[T any](v T) specimen { s := of(v); s.wire = true; return s }

// plain is a type that cannot hold a secret, although its members look like it.
func plain(why string) specimen { return specimen{plain: why} }

// samples has every type that may hold a secret, and must have it.
func samples(t *testing.T) map[string]specimen {
	keys, ctx := testKeys(), context.Background()
	merchant := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant, APIv3Key: goldKey}
	own := wxpay.APICertificate{Serial: testSerial, PrivateKey: keys.merchant}
	ring, err := wxpay.NewKeyRing(own)
	require.NoError(t, err)
	header := http.Header{"Authorization": {goldSignature}, apiv3.HeaderSignature: {goldSignature}, "Request-Id": {"08F78BB5AF06-0"}}
	add := func(res *http.Response) {
		for name, values := range header {
			res.Header[name] = values
		}
	}
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(testKeyID, keys.platform.Public()), wxpay.WithCertificates(),
		wxpay.WithTransport(answer{body: goldBody, header: http.Header{"X-Openid": {goldOpenID}}}))
	require.NoError(t, err)
	other, err := client.As(merchant)
	require.NoError(t, err)
	chain := client.Chain("v3/x/{openid}").Var("openid", goldOpenID).Query("openid", goldOpenID).Header("X-Openid", goldOpenID)
	res, err := chain.Get(ctx)
	require.NoError(t, err)
	failed := func(a answer) error {
		_, err := newClient(t, wxpay.WithTransport(a)).Chain("v3/refund/domestic/refunds").Post(ctx, goldBody)
		require.Error(t, err)
		return err
	}
	var refusal *wxpay.APIError
	require.ErrorAs(t, failed(answer{status: 400, header: http.Header{"X-Openid": {goldOpenID}},
		body: `{"code":"PARAM_ERROR","message":"参数错误","detail":{"field":"/openid","value":"` + goldOpenID + `","issue":"bad","location":"body"}}`}), &refusal)
	var unverified *wxpay.CallError
	require.ErrorAs(t, failed(answer{body: goldBody, bend: add}), &unverified)
	var evidence *wxpay.VerifyError
	require.ErrorAs(t, unverified, &evidence)
	// What others' errors say may hold anything; of these nothing but the type is shown where the type is all one knows.
	foreign := &url.Error{Op: "Get", URL: "https://host/v3/x?openid=" + goldOpenID, Err: errors.New("reset")}
	undecoded := res.Decode(new(int))
	require.Error(t, undecoded)

	future := chain.GetAsync(ctx)
	_, err = future.Wait(ctx)
	require.NoError(t, err)
	call := &middleware.Call{Method: "GET", Template: "/v3/x"}
	var seen *http.Request
	recorded, err := wxpay.New(merchant, wxpay.WithPublicKey(testKeyID, keys.platform.Public()),
		wxpay.WithTransport(answer{body: goldBody, bend: add, trip: func(req *http.Request) { seen, call = req, middleware.CallFrom(req.Context()) }}))
	require.NoError(t, err)
	_, err = recorded.Chain("v3/x").Post(ctx, goldBody)
	require.Error(t, err)
	require.NotEmpty(t, seen.Header.Get("Authorization"))
	authorization, err := apiv3.ParseAuthorization(seen.Header.Get("Authorization"))
	require.NoError(t, err)
	authorization.Signature = goldSignature

	bill, row := goldBill(t)

	platform, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: testKeyID, Key: keys.platform.Public()})
	require.NoError(t, err)
	receiver := webhook.Merchant{ID: testMerchant, APIv3Key: goldKey, Keys: webhook.Static(platform), PrivateKey: keys.merchant,
		Serial: testSerial, Decrypter: keys.merchant}
	handler, err := webhook.New(receiver)
	require.NoError(t, err)
	delivery := notification(t, goldKey, goldBody)
	event, err := handler.Parse(ctx, delivery.Header, delivery.Body)
	require.NoError(t, err)

	opener, err := apiv3.NewOpener([]byte(goldKey))
	require.NoError(t, err)
	stream, err := apiv3.NewAESGCMStream([]byte(goldKey), []byte("nonce"), nil)
	require.NoError(t, err)
	_, _ = stream.Write([]byte(goldBody))

	box := sandbox.Start(t)
	brand, err := box.Brand()
	require.NoError(t, err)
	brand.Key = goldKey
	boxed := box.Merchant()
	boxed.APIv3Key, boxed.PrivateKey = goldKey, keys.merchant

	sign := &middleware.Signer{Scheme: apiv3.RSA(), ID: testMerchant, Identity: middleware.Certificate{Serial: testSerial, Key: keys.merchant}}
	attempt := middleware.Attempt{Host: "host", Status: 200, Err: foreign}
	trail := wxpay.Trail{History: []wxpay.Attempt{attempt}, Number: gold}
	clientTLS := &tls.Config{Certificates: []tls.Certificate{{PrivateKey: keys.merchant}}}
	facts := plain("facts of the documentation")

	all := map[string]specimen{
		"Merchant":             of(merchant),
		"Config":               of(wxpay.Config{MchID: testMerchant, PrivateKey: gold, APIv3Key: goldKey, Certificate: gold, PublicKey: gold}),
		"APICertificate":       of(own),
		"KeyRing":              sealed(ring),
		"Client":               join(sealed(client), sealed(other)),
		"Invoke":               deep(client.Invoke()),
		"Chain":                deep(chain),
		"Future":               sealed(future),
		"Response":             deep(*res),
		"Verdict":              of(wxpay.Verdict{State: wxpay.Succeeded, Response: res, History: []wxpay.Attempt{attempt}}),
		"APIError":             deep(*refusal),
		"Detail":               of(*refusal.Detail),
		"CallError":            join(deep(*unverified), deep(*undecoded.(*wxpay.CallError))),
		"Trail":                of(trail),
		"Store":                plain("its fields are functions, and stores that print themselves"),
		"QueryError":           of(wxpay.QueryError{Err: unverified}),
		"KeysError":            of(wxpay.KeysError{Cause: refusal}),
		"FieldError":           of(wxpay.FieldError{Pointer: "/a", Err: evidence}),
		"DownloadError":        of(wxpay.DownloadError{Err: evidence}),
		"NotYetError":          of(wxpay.NotYetError{Verdict: &wxpay.Verdict{Response: res}, Err: evidence}),
		"PanicError":           of(wxpay.PanicError{Value: goldBody, Stack: []byte(goldBody)}),
		"KeyStatus":            of(wxpay.KeyStatus{Keys: platform.All(), Err: &wxpay.KeysError{Cause: evidence}, Broken: []error{evidence}}),
		"KeyCheck":             of(wxpay.KeyCheck{Serial: testKeyID, Err: unverified}),
		"DownloadResult":       of(wxpay.DownloadResult{Size: 1, Header: header, RequestID: "08F78BB5AF06-0"}),
		"Bill":                 pointed(bill),
		"Row":                  of(row),
		"File":                 of(wxpay.FileFrom("x.png", strings.NewReader(goldBody), int64(len(goldBody))).Meta("openid", goldOpenID)),
		"Secret":               of(wxpay.Secret(goldOpenID)),
		"JSAPIPayment":         wire(wxpay.JSAPIPayment{AppID: "wx", Package: "prepay_id=" + gold, PaySign: goldSignature}),
		"MiniProgramPayment":   wire(wxpay.MiniProgramPayment{Package: "prepay_id=" + gold, PaySign: goldSignature}),
		"AppPayment":           wire(wxpay.AppPayment{AppID: "wx", PrepayID: gold, Sign: goldSignature}),
		"PayScore":             wire(wxpay.PayScore{MchID: testMerchant, Package: gold, OutOrderNo: gold, Sign: goldSignature}),
		"TransferConfirmation": wire(wxpay.TransferConfirmation{AppID: "wx", Package: gold, OpenID: goldOpenID}),
		"OpenBusinessView":     wire(wxpay.OpenBusinessView{BusinessType: "x", Query: gold, ExtInfo: gold}),

		"api.GetCall": deep(api.GetCall(chain)),

		"apiv3.Opener":        deep(*opener),
		"apiv3.AESGCMStream":  deep(*stream),
		"apiv3.Authorization": of(authorization),
		"apiv3.Signature":     of(apiv3.Signature{Serial: testKeyID, Value: goldSignature}),
		"apiv3.KeySet":        plain("public keys"),

		"catalog.Catalog": facts, "fact.Conduct": facts, "fact.Link": facts, "fact.Means": facts,
		"fact.Operation": facts, "fact.Signature": facts,

		"middleware.Call":             deep(*call),
		"middleware.Body":             of(*seenBody(t)),
		"middleware.Attempt":          of(attempt),
		"middleware.Certificate":      of(middleware.Certificate{Serial: testSerial, Key: keys.merchant}),
		"middleware.Signer":           pointed(sign),
		"middleware.SignError":        of(middleware.SignError{Err: evidence}),
		"middleware.VerifyError":      of(*evidence),
		"middleware.Observation":      of(middleware.Observation{Method: "GET", Template: "/v3/x", Err: foreign}),
		"middleware.VerifyConfig":     of(middleware.VerifyConfig{Scheme: apiv3.RSA(), Keys: client}),
		"middleware.TimeLimits":       plain("texts of limits"),
		"middleware.UnsignedResponse": facts,

		"transport.Config":      of(transport.Config{TLS: clientTLS}),
		"transport.Transport":   pointed(transport.New(transport.Config{TLS: clientTLS})),
		"transport.SentError":   plain("a host, and an error of package net"),
		"transport.UnsentError": plain("an error of package net"),

		"webhook.Merchant":      of(receiver),
		"webhook.Handler":       sealed(handler),
		"webhook.Event":         deep(*event),
		"webhook.Delivery":      of(webhook.Delivery{Header: header, Body: []byte(goldBody), Target: "/", Request: seen}),
		"webhook.Response":      of(webhook.Response{Status: 200, Body: []byte(goldBody), Authorization: goldSignature}),
		"webhook.VerifyError":   of(webhook.VerifyError{Serial: testKeyID, Reason: evidence}),
		"webhook.MismatchError": of(webhook.MismatchError{Field: "appid", Want: gold, Got: gold}),
		"webhook.PanicError":    of(webhook.PanicError{Value: goldBody, Stack: []byte(goldBody)}),
		"webhook.Observation":   of(webhook.Observation{ID: "1", Err: errors.New(goldBody)}),

		"sandbox.Merchant": of(boxed),
		"sandbox.Brand":    of(brand),
		"sandbox.Sandbox":  of(*box.Sandbox),
		"sandbox.Server":   pointed(box),
		"sandbox.Clock":    pointed(box.Clock),
		"sandbox.Users":    pointed(box.Users), "sandbox.Ledger": pointed(box.Ledger), "sandbox.Keys": pointed(box.Keys),
		"sandbox.Deliveries": pointed(box.Deliveries), "sandbox.Faults": pointed(box.Faults), "sandbox.Journal": pointed(box.Journal),
		"sandbox.Entry": of(sandbox.Entry{Method: "POST", Target: "/v3/x", Header: header, Body: []byte(goldBody), ResponseHeader: header,
			ResponseBody: []byte(goldBody), PlatformMessage: goldBody, ClientMessage: goldBody}),
		"sandbox.Delivery": wire(sandbox.Delivery{ID: "1", Body: []byte(goldBody), Attempts: []sandbox.Attempt{{Header: header, Response: []byte(goldBody)}}}),
		"sandbox.Attempt":  wire(sandbox.Attempt{Header: header, ResponseHeader: header, Response: []byte(goldBody)}),
	}
	users := plain("users of the sandbox, who are nobody")
	for _, name := range []string{"Checkout", "Complaint", "Coupon", "MemberCard", "MemberFeed", "PointExchange", "Match", "Effect"} {
		all["sandbox."+name] = users
	}
	all["sandbox.Directory"] = plain("a path and open files")
	return all
}

func join(samples ...specimen) (all specimen) {
	for _, s := range samples {
		all.forms = append(all.forms, s.forms...)
	}
	return all
}

// goldBill is a bill of one row.
func goldBill(t *testing.T) (*wxpay.Bill, wxpay.Row) {
	file := "用户标识,商户订单号\n`" + goldOpenID + ",`1\n总交易单数\n`1\n"
	digest := sha1.Sum([]byte(file))
	link, _ := json.Marshal(map[string]any{"hash_type": "SHA1", "hash_value": hex.EncodeToString(digest[:]),
		"download_url": wxpay.DefaultBaseURL + "/v3/billdownload/file?token=" + gold})
	client := newClient(t, wxpay.WithTransport(middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/v3/billdownload/file" {
			return answer{body: file, unsigned: true, header: http.Header{apiv3.HeaderSignature + "-X": {gold}}}.RoundTrip(req)
		}
		return answer{body: string(link)}.RoundTrip(req)
	})))
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", "2026-01-01").Bill(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { bill.Close() })
	for row, err := range bill.Rows() {
		require.NoError(t, err)
		require.Equal(t, goldOpenID, row.Get("用户标识"))
		return bill, row
	}
	t.Fatal("the bill has no row")
	return nil, wxpay.Row{}
}

// seenBody is the body of an answer that came through the pipeline.
func seenBody(t *testing.T) *middleware.Body {
	var body *middleware.Body
	client := newClient(t, wxpay.WithTransport(answer{body: goldBody}), wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			body = res.Body.(*middleware.Body)
			return res, err
		})
	}))
	_, err := client.Chain("v3/x").Get(context.Background())
	require.NoError(t, err)
	return body
}

// notification is a delivery of a payment whose resource is encrypted under key and signed by the platform.
func notification(t *testing.T, key, resource string) *webhook.Delivery {
	return notificationOf(t, key, "TRANSACTION.SUCCESS", "transaction", resource)
}

// notificationOf is a delivery of any event.
func notificationOf(t *testing.T, key, eventType, originalType, resource string) *webhook.Delivery {
	ciphertext, err := apiv3.SealAESGCM([]byte(key), []byte("0123456789ab"), nil, []byte(resource))
	require.NoError(t, err)
	body := `{"id":"1","create_time":"2026-01-01T00:00:00+08:00","resource_type":"encrypt-resource","event_type":"` + eventType + `","resource":` +
		`{"original_type":"` + originalType + `","algorithm":"AEAD_AES_256_GCM","nonce":"0123456789ab","ciphertext":"` +
		base64.StdEncoding.EncodeToString(ciphertext) + `"}}`
	header := http.Header{}
	answer{}.sign(header, body)
	return &webhook.Delivery{Header: header, Body: []byte(body), Target: "/notify"}
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	all := samples(t)
	suspects := suspects(t)
	require.Greater(t, len(suspects), 50, "the types were not found")
	for name, suspect := range suspects {
		s, known := all[name]
		switch {
		case !known && strings.HasPrefix(name, "api."): // generated, so that one of them stands for all
			assert.True(t, suspect.prints || strings.HasPrefix(suspect.way, "client → "), "%s prints what a chain holds", name)
		case !known:
			t.Errorf("%s may hold a secret (%s): give samples a value of it that does, or say why it cannot", name, suspect.way)
		case s.plain == "" && len(s.forms) == 0:
			t.Errorf("%s has an empty sample", name)
		}
	}
	for name, s := range all {
		if _, ok := suspects[name]; !ok && s.plain != "" {
			t.Errorf("%s is said to be plain, and nothing in it looks secret: take it out of samples", name)
		}
		t.Run(name, func(t *testing.T) {
			vacuous := true
			for _, f := range s.forms {
				want := reflect.TypeOf(s.forms[0].value).Elem()
				require.Equal(t, name[strings.LastIndex(name, ".")+1:], want.Name())
				vacuous = vacuous && !holdsGold(reflect.ValueOf(f.value), 0)
				for how, text := range printed(t, f.value, s.wire) {
					for _, secret := range unprintable {
						if f.keys && secret.key || !f.keys {
							if strings.Contains(text, secret.text) {
								t.Errorf("%s: %s shows %s: %s", f.name, how, secret.name, text)
								break
							}
						}
					}
				}
			}
			if vacuous && len(s.forms) > 0 && !hidesAll[name] {
				t.Error("the specimen holds no secret, so it proves nothing")
			}
		})
	}
}

// hidesAll are the types whose secrets not even reflection finds.
var hidesAll = map[string]bool{
	"apiv3.Opener": true, "apiv3.AESGCMStream": true, "KeyRing": true, "webhook.Handler": true, "Client": true, "Invoke": true,
	"sandbox.Clock": true, "sandbox.Faults": true,
}

// unprintable are the texts that must not turn up.
var unprintable = func() (list []struct {
	name, text string
	key        bool
}) {
	add := func(name, text string, key bool) {
		list = append(list, struct {
			name, text string
			key        bool
		}{name, text, key})
	}
	encodings := func(name, secret string, key bool) {
		add(name, secret, key)
		add(name+" in hex", hex.EncodeToString([]byte(secret)), key)
		add(name+" in upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(secret))), key)
		add(name+" in spaced hex", fmt.Sprintf("% x", secret), key)
		add(name+" in numbers", strings.Trim(fmt.Sprint([]byte(secret)), "[]"), key)
		add(name+" in Go numbers", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(secret)), "[]byte{"), "}"), key)
		for skip := range 3 { // base64 of a text that it stands in at any place
			whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + secret))
			add(name+" in base64", whole[(skip*8+5)/6:len(whole)-1], key)
		}
	}
	encodings("the APIv3 key", goldKey, true)
	encodings("a secret", gold, false)
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} { // AES keeps its key in words
		var words [4]uint32
		_, _ = binary.Decode([]byte(goldKey), order, &words)
		add("the expanded APIv3 key", strings.Trim(fmt.Sprint(words), "[]"), true)
	}
	key := testKeys().merchant
	for _, n := range []*big.Int{key.D, key.Primes[0], key.Primes[1]} {
		add("the private key", n.String(), true)
		add("the private key in hex", n.Text(16), true)
		add("the private key in upper-case hex", strings.ToUpper(n.Text(16)), true)
		add("the private key in words", strings.Trim(fmt.Sprint(n.Bits()), "[]"), true)
		add("the private key in bytes", strings.Trim(fmt.Sprint(n.Bytes()), "[]"), true)
		add("the private key in base64", base64.RawStdEncoding.EncodeToString(n.Bytes()[:30]), true)
	}
	return list
}()

// printed returns v in every way that something is printed.
func printed(t *testing.T, v any, wire bool) map[string]string {
	texts := map[string]string{"Sprint": fmt.Sprint(v), "Sprintln": fmt.Sprintln(v)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%e", "%10.3s", "%o", "extra"} {
		texts[verb] = fmt.Sprintf(verb, v)
	}
	if err, ok := v.(error); ok {
		texts["Error"] = err.Error()
		texts["%w"] = fmt.Sprintf("%+v", fmt.Errorf("x: %w", err))
		texts["Join"] = fmt.Sprintf("%+v", errors.Join(err, err))
	}
	var out bytes.Buffer
	take := func(how string) {
		texts[how] = out.String()
		out.Reset()
	}
	if err := text.Must(text.New("").Parse(`{{.}} {{print .}} {{printf "%s" .}}`)).Execute(&out, v); err == nil {
		take("text/template")
	}
	if err := template.Must(template.New("").Parse(`<p title="{{.}}">{{.}}</p>`)).Execute(&out, v); err == nil {
		take("html/template")
	}
	type group struct{ V any }
	for name, handler := range map[string]slog.Handler{"slog text": slog.NewTextHandler(&out, nil), "slog JSON": slog.NewJSONHandler(&out, nil)} {
		if _, resolves := v.(slog.LogValuer); wire && !resolves && name == "slog JSON" {
			continue // JSON of what is made for JSON
		}
		logger := slog.New(handler)
		logger.Info("x", "v", v)
		logger.WithGroup("g").With("v", v).Info("x", slog.Group("h", "v", v))
		if !wire {
			logger.Info("x", "v", []any{v}, "g", group{v})
		}
		take(name)
	}
	if wire {
		return texts
	}
	for how, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "indented json": func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		"xml": xml.Marshal, "json in a map": func(v any) ([]byte, error) { return json.Marshal(map[string]any{"v": v}) },
	} {
		if data, err := marshal(v); err == nil {
			texts[how] = string(data)
		} else {
			texts[how] = err.Error()
		}
	}
	return texts
}

// holdsGold reports whether reflection finds a secret in v.
func holdsGold(v reflect.Value, depth int) bool {
	if !v.IsValid() || depth > 12 {
		return false
	}
	if v.Type() == reflect.TypeFor[*rsa.PrivateKey]() {
		return !v.IsNil()
	}
	switch v.Kind() {
	case reflect.String:
		return strings.Contains(v.String(), gold)
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && holdsGold(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if holdsGold(v.Field(i), depth+1) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return bytes.Contains(v.Bytes(), []byte(gold))
		}
		for i := range v.Len() {
			if holdsGold(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if holdsGold(i.Value(), depth+1) || holdsGold(i.Key(), depth+1) {
				return true
			}
		}
	}
	return false
}

// suspect is an exported type that may hold a secret.
type suspect struct {
	way    string // to the first one
	prints bool   // has the method Format, whatever it does; encodings see no unexported fields
}

// suspects finds every suspect in the module's public packages.
func suspects(t *testing.T) map[string]suspect {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{.GoFiles}}", "./...").Output()
	require.NoError(t, err)
	files := map[string]string{}
	var public []string
	for line := range strings.Lines(string(out)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		path := columns[0]
		files[path] = columns[1]
		if (path == module || strings.HasPrefix(path, module+"/")) && !slices.Contains(strings.Split(path, "/"), "internal") {
			public = append(public, path)
			for _, name := range strings.Fields(strings.Trim(columns[3], "[]")) {
				_, err := os.ReadFile(filepath.Join(columns[2], name)) // so that go test runs this again when it changes
				require.NoError(t, err)
			}
		}
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	found := map[string]suspect{}
	for _, path := range public {
		p, err := from.Import(path)
		require.NoError(t, err)
		for _, name := range p.Scope().Names() {
			object, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || !object.Exported() || object.IsAlias() || types.IsInterface(object.Type()) {
				continue
			}
			if way := holds(object.Type(), name, map[types.Type]bool{}); way != "" {
				methods := types.NewMethodSet(object.Type())
				short := strings.TrimLeft(strings.TrimPrefix(path+"."+name, module), "/.")
				found[short] = suspect{way, methods.Lookup(p, "Format") != nil}
			}
		}
	}
	return found
}

// holders are types of others that hold keys, bodies or identities.
var holders = map[string]bool{
	"crypto.Signer": true, "crypto.Decrypter": true, "crypto.PrivateKey": true, "crypto/rsa.PrivateKey": true, "crypto/ecdsa.PrivateKey": true,
	"crypto/ed25519.PrivateKey": true, "crypto/cipher.Block": true, "crypto/cipher.AEAD": true, "crypto/cipher.Stream": true, "crypto/tls.Config": true,
	"net/http.Header": true, "net/http.Request": true, "net/http.Response": true, "net/url.Values": true, "net/url.URL": true, "encoding/json.RawMessage": true,
}

// harmless are interfaces and types that hold nothing of the kind.
var harmless = map[string]bool{
	"context.Context": true, "apiv3.Scheme": true, "Lookup": true, "fact.Field": true, "net/http.RoundTripper": true, "middleware.Keys": true,
	"webhook.Keys":    true,
	"webhook.Deduper": true, "webhook.Waiter": true, "webhook.Lookup": true, "middleware.Limiter": true, "sandbox.TB": true, "middleware.Lookup": true,
}

// secretive are names of members whose text is likely a secret.
var secretive = regexp.MustCompile(`(?i)key|secret|sign|auth|openid|body|raw|token|value|want|got|package|payer|user|phone|number|detail`)

// holds returns the way from a type to the first thing in it that may be secret, "" if there is none.
func holds(t types.Type, name string, seen map[types.Type]bool) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		full := t.Obj().Name()
		ours := false
		if p := t.Obj().Pkg(); p != nil {
			short, of := strings.CutPrefix(p.Path(), module)
			ours = of
			if short = strings.TrimPrefix(short, "/"); short != "" {
				full = short + "." + full
			}
		}
		switch {
		case holders[full] || full == "error":
			return full
		case harmless[full] || seen[t] || !ours:
			return ""
		}
		seen[t] = true
		return holds(t.Underlying(), name, seen)
	case *types.Pointer:
		return holds(t.Elem(), name, seen)
	case *types.Slice:
		if b, ok := types.Unalias(t.Elem()).(*types.Basic); ok && b.Kind() == types.Byte {
			return "[]byte"
		}
		return holds(t.Elem(), name, seen)
	case *types.Array:
		return holds(t.Elem(), name, seen)
	case *types.Map:
		if way := holds(t.Key(), name, seen); way != "" {
			return way
		}
		return holds(t.Elem(), name, seen)
	case *types.Basic:
		if t.Info()&types.IsString != 0 && secretive.MatchString(name) {
			return "text"
		}
	case *types.Interface:
		return "any " + name
	case *types.Struct:
		for field := range t.Fields() {
			if way := holds(field.Type(), field.Name(), seen); way != "" {
				return field.Name() + " → " + way
			}
		}
	}
	return ""
}
