package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

const wrong = `POST /v3/a
  name 甲
  status beta
  tag 一
  tag 二
  json
    id string! ..32 # 编号 : 1
    kind string = A (子) | B # 种类
    user object! # 用户
      name string!! rsa
  answer 200 json
    id string!
  doc v3/merchant/1
  money

event A.B
  name 乙
  algorithm x
  resource
    id string
`

func corrections(t *testing.T, lines string) []text.Correction {
	t.Helper()
	list, err := text.ParseCorrections(lines)
	require.NoError(t, err)
	return list
}

func TestCorrections(t *testing.T) {
	for name, c := range map[string]struct{ line, old, new string }{
		"optional":     {"POST /v3/a json.id optional", "id string! ..32", "id string ..32"},
		"required":     {"event A.B resource.id required", "    id string\n", "    id string!\n"},
		"confirmed":    {"POST /v3/a json.id confirmed", "id string! ..32", "id string!! ..32"},
		"unconfirmed":  {"POST /v3/a json.user.name unconfirmed", "name string!! rsa", "name string! rsa"},
		"not a secret": {"POST /v3/a json.user.name plain # 姓名 : 张三", "name string!! rsa", "name string!! # 姓名 : 张三"},
		"a secret":     {"POST /v3/a json.id rsa", "id string! ..32 # 编号 : 1", "id string! rsa ..32 # 编号"},
		"type":         {"POST /v3/a json.kind string[] alt:type", "kind string = A (子) | B", "kind string[] alt:type = A (子) | B"},
		"bounds":       {"POST /v3/a json.id 6..", "..32", "6.."},
		"constants keep their labels": {"POST /v3/a json.kind reviewed = B | A | C (丑)", "kind string = A (子) | B",
			"kind string reviewed = B | A (子) | C (丑)"},
		"constants without labels": {"POST /v3/a json.kind = C", "kind string = A (子) | B", "kind string = C"},
		"label of a constant":      {"POST /v3/a json.kind label B (丑)", "A (子) | B", "A (子) | B (丑)"},
		"labels of constants":      {"POST /v3/a json.kind label A (甲) | B (丑)", "A (子) | B", "A (甲) | B (丑)"},
		"label":                    {"POST /v3/a json.user # 付款人", "object! # 用户", "object! # 付款人"},
		"several":                  {"POST /v3/a answer.id optional integer fen # : 7", "    id string!\n", "    id integer fen # : 7\n"},
		"removed":                  {"POST /v3/a json.user removed", "    user object! # 用户\n      name string!! rsa\n", ""},
		"added": {"POST /v3/a json.user.age added integer! # 年龄", "name string!! rsa\n",
			"name string!! rsa\n      age integer! hand # 年龄\n"},
		"added below": {"POST /v3/a answer.payer added object\nPOST /v3/a answer.payer.id added string", "    id string!\n",
			"    id string!\n    payer object hand\n      id string hand\n"},
		"status":  {"POST /v3/a status offline", "status beta", "status offline"},
		"no more": {"POST /v3/a status", "  status beta\n", ""},
		"list":    {"POST /v3/a tag 三 | 一", "  tag 一\n  tag 二\n", "  tag 三\n  tag 一\n"},
		"flag":    {"event A.B scheme brand", "  algorithm x\n", "  scheme brand\n  algorithm x\n"},
		"answer":  {"POST /v3/a answer 200 json", "answer 200 json", "answer 200 json"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := strings.ReplaceAll(c.line, "\n", " <v3/merchant/1>\n") + " <v3/merchant/1>"
			doc, err := text.Parse(wrong)
			require.NoError(t, err)
			idle, err := text.Apply(doc, corrections(t, lines))
			require.NoError(t, err)
			want := strings.Replace(wrong, c.old, c.new, 1)
			assert.Equal(t, want, text.Format(doc))
			assert.Equal(t, want == wrong, len(idle) > 0)

			again, err := text.Apply(doc, corrections(t, lines))
			require.NoError(t, err)
			assert.Equal(t, want, text.Format(doc), "again changes nothing")
			assert.Len(t, again, strings.Count(lines, "\n")+1, "and says so")
		})
	}
}

// A correction that the facts have learnt does no harm.
func TestCorrectionsThatAreNotNeeded(t *testing.T) {
	doc, err := text.Parse(wrong)
	require.NoError(t, err)
	list := corrections(t, "POST /v3/a json.id added integer <v3/1>\nPOST /v3/a json.gone removed <v3/1>\nPOST /v3/a json.user.name rsa <v3/1>")
	idle, err := text.Apply(doc, list)
	require.NoError(t, err)
	assert.Equal(t, list, idle)
	assert.Equal(t, wrong, text.Format(doc))
}

func TestCorrectionsThatCannotBeMade(t *testing.T) {
	for line, want := range map[string]string{
		"POST /v3/b json.id optional":        "line 1: POST /v3/b json.id optional: there is no such row",
		"event C.D resource.id optional":     "there is no such row",
		"POST /v3/a body.id optional":        `"body" is no place`,
		"POST /v3/a json.no optional":        `there is no field "no"`,
		"POST /v3/a json.no.id optional":     `there is no field "no"`,
		"POST /v3/a json.no.id added string": `there is no field "no"`,
		"POST /v3/a json optional":           "names no field",
		"POST /v3/a name.id optional":        `"name" has no fields`,
		"POST /v3/a json.id mandatory":       `the mark "mandatory" is unknown`,
		"POST /v3/a json.id hand":            `the mark "hand" is unknown`,
		"POST /v3/a json.x added text":       `field "x" has the type "text"`,
		"POST /v3/a json.id integer = X":     "does not fit the type integer",
		"POST /v3/a json.kind label C (丑)":   "C is no constant of the field",
		"POST /v3/a json.kind label A":       "or has no label behind it",
		"POST /v3/a json.id #":               "neither a label nor a sample",
		"POST /v3/a status offline | beta":   "status is given twice",
		"POST /v3/a money":                   `"money" is kept by hand`,
		"POST /v3/a answer 200 xml":          "has the kind",
	} {
		doc, err := text.Parse(wrong)
		require.NoError(t, err)
		_, err = text.Apply(doc, corrections(t, line+" <v3/merchant/1>"))
		assert.ErrorContains(t, err, want, line)
	}
}

// One correction that cannot be made keeps no other from being made.
func TestCorrectionsBesideAMisfit(t *testing.T) {
	doc, err := text.Parse(wrong)
	require.NoError(t, err)
	idle, err := text.Apply(doc, corrections(t, "POST /v3/b json.id optional <v3/1>\nPOST /v3/a json.id optional <v3/1>\nPOST /v3/a json.no optional <v3/1>"))
	assert.EqualError(t, err, "line 1: POST /v3/b json.id optional: there is no such row\nline 3: POST /v3/a json.no optional: there is no field \"no\"")
	assert.Empty(t, idle)
	assert.Equal(t, strings.Replace(wrong, "id string! ..32", "id string ..32", 1), text.Format(doc))
}

func TestBadCorrections(t *testing.T) {
	for line, want := range map[string]string{
		"POST /v3/a json.id optional":                 "line 2: ends with its source",
		"POST /v3/a json.id optional <>":              "ends with its source",
		"POST /v3/a json.id optional <here>":          "ends with its source",
		"POST /v3/a json.id optional <v3/1> <v3/2":    "ends with its source",
		"POST /v3/a json.id optional <v3/1>, because": "ends with its source",
		"POST /v3/a <v3/1>":                           "begins with METHOD /path",
		"POST <v3/1>":                                 "begins with METHOD /path",
		"HEAD /v3/a json.id optional <v3/1>":          `"HEAD" is neither a method`,
	} {
		list, err := text.ParseCorrections("# a remark\n" + line)
		assert.ErrorContains(t, err, want, line)
		assert.Nil(t, list)
	}
	assert.Equal(t, []text.Correction{{
		Line: 3, Row: "GET /v3/a", What: "query.id", Change: "= A | B # 编号", Sources: []string{"v3/merchant/1", "example.com/a"},
	}}, corrections(t, "\n\nGET /v3/a query.id = A | B # 编号 <v3/merchant/1> <example.com/a>\n"))
}
