package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/fact"
)

var update = flag.Bool("update", false, "write the golden files anew")

var facts = catalog.V3().Described()

// english and chinese are the manual of the whole catalogue.
var (
	english = page.New(facts.All(), facts.Events(), language.English)
	chinese = page.New(facts.All(), facts.Events(), language.Chinese)
)

// englishPages and chinesePages are the pages of all operations, in the order of the catalogue.
var (
	englishPages = sync.OnceValue(func() []page.Page { return pagesOf(english) })
	chinesePages = sync.OnceValue(func() []page.Page { return pagesOf(chinese) })
)

func pagesOf(manual *page.Manual) (list []page.Page) {
	for operation := range facts.All() {
		list = append(list, manual.Page(operation))
	}
	return list
}

// written is the manual as files, with the responses of the sandbox.
var written = sync.OnceValues(func() (map[string][]byte, error) {
	platform, err := answer.New(slices.Collect(facts.All()))
	if err != nil {
		return nil, err
	}
	defer platform.Close()
	return english.Files(context.Background(), platform)
})

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
	operation, ok := facts.Lookup("POST", "/v3/brand/partner/card-member/user-feeds")
	require.True(t, ok)
	shown := english.Page(operation)
	file := bytes.NewBufferString(page.Mark + "\n")
	shown.Markdown(file)
	golden(t, filepath.Join("../../../../docs/api", page.FileName(operation)), file.Bytes())
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
	Response: fact.StreamResponse, Success: 200, Content: "data", Signature: fact.OverDigest, Paging: &fact.Paging{List: "data"},
	Conduct: fact.Conduct{
		MovesMoney: true, Repeat: fact.Never, Number: fact.MerchantNumber{Space: "a", Field: "out_no"},
		Rate: fact.Rate{PerSecond: 5, Per: "merchant"}, Link: &fact.Link{Query: "/v3/a/{b_id}", State: "state", LookBack: 30, Only: []string{"url"}, Means: []fact.Means{
			{Value: "OK", Meaning: fact.Succeeded}, {Value: "CLOSED", Meaning: fact.Failed},
		}}, Excludes: []fact.Exclude{{Code: "NOT_ENOUGH"}},
	},
}

// TestForms shows everything that can be told in each of the formats, and in both languages.
func TestForms(t *testing.T) {
	for _, l := range []language.Language{language.English, language.Chinese} {
		of := func(list ...*fact.Operation) iter.Seq[*fact.Operation] { return slices.Values(list) }
		shown := page.New(of(rich), facts.Events(), l).Page(rich)
		shown.Sandbox = &answer.Answer{Status: 200, Body: []byte(`{"a": 1}`), First: "POST /v3/c"}
		var term, markdown bytes.Buffer
		shown.Terminal(&term, page.Paint{
			Bold: func(text string) string { return "<" + text + ">" }, Faint: func(text string) string { return text },
		})
		shown.Markdown(&markdown)
		document, err := json.MarshalIndent(shown, "", "  ")
		require.NoError(t, err)
		golden(t, "testdata/rich."+string(l)+".term.golden", term.Bytes())
		golden(t, "testdata/rich."+string(l)+".md.golden", markdown.Bytes())
		golden(t, "testdata/rich."+string(l)+".json.golden", append(document, '\n'))
	}
}

// TestEveryPage looks for every field of every operation in its page, in both forms.
func TestEveryPage(t *testing.T) {
	count := 0
	for operation := range facts.All() {
		shown := englishPages()[count]
		var term, markdown bytes.Buffer
		shown.Terminal(&term, page.Paint{Bold: strings.Clone, Faint: strings.Clone})
		shown.Markdown(&markdown)
		rows := 0
		for _, fields := range [][]fact.Field{
			operation.In.Path, operation.In.Query, operation.In.Header, operation.In.JSON, operation.In.Form, operation.Out,
		} {
			rows += number(fields)
		}
		assert.Equal(t, rows, strings.Count(markdown.String(), "\n| `")+strings.Count(markdown.String(), "\n| · "), shown.Path)
		for line := range strings.Lines(markdown.String()) {
			if strings.HasPrefix(line, "| ") {
				assert.Equal(t, 5, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), line)
			}
		}
		assert.Contains(t, term.String(), operation.Name)
		for _, markup := range []string{"&emsp;", `\_`, "&lt;"} {
			assert.NotContains(t, term.String(), markup, "a terminal shows text")
		}
		count++
	}
	assert.Greater(t, count, 1000)
}

// TestPagesHaveTheirParts counts the pages that have each part, in both languages, and finds the part wherever facts exist.
func TestPagesHaveTheirParts(t *testing.T) {
	for _, l := range []language.Language{language.English, language.Chinese} {
		pages, say := englishPages(), l.Say
		if l == language.Chinese {
			pages = chinesePages()
		}
		counts, at := make(map[string]int), 0
		for operation := range facts.All() {
			shown := pages[at]
			at++
			var out bytes.Buffer
			shown.Markdown(&out)
			text, name := out.String(), operation.Method+" "+operation.Path
			item := func(en, zh string) string { return say("- **"+en+":**", "- **"+zh+"：**") }
			upload, typed := len(operation.In.Form) > 0, len(operation.In.Query)+len(operation.In.JSON) > 0 || operation.Response == fact.JSONResponse
			link := operation.Link != nil
			for part, has := range map[string]struct {
				fact bool
				text string
			}{
				"a title":              {true, "# "},
				"when to use it":       {true, "`" + name + "`\n\n"},
				"who may call":         {true, item("callers", "调用方")},
				"the limit":            {true, item("limit", "频率限制")},
				"errors":               {true, item("errors", "错误码")},
				"money":                {operation.MovesMoney, item("money", "资金")},
				"repeats":              {operation.Method != "GET", item("repeat", "重复请求")},
				"the outcome":          {operation.MovesMoney || link, item("outcome", "结果查询")},
				"states":               {link && len(operation.Link.Means) > 0, item("states", "查询状态")},
				"reach":                {link && operation.Link.LookBack > 0, item("reach", "可查期限")},
				"codes without effect": {len(operation.Excludes) > 0, item("no effect", "未生效")},
				"replaced by":          {len(operation.ReplacedBy) > 0, item("instead", "替代接口")},
				"replaces":             {len(shown.Replaces) > 0, item("replaces", "取代")},
				"the list":             {operation.Paging != nil, item("list", "列表")},
				"path":                 {len(operation.In.Path) > 0, say("\n## Path\n", "\n## 路径参数\n")},
				"query":                {len(operation.In.Query) > 0, say("\n## Query\n", "\n## 查询参数\n")},
				"body":                 {len(operation.In.JSON) > 0, say("\n## Body (JSON)\n", "\n## 请求体（JSON）\n")},
				"form":                 {upload, say("\n## Form (", "\n## 表单（")},
				"the answer":           {true, say("\n## Response ", "\n## 应答 ")},
				"the command":          {true, say("\n## Command line\n\n```sh\nwxpay ", "\n## 命令行\n\n```sh\nwxpay ")},
				"the signed request":   {!upload && !operation.Unsigned, "-H 'Authorization: WECHATPAY"},
				"curl":                 {!upload, "\ncurl -X " + operation.Method + " "},
				"types":                {typed, "\n```go\n// wxpay gen types " + operation.Method + " "},
				"official pages":       {len(operation.Docs) > 0, "\n- <https://"},
			} {
				if has.fact {
					assert.True(t, strings.Contains(text, has.text), "the page of %s lacks %s", name, part)
					counts[part]++
				}
			}
			assert.Equal(t, 6, strings.Count(text, "res, err "), "the page of %s has six samples", name)
			counts["six samples"]++
		}
		for part, least := range map[string]int{"six samples": 1000, "types": 1000, "curl": 1000, "official pages": 1000, "states": 20, "replaces": 20} {
			assert.Greater(t, counts[part], least, part)
		}
		t.Log(counts)
	}
}

// TestChinese finds no English sentence in the Chinese pages.
func TestChinese(t *testing.T) {
	codes, count := 0, 0
	for operation := range facts.All() {
		shown := chinesePages()[count]
		count++
		for i, code := range operation.Codes {
			if code.Meaning != "" {
				codes++
				assert.NotEqual(t, code.Meaning, shown.Codes[i].Meaning, "translate it in meaning.go")
			}
		}
		assert.NotRegexp(t, `[a-z]{3,} [a-z]{2,} [a-z]{2,}`, shown.When, operation.Path)
		var markdown bytes.Buffer
		shown.Markdown(&markdown)
		assert.NotContains(t, markdown.String(), "not known")
	}
	assert.Positive(t, codes)
}

func number(fields []fact.Field) int {
	n := len(fields)
	for _, field := range fields {
		n += number(field.Fields)
	}
	return n
}

func TestFiles(t *testing.T) {
	files, err := written()
	require.NoError(t, err)
	pages := 1 // the index
	for operation := range facts.All() {
		pages++
		name := page.FileName(operation)
		require.Contains(t, files, name)
		assert.Contains(t, string(files[name]), "\n## Response of the sandbox\n", name)
		assert.Contains(t, string(files["README.md"]), operation.Name)
	}
	events := 0
	for event := range facts.Events() {
		pages, events = pages+1, events+1
		name := page.EventName(event)
		require.Contains(t, files, name)
		for _, part := range []string{
			"\n## Resource (decrypted)\n", "\n## Sample of the resource\n", "\n```go\nhandler.", "\nwxpay webhook trigger " + event.Type + " --to ",
		} {
			assert.Contains(t, string(files[name]), part, name)
		}
		assert.Contains(t, string(files["README.md"]), event.Name)
	}
	assert.Greater(t, events, 100)
	assert.Len(t, files, pages, "a file for each operation and notification, and the index")
	names := slices.Sorted(page.New(facts.All(), facts.Events(), language.English).FileNames())
	assert.Equal(t, slices.Sorted(maps.Keys(files)), names)
	folded := make(map[string]bool)
	for name := range files {
		assert.False(t, folded[strings.ToLower(name)], "%s and another are one file where case does not matter", name)
		folded[strings.ToLower(name)] = true
	}
	for line, want := range map[string]string{
		"POST /v3/ecommerce/applyments/":               "v3/ecommerce/applyments/index.post.md",
		"GET /v3/pay/transactions/id/{transaction_id}": "v3/pay/transactions/id/_transaction_id_.get.md",
		"POST /v3/pay/transactions/native":             "v3/pay/transactions/native.post.md",
	} {
		method, path, _ := strings.Cut(line, " ")
		assert.Equal(t, want, page.FileName(&fact.Operation{Method: method, Path: path}))
	}
}

// TestRelations reads on both sides what the facts say on one.
func TestRelations(t *testing.T) {
	of := func(method, path string) page.Page {
		operation, ok := facts.Lookup(method, path)
		require.True(t, ok, path)
		return english.Page(operation)
	}
	order := of("POST", "/v3/pay/transactions/native")
	assert.Equal(t, "GET /v3/pay/transactions/out-trade-no/{out_trade_no}", order.Query)
	assert.Contains(t, order.Events, "TRANSACTION.SUCCESS")
	query := of("GET", "/v3/pay/transactions/out-trade-no/{out_trade_no}")
	assert.Contains(t, query.OutcomeOf, "POST /v3/pay/transactions/native")
	assert.Empty(t, query.Events)
	count := 0
	for operation := range facts.All() {
		for _, newer := range operation.ReplacedBy {
			method, path, _ := strings.Cut(newer, " ")
			assert.Contains(t, of(method, path).Replaces, operation.Method+" "+operation.Path)
			count++
		}
	}
	assert.Positive(t, count)
}
