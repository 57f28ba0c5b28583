package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// TestUpToDate fails when package api is not what the catalogue says.
func TestUpToDate(t *testing.T) {
	want := t.TempDir()
	require.NoError(t, run(want))
	wanted, err := generated(want)
	require.NoError(t, err)
	require.NotEmpty(t, wanted)
	have, err := generated(filepath.Join("..", ".."))
	require.NoError(t, err)

	var stale []string
	for name, content := range wanted {
		if !bytes.Equal(have[name], content) {
			stale = append(stale, name)
		}
		delete(have, name)
	}
	for name := range have {
		stale = append(stale, name)
	}
	slices.Sort(stale)
	assert.Empty(t, stale, "stale files: run go generate ./api")
}

// TestDeterministic turns the operations round: the order in which they come must not show.
func TestDeterministic(t *testing.T) {
	operations := slices.Collect(catalog.V3().Described().All())
	require.NotEmpty(t, operations)
	first, err := generate(slices.Values(operations))
	require.NoError(t, err)
	slices.Reverse(operations)
	second, err := generate(slices.Values(operations))
	require.NoError(t, err)
	require.Len(t, second, len(first))
	for name := range first {
		assert.True(t, bytes.Equal(first[name], second[name]), name)
	}
}

// TestRunOwnsOnlyItsFiles keeps what was written by hand and removes what is no longer generated.
func TestRunOwnsOnlyItsFiles(t *testing.T) {
	dir := t.TempDir()
	byHand, gone := filepath.Join(dir, "doc.go"), filepath.Join(dir, "v3.gone.go")
	require.NoError(t, os.WriteFile(byHand, []byte("package api\n"), 0o600))
	require.NoError(t, os.WriteFile(gone, []byte(header+"\npackage api\n"), 0o600))
	require.NoError(t, run(dir))
	assert.FileExists(t, byHand)
	assert.NoFileExists(t, gone)
	assert.FileExists(t, filepath.Join(dir, "v3.pay.go"))
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ segment, method, argument string }{
		{"user-feeds", "UserFeeds", "userFeeds"},
		{"id", "ID", "id"},
		{"jsapi-with-contract", "JSAPIWithContract", "jsapiWithContract"},
		{"h5-presign", "H5Presign", "h5Presign"},
		{"preview-url", "PreviewURL", "previewURL"},
		{"applyment_id", "ApplymentID", "applymentID"},
		{"device_sn", "DeviceSN", "deviceSN"},
		{"sub_mchid", "SubMchid", "subMchid"},
		{"complaints-v2", "ComplaintsV2", "complaintsV2"},
		{"n-qualifications", "NQualifications", "nQualifications"},
		{"apply4sub", "Apply4sub", "apply4sub"},
	} {
		assert.Equal(t, c.method, exported(c.segment))
		assert.Equal(t, c.argument, parameter(c.segment))
	}
}

// api makes operations of lines such as "GET /v3/a" and returns what is generated.
func api(lines ...string) (string, error) {
	lines = append(lines, "GET /hk/v3/a", "GET /global/v3/a", "GET /invoicing/a", "GET /brand/a", "GET /v3/z")
	var operations []*fact.Operation
	for _, line := range lines {
		method, path, _ := strings.Cut(line, " ")
		operations = append(operations, &fact.Operation{Method: method, Path: path, Name: "名"})
	}
	files, err := generate(slices.Values(operations))
	var all strings.Builder
	for _, content := range files {
		all.Write(content)
	}
	return all.String(), err
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name       string
		operations []string
		want       []string
	}{
		{"a leaf is its set of verbs",
			[]string{"GET /v3/a/b", "PATCH /v3/a/b"},
			[]string{"func (n V3A) B() GetPatchCall {\n\treturn GetPatchCall(n.client.Chain(\"v3/a/b\"))"}},
		{"a child named like a verb of its node",
			[]string{"POST /v3/a", "GET /v3/a/post", "GET /v3/a/post-async"},
			[]string{"func (n V3A) PostSegment() GetCall", "func (n V3A) PostAsyncSegment() GetCall"}},
		{"a child named like a verb that its node lacks",
			[]string{"POST /v3/a", "GET /v3/a/delete"},
			[]string{"func (n V3A) DeleteSegment() GetCall"}},
		{"a child named like a setting",
			[]string{"POST /v3/a", "GET /v3/a/query", "GET /v3/a/timeout", "GET /v3/a/attempt-timeout", "GET /v3/a/chain"},
			[]string{"QuerySegment() Get", " TimeoutSegment() Get", "AttemptTimeoutSegment() Get", "ChainSegment() Get"}},
		{"a child named like a verb that only others have",
			[]string{"POST /v3/a", "GET /v3/a/bill", "GET /v3/a/each", "GET /v3/a/resolve", "GET /v3/a/until-final"},
			[]string{"BillSegment() Get", "EachSegment() Get", "ResolveSegment() Get", "UntilFinalSegment() Get"}},
		{"a node without verbs has no methods to collide with",
			[]string{"GET /v3/a/query"},
			[]string{"func (n V3A) Query() GetCall"}},
		{"segments that differ by - and _",
			[]string{"GET /v3/a/b-c", "GET /v3/a/b_c", "GET /v3/a/b_d"},
			[]string{"func (n V3A) BC() GetCall", "func (n V3A) B_C() GetCall", "func (n V3A) BD() GetCall"}},
		{"a slash at the end",
			[]string{"POST /v3/a/", "GET /v3/a/b"},
			[]string{"func (n V3A) Slash() PostCall {\n\treturn PostCall(n.client.Chain(\"v3/a/\"))"}},
		{"values are carried on",
			[]string{"GET /v3/a/{x_id}", "POST /v3/a/{x_id}/b/{y}/c"},
			[]string{
				"type V3AXID struct{ GetCall }", `GetCall(n.client.Chain("v3/a/{x_id}").Var("x_id", xID))`,
				"return V3AXIDB{branch(n.GetCall)}", `V3AXIDBY{branch(wxpay.Chain(n.branch).Chain("b/{y}").Var("y", y))}`,
				`PostCall(wxpay.Chain(n.branch).Chain("c"))`,
			}},
		{"an argument that would be a keyword, or the receiver",
			[]string{"GET /v3/a/{type}", "GET /v3/b/{n}"},
			[]string{"Type(type_ string)", "N(n_ string)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := api(c.operations...)
			require.NoError(t, err)
			for _, want := range c.want {
				assert.Contains(t, text, want)
			}
		})
	}
}

// TestAbilities holds which methods a node has, by what is known of its operations.
func TestAbilities(t *testing.T) {
	field := func(names ...string) (list []fact.Field) {
		for _, name := range names {
			list = append(list, fact.Field{Name: name, Type: fact.String})
		}
		return list
	}
	for kind, operations := range map[string][]*fact.Operation{
		"GetCall":               {{Method: "GET", In: fact.Request{Query: field("offset")}, Out: field("hash_type")}},
		"GetEachCall":           {{Method: "GET", In: fact.Request{Query: field("limit", "offset")}}},
		"GetDownloadCall":       {{Method: "GET", Response: fact.StreamResponse}},
		"GetDownloadBillCall":   {{Method: "GET", Response: fact.StreamResponse, Signature: fact.OverDigest}},
		"GetBillCall":           {{Method: "GET", Out: field("download_url", "hash_type", "hash_value")}},
		"GetReceiptCall":        {{Method: "GET", Out: field("download_url", "state")}},
		"PostCall":              {{Method: "POST", Conduct: fact.Conduct{Repeat: fact.Never}}},
		"PostEnsureCall":        {{Method: "POST", Conduct: fact.Conduct{Repeat: fact.Assumed}}},
		"PostEnsureResolveCall": {{Method: "POST", Conduct: fact.Conduct{Link: &fact.Link{}}}},
		"UploadCall":            {{Method: "POST", In: fact.Request{Form: field("meta")}}},
		"GetEachPostDeleteBodyCall": {{Method: "GET", In: fact.Request{Query: field("page_token")}}, {Method: "POST"},
			{Method: "DELETE", In: fact.Request{JSON: field("a")}}},
		"PutPatchDeleteCall": {{Method: "PUT"}, {Method: "PATCH"}, {Method: "DELETE"}},
	} {
		assert.Equal(t, kind, callKind(&node{operations: operations}))
	}
	var out source
	writeCall(&out, "PostCall", []string{"Post"})
	assert.Contains(t, out.String(), "func (c PostCall) Idempotent() PostCall {")
	out.Reset()
	writeCall(&out, "GetCall", []string{"Get"})
	assert.NotContains(t, out.String(), "Idempotent")
}

func TestNoRule(t *testing.T) {
	for _, c := range []struct {
		name       string
		operations []string
		want       string
	}{
		{"beneath no door", []string{"GET /v4/a"}, "GET /v4/a is below no door: add one to the table of doors"},
		{"a door that is an operation", []string{"GET /v3"}, "GET /v3 is below no door: add one to the table of doors"},
		{"a method without a verb", []string{"HEAD /v3/a"}, "HEAD /v3/a: there is no verb for this method"},
		{"twice", []string{"GET /v3/a", "GET /v3/a"}, "GET /v3/a is listed twice"},
		{"a literal like a placeholder", []string{"GET /v3/a/b-c", "GET /v3/a/{b_c}"},
			"/v3/a/b-c and /v3/a/{b_c} would both be called BC: they need a rule"},
		{"two alike without _", []string{"GET /v3/a/bc", "GET /v3/a/b-c", "GET /v3/a/bc-"},
			"/v3/a/bc and /v3/a/bc- would both be called Bc: they need a rule"},
		{"types alike", []string{"GET /v3/a/b-c/d", "GET /v3/a-b/c/d"},
			"the types of /v3/a/b-c and /v3/a-b/c would both be called V3ABC: they need a rule"},
		{"a name that is none", []string{"GET /v3/4a"}, "/v3/4a: 4a is not a Go name"},
		{"a slash behind a placeholder", []string{"GET /v3/a/{b}/"}, "/v3/a/{b}/: there is no rule for a slash after the last placeholder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := api(c.operations...)
			require.EqualError(t, err, c.want)
		})
	}
	_, err := generate(func(yield func(*fact.Operation) bool) {})
	require.EqualError(t, err, "no operation is below /v3")
}

// TestComments holds what is said of an operation.
func TestComments(t *testing.T) {
	const path = "/v3/a/b"
	total := fact.Field{Name: "total", Type: fact.Integer, Required: true, Confirmed: true, Label: "总金额", Unit: fact.Fen}
	query := fact.Request{Query: []fact.Field{{Name: "appid", Type: fact.String, Required: true}, {Name: "limit", Type: fact.Integer}}}
	order := fact.Request{
		Header: []fact.Field{{Name: "Wechatpay-Serial", Type: fact.String, Required: true}},
		JSON: []fact.Field{
			{Name: "appid", Type: fact.String, Required: true, Confirmed: true, Label: "公众号ID"},
			{Name: "attach", Type: fact.String},
			{Name: "amount", Type: fact.Object, Required: true, Confirmed: true, Fields: []fact.Field{total, {Name: "currency", Type: fact.String}}},
			{Name: "goods", Type: fact.Objects, Required: true, Fields: []fact.Field{{Name: "id", Type: fact.String, Required: true, Confirmed: true}}},
			{Name: "payer", Type: fact.Object, Required: true, Fields: []fact.Field{{Name: "openid", Type: fact.String}}},
			{Name: "detail", Type: fact.Object, Fields: []fact.Field{total}},
		},
	}
	for _, c := range []struct {
		name       string
		operations []*fact.Operation
		want       string
	}{
		{"one", []*fact.Operation{
			{Method: "POST", Path: path, Name: "下单", In: order, Docs: []string{"v3/merchant/1", "wiki/2"}, Conduct: fact.Conduct{Link: &fact.Link{Query: "/v3/a/{id}"}}},
		}, `// B is POST /v3/a/b 下单:
//   - required in body: appid 公众号ID, amount.total 总金额 (fen)
//   - documented as required in body: goods[].id, payer
//   - outcome: GET /v3/a/{id}
//   - https://pay.weixin.qq.com/doc/v3/merchant/1
func`},
		{"a variable", []*fact.Operation{
			{Method: "GET", Path: path + "/{c}", Name: "查", In: fact.Request{Path: []fact.Field{{Name: "c", Type: fact.String, Label: "编号"}}}},
		}, `// C is GET /v3/a/b/{c} 查:
//   - {c} 编号
func`},
		{"nothing known", []*fact.Operation{
			{Method: "POST", Path: path, Name: "下单"},
		}, "// B is POST /v3/a/b 下单.\nfunc"},
		{"several", []*fact.Operation{
			{Method: "GET", Path: path, Name: "查", In: query},
			{Method: "PUT", Path: path, Name: "改", Status: fact.Offline, ReplacedBy: []string{"PUT /v3/c"}},
		}, `// B is /v3/a/b.
//
// GET /v3/a/b 查:
//   - documented as required in query: appid
//
// PUT /v3/a/b 改:
//   - offline, use PUT /v3/c
func`},
		{"over", []*fact.Operation{
			{Method: "POST", Path: path, Name: "下单", Status: fact.Superseded, ReplacedBy: []string{"POST /v3/c", "POST /v3/d"}},
		}, `// B is POST /v3/a/b 下单.
//
// Deprecated: superseded, use POST /v3/c or POST /v3/d.
func`},
		{"all over", []*fact.Operation{
			{Method: "GET", Path: path, Name: "查", Status: fact.Superseded, ReplacedBy: []string{"GET /v3/c"}},
			{Method: "PUT", Path: path, Name: "改", Status: fact.Superseded},
		}, `// GET /v3/a/b 查:
//   - superseded, use GET /v3/c
//
// PUT /v3/a/b 改:
//   - superseded
//
// Deprecated: superseded.
func`},
		{"over, but not what is beneath", []*fact.Operation{
			{Method: "GET", Path: path, Name: "查", Status: fact.Offline},
			{Method: "GET", Path: path + "/c", Name: "查"},
		}, "// B is GET /v3/a/b 查:\n//   - offline\nfunc"},
		{"states", []*fact.Operation{
			{Method: "GET", Path: path, Name: "查", Status: fact.Beta},
			{Method: "PUT", Path: path, Name: "改", Status: fact.Restricted},
			{Method: "POST", Path: path, Name: "下", Status: fact.Linked},
		}, `// GET /v3/a/b 查:
//   - beta: not open to everyone yet
//
// POST /v3/a/b 下:
//   - linked: an earlier response has the address
//
// PUT /v3/a/b 改:
//   - restricted: only after individual approval
func`},
	} {
		t.Run(c.name, func(t *testing.T) {
			others := []*fact.Operation{
				{Method: "GET", Path: "/hk/v3/a"}, {Method: "GET", Path: "/global/v3/a"}, {Method: "GET", Path: "/invoicing/a"},
				{Method: "GET", Path: "/brand/a"},
			}
			files, err := generate(slices.Values(append(others, c.operations...)))
			require.NoError(t, err)
			assert.Contains(t, string(files["v3.a.go"]), c.want)
		})
	}
}

func TestWrap(t *testing.T) {
	var out source
	wide, full, long := strings.Repeat("字", 93), strings.Repeat("b", 93), strings.Repeat("c", 130)
	out.wrap("//   - ", "//     ", wide+" "+full+" "+long+" d")
	assert.Equal(t, "//   - "+wide+"\n//     "+full+"\n//     "+long+"\n//     d\n", out.String())
	out.Reset()
	out.wrap("// ", "// ", strings.Repeat("a", 50)+" "+strings.Repeat("b", 46))
	assert.Equal(t, 101, out.Len(), "100 columns and the line break stay one line")
}
