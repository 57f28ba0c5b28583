package catalog_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// What this edition of the data holds. A change here is a change of the API, or of what is known of it.
const (
	operations = 1078
	events     = 109
	codes      = 10
	confirmed  = 2918 // required members that a second source confirms
)

// readTexts returns the texts of the data by the name of their file, which must not be none.
func readTexts(t *testing.T) (names []string, texts map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("data", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	texts = map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		texts[name] = string(content)
	}
	return names, texts
}

func parse(t *testing.T, content string) *text.Document {
	t.Helper()
	doc, err := text.Parse(content)
	require.NoError(t, err)
	return doc
}

// whole joins the texts in the order of their rows.
func whole(t *testing.T) *text.Document {
	t.Helper()
	names, texts := readTexts(t)
	all := &text.Document{}
	for _, name := range names {
		doc := parse(t, texts[name])
		all.Operations = append(all.Operations, doc.Operations...)
		all.Events = append(all.Events, doc.Events...)
		all.Codes = append(all.Codes, doc.Codes...)
	}
	slices.SortFunc(all.Operations, text.Compare)
	return all
}

func TestTextsAreWrittenAsTheyAreRead(t *testing.T) {
	names, texts := readTexts(t)
	for _, name := range names {
		assert.True(t, text.Format(parse(t, texts[name])) == texts[name],
			"%s: another order, spelling or indentation than go run ./catalog/internal/gen -import writes", name)
	}
}

func TestTextsHoldTheirPaths(t *testing.T) {
	names, texts := readTexts(t)
	for _, name := range names {
		doc := parse(t, texts[name])
		if filepath.Base(name) == "events.txt" {
			assert.Empty(t, doc.Operations, name)
			assert.Len(t, doc.Events, events, name)
			continue
		}
		if filepath.Base(name) == "codes.txt" {
			assert.Empty(t, doc.Operations, name)
			assert.Len(t, doc.Codes, codes, name)
			continue
		}
		assert.Empty(t, doc.Events, name)
		assert.NotEmpty(t, doc.Operations, name)
		for _, operation := range doc.Operations {
			segments := strings.Split(operation.Path, "/")
			require.GreaterOrEqual(t, len(segments), 3, operation.Path)
			assert.Equal(t, segments[1]+"."+segments[2]+".txt", filepath.Base(name), operation.Path)
		}
	}
}

func TestPackedCopyIsWhatTheTextsSay(t *testing.T) {
	all := func(c *catalog.Catalog) *text.Document {
		return &text.Document{Operations: slices.Collect(c.All()), Events: slices.Collect(c.Events()),
			Codes: slices.Collect(c.Codes())}
	}
	assert.True(t, text.Format(all(catalog.V3())) == text.FormatFacts(whole(t)), "facts.pack is stale: go generate ./catalog")
	assert.True(t, text.Format(all(catalog.V3().Described())) == text.Format(whole(t)), "texts.pack is stale: go generate ./catalog")
}

func TestPackedCopyIsSmall(t *testing.T) {
	assert.Less(t, catalog.PackedFacts, 200_000, "bytes in every program that imports the package")
	assert.Less(t, catalog.PackedTexts, 250_000, "bytes in every program that can ask for texts")
	t.Logf("facts %d bytes, texts %d bytes", catalog.PackedFacts, catalog.PackedTexts)
}

func TestRowsAreSortedUniqueAndWellFormed(t *testing.T) {
	doc := whole(t)
	require.NoError(t, text.Check(doc))
	assert.Len(t, doc.Operations, operations)
	assert.Len(t, doc.Events, events)
}

func TestCounts(t *testing.T) {
	assert.Equal(t, operations, len(slices.Collect(catalog.V3().All())))
	assert.Equal(t, events, len(slices.Collect(catalog.V3().Events())))
	assert.Equal(t, codes, len(slices.Collect(catalog.V3().Codes())))
	count := 0
	walk(catalog.V3(), func(_ string, field *fact.Field) {
		if field.Confirmed {
			count++
		}
	})
	assert.Equal(t, confirmed, count)
}

// walk visits every member of every operation and event.
func walk(c *catalog.Catalog, visit func(where string, field *fact.Field)) {
	var list func(where string, fields []fact.Field)
	list = func(where string, fields []fact.Field) {
		for i := range fields {
			at := where + "." + fields[i].Name
			visit(at, &fields[i])
			list(at, fields[i].Fields)
		}
	}
	for o := range c.All() {
		for _, fields := range [][]fact.Field{o.In.Path, o.In.Query, o.In.Header, o.In.JSON, o.In.Form, o.Out} {
			list(o.Method+" "+o.Path, fields)
		}
	}
	for e := range c.Events() {
		list(e.Type, e.Resource)
		if e.Reply != nil {
			list(e.Type, e.Reply.Body)
			list(e.Type, e.Reply.Header)
		}
	}
}

func TestPathsCanBeBuilt(t *testing.T) {
	segment := regexp.MustCompile(`^(?:[a-z0-9_-]+|\{[a-z0-9_]+\})$`)
	slashed := map[string]bool{}
	for operation := range catalog.V3().All() {
		path, ok := strings.CutPrefix(operation.Path, "/")
		require.True(t, ok, operation.Path)
		if cut, ok := strings.CutSuffix(path, "/"); ok {
			slashed[operation.Path] = true
			path = cut
		}
		var placeholders []string
		for s := range strings.SplitSeq(path, "/") {
			assert.Regexp(t, segment, s, operation.Path)
			if s[0] == '{' {
				placeholders = append(placeholders, s[1:len(s)-1])
			}
		}
		var listed []string
		for _, field := range operation.In.Path {
			listed = append(listed, field.Name)
			assert.Contains(t, []fact.Type{fact.String, fact.Integer, fact.Number}, field.Type, "%s of %s", field.Name, operation.Path)
		}
		assert.Equal(t, placeholders, listed, operation.Path)
	}
	assert.Equal(t, map[string]bool{"/v3/applyment4sub/applyment/": true, "/v3/ecommerce/applyments/": true}, slashed)
}

func TestDocumentationHasAnAddress(t *testing.T) {
	count := 0
	check := func(where string, ids []string) {
		for _, id := range ids {
			count++
			address, err := url.Parse(fact.DocURL(id))
			require.NoError(t, err, where)
			assert.Equal(t, "https", address.Scheme, where)
			assert.Contains(t, []string{"pay.weixin.qq.com", "docs.qq.com", "github.com"}, address.Host, "%s: %s", where, id)
			assert.Greater(t, len(address.Path), 1, where)
		}
	}
	for operation := range catalog.V3().All() {
		check(operation.Path, operation.Docs)
	}
	for event := range catalog.V3().Events() {
		check(event.Type, event.Docs)
	}
	assert.Positive(t, count)
}

// The documentation's tables of the order queries and of the notification lack these members, which the platform sends:
// an edition that follows the tables alone loses them.
func TestMembersThatTablesLack(t *testing.T) {
	promotion := []string{"coupon_id", "name", "scope", "type", "amount", "stock_id", "wechatpay_contribute",
		"merchant_contribute", "other_contribute", "currency", "goods_detail", "goods_detail.goods_id",
		"goods_detail.quantity", "goods_detail.unit_price", "goods_detail.discount_amount", "goods_detail.goods_remark"}
	for path, others := range map[string][]string{
		"/v3/pay/transactions/id/{transaction_id}":                 {"amount.payer_total", "amount.payer_currency", "payer", "payer.openid"},
		"/v3/pay/transactions/out-trade-no/{out_trade_no}":         nil,
		"/v3/pay/partner/transactions/id/{transaction_id}":         nil,
		"/v3/pay/partner/transactions/out-trade-no/{out_trade_no}": nil,
	} {
		operation, ok := catalog.V3().Lookup("GET", path)
		require.True(t, ok, path)
		want := append(slices.Clone(others), "promotion_detail")
		for _, name := range promotion {
			want = append(want, "promotion_detail."+name)
		}
		assert.Subset(t, names(operation.Out, ""), want, path)
	}
	event, ok := catalog.V3().Event("TRANSACTION.SUCCESS")
	require.True(t, ok)
	assert.Subset(t, names(event.Resource, ""), []string{"mchid", "sp_appid", "trade_state_desc", "trade_type",
		"payer.sp_openid", "amount.total", "promotion_detail.amount", "promotion_detail.stock_id",
		"promotion_detail.wechatpay_contribute", "promotion_detail.merchant_contribute",
		"promotion_detail.other_contribute", "promotion_detail.goods_detail.goods_id",
		"promotion_detail.goods_detail.quantity", "promotion_detail.goods_detail.unit_price",
		"promotion_detail.goods_detail.discount_amount", "promotion_detail.goods_detail.goods_remark"})
}

func names(fields []fact.Field, where string) []string {
	var list []string
	for _, field := range fields {
		list = append(list, where+field.Name)
		list = append(list, names(field.Fields, where+field.Name+".")...)
	}
	return list
}

// Every kind of fact that the types can hold is in the data, so reading it is tested by the data.
func TestEveryKindOfFactOccurs(t *testing.T) {
	seen := map[string]bool{}
	mark := func(kind string, is bool) { seen[kind] = seen[kind] || is }
	for o := range catalog.V3().All() {
		mark("method "+o.Method, true)
		mark("status "+string(o.Status), true)
		mark("answer "+string(o.Response), true)
		mark("content "+o.Content, true)
		mark("signature "+string(o.Signature), true)
		mark("202", o.Success == 202)
		mark("host", o.Host != "" && !o.HostRequired)
		mark("one host", o.Host != "" && o.HostRequired)
		mark("unsigned", o.Unsigned)
		mark("joined", o.Joined)
		mark("inferred", o.Inferred)
		mark("scheme "+string(o.Scheme), true)
		mark("replaced", len(o.ReplacedBy) > 0)
		mark("tags", len(o.Tags) > 1)
		mark("roles", len(o.Roles) > 1)
		mark("docs", len(o.Docs) > 1)
		mark("form", len(o.In.Form) > 0)
		mark("header", len(o.In.Header) > 0)
		mark("also", len(o.Also) > 0)
		mark("not the caller", len(o.NotCaller) > 0)
		if o.Paging != nil {
			mark("paging "+string(o.Paging.By), true)
		}
	}
	for e := range catalog.V3().Events() {
		mark("aliases", len(e.Aliases) > 0)
		mark("resource types", len(e.ResourceTypes) > 0)
		mark("original types", len(e.OriginalTypes) > 1)
		mark("variants", len(e.Variants) > 1)
		mark("event joined", e.Joined)
		mark("event inferred", e.Inferred)
		mark("event scheme "+string(e.Scheme), true)
		mark("reply body", e.Reply != nil && len(e.Reply.Body) > 0)
		mark("reply header", e.Reply != nil && len(e.Reply.Header) > 0)
	}
	walk(catalog.V3(), func(_ string, f *fact.Field) {
		mark("type "+string(f.Type), true)
		mark("format "+f.Format, true)
		mark("cipher "+string(f.Cipher), true)
		mark("json text", f.JSONText && len(f.Fields) > 0)
		mark("alt", len(f.Alt) > 0)
		mark("unit "+string(f.Unit), true)
		mark("length", f.Min > 0 && f.Max > 0 && f.Type == fact.String)
		mark("value", f.Min > 0 && f.Max > 0 && f.Type == fact.Integer)
		mark("confirmed", f.Confirmed)
		mark("required, not confirmed", f.Required && !f.Confirmed)
		for _, constant := range f.Enum {
			switch constant.(type) {
			case string:
				mark("text constant", true)
			case int64:
				mark("whole constant", f.Type == fact.Integer)
				mark("whole number", f.Type == fact.Number)
			}
		}
	})
	var missing []string
	for _, kind := range []string{"method GET", "method POST", "method PUT", "method PATCH", "method DELETE",
		"status ", "status offline", "status superseded", "status beta", "status restricted", "status linked",
		"answer json", "answer empty", "answer stream", "content data", "content pdf", "content image",
		"signature ", "signature none", "signature digest", "202", "host", "one host", "unsigned", "joined", "inferred", "replaced",
		"scheme ", "scheme brand", "event inferred", "event scheme ", "event scheme brand", "confirmed",
		"required, not confirmed", "length", "value", "unit ", "unit fen", "unit microfen", "unit minor", "unit percent",
		"unit permyriad", "unit second", "unit minute", "unit day",
		"tags", "roles", "docs", "form", "header", "also", "not the caller",
		"paging offset", "paging page", "paging cursor", "paging offset-of-pages", "aliases", "resource types", "original types", "variants",
		"event joined", "reply body", "reply header", "type string", "type integer", "type number", "type boolean",
		"type object", "type file", "type string[]", "type integer[]", "type number[]", "type object[]",
		"format rfc3339", "format date", "format media", "format url", "cipher rsa", "cipher aes", "json text", "alt",
		"text constant", "whole constant", "whole number"} {
		if !seen[kind] {
			missing = append(missing, kind)
		}
	}
	assert.Empty(t, missing)
}
