package keytext_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/keytext"
)

var der = append([]byte{0x30, 0x82}, bytes.Repeat([]byte{0xfb, 0xef, 1}, 40)...) // whose base64 has slashes and pluses

// TestParsePrivateKey of package apiv3 has the forms of whole keys; these are the limits.
func TestFind(t *testing.T) {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	one := []keytext.Block{{Kind: "PRIVATE KEY", DER: der}}
	bare := []keytext.Block{{DER: der}}
	for name, tt := range map[string]struct {
		data string
		want []keytext.Block
		says string
	}{
		"PEM":                    {text, one, ""},
		"DER":                    {string(der), bare, ""},
		"base64":                 {base64.StdEncoding.EncodeToString(der), bare, ""},
		"two":                    {text + strings.ReplaceAll(text, "\n", `\n`), append(one, one...), ""},
		"parameters are no key":  {"-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n" + text, one, ""},
		"headers":                {strings.Replace(text, "KEY-----\n", "KEY-----\nComment: a - b\n\n", 1), one, ""},
		"no key":                 {"apiclient_key.pem", []keytext.Block{{DER: []byte("apiclient_key.pem")}}, ""},
		"base64 of something":    {base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 99)), []keytext.Block{{DER: []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 99)))}}, ""},
		"blanks":                 {" \n", nil, "it is empty"},
		"no end":                 {text[:len(text)-4], nil, "the end of a block is missing"},
		"another end":            {strings.Replace(text, "END PRIVATE", "END PUBLIC", 1), nil, "the end of a block is missing"},
		"an end inside":          {text[:40] + text, nil, "the end of a block is missing"},
		"an alien":               {strings.Replace(text, "MI", "M!", 1), nil, "does not belong there"},
		"nothing inside":         {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", nil, "does not belong there"},
		"encrypted the old way":  {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----", []keytext.Block{{Kind: keytext.Encrypted}}, ""},
		"encrypted, on one line": {"-----BEGIN RSA PRIVATE KEY----- Proc-Type: 4,ENCRYPTED DEK-Info: AES-256-CBC,00 AAAA -----END RSA PRIVATE KEY-----", []keytext.Block{{Kind: keytext.Encrypted}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := keytext.Find([]byte(tt.data))
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, found)
		})
	}
}

func TestIsEncoded(t *testing.T) {
	assert.True(t, keytext.IsEncoded("-----BEGIN PRIVATE KEY-----"))
	assert.True(t, keytext.IsEncoded(base64.StdEncoding.EncodeToString(der)))
	for _, path := range []string{"", "/run/secrets/key", "apiclient_key.pem", "keys/merchant", strings.Repeat("a", 100), "TestOnlyAPIv3Key0123456789abcdef"} {
		assert.False(t, keytext.IsEncoded(path), path)
	}
}

// Whatever comes in, nothing of it goes out in an error, and no block is longer than what came in.
func FuzzFind(f *testing.F) {
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, seed := range [][]byte{nil, der, text, []byte("\xff\xfe-\x00"), []byte(`"-----BEGIN A-----\\n\\nAAAA-----END A-----"`), []byte(base64.StdEncoding.EncodeToString(text))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := keytext.Find(data)
		if err != nil {
			assert.Less(t, len(err.Error()), 120)
			assert.Empty(t, found)
			return
		}
		for _, b := range found {
			assert.LessOrEqual(t, len(b.DER), len(data))
		}
	})
}
