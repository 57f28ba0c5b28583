package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

const conduct = `POST /v3/a
  name 甲
  json
    no string!
    sub string
    amount object!
      total integer!
  answer 200 json
    ticket string!
    no string!
  doc v3/merchant/1
  money
  repeat documented
  number refund no
  rate 5 provider
  link GET /v3/a/{out_no}
  acts
  copy out_no no
  copy sub?
  missing NOT_FOUND
  missing OTHER
  state state
  means DONE succeeded
  means GONE failed
  parts list state DONE GONE
  same total amount.total
  same sub
  only ticket
  look-back 30
  bind no
  excludes PARAM_ERROR v3/merchant/1
  excludes NOT_ENOUGH v3/merchant/1

GET /v3/a/{out_no}
  name 乙
  path
    out_no string!
  query
    sub string
  answer 200 json
    state string! = DONE | GONE
    sub string
    total integer
    list object[]
      state string
  bind sub ?sub
`

func TestConductIsReadAndWritten(t *testing.T) {
	doc, err := text.Parse(conduct)
	require.NoError(t, err)
	require.NoError(t, text.Check(doc))
	assert.Equal(t, conduct, text.Format(doc))
	assert.Equal(t, fact.Conduct{
		MovesMoney: true, Repeat: fact.Documented, Number: fact.MerchantNumber{Space: "refund", Field: "no"}, Rate: fact.Rate{PerSecond: 5, Per: "provider"},
		Link: &fact.Link{
			Query: "/v3/a/{out_no}", Acts: true, Copy: []fact.Copy{{To: "out_no", From: "no"}, {To: "sub", From: "sub", Optional: true}},
			Missing: []string{"NOT_FOUND", "OTHER"}, State: "state",
			Means: []fact.Means{{Value: "DONE", Meaning: fact.Succeeded}, {Value: "GONE", Meaning: fact.Failed}},
			Parts: &fact.Parts{List: "list", State: "state", Succeeded: "DONE", Failed: "GONE"},
			Same:  []fact.Copy{{To: "total", From: "amount.total"}, {To: "sub", From: "sub"}}, Only: []string{"ticket"}, LookBack: 30,
		},
		Bind:     []fact.Copy{{To: "no", From: "no"}},
		Excludes: []fact.Exclude{{Code: "PARAM_ERROR", Doc: "v3/merchant/1"}, {Code: "NOT_ENOUGH", Doc: "v3/merchant/1"}},
	}, doc.Operations[0].Conduct)
	assert.Equal(t, []fact.Copy{{To: "sub", From: "?sub"}}, doc.Operations[1].Bind)
	assert.True(t, doc.Operations[0].Excluded("NOT_ENOUGH"))
	assert.False(t, doc.Operations[0].Excluded("SYSTEM_ERROR"))
	assert.Equal(t, fact.Taken, doc.Operations[0].Link.Meaning("NEW"))
}

// Each mistake is one line of the sample changed; those that Parse takes are told by Check.
func TestConductIsChecked(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"repeat class":     {"repeat documented", "repeat maybe", `unknown repeat class "maybe"`},
		"number's member":  {"number refund no", "number refund nix", `the number "nix" is no field`},
		"bind, no answer":  {"bind no\n", "bind nix no\n", "bind nix: the answer has no such text"},
		"bind, no request": {"bind no\n", "bind no nix\n", "bind no: the answer has no such text"},
		"bind, optional":   {"bind no\n", "bind no?\n", "bind no: the answer"},
		"excludes twice":   {"excludes NOT_ENOUGH", "excludes PARAM_ERROR", "excludes PARAM_ERROR: "},
		"excludes, page":   {"NOT_ENOUGH v3/merchant/1", "NOT_ENOUGH v3/merchant/2", "the page is not the operation's"},
		"excludes, words":  {"NOT_ENOUGH v3/merchant/1", "NOT_ENOUGH", "excludes takes 2 words"},
		"number's words":   {"number refund no", "number refund", "number takes 2 words"},
		"rate's text":      {"rate 5 provider", "rate many provider", `rate has the rate "many"`},
		"rate per":         {"rate 5 provider", "rate 5 day", `the rate counts by "day"`},
		"link's query":     {"link GET /v3/a/{out_no}", "link GET /v3/b", "the link leads to GET /v3/b, which is unknown"},
		"link's method":    {"link GET /v3/a/{out_no}", "link POST /v3/a", "link is not GET /path"},
		"no link":          {"  link GET /v3/a/{out_no}\n", "", "acts stands before its link"},
		"placeholder":      {"  copy out_no no\n", "", "nothing is copied to {out_no}"},
		"copy to nothing":  {"copy sub?", "copy nix? sub", "copy nix: no field of the query"},
		"copy of nothing":  {"copy out_no no", "copy out_no nix", "nix is no field of the write"},
		"optional segment": {"copy out_no no", "copy out_no? no", "or an optional placeholder"},
		"no missing":       {"  missing NOT_FOUND\n  missing OTHER\n", "", "a link needs a copied field and a code"},
		"no state":         {"state state\n  means", "state list\n  means", `the state "list" is no text`},
		"unknown state":    {"means DONE", "means NEW", "the state NEW stands twice or is not documented"},
		"unknown meaning":  {"DONE succeeded", "DONE fine", `means "fine", which is unknown`},
		"parts":            {"parts list state", "parts list nix", "the parts list.nix are not in the answer"},
		"same":             {"same total amount.total", "same total amount.nix", "same total: not carried by both sides"},
		"only":             {"only ticket", "only nix", "only nix: the write does not answer it"},
		"look-back":        {"look-back 30", "look-back month", `look-back has "month"`},
		"a read": {"GET /v3/a/{out_no}\n  name 乙\n  path\n    out_no string!\n",
			"GET /v3/a/{out_no}\n  name 乙\n  path\n    out_no string!\n  money\n", "a read moves nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(conduct, c.old), "the test's own replacement")
			doc, err := text.Parse(strings.Replace(conduct, c.old, c.new, 1))
			if err == nil {
				err = text.Check(doc)
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
