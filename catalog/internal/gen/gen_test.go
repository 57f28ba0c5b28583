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

	"github.com/wxpay-go/wxpay/catalog/internal/facts"
	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

// The facts that the tests begin with, as a facts file says them and as the catalogue does.
const (
	said = `{"m":"GET","p":"/hk/v3/a/{id}","n":"甲","h":"apihk.mch.weixin.qq.com","hr":1,"sg":"none","st":"superseded","rp":["POST /v3/b/c"],"tag":["x/y","z"],"role":["r"],"mm":1,"inf":1,"in":{"path":[{"n":"id","l":"编号","t":"string","r":1,"rr":1,"min":6,"max":32,"s":"a"}],"query":[{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}},{"n":"f","t":"number","e":[1,2.5],"s":1}]},"rs":"stream","sm":"pdf","rv":"none","doc":["v3/merchant/1"]}
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
	status, stdout, stderr := gen(t, "-catalog", dir, "-import", file(t, said))
	assert.Equal(t, same, status, stderr)
	assert.Equal(t, "+ GET /hk/v3/a/{id}\n+ POST /v3/b/c\n+ DELETE /v3/b/d/\n- GET /v3/old/a\n+ event A.B\n", stdout)
	assert.Equal(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": bText, "events.txt": eventsText}, texts(t, dir))

	written, err := readTexts(dir)
	require.NoError(t, err)
	packedFacts, packedTexts, err := pack.Write(written)
	require.NoError(t, err)
	for name, want := range map[string][]byte{factsName: packedFacts, textsName: packedTexts} {
		packed, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, packed, name)
	}
}

func TestCheckWhenNothingDiffers(t *testing.T) {
	lines := strings.SplitAfter(said, "\n")
	slices.Reverse(lines) // the order of a facts file means nothing
	for name, content := range map[string]string{
		"as imported":     said,
		"another order":   strings.Join(lines, ""),
		"operations only": strings.Join(strings.SplitAfter(said, "\n")[:4], ""),
		"events only":     strings.SplitAfter(said, "\n")[4],
		"no last newline": strings.TrimSpace(said),
		"CRLF":            strings.ReplaceAll(said, "\n", "\r\n"),
	} {
		status, stdout, stderr := gen(t, "-catalog", begun(t), "-check", file(t, content))
		assert.Equal(t, same, status, "%s: %s", name, stderr)
		assert.Empty(t, stdout, name)
	}
}

func TestCheckReadsSeveralFiles(t *testing.T) {
	lines := strings.SplitAfter(said, "\n")
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
		"field added": {`{"n":"ok","t":"boolean"}`, `{"n":"ok","t":"boolean"},{"n":"no","t":"string"}`,
			"~ POST /v3/b/c: + answer.list.no string\n"},
		"field removed": {`{"n":"state","t":"string","e":["A","B"]},`, ``,
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
		"fields' order": {`{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}},{"n":"f","t":"number","e":[1,2.5],"s":1}`,
			`{"n":"f","t":"number","e":[1,2.5],"s":1},{"n":"n","t":"integer","u":"fen","e":[1,-2],"el":{"1":"一"}}`,
			"~ GET /hk/v3/a/{id}: query: another order of fields\n"},
		"event added": {`{"ev":"A.B"`,
			`{"ev":"C.D","n":"x","alg":"AEAD_AES_256_GCM","res":[{"n":"id","t":"string"}]}` + "\n" + `{"ev":"A.B"`,
			"+ event C.D\n"},
		"event's member": {`"res":[{"n":"id","t":"string"}]`, `"res":[{"n":"id","t":"string","x":"aes"}]`,
			"~ event A.B: resource.id string -> string aes\n"},
		"event's reply": {`,"header":[{"n":"Authorization","t":"string"}]`, ``,
			"~ event A.B: - reply-header\n~ event A.B: - reply-header.Authorization string\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(said, c.old), "the test's own replacement")
			dir, changed := begun(t), file(t, strings.Replace(said, c.old, c.new, 1))

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

// Codes of an operation are added to what is there; the others are taken as they are.
func TestCodes(t *testing.T) {
	b := strings.Replace(bText, "  doc v3/partner/3\n", "  doc v3/partner/3\n  code NO_AUTH 403 v3/merchant/2\n", 1)
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": eventsText})
	codes := `{"m":"POST","p":"/v3/b/c","c":{"SYSTEM_ERROR":500,"NO_AUTH":0,"INVALID_REQUEST":0}}` + "\n" +
		`{"c":"NOTENOUGH","st":403,"l":"余额不足","as":"NOT_ENOUGH"}` + "\n"
	status, stdout, stderr := gen(t, "-catalog", dir, "-import", file(t, codes))
	require.Equal(t, same, status, stderr)
	assert.Equal(t, "~ POST /v3/b/c: + code INVALID_REQUEST -\n~ POST /v3/b/c: + code SYSTEM_ERROR 500\n+ code NOTENOUGH\n", stdout)
	assert.Contains(t, texts(t, dir)["v3.b.txt"], "  code NO_AUTH 403 v3/merchant/2\n  code INVALID_REQUEST -\n  code SYSTEM_ERROR 500\n")
	assert.Equal(t, "code NOTENOUGH\n  status 403\n  label 余额不足\n  same-as NOT_ENOUGH\n", texts(t, dir)["codes.txt"])

	status, stdout, stderr = gen(t, "-catalog", dir, "-check", file(t, said))
	assert.Equal(t, same, status, stderr)
	assert.Empty(t, stdout, "an edition without codes leaves them")
	status, _, stderr = gen(t, "-catalog", dir, "-check", file(t, said+`{"m":"GET","p":"/v3/none","c":{"A":400}}`))
	assert.Equal(t, failed, status)
	assert.Contains(t, stderr, "facts.jsonl:6: GET /v3/none is in no line")
}

func TestRowsAddedByHandStay(t *testing.T) {
	b := strings.Replace(bText, "  name 乙\n", "  hand\n  name 乙\n", 1) + // documented since: no longer by hand
		"\nPOST /v3/b/e\n  hand\n  name 手\n  answer 204 empty\n"
	events := eventsText + "\nevent Z.Z\n  hand\n  name 手\n  algorithm x\n  resource\n    id string\n"
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": events})

	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, said))
	assert.Equal(t, different, status, stderr)
	assert.Equal(t, "~ POST /v3/b/c: - hand\n", stdout, "and nothing else is a difference")

	status, _, stderr = gen(t, "-catalog", dir, "-import", file(t, said))
	require.Equal(t, same, status, stderr)
	b = strings.Replace(b, "  hand\n", "", 1)
	assert.Equal(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": events}, texts(t, dir))
}

// corrected returns a catalogue's folder with corrections.
func corrected(t *testing.T, lines string) string {
	dir := begun(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "edition"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, correctionsName), []byte(lines), 0o644))
	return dir
}

// A correction is made by -pack and by every import, whatever the facts say, until they say the same.
func TestCorrectionsSurviveImports(t *testing.T) {
	const line = "POST /v3/b/c answer.state confirmed = A | C <v3/merchant/2>\n"
	dir := corrected(t, "# what the answer says\n\n"+line)
	const change = "~ POST /v3/b/c: answer.state string = A | B -> string!! = A | C\n"
	want := strings.Replace(bText, "state string = A | B", "state string!! = A | C", 1)

	status, stdout, stderr := gen(t, "-catalog", dir, "-pack")
	require.Equal(t, same, status, stderr)
	assert.Equal(t, change, stdout)
	assert.Equal(t, want, texts(t, dir)["v3.b.txt"])

	status, stdout, stderr = gen(t, "-catalog", dir, "-pack")
	require.Equal(t, same, status, stderr)
	assert.Empty(t, stdout, "once is enough")

	for _, mode := range []string{"-check", "-import"} {
		status, stdout, stderr = gen(t, "-catalog", dir, mode, file(t, said))
		require.Equal(t, same, status, stderr)
		assert.Empty(t, stdout)
	}
	assert.Equal(t, want, texts(t, dir)["v3.b.txt"])

	learnt := strings.Replace(said, `"n":"state","t":"string","e":["A","B"]`, `"n":"state","t":"string","r":1,"rr":1,"e":["A","C"]`, 1)
	status, stdout, stderr = gen(t, "-catalog", dir, "-check", file(t, learnt))
	require.Equal(t, same, status, stderr)
	assert.Equal(t, "= edition/corrections.txt:3: the facts say so themselves now: POST /v3/b/c answer.state confirmed = A | C\n", stdout)
}

// A facts file may have wrong what a correction mends: an identity that both kinds of callers need is required of neither.
func TestCorrectionsMendWhatNoRowMayHave(t *testing.T) {
	wrong := strings.Replace(said, `{"n":"n","t":"integer",`, `{"n":"sub_mchid","t":"string","r":1},{"n":"n","t":"integer",`, 1)
	status, _, stderr := gen(t, "-catalog", begun(t), "-check", file(t, wrong))
	require.Equal(t, failed, status)
	assert.Contains(t, stderr, "sub_mchid: it is required, and direct and partner callers are described together")

	dir := begun(t)
	right := strings.Replace(wrong, `"sub_mchid","t":"string","r":1`, `"sub_mchid","t":"string"`, 1)
	status, _, stderr = gen(t, "-catalog", dir, "-import", file(t, right))
	require.NotEqual(t, failed, status, stderr)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "edition"), 0o755))
	line := "GET /hk/v3/a/{id} query.sub_mchid optional <v3/merchant/1>\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, correctionsName), []byte(line), 0o644))
	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, wrong))
	require.Equal(t, same, status, stderr)
	assert.Empty(t, stdout)
}

func TestBadCorrections(t *testing.T) {
	for line, want := range map[string]string{
		"POST /v3/b/c answer.state optional":                "corrections.txt: line 1: ends with its source",
		"POST /v3/b/x answer.state optional <v3/1>":         "corrections.txt: line 1: POST /v3/b/x answer.state optional: there is no such row",
		"POST /v3/b/c answer.state = A | A <v3/merchant/2>": "POST /v3/b/c: answer.state: the constant A stands twice",
	} {
		dir := corrected(t, line+"\n")
		before := texts(t, dir)
		for _, args := range [][]string{{"-pack"}, {"-check", file(t, said)}, {"-import", file(t, said)}} {
			status, stdout, stderr := gen(t, append([]string{"-catalog", dir}, args...)...)
			assert.Equal(t, failed, status, line)
			assert.Empty(t, stdout, line)
			assert.Contains(t, stderr, want)
		}
		assert.Equal(t, before, texts(t, dir), "nothing was written")
	}
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
		"secret sample":    {answer + `"string","x":"rsa","s":"张三"}]}`, `:1: GET /v3/a: answer.a: an encrypted field has no sample`},
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
	dir, good := begun(t), file(t, said)
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

// The catalogue itself: taking its own facts over changes nothing, and its corrections were made.
func TestOwnFactsChangeNothing(t *testing.T) {
	dir := filepath.Join("..", "..")
	have, err := readTexts(dir)
	require.NoError(t, err)
	require.NotEmpty(t, have.Operations)
	require.NotEmpty(t, have.Events)
	corrections, err := readCorrections(dir)
	require.NoError(t, err)
	require.NotEmpty(t, corrections)

	next, idle, err := facts.Merge(have, &facts.Said{Document: *have}, corrections)
	require.NoError(t, err)
	assert.Empty(t, facts.Differences(have, next))
	assert.True(t, text.Format(have) == text.Format(next))
	assert.Equal(t, corrections, idle)
}
