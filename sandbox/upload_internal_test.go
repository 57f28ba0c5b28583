package sandbox

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzTakeApart: what is taken out of a multipart body stands in it, one behind the other.
func FuzzTakeApart(f *testing.F) {
	const good = "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nbytes\r\n--b--\r\n"
	f.Add("b", []byte(good))
	f.Add("b", bytes.ReplaceAll([]byte(good), []byte("\r\n"), []byte("\n")))
	f.Add("b", []byte(good)[:len(good)-6])
	f.Add("c", []byte(good))
	f.Add("b", bytes.Replace([]byte(good), []byte("bytes"), []byte("\r\n--b"), 1))
	f.Add("b", bytes.Replace([]byte(good), []byte("bytes"), nil, 1))
	f.Add("b", bytes.Replace([]byte(good), []byte("\r\n\r\nbytes\r\n"), []byte("\r\n\n"), 1))
	upload := documented("POST", "/v3/merchant/media/upload")
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		c := &call{operation: &operation{Operation: upload}, body: body, request: &http.Request{Header: http.Header{"Content-Type": {"multipart/form-data; boundary=" + boundary}}}}
		refused := c.takeApart()
		if refused != nil {
			assert.Nil(t, c.form)
			assert.Contains(t, []string{"PARAM_ERROR", "INVALID_REQUEST"}, refused.code)
			return
		}
		_, behind, found := bytes.Cut(body, append([]byte("\r\n\r\n"), append(c.form.meta, "\r\n--"...)...))
		assert.True(t, found, "meta stands in the body")
		assert.True(t, bytes.Contains(behind, append([]byte("\r\n\r\n"), append(c.form.file, "\r\n--"...)...)), "the file stands behind it")
	})
}
