package batch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/wxpay-go/wxpay/sandbox"
)

// A list is read as the programs of an office write it, and the program says what it recognised.
func TestTextOfAnOffice(t *testing.T) {
	t.Parallel()
	const table = "brand_id,card_id,user_card_code,openid,out_request_no,cell_message\r\n1004,c,7,o,N1,积分到账\r\n1004,c,8,o,N2,退款\r\n"
	encode := func(e encoding.Encoding, text string) string {
		out, err := e.NewEncoder().String(text)
		require.NoError(t, err)
		return out
	}
	tabs := strings.ReplaceAll(table, ",", "\t")
	for name, c := range map[string]struct {
		file, text string
		says       string // empty for nothing
		flags      []string
	}{
		"UTF-8": {"a.csv", table, "", nil},
		"GBK":   {"a.csv", encode(simplifiedchinese.GBK, table), "a.csv: the encoding is gb18030 (else say --encoding).\n", nil},
		"UTF-16 with tabs (Unicode text)": {"a.txt", "\xff\xfe" + encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), tabs),
			"a.txt: the encoding is utf-16le (else say --encoding), the fields are divided by tabs (else say --comma).\n", []string{"--format", "csv"}},
		"tabs":            {"a.tsv", tabs, "a.tsv: the fields are divided by tabs (else say --comma).\n", nil},
		"semicolons":      {"a.csv", "\n" + strings.ReplaceAll(table, ",", ";"), "a.csv: the fields are divided by semicolons (else say --comma).\n", nil},
		"said beforehand": {"a.csv", encode(simplifiedchinese.GBK, tabs), "", []string{"--encoding", "gbk", "--comma", "tab"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := listen(t)
			s := newShell(t, gateway.Env()...)
			code, _, stderr := s.run(append([]string{s.file(c.file, c.text), feedsPath, "--data", s.path("data"), "--rate", "100"}, c.flags...)...)
			require.Equal(t, 0, code, stderr)
			assert.Contains(t, stderr, c.says)
			if c.says == "" {
				assert.NotContains(t, stderr, "else say")
			}
			assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 2)
			assert.Contains(t, string(gateway.Journal.All()[0].Body)+string(gateway.Journal.All()[1].Body), "积分到账")
		})
	}
	// A pipe is read in the encoding that its beginning has.
	s := newShell(t)
	code, _, stderr := s.feed(strings.NewReader(encode(simplifiedchinese.GBK, table)), "-", feedsPath, "--format", "csv", "--sandbox", "--rate", "100")
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "stdin: the encoding is gb18030")
}
