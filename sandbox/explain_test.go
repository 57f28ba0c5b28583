package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestExplain(t *testing.T) {
	s := newSandbox(t)
	_, err := s.Journal.Explain("")
	assert.EqualError(t, err, "sandbox: Explain: the journal has no rejected request")

	var told []sandbox.Entry
	s.Journal.OnRejection(func(e sandbox.Entry) { told = append(told, e) })
	c := newCall(s, time.Now(), "POST", feedPath, feed())
	none := []byte{}
	c.body2 = &none
	unsigned := c.sign(s).send(t, s.Transport(), inProcess).Header.Get("Request-ID")
	wrong := ask(t, s, "POST", feedPath, "{}").Header.Get("Request-ID")
	good := ask(t, s, "GET", "/v3/certificates", nil).Header.Get("Request-ID")
	require.Len(t, told, 2, "the good one is no refusal")
	assert.Equal(t, []string{unsigned, wrong}, []string{told[0].ID, told[1].ID})
	assert.NotEmpty(t, told[0].Explanation)

	text, err := s.Journal.Explain(unsigned)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(text, "POST "+feedPath+" 401: the signature does not verify: the body was left out of the message\n"+
		"Request-ID: "+unsigned+"\nlikely cause: "), text)
	assert.True(t, strings.HasSuffix(text, told[0].Explanation), text)
	bare, _, _ := strings.Cut(wrong, "-")
	text, err = s.Journal.Explain(bare)
	require.NoError(t, err)
	assert.Equal(t, "POST "+feedPath+" 400: /body/brand_id: this field is required\nRequest-ID: "+wrong, text)
	last, err := s.Journal.Explain("")
	require.NoError(t, err)
	assert.Equal(t, text, last)

	_, err = s.Journal.Explain(good)
	assert.ErrorContains(t, err, "was not rejected: GET /v3/certificates 200")
	_, err = s.Journal.Explain("0123")
	assert.EqualError(t, err, "sandbox: Explain: the journal has no request 0123; it keeps the last 1000, of this sandbox only")

	s.Journal.OnRejection(nil)
	ask(t, s, "POST", feedPath, "{}")
	assert.Len(t, told, 2)
}
