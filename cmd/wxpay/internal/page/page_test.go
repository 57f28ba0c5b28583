package page_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/fact"
)

var update = flag.Bool("update", false, "write the golden files anew")

var writer = sync.OnceValue(func() *gocode.Writer { return gocode.New(catalog.V3().All()) })

// golden compares text with a file, or writes it there.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), string(got))
}

// TestCommittedPage holds the one page that is kept with the source, as an example of all.
func TestCommittedPage(t *testing.T) {
	const name = "v3/brand/partner/card-member/user-feeds.md"
	files := page.Files(catalog.V3().Described().All(), writer())
	require.Contains(t, files, name)
	golden(t, filepath.Join("../../../../docs/api", name), files[name])
}

// rich has an instance of every fact of operations and fields.
var rich = &fact.Operation{
	Method: "POST", Path: "/v3/a/{b_id}", Name: "名|称", Host: "apihk.mch.weixin.qq.com", HostRequired: true, Unsigned: true,
	Status: fact.Superseded, ReplacedBy: []string{"POST /v3/c", "POST /v3/d"},
	Tags: []string{"基础/一", "二"}, Roles: []string{"直连商户"},
	Scheme: fact.BrandScheme, Joined: true, Inferred: true, ByHand: true, Docs: []string{"v3/merchant/1", "wiki/2"},
	Also: []*fact.Operation{{Method: "POST", Path: "/v3/a/{c_id}"}},
	In: fact.Request{
		Path:   []fact.Field{{Name: "b_id", Type: fact.String, Required: true}},
		Query:  []fact.Field{{Name: "limit", Type: fact.Integer}},
		Header: []fact.Field{{Name: "Idempotency-Key", Type: fact.String, Required: true}},
		JSON: []fact.Field{
			{Name: "mchid", Type: fact.String},
			{Name: "amount", Type: fact.Object, Required: true, Label: "金额", Fields: []fact.Field{
				{Name: "total", Type: fact.Integer, Required: true, Confirmed: true, Unit: fact.Fen, Max: 1000000, Label: "总|额",
					Sample: int64(100)},
				{Name: "currency", Type: fact.String, Enum: []any{"CNY", "A|B"}, EnumLabels: []string{"人民币", ""}, Sample: "CNY"},
				{Name: "note", Type: fact.String, Min: 6, Max: 32, Sample: "a*b"},
			}},
			{Name: "names", Type: fact.Strings, Cipher: fact.RSA},
			{Name: "key", Type: fact.String, Cipher: fact.AES},
			{Name: "at", Type: fact.String, Format: "rfc3339", Alt: []string{"time"}},
			{Name: "file", Type: fact.String, Format: "media", ByHand: true},
			{Name: "kind", Type: fact.Integer, Enum: []any{int64(1), int64(2)}, Reviewed: true},
			{Name: "detail", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "id", Type: fact.String}}},
		},
	},
	Codes: []fact.OperationCode{{Name: "NOT_ENOUGH", Status: 403, Doc: "v3/merchant/1",
		Meaning: "top up the account, and send it again"}, {Name: "SYSTEM_ERROR"}},
	Response: fact.StreamResponse, Success: 200, Content: "data", Signature: fact.OverDigest,
	Conduct: fact.Conduct{
		MovesMoney: true, Repeat: fact.Never, Number: fact.MerchantNumber{Space: "a", Field: "out_no"},
		Rate: fact.Rate{PerSecond: 5, Per: "merchant"}, Link: &fact.Link{Query: "/v3/a/{b_id}"},
	},
}

// TestForms shows everything that can be told in each of the formats.
func TestForms(t *testing.T) {
	shown := page.New(rich, gocode.New(slices.Values([]*fact.Operation{rich})))
	var term, markdown bytes.Buffer
	shown.Terminal(&term, page.Paint{
		Bold: func(text string) string { return "<" + text + ">" }, Faint: func(text string) string { return text },
	})
	shown.Markdown(&markdown)
	document, err := json.MarshalIndent(shown, "", "  ")
	require.NoError(t, err)
	golden(t, "testdata/rich.term.golden", term.Bytes())
	golden(t, "testdata/rich.md.golden", markdown.Bytes())
	golden(t, "testdata/rich.json.golden", append(document, '\n'))
}

// TestEveryPage looks for every field of every operation in its page, in both forms.
func TestEveryPage(t *testing.T) {
	count := 0
	for operation := range catalog.V3().Described().All() {
		shown := page.New(operation, writer())
		var term, markdown bytes.Buffer
		shown.Terminal(&term, page.Paint{Bold: strings.Clone, Faint: strings.Clone})
		shown.Markdown(&markdown)
		rows := 0
		for _, fields := range [][]fact.Field{
			operation.In.Path, operation.In.Query, operation.In.Header, operation.In.JSON, operation.In.Form, operation.Out,
		} {
			rows += number(fields)
		}
		assert.Equal(t, rows, strings.Count(markdown.String(), "\n| `")+strings.Count(markdown.String(), "\n| &emsp;"))
		for line := range strings.Lines(markdown.String()) {
			if strings.HasPrefix(line, "| ") {
				assert.Equal(t, 5, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), line)
			}
		}
		assert.Contains(t, term.String(), operation.Name)
		count++
	}
	assert.Greater(t, count, 1000)
}

func number(fields []fact.Field) int {
	n := len(fields)
	for _, field := range fields {
		n += number(field.Fields)
	}
	return n
}

func TestFiles(t *testing.T) {
	files := page.Files(catalog.V3().Described().All(), writer())
	paths := make(map[string]bool)
	for operation := range catalog.V3().Described().All() {
		paths[operation.Path] = true
		assert.Contains(t, files, page.FileName(operation.Path))
		assert.Contains(t, string(files["README.md"]), operation.Name)
	}
	assert.Len(t, files, len(paths)+1, "a file for each path, and the index")
	folded := make(map[string]bool)
	for name := range files {
		assert.False(t, folded[strings.ToLower(name)], "%s and another are one file where case does not matter", name)
		folded[strings.ToLower(name)] = true
	}
	assert.Equal(t, "v3/ecommerce/applyments/index.md", page.FileName("/v3/ecommerce/applyments/"))
	assert.Contains(t, string(files["README.md"]), "(v3/pay/transactions/id/%7Btransaction_id%7D.md)")

	again := page.Files(catalog.V3().Described().All(), writer())
	assert.Equal(t, files, again)
}
