package apiv3_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/apiv3"
)

func TestMessages(t *testing.T) {
	prefix := []byte("kept ")
	assert.Equal(t, "kept GET\n/v3/a?b\n1\nn\n\n", string(apiv3.AppendRequestMessage(prefix, "GET", "/v3/a?b", "1", "n", nil)))
	assert.Equal(t, "POST\n/\n1\nn\n{}\n", string(apiv3.AppendRequestMessage(nil, "POST", "/", "1", "n", []byte("{}"))))
	assert.Equal(t, "POST\n/\n1\nn\n{}\n\n", string(apiv3.AppendRequestMessage(nil, "POST", "/", "1", "n", []byte("{}\n"))), "the body's own LF stays")
	assert.Equal(t, "kept 1\nn\n\n", string(apiv3.AppendResponseMessage(prefix, "1", "n", nil)))
	assert.Equal(t, "1\nn\n {\r\n} \n", string(apiv3.AppendResponseMessage(nil, "1", "n", []byte(" {\r\n} "))))
	assert.Equal(t, "kept a\n\nb\n", string(apiv3.AppendLines(prefix, "a", "", "b")))
	assert.Equal(t, "kept ", string(apiv3.AppendLines(prefix)))
}

func TestSignHMAC(t *testing.T) {
	// echo -n 'a=1&b=2&key=k' | openssl dgst -sha256 -hmac k
	const want = "196937ABF201954EED0C61E7A226FB7DD5670AEF413E3F8E73373120F1DFE454"
	params := map[string]string{"b": "2", "a": "1"}
	got := apiv3.SignHMAC(params, "k")
	assert.Regexp(t, `^[0-9A-F]{64}$`, got)
	assert.Equal(t, want, got)
	for name, same := range map[string]map[string]string{
		"empty pair": {"a": "1", "b": "2", "c": ""}, "old signature": {"a": "1", "b": "2", "sign": "x"},
	} {
		assert.Equal(t, got, apiv3.SignHMAC(same, "k"), name)
	}
	for name, other := range map[string]map[string]string{
		"other value": {"a": "1", "b": "3"}, "other name": {"a": "1", "c": "2"}, "more": {"a": "1", "b": "2", "c": "3"}, "less": {"a": "1"},
	} {
		assert.NotEqual(t, got, apiv3.SignHMAC(other, "k"), name)
	}
	assert.NotEqual(t, got, apiv3.SignHMAC(params, "l"))
	assert.Len(t, params, 2)
}
