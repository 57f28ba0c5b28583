//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// sample writes every documented member once: as the caller does, and as it has to arrive, encrypted values in angle quotes.
func sample(fields []fact.Field, at string) (text, want string, marked int) {
	var texts, wants []string
	for i := range fields {
		value, arrives, n := sampleValue(&fields[i], at+"."+fields[i].Name)
		marked += n
		texts, wants = append(texts, fmt.Sprintf("%q: %s", fields[i].Name, value)), append(wants, fmt.Sprintf("%q: %s", fields[i].Name, arrives))
	}
	return "{" + strings.Join(texts, ", ") + "}", "{" + strings.Join(wants, ", ") + "}", marked
}

func sampleValue(field *fact.Field, at string) (text, want string, marked int) {
	switch field.Type.Element() {
	case fact.Object:
		text, want, marked = sample(field.Fields, at)
	case fact.Integer, fact.Number:
		text, want = "1", "1"
	case fact.Boolean:
		text, want = "true", "true"
	default:
		plain, arrives := at, at
		if field.JSONText {
			plain, arrives, marked = sample(field.Fields, at)
		}
		if field.Cipher == fact.RSA {
			arrives, marked = "«"+at+"»", 1
		}
		quoted, _ := json.Marshal(plain)
		arriving, _ := json.Marshal(arrives)
		text, want = string(quoted), string(arriving)
	}
	if field.Type != field.Type.Element() {
		text, want, marked = "["+text+", "+text+"]", "["+want+", "+want+"]", 2*marked
	}
	return text, want, marked
}

// Every operation of the catalogue with marked members, its body and query built from the facts.
func TestEncryptEveryOperation(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	operations, values := 0, 0
	for operation := range catalog.V3().All() {
		body := operation.In.JSON
		for _, part := range operation.In.Form { // of an upload, what is signed
			if part.JSONText {
				body = part.Fields
			}
		}
		text, want, marked := sample(body, "")
		chain, wantQuery := client.Chain(operation.Path), ""
		for i := range operation.In.Query {
			field := &operation.In.Query[i]
			value, arrives, n := sampleValue(field, field.Name)
			if field.Type == fact.String {
				require.NoError(t, json.Unmarshal([]byte(value), &value))
				require.NoError(t, json.Unmarshal([]byte(arrives), &arrives))
			}
			chain, wantQuery, marked = chain.Query(field.Name, value), wantQuery+"&"+field.Name+"="+arrives, marked+n
		}
		if marked == 0 {
			continue
		}
		operations, values = operations+1, values+marked
		for _, field := range operation.In.Path {
			chain = chain.Var(field.Name, "1")
		}
		var payload any
		if len(body) > 0 {
			payload = text
		}
		name := operation.Method + " " + operation.Path
		req, err := chain.Request(context.Background(), operation.Method, payload)
		require.NoError(t, err, name)
		if payload != nil {
			assert.Equal(t, want, unsealed(t, testKeys().platform, bodyText(t, req)), name)
		}
		query, err := url.PathUnescape(req.URL.RawQuery)
		require.NoError(t, err)
		assert.Equal(t, wantQuery, prefixed("&", unsealed(t, testKeys().platform, query)), name)
	}
	require.GreaterOrEqual(t, operations, 100, "operations with marked members")
	t.Logf("%d values of %d operations", values, operations)
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// quickScheme is RSA with the arithmetic taken out of encryption: a ciphertext is the text behind its length, filled up.
type quickScheme struct{ apiv3.Scheme }

func (quickScheme) Encrypt(_ crypto.PublicKey, plain []byte) ([]byte, error) {
	if len(plain) > 214 {
		return nil, apiv3.ErrTooLong
	}
	sealed := make([]byte, 256)
	sealed[0] = byte(len(plain))
	for i, c := range plain {
		sealed[i+1] = ^c
	}
	return sealed, nil
}

func quickOpen(ciphertext string) (string, bool) {
	sealed, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil || len(sealed) != 256 || sealed[0] > 214 {
		return "", false
	}
	plain := sealed[1 : 1+int(sealed[0])]
	for i := range plain {
		plain[i] = ^plain[i]
	}
	return string(plain), true
}

// A body of ten thousand details, each with a marked member, one of them wrong, and one without.
func TestEncryptManyDetails(t *testing.T) {
	const details = 10_000
	client := newClient(t, wxpay.WithScheme(quickScheme{apiv3.RSA()}))
	chain := client.Chain("v3/transfer/batches")
	list := make([]wxpay.JSON, details)
	for i := range list {
		list[i] = wxpay.JSON{"out_detail_no": fmt.Sprint(i), "transfer_amount": i, "user_name": fmt.Sprintf("秘 %d", i)}
	}
	delete(list[1], "user_name")
	body := wxpay.JSON{"appid": "wx", "transfer_detail_list": list}
	req, err := chain.Request(context.Background(), "POST", body)
	require.NoError(t, err)
	var sent struct {
		List []struct {
			Number string  `json:"out_detail_no"`
			Name   *string `json:"user_name"`
		} `json:"transfer_detail_list"`
	}
	require.NoError(t, json.Unmarshal([]byte(bodyText(t, req)), &sent))
	require.Len(t, sent.List, details)
	for i, detail := range sent.List {
		require.Equal(t, fmt.Sprint(i), detail.Number)
		if i == 1 {
			require.Nil(t, detail.Name)
			continue
		}
		plain, ok := quickOpen(*detail.Name)
		require.True(t, ok)
		require.Equal(t, fmt.Sprintf("秘 %d", i), plain)
	}
	list[details-1]["user_name"] = 1
	_, err = chain.Request(context.Background(), "POST", body)
	require.ErrorContains(t, err, "field /transfer_detail_list/9999/user_name")
}
