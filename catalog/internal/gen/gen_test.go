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

	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// The facts that the tests begin with, as a facts file says them and as the catalogue does.
const (
	facts = `{"m":"GET","p":"/hk/v3/a/{id}","n":"甲","h":"apihk.mch.weixin.qq.com","hr":1,"sg":"none","st":"superseded","rp":["POST /v3/b/c"],"tag":["x/y","z"],"role":["r"],"mm":1,"inf":1,"in":{"path":[{"n":"id","l":"编号","t":"string","r":1,"rr":1,"min":6,"max":32,"s":"a"}],"query":[{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}},{"n":"f","t":"number","e":[1,2.5],"s":1}]},"rs":"stream","sm":"pdf","rv":"none","doc":["v3/merchant/1"]}
{"m":"POST","p":"/v3/b/c","n":"乙","in":{"header":[{"n":"Wechatpay-Serial","t":"string","r":1}],"json":[{"n":"name","t":"string","x":"rsa","alt":["nick"]},{"n":"detail","t":"string","j":1,"f":[{"n":"at","t":"string","fm":"date"}]}]},"rs":"json","out":[{"n":"id","t":"string","r":1},{"n":"state","t":"string","e":["A","B"]},{"n":"list","t":"object[]","f":[{"n":"ok","t":"boolean"}]}],"doc":["v3/merchant/2","v3/partner/3"]}

{"m":"DELETE","p":"/v3/b/d/","n":"丙","in":{},"rs":"empty","sc":204}
{"ev":"A.B","n":"丁","al":["C.D"],"rt":["t"],"ot":["o"],"alg":"AEAD_AES_256_GCM","va":["V"],"mm":1,"sch":"brand","inf":1,"res":[{"n":"id","t":"string"}],"re":{"body":[{"n":"code","t":"string"}],"header":[{"n":"Authorization","t":"string"}]},"doc":["v3/merchant/4"]}
`
	hkText = `GET /hk/v3/a/{id}
  name 甲
  host apihk.mch.weixin.qq.com only
  unsigned
  status superseded
  replaced-by POST /v3/b/c
  tag x/y
  tag z
  role r
  joined
  inferred
  path
    id string!! 6..32 # 编号 : a
  query
    n integer fen = 1 (一) | -2
    f number = 1 | 2.5 # : 1
  answer 200 stream pdf unsigned
  doc v3/merchant/1
`
	bText = `POST /v3/b/c
  name 乙
  header
    Wechatpay-Serial string!
  json
    name string rsa alt:nick
    detail string jsontext
      at string date
  answer 200 json
    id string!
    state string = A | B
    list object[]
      ok boolean
  doc v3/merchant/2
  doc v3/partner/3

DELETE /v3/b/d/
  name 丙
  answer 204 empty
`
	eventsText = `event A.B
  name 丁
  alias C.D
  scheme brand
  resource-type t
  original-type o
  algorithm AEAD_AES_256_GCM
  variant V
  joined
  inferred
  resource
    id string
  reply-header
    Authorization string
  reply-body
    code string
  doc v3/merchant/4
`
)

// folder returns a catalogue's folder with the given texts.
func folder(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o755))
	for name, content := range texts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data", name), []byte(content), 0o644))
	}
	return dir
}

func begun(t *testing.T) string {
	return folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": bText, "events.txt": eventsText})
}

// file writes a facts file.
func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "facts.jsonl")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
	return name
}

func texts(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := textNames(dir)
	require.NoError(t, err)
	found := map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		found[filepath.Base(name)] = string(content)
	}
	return found
}

func gen(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(args, &out, &err)
	return status, out.String(), err.String()
}

func TestImportIntoAnEmptyCatalogue(t *testing.T) {
	dir := folder(t, map[string]string{"v3.old.txt": "GET /v3/old/a\n  name a\n  answer 204 empty\n"})
	status, stdout, stderr := gen(t, "-catalog", dir, "-import", file(t, facts))
	assert.Equal(t, same, status, stderr)
	assert.Equal(t, "+ GET /hk/v3/a/{id}\n+ POST /v3/b/c\n+ DELETE /v3/b/d/\n- GET /v3/old/a\n+ event A.B\n", stdout)
	assert.Equal(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": bText, "events.txt": eventsText}, texts(t, dir))

	read, err := readTexts(dir)
	require.NoError(t, err)
	facts, texts, err := pack.Write(read)
	require.NoError(t, err)
	for name, want := range map[string][]byte{factsName: facts, textsName: texts} {
		packed, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, packed, name)
	}
}

func TestCheckWhenNothingDiffers(t *testing.T) {
	lines := strings.SplitAfter(facts, "\n")
	slices.Reverse(lines) // the order of a facts file means nothing
	for name, content := range map[string]string{
		"as imported":     facts,
		"another order":   strings.Join(lines, ""),
		"operations only": strings.Join(strings.SplitAfter(facts, "\n")[:4], ""),
		"events only":     strings.SplitAfter(facts, "\n")[4],
		"no last newline": strings.TrimSpace(facts),
		"CRLF":            strings.ReplaceAll(facts, "\n", "\r\n"),
	} {
		status, stdout, stderr := gen(t, "-catalog", begun(t), "-check", file(t, content))
		assert.Equal(t, same, status, "%s: %s", name, stderr)
		assert.Empty(t, stdout, name)
	}
}

func TestCheckReadsSeveralFiles(t *testing.T) {
	lines := strings.SplitAfter(facts, "\n")
	status, stdout, stderr := gen(t, "-catalog", begun(t), "-check", file(t, strings.Join(lines[:4], "")), file(t, lines[4]))
	assert.Equal(t, same, status, stderr)
	assert.Empty(t, stdout)
}

// Each change of the facts is told by check, taken over by import, and then none is left.
func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"operation added": {`{"ev"`,
			`{"m":"GET","p":"/v3/b/c","n":"x","rs":"empty","sc":202}` + "\n" + `{"ev"`, "+ GET /v3/b/c\n"},
		"operation removed": {`{"m":"DELETE","p":"/v3/b/d/","n":"丙","in":{},"rs":"empty","sc":204}`, "",
			"- DELETE /v3/b/d/\n"},
		"name":               {`"n":"乙"`, `"n":"戊"`, "~ POST /v3/b/c: name: 乙 -> 戊\n"},
		"host not mandatory": {`"hr":1,`, ``, "~ GET /hk/v3/a/{id}: host: apihk.mch.weixin.qq.com only -> apihk.mch.weixin.qq.com\n"},
		"flag gone":          {`"mm":1,"inf"`, `"inf"`, "~ GET /hk/v3/a/{id}: - joined\n"},
		"signed":             {`"sg":"none",`, ``, "~ GET /hk/v3/a/{id}: - unsigned\n"},
		"status gone":        {`"st":"superseded",`, ``, "~ GET /hk/v3/a/{id}: - status superseded\n"},
		"tag":                {`["x/y","z"]`, `["x/y","w"]`, "~ GET /hk/v3/a/{id}: - tag z\n~ GET /hk/v3/a/{id}: + tag w\n"},
		"tags' order":        {`["x/y","z"]`, `["z","x/y"]`, "~ GET /hk/v3/a/{id}: tag: another order\n"},
		"doc":                {`["v3/merchant/2","v3/partner/3"]`, `["v3/merchant/2"]`, "~ POST /v3/b/c: - doc v3/partner/3\n"},
		"answer": {`"rs":"empty","sc":204`, `"rs":"empty","sc":202`,
			"~ DELETE /v3/b/d/: answer: 204 empty -> 202 empty\n"},
		"first member": {`"in":{},`, `"in":{"query":[{"n":"q","t":"string","r":1}]},`,
			"~ DELETE /v3/b/d/: + query\n~ DELETE /v3/b/d/: + query.q string!\n"},
		"member added": {`{"n":"ok","t":"boolean"}`, `{"n":"ok","t":"boolean"},{"n":"no","t":"string"}`,
			"~ POST /v3/b/c: + answer.list.no string\n"},
		"member removed": {`{"n":"state","t":"string","e":["A","B"]},`, ``,
			"~ POST /v3/b/c: - answer.state string = A | B\n"},
		"required": {`{"n":"ok","t":"boolean"}`, `{"n":"ok","t":"boolean","r":1}`,
			"~ POST /v3/b/c: answer.list.ok boolean -> boolean!\n"},
		"confirmed": {`"r":1,"rr":1,`, `"r":1,`,
			"~ GET /hk/v3/a/{id}: path.id string!! 6..32 # 编号 : a -> string! 6..32 # 编号 : a\n"},
		"label": {`"el":{"1":"一"}`, `"el":{"1":"壹"}`,
			"~ GET /hk/v3/a/{id}: query.n integer fen = 1 (一) | -2 -> integer fen = 1 (壹) | -2\n"},
		"sample": {`"max":32,"s":"a"`, `"max":32`,
			"~ GET /hk/v3/a/{id}: path.id string!! 6..32 # 编号 : a -> string!! 6..32 # 编号\n"},
		"constants": {`["A","B"]`, `["A","B","C"]`, "~ POST /v3/b/c: answer.state string = A | B -> string = A | B | C\n"},
		"type": {`{"n":"id","t":"string","r":1},{"n":"state"`, `{"n":"id","t":"integer","r":1},{"n":"state"`,
			"~ POST /v3/b/c: answer.id string! -> integer!\n"},
		"cipher": {`"x":"rsa","alt":["nick"]`, `"alt":["nick"]`,
			"~ POST /v3/b/c: json.name string rsa alt:nick -> string alt:nick\n"},
		"members' order": {`{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}},{"n":"f","t":"number","e":[1,2.5],"s":1}`,
			`{"n":"f","t":"number","e":[1,2.5],"s":1},{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}}`,
			"~ GET /hk/v3/a/{id}: query: another order of members\n"},
		"event added": {`{"ev":"A.B"`,
			`{"ev":"C.D","n":"x","alg":"AEAD_AES_256_GCM","res":[{"n":"id","t":"string"}]}` + "\n" + `{"ev":"A.B"`,
			"+ event C.D\n"},
		"event's member": {`"res":[{"n":"id","t":"string"}]`, `"res":[{"n":"id","t":"string","x":"aes"}]`,
			"~ event A.B: resource.id string -> string aes\n"},
		"event's reply": {`,"header":[{"n":"Authorization","t":"string"}]`, ``,
			"~ event A.B: - reply-header\n~ event A.B: - reply-header.Authorization string\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(facts, c.old), "the test's own replacement")
			dir, changed := begun(t), file(t, strings.Replace(facts, c.old, c.new, 1))

			status, stdout, stderr := gen(t, "-catalog", dir, "-check", changed)
			assert.Equal(t, different, status, stderr)
			assert.Equal(t, c.want, stdout)

			status, stdout, stderr = gen(t, "-catalog", dir, "-import", changed)
			assert.Equal(t, same, status, stderr)
			assert.Equal(t, c.want, stdout)

			status, stdout, stderr = gen(t, "-catalog", dir, "-check", changed)
			assert.Equal(t, same, status, stderr)
			assert.Empty(t, stdout)
		})
	}
}

func TestWhatWasAddedByHandStays(t *testing.T) {
	b := strings.NewReplacer(
		"  name 乙\n", "  hand\n  name 乙\n", // documented since: no longer by hand
		"    id string!\n", "    first string hand\n    id string!\n    second object hand\n      third string! hand = X | Y\n",
		"    state string = A | B\n", "    state string reviewed = A | B\n",
		"      ok boolean\n", "      ok boolean\n      last string hand\n",
	).Replace(bText) + "\nPOST /v3/b/e\n  hand\n  name 手\n  answer 204 empty\n"
	events := eventsText + "\nevent Z.Z\n  hand\n  name 手\n  algorithm x\n  resource\n    id string\n"
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": events})

	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, facts))
	assert.Equal(t, different, status, stderr)
	assert.Equal(t, "~ POST /v3/b/c: - hand\n", stdout, "and nothing else is a difference")

	status, _, stderr = gen(t, "-catalog", dir, "-import", file(t, facts))
	require.Equal(t, same, status, stderr)
	b = strings.Replace(b, "  hand\n", "", 1)
	assert.Equal(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": events}, texts(t, dir))
}

func TestWhatIsDocumentedAtLastIsByHandNoLonger(t *testing.T) {
	b := strings.NewReplacer(
		"    state string = A | B\n", "    state string hand = A\n",
		"    list object[]\n      ok boolean\n", "    list object[] hand\n      ok boolean hand\n      more string hand\n",
	).Replace(bText)
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": eventsText})
	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, facts))
	assert.Equal(t, different, status, stderr)
	assert.Equal(t, "~ POST /v3/b/c: answer.state string hand = A -> string = A | B\n"+
		"~ POST /v3/b/c: answer.list object[] hand -> object[]\n"+
		"~ POST /v3/b/c: answer.list.ok boolean hand -> boolean\n", stdout)
}

func TestReviewedConstantsAreReviewedNoLongerWhenTheyChange(t *testing.T) {
	b := strings.Replace(bText, "state string = A | B", "state string reviewed = A | B", 1)
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": eventsText})
	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, strings.Replace(facts, `["A","B"]`, `["A","C"]`, 1)))
	assert.Equal(t, different, status, stderr)
	assert.Equal(t, "~ POST /v3/b/c: answer.state string reviewed = A | B -> string = A | C\n", stdout)
}

// A member added by hand keeps its neighbour, also when the documentation moves or loses that.
func TestPlaceOfMembersAddedByHand(t *testing.T) {
	list := func(names string) (fields []fact.Field) {
		for name := range strings.FieldsSeq(names) {
			name, hand := strings.CutSuffix(name, "*")
			fields = append(fields, fact.Field{Name: name, Type: fact.String, ByHand: hand})
		}
		return fields
	}
	for _, c := range []struct{ old, documented, want string }{
		{"", "", ""},
		{"a b", "a b c", "a b c"},
		{"a x* b", "a b", "a x* b"},
		{"x* a", "a", "x* a"},
		{"a x*", "a b", "a x* b"},
		{"a x* y* b", "a b", "a x* y* b"},
		{"a x* b", "b a", "b a x*"},
		{"a b x*", "a c", "a x* c"},
		{"a x*", "b", "x* b"},
		{"a x*", "", "x*"},
		{"a x*", "a x", "a x"},
	} {
		old, documented := list(c.old), list(c.documented)
		assert.Equal(t, list(c.want), mergeFields(old, documented), "%+v", c)
		assert.Equal(t, list(c.old), old)
		assert.Equal(t, list(c.documented), documented)
	}
}

// A key that facts files know nothing of is kept, whatever it holds.
func TestKeysOwnedByHandStay(t *testing.T) {
	type row struct {
		name, money string
		numbers     []fact.Field
	}
	word := func(name string, byHand bool, at func(*row) *string) text.Key[row] {
		return text.Key[row]{
			Name:   name,
			ByHand: byHand,
			Values: func(r *row) []string { return []string{*at(r)} },
			Set:    func(r *row, s string) error { *at(r) = s; return nil },
		}
	}
	keys := []text.Key[row]{
		word("name", false, func(r *row) *string { return &r.name }),
		word("money", true, func(r *row) *string { return &r.money }),
		{
			Name: "number", ByHand: true,
			Values:    func(r *row) []string { return nil },
			Fields:    func(r *row) []fact.Field { return r.numbers },
			SetFields: func(r *row, list []fact.Field) { r.numbers = list },
		},
	}
	numbers := []fact.Field{{Name: "out_trade_no", Type: fact.String}}
	old := &row{name: "old", money: "moves", numbers: numbers}
	assert.Equal(t, &row{name: "new", money: "moves", numbers: numbers}, mergeRow(old, &row{name: "new"}, keys))
}

func TestBadFacts(t *testing.T) {
	const good = `{"m":"GET","p":"/v3/a","n":"a","rs":"empty","sc":204}` + "\n"
	const answer = `{"m":"GET","p":"/v3/a","n":"a","rs":"json","out":[{"n":"a","t":`
	const query = `{"m":"GET","p":"/v3/a","n":"a","rs":"empty","sc":204,"in":{"query":[{"n":"a","t":`
	for name, c := range map[string]struct{ content, want string }{
		"empty file":       {"", ": no facts in it"},
		"blank lines":      {"\n\n", ": no facts in it"},
		"not JSON":         {good + "\nhello\n", ":3: not a JSON object"},
		"cut off":          {good + good[:20], ":2: not a JSON object"},
		"an array":         {"[]\n", ":1: not a JSON object"},
		"two objects":      {strings.TrimSpace(good) + good, ":1: not a JSON object"},
		"unknown key":      {strings.Replace(good, "}", `,"rate":1}`, 1), `:1: json: unknown field "rate"`},
		"unknown field":    {query + `"string","most":1}]}}`, `:1: json: unknown field "most"`},
		"flag":             {strings.Replace(good, "}", `,"mm":2}`, 1), ":1: a flag is 2; it is 1 or left out"},
		"wrong type":       {`{"m":"GET","p":7}`, ":1: json: cannot unmarshal number"},
		"signing":          {strings.Replace(good, "}", `,"sg":"some"}`, 1), `:1: "sg" is "some"`},
		"twice":            {good + good, `facts.jsonl:2: GET /v3/a stands already in`},
		"not well-formed":  {good + strings.Replace(good, "GET", "HEAD", 1), ":2: HEAD /v3/a: unknown method"},
		"type of a member": {answer + `"text"}]}`, `:1: GET /v3/a: answer.a: unknown type "text"`},
		"constant":         {answer + `"string","e":[null]}]}`, `:1: GET /v3/a: answer.a: the constant`},
		"constants":        {answer + `"object","e":[{},{}]}]}`, `:1: GET /v3/a: answer.a: the constant`},
		"label of none":    {answer + `"string","e":["A"],"el":{"B":"乙"}}]}`, `:1: GET /v3/a: answer.a: 2 labels for 1 constants`},
		"secret sample":    {answer + `"string","x":"rsa","s":"张三"}]}`, `:1: GET /v3/a: answer.a: an encrypted member has no sample`},
		"replacement": {good + strings.Replace(good, `GET","p":"/v3/a"`, `PUT","p":"/v3/a","st":"offline","rp":["GET /v3/b"]`, 1),
			`:2: PUT /v3/a is replaced by "GET /v3/b", which is in no line`},
		"event": {`{"ev":"a","n":"a","alg":"x","res":[{"n":"a","t":"string"}]}`, ":1: a: bad event type"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := begun(t)
			before := texts(t, dir)
			for _, mode := range []string{"-check", "-import"} {
				status, stdout, stderr := gen(t, "-catalog", dir, mode, file(t, c.content))
				assert.Equal(t, failed, status)
				assert.Empty(t, stdout)
				assert.Contains(t, stderr, "facts.jsonl"+strings.TrimPrefix(c.want, "facts.jsonl"))
			}
			assert.Equal(t, before, texts(t, dir), "nothing was written")
			assert.NoFileExists(t, filepath.Join(dir, factsName))
		})
	}
}

func TestBadCalls(t *testing.T) {
	dir, good := begun(t), file(t, facts)
	for name, args := range map[string][]string{
		"nothing":       nil,
		"no mode":       {good},
		"two modes":     {"-check", "-import", good},
		"no file":       {"-catalog", dir, "-check"},
		"no file here":  {"-catalog", dir, "-check", filepath.Join(dir, "none.jsonl")},
		"file to pack":  {"-catalog", dir, "-pack", good},
		"no folder":     {"-catalog", filepath.Join(dir, "none"), "-check", good},
		"unknown flag":  {"-verify"},
		"folder broken": {"-catalog", folder(t, map[string]string{"v3.b.txt": "hello\n"}), "-check", good},
	} {
		status, stdout, stderr := gen(t, args...)
		assert.Equal(t, failed, status, name)
		assert.Empty(t, stdout, name)
		assert.NotEmpty(t, stderr, name)
	}
	_, _, stderr := gen(t, "-catalog", folder(t, map[string]string{"v3.b.txt": "GET /v3/b\n  nmae x\n"}), "-pack")
	assert.Contains(t, stderr, `v3.b.txt: line 2: unknown key "nmae"`)
}

func TestPack(t *testing.T) {
	dir := begun(t)
	name := filepath.Join(dir, factsName)
	status, _, stderr := gen(t, "-catalog", dir, "-pack")
	require.Equal(t, same, status, stderr)
	first, err := os.ReadFile(name)
	require.NoError(t, err)

	require.NoError(t, os.Remove(name))
	status, _, stderr = gen(t, "-catalog", dir, "-pack")
	require.Equal(t, same, status, stderr)
	second, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, first, second)

	// A damaged copy is written anew.
	require.NoError(t, os.WriteFile(name, first[:20], 0o644))
	status, _, stderr = gen(t, "-catalog", dir, "-pack")
	require.Equal(t, same, status, stderr)
	third, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, first, third)

	// What is not well-formed is not packed.
	dir = folder(t, map[string]string{"v3.b.txt": "GET /v3/B\n  name a\n  answer 204 empty\n"})
	status, _, stderr = gen(t, "-catalog", dir, "-pack")
	assert.Equal(t, failed, status)
	assert.Contains(t, stderr, `GET /v3/B: the path has the segment "B"`)
	assert.NoFileExists(t, filepath.Join(dir, factsName))
}

// The catalogue itself: taking its own facts over changes nothing.
func TestOwnFactsChangeNothing(t *testing.T) {
	have, err := readTexts(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.NotEmpty(t, have.Operations)
	require.NotEmpty(t, have.Events)

	next := merge(have, have)
	assert.Empty(t, differences(have, next))
	assert.True(t, text.Format(have) == text.Format(next))

	// The same with members added by hand, which facts files lack: they stay.
	marked := &text.Document{}
	for _, operation := range have.Operations {
		o := *operation
		o.Out = lastByHand(o.Out)
		marked.Operations = append(marked.Operations, &o)
	}
	for _, event := range have.Events {
		e := *event
		e.Resource = lastByHand(e.Resource)
		marked.Events = append(marked.Events, &e)
	}
	bare := &text.Document{}
	for _, operation := range marked.Operations {
		o := *operation
		o.Out = withoutHand(o.Out)
		bare.Operations = append(bare.Operations, &o)
	}
	for _, event := range marked.Events {
		e := *event
		e.Resource = withoutHand(e.Resource)
		bare.Events = append(bare.Events, &e)
	}
	require.NotEqual(t, len(text.Format(marked)), len(text.Format(bare)))
	assert.Empty(t, differences(marked, merge(marked, bare)))
}

// lastByHand marks the last of several members, on each level.
func lastByHand(list []fact.Field) []fact.Field {
	marked := slices.Clone(list)
	for i := range marked {
		if i == len(marked)-1 && i > 0 {
			marked[i] = fact.Field{Name: marked[i].Name, Type: fact.String, ByHand: true}
			continue
		}
		marked[i].Fields = lastByHand(marked[i].Fields)
	}
	return marked
}

func withoutHand(list []fact.Field) []fact.Field {
	var kept []fact.Field
	for _, field := range list {
		if !field.ByHand {
			field.Fields = withoutHand(field.Fields)
			kept = append(kept, field)
		}
	}
	return kept
}
