package fleet_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// gather reads a file to its end: jobs as "line body", mistakes as "line: what".
func gather(jobs iter.Seq2[fleet.Job, error]) (lines []string, err error) {
	for j, e := range jobs {
		var bad *fleet.LineError
		switch {
		case errors.As(e, &bad):
			lines = append(lines, fmt.Sprintf("%d: %v", bad.Line, bad.Err))
		case e != nil:
			return lines, e
		default:
			lines = append(lines, fmt.Sprintf("%d %s", j.Line, j.Body))
		}
	}
	return lines, nil
}

// columns reads columns; one with a hyphen in front is left out.
func columns(t testing.TB, texts ...string) (list []fleet.Column) {
	t.Helper()
	for _, text := range texts {
		c := fleet.Column{From: strings.TrimPrefix(text, "-")}
		if c.From == text {
			var err error
			c, err = fleet.ParseColumn(text)
			require.NoError(t, err)
		}
		list = append(list, c)
	}
	return list
}

const lost = "a character of it was lost in a conversion (it has U+FFFD in its place): " +
	"fill it in again, or name the right encoding of the file"

func TestNDJSON(t *testing.T) {
	long := `{"out_request_no":"` + strings.Repeat("x", 10<<20) + `"}`
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"lines":                       {"{\"a\":1}\n{\"a\":2}\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		"no line end":                 {"{\"a\":1}\n{\"a\":2}", []string{`1 {"a":1}`, `2 {"a":2}`}},
		"a byte order mark and CRLF":  {"\xef\xbb\xbf{\"a\":1}\r\n{\"a\":2}\r\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		"empty lines":                 {"\n{\"a\":1}\n \n\n{\"a\":2}\n\n", []string{`2 {"a":1}`, `5 {"a":2}`}},
		"nothing":                     {"", nil},
		"a broken line in the middle": {"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", []string{`1 {"a":1}`, "2: it is not a JSON object", `3 {"a":3}`}},
		"no object":                   {"[1]\n7\nnull\n", []string{"1: it is not a JSON object", "2: it is not a JSON object", "3: it is not a JSON object"}},
		"not UTF-8":                   {"{\"a\":\"\xff\"}\n{\"a\":2}\n", []string{"1: it is not UTF-8", `2 {"a":2}`}},
		"lost in a conversion":        {"{\"a\":\"\ufffd\"}\n{\"a\":2}\n", []string{"1: " + lost, `2 {"a":2}`}},
		"a line of 10 MB":             {"{\"a\":1}\n" + long + "\n{\"a\":3}\n", []string{`1 {"a":1}`, "2: it has more than 524288 bytes", `3 {"a":3}`}},
		"a last line of 10 MB":        {"{\"a\":1}\n" + long, []string{`1 {"a":1}`, "2: it has more than 524288 bytes"}},
	} {
		got, err := gather(fleet.Sheet{Path: "v3/x"}.NDJSON(strings.NewReader(c.text)))
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
	_, err := gather(fleet.Sheet{Path: "v3/x"}.NDJSON(io.MultiReader(strings.NewReader("{}\n{}\n"), iotest.ErrReader(errors.New("disk gone")))))
	assert.ErrorContains(t, err, "after line 2: disk gone")
}

func TestNDJSONPlacesMembers(t *testing.T) {
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	sheet := fleet.Sheet{
		File: "cards.ndjson", Method: "PATCH", Path: "v3/cards/{code}", Number: "{code}", Order: "owner.id", Expires: until,
		Map: columns(t, "code=card", "{code}=user_card_code", "?brand_id=brand", "-note"),
	}
	text := `{"user_card_code":"7","brand":12345678901234567890,"card":{"x":[1.50]},"note":"secret","owner":{"id":"o"}}` + "\n" +
		`{"user_card_code":["7"]}` + "\n" + `{"brand":1}` + "\n" + `{"user_card_code":"8"}` + "\n" + `{"user_card_code":"8","user_card_code":"9"}` + "\n"
	var jobs []fleet.Job
	var wrong []string
	for j, err := range sheet.NDJSON(strings.NewReader(text)) {
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		j.Source = nil
		jobs = append(jobs, j)
	}
	assert.Equal(t, []fleet.Job{{
		Method: "PATCH", Path: "v3/cards/{code}", Vars: map[string]string{"code": "7"}, Query: map[string][]string{"brand_id": {"12345678901234567890"}},
		Body: []byte(`{"code":{"x":[1.50]},"owner":{"id":"o"}}`), Number: "7", Order: "o", Expires: until, File: "cards.ndjson", Line: 1,
	}}, jobs)
	assert.Equal(t, []string{
		"cards.ndjson, line 2: {code} takes a text, a number or a boolean",
		"cards.ndjson, line 3: the merchant's own number is missing: it is expected in {code}",
		"cards.ndjson, line 4: the field that orders the jobs is missing: it is expected in owner.id",
		"cards.ndjson, line 5: two values go to {code}",
	}, wrong)
	sheet.Map = columns(t, "{code}=user_card_cod", "-note")
	got, err := gather(sheet.NDJSON(strings.NewReader("[]\n" + text)))
	require.ErrorIs(t, err, fleet.ErrColumns)
	assert.ErrorContains(t, err, `it has no field "user_card_cod"`)
	assert.Len(t, got, 1, "what is no object")
}

func TestNDJSONOfWholeJobs(t *testing.T) {
	text := `{"method":"GET","path":"v3/x/{id}","vars":{"id":"1"},"query":{"q":["2"]},"number":"n","order":"o","expires":"2027-01-01T00:00:00Z"}` + "\n" +
		`{"path":"v3/y","body":{"a":1}}` + "\n" + `{"path":"v3/y","body":null}` + "\n" + `{"pfad":"v3/y"}` + "\n" + `{"path":"v3/y","body":{},"BODY":{"a":1}}` + "\n"
	got, err := gather(fleet.Sheet{}.NDJSON(strings.NewReader(text)))
	require.NoError(t, err)
	require.Len(t, got, 5)
	assert.Equal(t, []string{"1 ", `2 {"a":1}`, "3 "}, got[:3])
	assert.Contains(t, got[3], `4: it is not a job: it has a field besides method, path, vars`)
	assert.Contains(t, got[4], "5: it is not a job")
	for j := range (fleet.Sheet{}).NDJSON(strings.NewReader(text)) {
		j.Source = nil
		assert.Equal(t, fleet.Job{Method: "GET", Path: "v3/x/{id}", Vars: map[string]string{"id": "1"}, Query: map[string][]string{"q": {"2"}},
			Number: "n", Order: "o", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Line: 1}, j)
		break
	}
}

func TestCSV(t *testing.T) {
	const digits = "a spreadsheet program has shortened this number (as in 4.78516E+11), and its digits are lost: make the column text, and fill it in again"
	const unseen = "it begins or ends with a space, or another character that cannot be seen: remove it"
	for name, c := range map[string]struct {
		sheet fleet.Sheet
		text  string
		want  []string
	}{
		"columns are fields": {fleet.Sheet{Path: "v3/x"}, "a,b.c,b.d\n1,2,\n,,\n", []string{`2 {"a":"1","b":{"c":"2"}}`, "3 {}"}},
		"types come from the catalogue": {fleet.Sheet{Path: refundPath}, "out_trade_no,amount.refund,amount.currency\n7,100,CNY\n7,1.5,CNY\n",
			[]string{`2 {"out_trade_no":"7","amount":{"refund":100,"currency":"CNY"}}`, `3: B3 (column amount.refund): it is not a whole number of fen`}},
		"mapped": {fleet.Sheet{Path: "v3/x",
			Map: columns(t, "number=No.", "count=n:integer", "tags=t:json", "flag=ok:boolean", "rate=r:number", "-*")}, "No.,n,t,ok,r,other\n1,2,[3],true,-0.5,x\n",
			[]string{`2 {"number":"1","count":2,"tags":[3],"flag":true,"rate":-0.5}`}},
		"quoted": {fleet.Sheet{Path: "v3/x"}, "a,b\n\"x,\"\"y\"\"\",\"two\nlines <&>\"\n1,2\n",
			[]string{`2 {"a":"x,\"y\"","b":"two\nlines <&>"}`, `4 {"a":"1","b":"2"}`}},
		"a byte order mark, CRLF, semicolons": {fleet.Sheet{Path: "v3/x", Comma: ';'}, "\xef\xbb\xbfa;b\r\n1;2\r\n\r\n3;4",
			[]string{`2 {"a":"1","b":"2"}`, `4 {"a":"3","b":"4"}`}},
		"bad lines": {fleet.Sheet{Path: "v3/x", Map: columns(t, "n=n:integer", "o=o:boolean", "r=r:number", "j=j:json")},
			"n,o,r,j\n1\nx,,,\n,yes,,\n,,1x,\n,,,{\n\xff,,,\n1,a\"b,,\n\"1\"2,,,\n7,true,1e2,{}\n",
			[]string{"2: it has 1 fields, the first line names 4 columns", `3: A3 (column n): it is not an integer`, `4: B4 (column o): it is neither true nor false`,
				`5: C5 (column r): it is not a number`, `6: D6 (column j): it is not JSON`, "7: A7 (column n): it is not UTF-8",
				"8: there is a quote inside a field that is not quoted", "9: something follows a quoted field", `10 {"n":7,"o":true,"r":1e2,"j":{}}`}},
		"a quote that is not closed costs one line": {fleet.Sheet{Path: "v3/x"}, "a,b\n\"1,2\n3,4\n5,6\n",
			[]string{"2: a quote is not closed", `3 {"a":"3","b":"4"}`, `4 {"a":"5","b":"6"}`}},
		"inch marks cost their lines": {fleet.Sheet{Path: "v3/x"}, "a,b\n1,5\" pipe\n2,x\n3,6\" pipe\n4,y\n",
			[]string{"2: there is a quote inside a field that is not quoted", `3 {"a":"2","b":"x"}`,
				"4: there is a quote inside a field that is not quoted", `5 {"a":"4","b":"y"}`}},
		"two quotes that are no pair": {fleet.Sheet{Path: "v3/x"}, "a,b\n1,\"abc\n2,x\n3,\"def\n4,y\n",
			[]string{"2: a quote is not closed", `3 {"a":"2","b":"x"}`, "4: a quote is not closed", `5 {"a":"4","b":"y"}`}},
		"two quotes that make another width": {fleet.Sheet{Path: "v3/x"}, "a,b\n1,\"abc\n2,x\",3\n4,y\n",
			[]string{"2: a quote is not closed", "3: there is a quote inside a field that is not quoted", `4 {"a":"4","b":"y"}`}},
		"spoilt by a spreadsheet program": {fleet.Sheet{Path: "v3/x/{id}", Map: columns(t, "{id}=id", "?q=q", "-note")},
			"id,q,a,note\n4.78516E+11,,,\n,-1E+12,,\n,,\u00a01,\n,,2\u200b,\n,,\u30003,\n1,2E+5x,a b,4.7E+11\n1,, 5E+11 ,\n,,\ufffd7,\n,,a\u00a0b,\n,,\u00a5a\u00a0b,\n",
			[]string{"2: A2 (column id): " + digits, "3: B3 (column q): " + digits, "4: C4 (column a): " + unseen, "5: C5 (column a): " + unseen, "6: C6 (column a): " + unseen,
				`7 {"a":"a b"}`, "8: C8 (column a): " + unseen, "9: C9 (column a): " + lost,
				"10: C10 (column a): it has a character that cannot be seen, such as a no-break space, among letters and digits: remove it", "11 {\"a\":\"¥a\u00a0b\"}"}},
		"a line of 10 MB": {fleet.Sheet{Path: "v3/x"}, "a\n1\n" + strings.Repeat("x", 10<<20) + "\n3\n",
			[]string{`2 {"a":"1"}`, "3: it has more than 524288 bytes", `4 {"a":"3"}`}},
		"a record of 1 MB": {fleet.Sheet{Path: "v3/x"}, "a\n1\n\"" + strings.Repeat(strings.Repeat("x", 99)+"\n", 10_000) + "\"\n", nil},
	} {
		got, err := gather(c.sheet.CSV(strings.NewReader(c.text)))
		require.NoError(t, err, name)
		if name == "a record of 1 MB" {
			assert.Equal(t, []string{`2 {"a":"1"}`, "3: a quote is not closed", fmt.Sprintf(`4 {"a":"%s"}`, strings.Repeat("x", 99))}, got[:3])
			continue
		}
		assert.Equal(t, c.want, got, name)
	}
	for says, c := range map[string]fleet.Sheet{
		"need a path": {},
		"column B: it goes to the same field as column A": {Path: "v3/x", Map: columns(t, "b=a")},
		"an object and a value":                           {Path: "v3/x", Map: columns(t, "b.c=a")},
		"a name in it is empty":                           {Path: "v3/x", Map: columns(t, "c..d=a")},
		`there is no column "absent"`:                     {Path: "v3/x", Map: columns(t, "c=absent")},
	} {
		_, err := gather(c.CSV(strings.NewReader("a,b\n1,2\n")))
		assert.ErrorContains(t, err, says)
	}
	_, err := gather(fleet.Sheet{Path: feedsPath}.CSV(strings.NewReader("oUpF8uMuAJO,13800138000\nx,y\n")))
	require.ErrorIs(t, err, fleet.ErrColumns)
	assert.ErrorContains(t, err, "is the line with the names missing?")
	assert.NotContains(t, err.Error(), "oUpF8uMuAJO")
	for _, text := range []string{`{"path":"v3/x","expires":"13800138000"}`, `{"path":"v3/x","line":13800138000.5}`, `{"path":"v3/x","13800138000":1}`} {
		got, err := gather(fleet.Sheet{}.NDJSON(strings.NewReader(text + "\n")))
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Contains(t, got[0], "it is not a job")
		assert.NotContains(t, got[0], "13800138000")
	}
	got, err := gather(fleet.Sheet{Path: "v3/x"}.CSV(strings.NewReader("a,,b\n1,,2\n1,x,2\n")))
	require.NoError(t, err)
	assert.Equal(t, []string{`2 {"a":"1","b":"2"}`, "3: B3 has a value, and its column has no name"}, got)
	for _, text := range []string{"a", "=b", "a=", "a==", "b=*"} {
		_, err := fleet.ParseColumn(text)
		assert.Error(t, err, text)
	}
}

var carriage = regexp.MustCompile("\r+\n")

// What encoding/csv writes is read as it was, but for carriage returns before line breaks.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b,c", "d\"e")
	f.Add("", "x\ny", "ä")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		require.NoError(t, w.Write([]string{"a", "b", "c", "d"}))
		require.NoError(t, w.Write([]string{a, b, c, "end"}))
		w.Flush()
		type record struct{ A, B, C, D string }
		for job, err := range (fleet.Sheet{Path: "v3/x"}).CSV(&text) {
			if err != nil {
				spoilt := strings.Contains(err.Error(), "spreadsheet program") || strings.Contains(err.Error(), "cannot be seen") ||
					strings.Contains(err.Error(), "lost in a conversion")
				require.False(t, !spoilt && utf8.ValidString(a) && utf8.ValidString(b) && utf8.ValidString(c), "%q: %v", text.String(), err)
				return
			}
			var got record
			require.NoError(t, json.Unmarshal(job.Body, &got))
			clean := func(s string) string { return carriage.ReplaceAllString(s, "\n") }
			require.Equal(t, record{clean(a), clean(b), clean(c), "end"}, record{clean(got.A), clean(got.B), clean(got.C), got.D})
		}
	})
}
