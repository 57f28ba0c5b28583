package wxpay_test

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

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

// seenBody is the body of a response that came through the pipeline.
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
