package text_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

const sample = `POST /v3/a/{id}/b/
  hand
  name 甲 乙
  host apihk.mch.weixin.qq.com only
  unsigned
  scheme brand
  status beta
  replaced-by GET /v3/b
  replaced-by POST /v3/b
  tag 一/二
  tag 三
  role 直连商户
  joined
  inferred
  path
    id string!! 6..32 # 编号 : a : b # c
  query
    at string rfc3339 = A | B C (乙 丙) | "D\x7cE\x28F\x29"
    size integer 1.. # : 20
    many string[] media rsa
  header
    Wechatpay-Serial string!
  json
    note string jsontext alt:remark alt:memo hand
      total integer hand reviewed = 1 | -2
    rate number percent ..100 = 1 | 2.5 (半) | "x" # 比例
    ok boolean = true
    list object[]
      on string date
  answer 200 stream pdf unsigned
  doc v3/merchant/1
  doc v3/partner/2
  code NOT_ENOUGH 403 v3/partner/2
  code SYSTEM_ERROR -

GET /v3/b
  name 丙
  answer 204 empty

event A.B
  hand
  name 丁
  alias C.D
  scheme brand
  resource-type r
  original-type o
  algorithm AEAD_AES_256_GCM
  variant X
  joined
  inferred
  resource
    id string! aes
  reply-header
    Authorization string!
  reply-body
    code string = OK
  doc v3/merchant/3

code NOTENOUGH
  status 403
  label 余额不足
  same-as NOT_ENOUGH
`

func sampleDocument() *text.Document {
	return &text.Document{
		Operations: []*fact.Operation{
			{
				Method: "POST", Path: "/v3/a/{id}/b/", Name: "甲 乙", Host: "apihk.mch.weixin.qq.com", HostRequired: true,
				Unsigned: true, Scheme: fact.BrandScheme, Status: fact.Beta, ReplacedBy: []string{"GET /v3/b", "POST /v3/b"},
				Tags: []string{"一/二", "三"}, Roles: []string{"直连商户"}, Joined: true, Inferred: true,
				In: fact.Request{
					Path: []fact.Field{{Name: "id", Type: fact.String, Required: true, Confirmed: true, Min: 6, Max: 32,
						Label: "编号", Sample: "a : b # c"}},
					Query: []fact.Field{
						{Name: "at", Type: fact.String, Format: "rfc3339", Enum: []any{"A", "B C", "D|E(F)"},
							EnumLabels: []string{"", "乙 丙", ""}},
						{Name: "size", Type: fact.Integer, Min: 1, Sample: int64(20)},
						{Name: "many", Type: fact.Strings, Format: "media", Cipher: fact.RSA},
					},
					Header: []fact.Field{{Name: "Wechatpay-Serial", Type: fact.String, Required: true}},
					JSON: []fact.Field{
						{Name: "note", Type: fact.String, JSONText: true, Alt: []string{"remark", "memo"}, ByHand: true,
							Fields: []fact.Field{{Name: "total", Type: fact.Integer, ByHand: true, Reviewed: true,
								Enum: []any{int64(1), int64(-2)}}}},
						{Name: "rate", Type: fact.Number, Unit: fact.Percent, Max: 100, Enum: []any{int64(1), 2.5, "x"},
							EnumLabels: []string{"", "半", ""}, Label: "比例"},
						{Name: "ok", Type: fact.Boolean, Enum: []any{true}},
						{Name: "list", Type: fact.Objects,
							Fields: []fact.Field{{Name: "on", Type: fact.String, Format: "date"}}},
					},
				},
				Response: fact.StreamResponse, Success: 200, Content: "pdf", Signature: fact.NoSignature,
				Docs: []string{"v3/merchant/1", "v3/partner/2"}, ByHand: true,
				Codes: []fact.OperationCode{{Name: "NOT_ENOUGH", Status: 403, Doc: "v3/partner/2"}, {Name: "SYSTEM_ERROR"}},
			},
			{Method: "GET", Path: "/v3/b", Name: "丙", Response: fact.EmptyResponse, Success: 204},
		},
		Events: []*fact.Event{{
			Type: "A.B", Aliases: []string{"C.D"}, Name: "丁", Scheme: fact.BrandScheme, ResourceTypes: []string{"r"}, OriginalTypes: []string{"o"},
			Algorithm: "AEAD_AES_256_GCM", Variants: []string{"X"}, Joined: true, Inferred: true,
			Resource: []fact.Field{{Name: "id", Type: fact.String, Required: true, Cipher: fact.AES}},
			Reply: &fact.Reply{
				Body:   []fact.Field{{Name: "code", Type: fact.String, Enum: []any{"OK"}}},
				Header: []fact.Field{{Name: "Authorization", Type: fact.String, Required: true}},
			},
			Docs: []string{"v3/merchant/3"}, ByHand: true,
		}},
		Codes: []*fact.Code{{Name: "NOTENOUGH", Status: 403, Label: "余额不足", Same: "NOT_ENOUGH"}},
	}
}

func TestParse(t *testing.T) {
	doc, err := text.Parse(sample)
	require.NoError(t, err)
	assert.Equal(t, sampleDocument(), doc)
}

func TestFormat(t *testing.T) {
	doc := sampleDocument()
	assert.Equal(t, sample, text.Format(doc))
	assert.Equal(t, sampleDocument(), doc, "printing changes nothing")
	assert.Empty(t, text.Format(&text.Document{}))
}

// What is meant for people is left out, and nothing else.
func TestFormatFacts(t *testing.T) {
	doc, err := text.Parse(text.FormatFacts(sampleDocument()))
	require.NoError(t, err)
	want := sampleDocument()
	for _, list := range [][]fact.Field{want.Operations[0].In.Path, want.Operations[0].In.Query, want.Operations[0].In.JSON} {
		for i := range list {
			list[i].Label, list[i].EnumLabels, list[i].Sample = "", nil, nil
		}
	}
	assert.Equal(t, want, doc)
}

func TestParseEmpty(t *testing.T) {
	for _, src := range []string{"", "\n", "\n\n\n"} {
		doc, err := text.Parse(src)
		require.NoError(t, err)
		assert.Empty(t, doc.Operations)
		assert.Empty(t, doc.Events)
	}
}

func TestConstantsComeBack(t *testing.T) {
	for _, c := range []struct {
		kind     fact.Type
		constant any
	}{
		{fact.String, "A"}, {fact.String, "a b"}, {fact.String, "员工"}, {fact.String, ""}, {fact.String, " a "},
		{fact.String, "a|b"}, {fact.String, "a | b"}, {fact.String, "a = b"}, {fact.String, `"`}, {fact.String, `a\b`},
		{fact.String, "a\nb"}, {fact.String, "true"}, {fact.String, "1"}, {fact.Strings, "x"},
		{fact.Integer, int64(0)}, {fact.Integer, int64(-1 << 63)}, {fact.Integers, int64(7)}, {fact.Integer, "A|B"},
		{fact.Number, int64(1)}, {fact.Number, 1.0}, {fact.Number, 0.25}, {fact.Number, 1e300}, {fact.Number, -1e-9},
		{fact.Numbers, "x"}, {fact.Boolean, true}, {fact.Booleans, false}, {fact.Boolean, "yes"},
	} {
		doc := &text.Document{Operations: []*fact.Operation{{
			Method: "GET", Path: "/v3/a", Name: "a", Response: fact.EmptyResponse, Success: 204,
			In: fact.Request{Query: []fact.Field{{Name: "q", Type: c.kind, Enum: []any{"=", c.constant, c.constant}}}},
		}}}
		back, err := text.Parse(text.Format(doc))
		if assert.NoError(t, err, "%#v", c) {
			assert.Equal(t, doc.Operations, back.Operations, "%#v", c)
		}
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	const head = "GET /v3/a\n  name a\n  answer 200 json\n"
	for name, c := range map[string]struct{ src, want string }{
		"no block":           {"hello\n", `line 1: "hello" begins no block`},
		"other method":       {"HEAD /v3/a\n", `line 1: "HEAD /v3/a" begins no block`},
		"no path":            {"GET v3/a\n", `line 1: "GET v3/a" begins no block`},
		"indented block":     {"\n\n  GET /v3/a\n", "line 3: a line stands outside a block"},
		"unknown key":        {"GET /v3/a\n  nmae a\n", `line 2: unknown key "nmae"`},
		"key of an event":    {"GET /v3/a\n  alias A.B\n", `line 2: unknown key "alias"`},
		"key not indented":   {"GET /v3/a\nname a\n", `line 2: "name a" is indented by 0`},
		"key too deep":       {"GET /v3/a\n   name a\n", `line 2: "name a" is indented by 3`},
		"a line of blanks":   {head + "  \n", "line 4: a line of blanks"},
		"twice":              {head + "  name b\n", "line 4: name is given twice"},
		"list twice":         {head + "  query\n    a string\n  query\n    b string\n", "line 6: query is given twice"},
		"answer twice":       {head + "  answer 204 empty\n", "line 4: answer is given twice"},
		"flag twice":         {head + "  joined\n  joined\n", "line 5: joined is given twice"},
		"host twice":         {head + "  host a\n  host b\n", "line 5: host is given twice"},
		"name of nothing":    {"GET /v3/a\n  name\n", "line 2: name lacks its value"},
		"tag of nothing":     {"GET /v3/a\n  tag\n", "line 2: tag lacks its value"},
		"host of nothing":    {"GET /v3/a\n  host\n", "line 2: host lacks its value"},
		"flag with a value":  {"GET /v3/a\n  joined yes\n", "line 2: joined takes no value"},
		"list with a value":  {"GET /v3/a\n  query yes\n", "line 2: query takes no value"},
		"list of nothing":    {"GET /v3/a\n  query\n  name a\n", "line 3: query lists no fields"},
		"fields of a name":   {"GET /v3/a\n  name a\n    b string\n", `line 3: "b string" is indented by 4`},
		"field too deep":     {head + "    a object\n        b string\n", `line 5: "b string" is indented by 8`},
		"no type":            {head + "    a\n", `line 4: field "a" has the type "", which is not known`},
		"unknown type":       {head + "    a text!\n", `line 4: field "a" has the type "text", which is not known`},
		"unknown mark":       {head + "    a string secret\n", `line 4: field "a" has the mark "secret"`},
		"mark twice":         {head + "    a string hand hand\n", `line 4: field "a" has the mark "hand"`},
		"two formats":        {head + "    a string date url\n", `line 4: field "a" has the mark "url"`},
		"two ciphers":        {head + "    a string rsa aes\n", `line 4: field "a" has the mark "aes"`},
		"alt of nothing":     {head + "    a string alt:\n", `line 4: field "a" has the mark "alt:"`},
		"two blanks":         {head + "    a string  hand\n", `line 4: field "a" has the mark ""`},
		"carriage return":    {head + "    a string\r\n", `line 4: field "a" has the type "string\r"`},
		"constant not whole": {head + "    a integer = x\n", `line 4: field "a": the constant "x" does not fit the type integer`},
		"constant not true":  {head + "    a boolean = yes\n", `line 4: field "a": the constant "yes" does not fit`},
		"constant of object": {head + "    a object = x\n", `line 4: field "a": the constant "x" does not fit the type object`},
		"no constant":        {head + "    a string = A | \n", `line 4: field "a": the constant "" does not fit`},
		"infinite":           {head + "    a number = Inf\n", `the constant "Inf" does not fit`},
		"code alone":         {"GET /v3/a\n  code NOT_ENOUGH\n", "line 2: code takes a code, its status or -"},
		"code's status":      {"GET /v3/a\n  code NOT_ENOUGH x\n", `line 2: code has the status "x"`},
		"code too long":      {"GET /v3/a\n  code A - v3/1 v3/2\n", "line 2: code takes a code"},
		"status of a code":   {"code A\n  status x\n", `line 2: status has "x"; it is a number above 0`},
		"status twice":       {"code A\n  status 400\n  status 403\n", "line 3: status is given twice"},
		"unit twice":         {head + "    a integer fen fen\n", `line 4: field "a" has the mark "fen"`},
		"bounds twice":       {head + "    a string 1.. ..2\n", `line 4: field "a" has the mark "..2"`},
		"bounds of nothing":  {head + "    a string ..\n", `line 4: field "a" has the mark ".."`},
		"bounds of letters":  {head + "    a string 1..x\n", `line 4: field "a" has the mark "1..x"`},
		"bound of zero":      {head + "    a string 0..5\n", `line 4: field "a" has the mark "0..5"`},
		"label of nothing":   {head + "    a string = A ()\n", `line 4: field "a": the constant "A (") has no label`},
		"label alone":        {head + "    a string = A)\n", `line 4: field "a": the constant "A") has no label`},
		"text of nothing":    {head + "    a string #\n", `line 4: field "a": has neither a label nor a sample`},
		"label at once":      {head + "    a string #甲\n", `line 4: field "a": a label stands behind one blank`},
		"sample's type":      {head + "    a integer # 甲 : x\n", `line 4: field "a": the constant "x" does not fit the type integer`},
		"three marks":        {head + "    a string!!!\n", `line 4: field "a" has the type "string!"`},
		"open quote":         {head + "    a string = \"A\n", `line 4: field "a": the constant "A is not quoted well`},
		"unknown status":     {"GET /v3/a\n  answer 201 json\n", `line 2: answer has the status "201"`},
		"unknown kind":       {"GET /v3/a\n  answer 200 xml\n", `line 2: answer has the kind "xml"`},
		"unknown content":    {"GET /v3/a\n  answer 200 stream gif\n", `line 2: answer does not know "gif" here`},
		"content behind":     {"GET /v3/a\n  answer 200 stream digest pdf\n", `line 2: answer does not know "pdf" here`},
		"answer too long":    {"GET /v3/a\n  answer 200 stream pdf digest \n", `line 2: answer does not know "" here`},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := text.Parse(c.src)
			assert.Nil(t, doc)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckAcceptsTheSample(t *testing.T) {
	doc := sampleDocument()
	doc.Operations[0].ReplacedBy = []string{"GET /v3/b"}
	doc.Operations[0].Scheme = fact.MerchantScheme
	assert.NoError(t, text.Check(doc))
	assert.NoError(t, text.Check(&text.Document{}))
}

func TestCheck(t *testing.T) {
	operation := func(change func(o *fact.Operation)) func() *text.Document {
		return func() *text.Document {
			o := &fact.Operation{Method: "GET", Path: "/v3/a/{id}", Name: "a", Response: fact.JSONResponse, Success: 200}
			o.In.Path = []fact.Field{{Name: "id", Type: fact.String, Required: true}}
			o.Out = []fact.Field{{Name: "ok", Type: fact.String}}
			change(o)
			return &text.Document{Operations: []*fact.Operation{o}}
		}
	}
	member := func(f fact.Field) func() *text.Document {
		return operation(func(o *fact.Operation) { o.In.JSON = []fact.Field{f} })
	}
	event := func(change func(e *fact.Event)) func() *text.Document {
		return func() *text.Document {
			e := &fact.Event{Type: "A.B", Name: "a", Algorithm: "x", Resource: []fact.Field{{Name: "id", Type: fact.String}}}
			change(e)
			return &text.Document{Events: []*fact.Event{e}}
		}
	}
	require.NoError(t, text.Check(operation(func(*fact.Operation) {})()))
	require.NoError(t, text.Check(event(func(*fact.Event) {})()))

	for name, c := range map[string]struct {
		doc  func() *text.Document
		want string
	}{
		"twice": {func() *text.Document {
			doc := operation(func(*fact.Operation) {})()
			return &text.Document{Operations: append(doc.Operations, doc.Operations...)}
		}, "GET /v3/a/{id}: stands twice or out of order"},
		"out of order": {func() *text.Document {
			doc := operation(func(*fact.Operation) {})()
			first := operation(func(o *fact.Operation) { o.Path, o.In.Path = "/v3/a", nil })()
			return &text.Document{Operations: append(doc.Operations, first.Operations...)}
		}, "GET /v3/a: stands twice or out of order"},
		"method out of order": {func() *text.Document {
			doc := operation(func(o *fact.Operation) { o.Method = "POST" })()
			first := operation(func(o *fact.Operation) {})()
			return &text.Document{Operations: append(doc.Operations, first.Operations...)}
		}, "GET /v3/a/{id}: stands twice or out of order"},
		"method":             {operation(func(o *fact.Operation) { o.Method = "HEAD" }), "unknown method"},
		"relative path":      {operation(func(o *fact.Operation) { o.Path = "v3/a" }), "does not begin with a slash"},
		"upper case":         {operation(func(o *fact.Operation) { o.Path = "/v3/A/{id}" }), `has the segment "A"`},
		"empty segment":      {operation(func(o *fact.Operation) { o.Path = "/v3//{id}" }), `has the segment ""`},
		"half placeholder":   {operation(func(o *fact.Operation) { o.Path = "/v3/a{id}" }), `has the segment "a{id}"`},
		"unlisted":           {operation(func(o *fact.Operation) { o.In.Path = nil }), `the placeholders are ["id"], but [] are listed`},
		"listed wrongly":     {operation(func(o *fact.Operation) { o.Path = "/v3/a" }), `the placeholders are [], but ["id"]`},
		"optional":           {operation(func(o *fact.Operation) { o.In.Path[0].Required = false }), `"id" is not required`},
		"no name":            {operation(func(o *fact.Operation) { o.Name = "" }), `name ""`},
		"untrimmed name":     {operation(func(o *fact.Operation) { o.Name = "a " }), `name "a "`},
		"two lines":          {operation(func(o *fact.Operation) { o.Name = "a\nb" }), `name "a\nb"`},
		"host":               {operation(func(o *fact.Operation) { o.Host = "https://a" }), "bad host"},
		"host required":      {operation(func(o *fact.Operation) { o.HostRequired = true }), "bad host"},
		"status":             {operation(func(o *fact.Operation) { o.Status = "gone" }), `unknown status "gone"`},
		"replacement":        {operation(func(o *fact.Operation) { o.ReplacedBy = []string{"/v3/a"} }), "is not METHOD /path"},
		"replaced by itself": {operation(func(o *fact.Operation) { o.ReplacedBy = []string{"GET /v3/a/{id}"} }), "of another operation"},
		"no placeholder":     {operation(func(o *fact.Operation) { o.Path = "/v3/a/{}" }), `has the segment "{}"`},
		"braces reversed":    {operation(func(o *fact.Operation) { o.Path = "/v3/a/}id{" }), `has the segment "}id{"`},
		"replaced by what":   {operation(func(o *fact.Operation) { o.ReplacedBy = []string{"GET /v3/x"} }), "which is unknown"},
		"tag twice":          {operation(func(o *fact.Operation) { o.Tags = []string{"a", "a"} }), `tag "a"`},
		"role empty":         {operation(func(o *fact.Operation) { o.Roles = []string{""} }), `role ""`},
		"doc":                {operation(func(o *fact.Operation) { o.Docs = []string{"4012"} }), `"4012" is no documentation id`},
		"json of nothing":    {operation(func(o *fact.Operation) { o.Out = nil }), "makes no sense"},
		"empty with 200":     {operation(func(o *fact.Operation) { o.Response, o.Out = fact.EmptyResponse, nil }), "makes no sense"},
		"stream of nothing":  {operation(func(o *fact.Operation) { o.Response, o.Out = fact.StreamResponse, nil }), "makes no sense"},
		"unsigned json":      {operation(func(o *fact.Operation) { o.Signature = fact.NoSignature }), "makes no sense"},
		"no answer":          {operation(func(o *fact.Operation) { o.Response = "" }), "makes no sense"},
		"form without meta": {operation(func(o *fact.Operation) { o.In.Form = []fact.Field{{Name: "file", Type: fact.File}} }),
			"a form has one file and meta"},

		"member's name":    {member(fact.Field{Name: "a.b", Type: fact.String}), `the name "a.b"`},
		"no member's name": {member(fact.Field{Type: fact.String}), `the name ""`},
		"member's type":    {member(fact.Field{Name: "a", Type: "text"}), `json.a: unknown type "text"`},
		"file":             {member(fact.Field{Name: "a", Type: fact.File}), "json.a: a file outside a form"},
		"format":           {member(fact.Field{Name: "a", Type: fact.String, Format: "email"}), `unknown format "email"`},
		"format of number": {member(fact.Field{Name: "a", Type: fact.Integer, Format: "date"}), "only text has a format"},
		"encrypted number": {member(fact.Field{Name: "a", Type: fact.Integer, Cipher: fact.RSA}), "only text has a format or is encrypted"},
		"JSON text":        {member(fact.Field{Name: "a", Type: fact.Object, JSONText: true}), "only a string carries a JSON text"},
		"members": {member(fact.Field{Name: "a", Type: fact.String, Fields: []fact.Field{{Name: "b", Type: fact.String}}}),
			"only objects and JSON texts"},
		"reviewed nothing":  {member(fact.Field{Name: "a", Type: fact.String, Reviewed: true}), "no constants to be reviewed"},
		"constant twice":    {member(fact.Field{Name: "a", Type: fact.String, Enum: []any{"A", "A"}}), "the constant A stands twice"},
		"constant's type":   {member(fact.Field{Name: "a", Type: fact.Boolean, Enum: []any{int64(1)}}), "does not fit the type boolean"},
		"constant of text":  {member(fact.Field{Name: "a", Type: fact.String, Enum: []any{int64(1)}}), "the constant 1 does not fit the type string"},
		"constant of none":  {member(fact.Field{Name: "a", Type: fact.String, Enum: []any{nil, nil}}), "is neither text nor"},
		"constant a list":   {member(fact.Field{Name: "a", Type: fact.Object, Enum: []any{[]any{}, []any{}}}), "is neither text nor"},
		"constant no float": {member(fact.Field{Name: "a", Type: fact.Number, Enum: []any{math.NaN()}}), "does not fit the type number"},
		"twice on a level":  {member(fact.Field{Name: "a", Type: fact.String, Alt: []string{"a"}}), "stands twice on its level"},
		"below, not marked": {member(fact.Field{Name: "a", Type: fact.Object, ByHand: true,
			Fields: []fact.Field{{Name: "b", Type: fact.String}}}), "json.a.b: a field of a row added by hand"},

		"confirmed only":   {member(fact.Field{Name: "a", Type: fact.String, Confirmed: true}), "only a required field is confirmed"},
		"unit":             {member(fact.Field{Name: "a", Type: fact.Integer, Unit: "yuan"}), `the unit "yuan" is unknown`},
		"unit of text":     {member(fact.Field{Name: "a", Type: fact.String, Unit: fact.Fen}), `the unit "fen" is unknown, or not of a number`},
		"bounds":           {member(fact.Field{Name: "a", Type: fact.String, Min: 3, Max: 2}), "the bounds 3..2 make no sense"},
		"bounds of object": {member(fact.Field{Name: "a", Type: fact.Object, Max: 2}), "the bounds ..2 make no sense"},
		"labels": {member(fact.Field{Name: "a", Type: fact.String, Enum: []any{"A"}, EnumLabels: []string{"甲", "乙"}}),
			"2 labels for 1 constants"},
		"label":          {member(fact.Field{Name: "a", Type: fact.String, Label: "甲 : 乙"}), `the label "甲 : 乙" has characters`},
		"constant label": {member(fact.Field{Name: "a", Type: fact.String, Enum: []any{"A"}, EnumLabels: []string{"(甲)"}}), `the label "(甲)"`},
		"sample":         {member(fact.Field{Name: "a", Type: fact.Integer, Sample: "x"}), `the sample x is not of the type integer`},
		"secret":         {member(fact.Field{Name: "a", Type: fact.String, Cipher: fact.RSA, Sample: "x"}), "an encrypted field has no sample"},
		"scheme":         {operation(func(o *fact.Operation) { o.Scheme = "sm" }), `unknown scheme "sm"`},
		"brand":          {operation(func(o *fact.Operation) { o.Scheme = fact.BrandScheme }), "the paths beneath /brand/ have the scheme brand"},
		"brand's event":  {event(func(e *fact.Event) { e.Scheme = "sm" }), `unknown scheme "sm"`},

		"code": {operation(func(o *fact.Operation) { o.Codes = []fact.OperationCode{{Name: "not_enough"}} }), "code not_enough: not of capitals"},
		"code, status": {operation(func(o *fact.Operation) {
			o.Codes = []fact.OperationCode{{Name: "A",
				Status: 99}}
		}), "code A: not of capitals, or no HTTP status"},
		"code, page": {operation(func(o *fact.Operation) { o.Codes = []fact.OperationCode{{Name: "A", Doc: "1"}} }), `doc "1" is no documentation id`},
		"meaning of no page": {operation(func(o *fact.Operation) { o.Codes = []fact.OperationCode{{Name: "A", Meaning: "it is late"}} }),
			"code A: a meaning needs the page"},
		"meaning in Chinese": {operation(func(o *fact.Operation) {
			o.Codes = []fact.OperationCode{{Name: "A", Doc: "v3/1", Meaning: "太晚"}}
		}), "code A: the meaning is no clause of English"},
		"meaning with a full stop": {operation(func(o *fact.Operation) {
			o.Codes = []fact.OperationCode{{Name: "A", Doc: "v3/1", Meaning: "it is late."}}
		}), "code A: the meaning is no clause"},
		"long meaning": {operation(func(o *fact.Operation) {
			o.Codes = []fact.OperationCode{{Name: "A", Doc: "v3/1", Meaning: strings.Repeat("late ", 30) + "x"}}
		}), "code A: the meaning is no clause"},
		"code twice": {operation(func(o *fact.Operation) { o.Codes = []fact.OperationCode{{Name: "A"}, {Name: "A"}} }), "code A stands twice"},
		"codes' order": {func() *text.Document {
			return &text.Document{Codes: []*fact.Code{{Name: "B", Status: 400, Label: "b"}, {Name: "A", Status: 400, Label: "a"}}}
		}, "code A: stands twice or out of order"},
		"code of no status": {func() *text.Document { return &text.Document{Codes: []*fact.Code{{Name: "A", Label: "a"}}} }, "this one has 0"},
		"code of no label":  {func() *text.Document { return &text.Document{Codes: []*fact.Code{{Name: "A", Status: 400}}} }, `label ""`},
		"code like itself": {func() *text.Document {
			return &text.Document{Codes: []*fact.Code{{Name: "A", Status: 400, Label: "a", Same: "A"}}}
		}, `cannot be the same as "A"`},

		"event twice": {func() *text.Document {
			doc := event(func(*fact.Event) {})()
			return &text.Document{Events: append(doc.Events, doc.Events...)}
		}, "A.B: stands twice or out of order"},
		"event type":        {event(func(e *fact.Event) { e.Type = "a.b" }), "a.b: bad event type"},
		"one word":          {event(func(e *fact.Event) { e.Type = "AB" }), "AB: bad event type"},
		"word missing":      {event(func(e *fact.Event) { e.Type = "A..B" }), "A..B: bad event type"},
		"event's algorithm": {event(func(e *fact.Event) { e.Algorithm = "" }), `algorithm ""`},
		"event's alias":     {event(func(e *fact.Event) { e.Aliases = []string{"A.B"} }), `bad alias "A.B"`},
		"no resource":       {event(func(e *fact.Event) { e.Resource = nil }), "the resource has no fields"},
		"resource's member": {event(func(e *fact.Event) { e.Resource[0].Type = "" }), `resource.id: unknown type ""`},
		"reply of nothing":  {event(func(e *fact.Event) { e.Reply = &fact.Reply{} }), "the reply has no body"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, text.Check(c.doc()), c.want)
		})
	}
}

func TestCheckReportsAll(t *testing.T) {
	doc := sampleDocument()
	doc.Operations[0].Name, doc.Events[0].Name = "", ""
	err := text.Check(doc)
	assert.ErrorContains(t, err, "POST /v3/a/{id}/b/: name")
	assert.ErrorContains(t, err, "A.B: name")
	assert.ErrorContains(t, err, `is replaced by "POST /v3/b", which is unknown`)
}

// Whatever can be read can be written, and reads the same again.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(strings.ReplaceAll(sample, "\n\n", "\n\n\n"))
	f.Add("GET /v3/a\n  answer 200 json\n    a string = \"\\x7c\" | b=c | \" \"\n")
	f.Add("event \n  name a\n")
	f.Add("GET /\n  query\n    a number = 1e5 | 0.50 | 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, src string) {
		doc, err := text.Parse(src)
		if err != nil {
			if doc != nil || !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("%v with %v", doc, err)
			}
			return
		}
		_ = text.Check(doc) // has to stand anything, too
		once := text.Format(doc)
		again, err := text.Parse(once)
		if err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		if twice := text.Format(again); twice != once {
			t.Fatalf("first\n%s\nthen\n%s", once, twice)
		}
	})
}
