package jsonwalk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

func TestRead(t *testing.T) {
	wide := func(n int, last string) string {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"m%d":%d`, i, i))
		}
		return "{" + strings.Join(append(members, last), ",") + "}"
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name, raw string
		want      string // the raw text if empty
		err       error
		says      string
	}{
		{name: "an order", raw: order},
		{name: "no members", raw: "{}"},
		{name: "a scalar", raw: "-1.5e3"},
		{name: "white space around it", raw: " \t\r\n{} \n"},

		{name: "nothing", raw: "", err: jsonwalk.ErrNotJSON},
		{name: "white space alone", raw: " \n", err: jsonwalk.ErrNotJSON},
		{name: "a mark of byte order", raw: "\ufeff{}", err: jsonwalk.ErrNotJSON},
		{name: "something behind it", raw: "{}{}", err: jsonwalk.ErrNotJSON},
		{name: "a NUL behind it", raw: "{}\x00", err: jsonwalk.ErrNotJSON},
		{name: "a comma too many", raw: "[1,]", err: jsonwalk.ErrNotJSON},
		{name: "a member twice in what is cut off", raw: `{"a":1,"a":2`, err: jsonwalk.ErrNotJSON},
		{name: "a control character", raw: "{\"a\":\"\t\"}", err: jsonwalk.ErrNotJSON},
		{name: "an escape that is none", raw: `{"a":"\x41"}`, err: jsonwalk.ErrNotJSON},
		{name: "an escape cut off", raw: `{"a":"\u12"}`, err: jsonwalk.ErrNotJSON},
		{name: "a backslash at the end", raw: `"\`, err: jsonwalk.ErrNotJSON},
		{name: "a number with a zero before it", raw: `[01]`, err: jsonwalk.ErrNotJSON},
		{name: "a word of JavaScript", raw: `[NaN]`, err: jsonwalk.ErrNotJSON},
		{name: "another encoding", raw: "\xff\xfe{\x00}\x00", err: jsonwalk.ErrNotJSON},

		{name: "a member twice", raw: `{"a":1,"a":1}`, err: jsonwalk.ErrAmbiguous, says: `the field "a" stands twice`},
		{name: "a member twice, not side by side", raw: `{"a":{},"b":[{"a":1}],"a":1}`, err: jsonwalk.ErrAmbiguous},
		{name: "a member twice, deep inside", raw: `[{"x":{"y":[1,{"a":1,"b":0,"a":2}]}}]`, err: jsonwalk.ErrAmbiguous},
		{name: "a member twice, once escaped", raw: `{"amount":1,"\u0061mount":2}`, err: jsonwalk.ErrAmbiguous, says: `the field "amount" stands twice`},
		{name: "a member in two cases", raw: `{"amount":1,"Amount":2}`, err: jsonwalk.ErrAmbiguous, says: `the fields "amount" and "Amount" differ in case alone`},
		{name: "a member in two cases, once escaped", raw: `{"amount":1,"\u0041MOUNT":2}`, err: jsonwalk.ErrAmbiguous},
		{name: "letters that Unicode takes for s and k", raw: `{"task":1,"taſ\u212a":2}`, err: jsonwalk.ErrAmbiguous},
		{name: "a member twice, of no name", raw: `{"":1,"":2}`, err: jsonwalk.ErrAmbiguous},
		{name: "two names that are not UTF-8", raw: "{\"a\xff\":1,\"a\xfe\":2}", err: jsonwalk.ErrAmbiguous},
		{name: "two names of half a character", raw: `{"a\ud800":1,"a\udfff":2}`, err: jsonwalk.ErrAmbiguous},
		{name: "a name too long to print", raw: strings.ReplaceAll(`{"NAME":1,"NAME":2}`, "NAME", strings.Repeat("长", 70)),
			err: jsonwalk.ErrAmbiguous, says: "长…"},
		{name: "a name with a line break", raw: `{"a\n":1,"a\n":2}`, err: jsonwalk.ErrAmbiguous, says: `"a\n"`},
		{name: "the 32nd of many members twice", raw: wide(31, `"M0":1`), err: jsonwalk.ErrAmbiguous},
		{name: "the 33rd of many members twice", raw: wide(32, `"M0":1`), err: jsonwalk.ErrAmbiguous},
		{name: "the last of a great many twice", raw: wide(5000, `"M4999":1`), err: jsonwalk.ErrAmbiguous, says: `the fields "m4999" and "M4999"`},
		{name: "a member twice inside the last of many", raw: wide(40, `"x":{"a":1,"a":2}`), err: jsonwalk.ErrAmbiguous},
		{name: "a great many members", raw: wide(5000, `"M5000":1`)},
		{name: "one name on two levels", raw: `{"a":{"a":{"a":1}},"b":{"a":2}}`},
		{name: "names of one length that begin and end alike", raw: `{"out_trade_no":1,"out_brade_no":2,"out_grade_no":3}`},

		{name: "the largest whole numbers", raw: `[9223372036854775807,-9223372036854775808,-0]`},
		{name: "a whole number beyond them", raw: `[9223372036854775808]`, err: jsonwalk.ErrAmbiguous, says: "fits no type"},
		{name: "one below them", raw: `{"a":-9223372036854775809}`, err: jsonwalk.ErrAmbiguous},
		{name: "a number beyond float64", raw: `[1e400]`, err: jsonwalk.ErrAmbiguous},
		{name: "the same below zero", raw: `[-1E+400]`, err: jsonwalk.ErrAmbiguous},
		{name: "the same without exponent", raw: `[1` + strings.Repeat("0", 400) + `.5]`, err: jsonwalk.ErrAmbiguous},
		{name: "the largest of float64", raw: `[1.7976931348623157e308]`},
		{name: "a number too small to tell from zero", raw: `[1e-400]`},
		{name: "a fraction of many digits", raw: `[0.` + strings.Repeat("1", 400) + `]`},
		{name: "literals", raw: `[true,false,null]`},

		{name: "the deepest", raw: deep(jsonwalk.MaxDepth)},
		{name: "deeper", raw: deep(jsonwalk.MaxDepth + 1), err: jsonwalk.ErrAmbiguous, says: "nested deeper than 1000"},

		{name: "a byte that is not UTF-8", raw: "{\"a\":\"x\xffy\"}", want: "{\"a\":\"x\ufffdy\"}"},
		{name: "two such bytes", raw: "[\"\xe5\xbc\"]", want: "[\"\ufffd\ufffd\"]"},
		{name: "such a byte in a name", raw: "{\"\xff\":1}", want: "{\"\ufffd\":1}"},
		{name: "a surrogate in UTF-8", raw: "[\"\xed\xa0\x80\"]", want: "[\"\ufffd\ufffd\ufffd\"]"},
		{name: "such a byte outside of a string", raw: "[1,\xff]", err: jsonwalk.ErrNotJSON},
		{name: "half a character, escaped", raw: `["\ud800","\udc00\ud800","\ud83d\ude00"]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw := []byte(test.raw)
			text, err := jsonwalk.Read(raw)
			assert.Equal(t, test.raw, string(raw), "it was changed in place")
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
				assert.Contains(t, err.Error(), test.says)
				assert.NotContains(t, err.Error(), "\n")
				assert.Nil(t, text)
				return
			}
			require.NoError(t, err)
			if test.want == "" {
				test.want = test.raw
			}
			assert.Equal(t, test.want, string(text))
		})
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	text := []byte(order)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := jsonwalk.Read(text); err != nil {
			t.Error(err)
		}
		_, _ = jsonwalk.Read(nil)
	}))
}

// FuzzRead holds Read to what encoding/json says of the same text, token by token.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		order, `{"a":1,"\u0061":2}`, `{"ſ":1,"S":2}`, `[1e400,9223372036854775808,-0]`, `{"a":"\ud800\"","b":"\xff"}`, " [null]\n", `{"a":[{"A":{}}],"A":0}`,
		strings.Repeat("[", 1001) + strings.Repeat("]", 1001), "{\"\xff\":1,\"\\ufffd\":2}", `"\`, "\ufeff1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := jsonwalk.Read(raw)
		if strings.Contains(fmt.Sprint(err), "deeper") {
			return
		}
		if valid := json.Valid(raw); valid == errors.Is(err, jsonwalk.ErrNotJSON) {
			t.Fatalf("json.Valid is %t and Read ends with %v", valid, err)
		} else if !valid {
			return
		}
		if one := unambiguous(t, raw); one != (err == nil) {
			t.Fatalf("readers agree: %t, and Read ends with %v", one, err)
		}
		if err != nil {
			return
		}
		if !utf8.Valid(text) {
			t.Fatal("the text is not UTF-8")
		}
		var before, after any
		require.NoError(t, json.Unmarshal(raw, &before))
		require.NoError(t, json.Unmarshal(text, &after))
		require.Equal(t, before, after)
	})
}

// unambiguous is the rule that Read keeps, written over the tokens of encoding/json.
func unambiguous(t *testing.T, raw []byte) bool {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value func() bool
	value = func() bool {
		token, err := decoder.Token()
		require.NoError(t, err)
		one := true
		switch token := token.(type) {
		case json.Number:
			if strings.Trim(string(token), "-0123456789") == "" {
				_, err = strconv.ParseInt(string(token), 10, 64)
			} else {
				_, err = strconv.ParseFloat(string(token), 64)
			}
			return err == nil
		case json.Delim:
			var names []string
			for decoder.More() {
				if token == '{' {
					name, err := decoder.Token()
					require.NoError(t, err)
					for _, other := range names {
						one = one && !strings.EqualFold(other, name.(string))
					}
					names = append(names, name.(string))
				}
				one = value() && one
			}
			_, err = decoder.Token()
			require.NoError(t, err)
		}
		return one
	}
	return value()
}
