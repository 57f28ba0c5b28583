//go:build go1.25

package wxpay_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// FuzzSeal holds the sealed body against what encoding/json finds in the one that was given: everything but the marked
// values is the same byte for byte, and those are encrypted, each for itself.
func FuzzSeal(f *testing.F) {
	for _, body := range []string{
		`{"name":"A","full_name":"B"}`, ` {"names" : ["A",null,"","\u00e9\"" ] , "plain":1.0e5}`, `{"payer":{"name":"A","identity":{"number":"1"}},"payer":{}}`,
		`{"receivers":[{"name":"A"},{"name":null},[{"name":"B"}]]}`, `{"n\u0061me":"A"}`, `{"name":1}`, `{"name":"\ud800"}`, `[{"name":"A"}]`, `{"name":"A"`,
	} {
		f.Add(body)
	}
	client := newClient(f, wxpay.WithCatalog(marked), wxpay.WithScheme(quickScheme{apiv3.RSA()}))
	f.Fuzz(func(t *testing.T, body string) {
		if strings.TrimSpace(body) == "" || strings.TrimSpace(body) == "null" {
			t.Skip()
		}
		spans, ok := markedSpans(body)
		ok = ok && utf8.ValidString(body)
		req, err := client.Chain("v3/marked").Request(context.Background(), "POST", body)
		if err != nil {
			require.False(t, ok, "it was refused: %v", err)
			require.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			return
		}
		require.True(t, json.Valid([]byte(body)), "it was not refused")
		if !ok {
			return // the judge has no opinion
		}
		sent, at := bodyText(t, req), 0
		for _, span := range spans {
			before := body[at:span.begin]
			require.True(t, strings.HasPrefix(sent, before), "something else has changed")
			sent = sent[len(before):]
			require.GreaterOrEqual(t, len(sent), 346)
			require.Equal(t, `""`, sent[:1]+sent[345:346])
			plain, ok := quickOpen(sent[1:345])
			require.True(t, ok)
			require.Equal(t, span.text, plain)
			sent, at = sent[346:], span.end
		}
		require.Equal(t, body[at:], sent)
	})
}

type span struct {
	begin, end int
	text       string
}

// markedSpans finds the values that have to be encrypted in a body for "marked". It is false where a body is to be refused,
// or holds what only the code under test has rules for.
func markedSpans(body string) (spans []span, ok bool) {
	if !json.Valid([]byte(body)) || !utf8.ValidString(body) {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	depth := 0
	// value reads one value; cipher says that it is marked, and where is the path of the object it is.
	var value func(cipher bool, where string) bool
	value = func(cipher bool, where string) bool {
		before := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if depth++; depth > 900 {
			return false
		}
		defer func() { depth-- }()
		switch token := token.(type) {
		case json.Delim:
			if cipher && (token == '{' || where != "/names") {
				return false
			}
			for decoder.More() {
				if token == '[' {
					if !value(cipher, where) {
						return false
					}
					continue
				}
				name, err := decoder.Token()
				if err != nil || strings.ContainsRune(name.(string), utf8.RuneError) {
					return false
				}
				at := where + "/" + name.(string)
				in := map[string]bool{"/name": true, "/full_name": true, "/names": true, "/payer/name": true, "/payer/identity/number": true, "/receivers/name": true}
				if strings.Contains(name.(string), "/") {
					at = "/-" // which is not a path of two
				}
				if !value(in[at], at) {
					return false
				}
			}
			_, err := decoder.Token()
			return err == nil
		case string:
			end := int(decoder.InputOffset())
			begin := before + strings.IndexByte(body[before:], '"')
			if !cipher {
				return where != "" && where != "/payer" && where != "/payer/identity" && where != "/receivers" && where != "/text"
			}
			if strings.ContainsRune(token, utf8.RuneError) || len(token) > 214 {
				return false
			}
			if token != "" {
				spans = append(spans, span{begin, end, token})
			}
			return true
		case nil:
			return true
		}
		return !cipher
	}
	return spans, value(false, "")
}
