package textfile_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/textfile"
)

const refunds = "商户退款单号,退款金额,退款原因\nR1,12.30,商品已售完\nR2,100,七天无理由\n"

func encoded(t testing.TB, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	require.NoError(t, err)
	return out
}

func TestRecognize(t *testing.T) {
	little := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	long := strings.Repeat("a,1\n", 40_000) // longer than one part
	for name, c := range map[string]struct {
		text, want string
		is         textfile.Encoding
	}{
		"empty":                      {"", "", textfile.UTF8},
		"ASCII":                      {"a,b\n1,2\n", "a,b\n1,2\n", textfile.UTF8},
		"UTF-8":                      {refunds, refunds, textfile.UTF8},
		"UTF-8, one damaged byte":    {refunds + "\xff\n", refunds + "\xff\n", textfile.UTF8},
		"GBK":                        {encoded(t, simplifiedchinese.GBK, refunds), refunds, textfile.GB18030},
		"GB18030, four bytes":        {encoded(t, simplifiedchinese.GB18030, refunds+"𠮷\n"), refunds + "𠮷\n", textfile.GB18030},
		"GBK, one word":              {encoded(t, simplifiedchinese.GBK, "a,退款\n"), "a,退款\n", textfile.GB18030},
		"GBK, late":                  {long + encoded(t, simplifiedchinese.GBK, refunds), long + refunds, textfile.GB18030},
		"UTF-8, late":                {long + "a" + refunds, long + "a" + refunds, textfile.UTF8},
		"UTF-16 with a mark":         {"\xff\xfe" + encoded(t, little, refunds), refunds, textfile.UTF16LE},
		"UTF-16 without a mark":      {encoded(t, little, refunds), refunds, textfile.UTF16LE},
		"UTF-16, big end first":      {"\xfe\xff" + encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), refunds), refunds, textfile.UTF16BE},
		"UTF-16, big end, no mark":   {encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), refunds), refunds, textfile.UTF16BE},
		"no encoding of the program": {"a,b\n\xff\xff\x80,1\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				got, err := textfile.Recognize(r)
				if c.is == "" {
					require.ErrorIs(t, err, textfile.ErrEncoding)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, c.is, got)
			}
			text, err := io.ReadAll(textfile.Decode(strings.NewReader(c.text), c.is))
			require.NoError(t, err)
			if c.is != "" {
				assert.Equal(t, c.want, string(text))
			}
		})
	}
	_, err := textfile.Recognize(iotest.ErrReader(io.ErrClosedPipe))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

// A text that somebody writes is recognised wherever a part of it ends.
func FuzzRecognize(f *testing.F) {
	f.Add("商户退款单号", uint8(3))
	f.Add("退", uint8(1))
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		gbk, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
		if err != nil || strings.ContainsRune(text, 0) {
			t.Skip()
		}
		_, err = textfile.Recognize(bytes.NewReader(gbk[:min(len(gbk), int(cut))]))
		require.NoError(t, err)
	})
}

func TestParseEncoding(t *testing.T) {
	for _, e := range textfile.Encodings() {
		got, ok := textfile.ParseEncoding(strings.ToUpper(string(e)))
		assert.True(t, ok)
		assert.Equal(t, e, got)
	}
	gbk, ok := textfile.ParseEncoding("GBK")
	assert.True(t, ok)
	assert.Equal(t, textfile.GB18030, gbk)
	_, ok = textfile.ParseEncoding("latin1")
	assert.False(t, ok)
}

func TestComma(t *testing.T) {
	for line, want := range map[string]string{
		"":           ",",
		"a":          ",",
		"a,b,c":      ",",
		"a\tb\tc":    "\t",
		"a;b":        ";",
		`"a,b";c`:    ";",
		`"a""b,",c`:  ",",
		"a,b;c":      "",
		"a\tb;c":     "",
		"退款金额\t退款原因": "\t",
	} {
		comma, ok := textfile.Comma([]byte(line))
		if want == "" {
			assert.False(t, ok, line)
			continue
		}
		assert.True(t, ok, line)
		assert.Equal(t, want, string(comma), line)
	}
}
