package gate_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

const uploaded = "/v3/marketing/favor/media/image-upload"

// FuzzForm: a form that is taken has the two parts that mime/multipart finds in it, and any other is
// rejected as malformed.
func FuzzForm(f *testing.F) {
	const good = "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nbytes\r\n--b--\r\n"
	instead := func(old, other string) []byte { return bytes.ReplaceAll([]byte(good), []byte(old), []byte(other)) }
	f.Add("b", []byte(good))
	f.Add("b", []byte(good)[:len(good)-2])
	f.Add("b", []byte(good)[:len(good)-6])
	f.Add("c", []byte(good))
	f.Add("b", instead("\r\n", "\n"))
	f.Add("b", instead("bytes", "\r\n--b"))
	f.Add("b", instead("bytes", "a\r\n\r\nb\r\n-"))
	f.Add("b", instead("bytes", ""))
	f.Add("b", instead("{}", " { } "))
	f.Add("b", instead("{}", "[]"))
	f.Add("b", instead("\"file\"", "\"meta\""))
	f.Add("b", instead("; filename=\"a.png\"", ""))
	f.Add("b", instead("\r\n\r\nbytes\r\n", "\r\n\n"))

	b := sandboxtest.New(f)
	facts := *gate.Documented("POST", uploaded)
	facts.Unsigned = true // of a body that is malformed, nobody knows what its signature covers
	facts.In.Form = append(facts.In.Form[:0:0], facts.In.Form...)
	for i := range facts.In.Form {
		facts.In.Form[i].Fields = nil
	}
	var taken *gate.Call
	b.Serve(gate.Operation{Operation: &facts, Do: func(c *gate.Call) (any, *say.Rejection) {
		taken = c
		return nil, nil
	}})
	serve := func(boundary string, body []byte) *httptest.ResponseRecorder {
		taken = nil
		r, w := httptest.NewRequest("POST", uploaded, bytes.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Accept", "application/json")
		r.Header.Set("User-Agent", "sandbox-test")
		r.Header.Set("Content-Type", mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary}))
		b.ServeHTTP(w, r)
		return w
	}
	require.Equal(f, facts.Success, serve("b", []byte(good)).Code)
	require.Equal(f, "bytes", string(taken.Form.File))

	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		w := serve(boundary, body)
		if taken == nil {
			var rejection struct{ Code string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &rejection))
			assert.Contains(t, []string{"PARAM_ERROR", "INVALID_REQUEST"}, rejection.Code)
			return
		}
		parts := multipart.NewReader(bytes.NewReader(body), boundary)
		seen := make(map[string]bool)
		for range 2 {
			part, err := parts.NextRawPart()
			require.NoError(t, err)
			content, err := io.ReadAll(part)
			require.NoError(t, err)
			seen[part.FormName()] = true
			if part.FormName() == "file" {
				assert.Equal(t, content, taken.Form.File)
				continue
			}
			var object map[string]any
			require.NoError(t, json.Unmarshal(content, &object))
			assert.Equal(t, object, taken.Object)
		}
		assert.Equal(t, map[string]bool{"meta": true, "file": true}, seen)
	})
}
