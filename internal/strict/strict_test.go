package strict_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// values has one value of each kind, and those that look like another.
const values = `{"whole":100,"negative":-1,"nought":-0,"most":9223372036854775807,"least":-9223372036854775808,"over":9223372036854775808,
	"fraction":1.99,"point":1.0,"exponent":1e2,"quoted":"100","empty":"","true":true,"false":false,"null":null,"object":{"a":1},"array":[1,2],
	"time":"2018-06-08T10:34:56+08:00","parts":"2018-06-08T10:34:56.120Z","local":"2018-06-08 10:34:56","day":"2018-06-08","digits":"20180608103456"}`

func TestInt(t *testing.T) {
	for path, want := range map[string]int64{
		"whole": 100, "negative": -1, "nought": 0, "most": 1<<63 - 1, "least": -1 << 63, "array.0": 1, "array.#": 2, "object.a": 1,
	} {
		for _, read := range []func(gjson.Result) (int64, error){strict.Int, strict.Fen} {
			got, err := read(strict.Get([]byte(values), path))
			require.NoError(t, err, path)
			assert.Equal(t, want, got, path)
		}
	}
	for path, says := range map[string]string{
		"over": "is a number beyond 64 bits, not ", "fraction": "is a number with a fraction or an exponent, not ", "point": "is a number with a fraction",
		"exponent": "is a number with a fraction or an exponent", "quoted": "is a text, not ", "empty": "is a text", "true": "is true or false, not ",
		"null": "is null, not ", "object": "is an object, not ", "array": "is an array, not ", "absent": "is absent", "whole.deeper": "is absent",
	} {
		got, err := strict.Int(strict.Get([]byte(values), path))
		require.ErrorContains(t, err, says, path)
		assert.Zero(t, got)
		_, err = strict.Fen(strict.Get([]byte(values), path))
		require.ErrorContains(t, err, says, path)
		assert.Equal(t, path != "absent" && path != "whole.deeper", strings.HasSuffix(err.Error(), "not a whole number of fen"))
	}
}

func TestText(t *testing.T) {
	for path, want := range map[string]string{"quoted": "100", "empty": ""} {
		got, err := strict.Text(strict.Get([]byte(values), path))
		require.NoError(t, err, path)
		assert.Equal(t, want, got)
	}
	for path, says := range map[string]string{"whole": "is a number, not a text", "true": "is true or false, not a text",
		"null": "is null, not a text", "absent": "is absent"} {
		_, err := strict.Text(strict.Get([]byte(values), path))
		assert.EqualError(t, err, says)
	}
}

func TestBool(t *testing.T) {
	for path, want := range map[string]bool{"true": true, "false": false} {
		got, err := strict.Bool(strict.Get([]byte(values), path))
		require.NoError(t, err, path)
		assert.Equal(t, want, got)
	}
	for path, says := range map[string]string{"whole": "is a number, not true or false", "quoted": "is a text, not true or false",
		"null": "is null, not true or false"} {
		_, err := strict.Bool(strict.Get([]byte(values), path))
		assert.EqualError(t, err, says)
	}
}

func TestTime(t *testing.T) {
	for path, want := range map[string]string{"time": "2018-06-08T02:34:56Z", "parts": "2018-06-08T10:34:56.12Z"} {
		got, err := strict.Time(strict.Get([]byte(values), path))
		require.NoError(t, err, path)
		assert.Equal(t, want, got.UTC().Format(time.RFC3339Nano))
	}
	for path, says := range map[string]string{
		"local": "is another text, not a time such as 2018-06-08T10:34:56+08:00", "day": "is another text", "digits": "is another text", "empty": "is another text",
		"whole": "is a number, not a time", "absent": "is absent",
	} {
		_, err := strict.Time(strict.Get([]byte(values), path))
		assert.ErrorContains(t, err, says, path)
	}
}

func TestNeed(t *testing.T) {
	get := func(path string) gjson.Result { return strict.Get([]byte(values), path) }
	require.NoError(t, strict.Need(get, nil, nil))
	require.NoError(t, strict.Need(get, nil, []string{"whole", "empty", "false", "object", "object.a"}))
	require.EqualError(t, strict.Need(get, nil, []string{"whole", "prepay_id"}), "prepay_id is absent")
	require.EqualError(t, strict.Need(get, nil, []string{"null", "whole", "object.b"}), "null, object.b are absent")
	documented := []fact.Field{{Name: "null"}, {Name: "prepay_id"}}
	require.EqualError(t, strict.Need(get, documented, []string{"null", "prepayid", "other"}),
		"null, prepayid, other are absent; the catalogue has prepay_id; the catalogue does not have it")
}

// gjson looks for an object or an array inside of a string.
func TestGetOfNoObject(t *testing.T) {
	for _, text := range []string{"", `"[1,2]"`, "1", "true", "null"} {
		for _, path := range []string{"0", "#", "@this", "..0", ""} {
			assert.False(t, strict.Get([]byte(text), path).Exists(), "%s of %s", path, text)
		}
	}
	assert.True(t, strict.Get([]byte("[1]"), "@this").Exists())
}

// FuzzReaders: of every text that jsonwalk lets pass, gjson and encoding/json read the same, member by member; and the
// strict readers take a value exactly when encoding/json takes it for the same type.
func FuzzReaders(f *testing.F) {
	for _, text := range []string{
		values, "{\"a\":\"x\xff\\ud800\\ude00\\ud800\",\"\\u0062\":[{\"\xff\":\"\\\\\\\"\"}]}", `["\"[1]\"","{",{"a\\":"b\\"},1e-400,-0.0]`,
		`{"a":{"b":{"c":[[],{},""]}}}`,
		`{"@this":1,"#":2,"a.b":3,"*":4,"!":5,"a|b":6,"\\":7,"..0":8,"{":9}`, ` { "a" : [ 1 , 2 ] , "b" : null } `,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := jsonwalk.Read(raw)
		if err != nil {
			return
		}
		var decoded any
		require.NoError(t, json.Unmarshal(text, &decoded))
		if got := strict.Get(text, "@this"); got.Exists() {
			agree(t, got, decoded)
		}
	})
}

func agree(t *testing.T, got gjson.Result, decoded any) {
	t.Helper()
	require.Equal(t, decoded, got.Value())
	took := func(v any) bool { return got.Type != gjson.Null && json.Unmarshal([]byte(got.Raw), v) == nil }
	var number int64
	read, err := strict.Int(got)
	require.Equal(t, took(&number), err == nil, got.Raw)
	require.Equal(t, number, read)
	var words string
	str, err := strict.Text(got)
	require.Equal(t, took(&words), err == nil, got.Raw)
	require.Equal(t, words, str)
	var yes bool
	truth, err := strict.Bool(got)
	require.Equal(t, took(&yes), err == nil, got.Raw)
	require.Equal(t, yes, truth)
	if !strings.Contains(got.Raw, `\`) { // time.Time reads no escapes
		var at time.Time
		moment, err := strict.Time(got)
		require.Equal(t, took(&at), err == nil, got.Raw)
		require.True(t, at.Equal(moment))
	}
	switch decoded := decoded.(type) {
	case map[string]any:
		seen := 0
		got.ForEach(func(key, value gjson.Result) bool {
			inner, ok := decoded[key.Str]
			require.True(t, ok, "%q", key.Str)
			agree(t, value, inner)
			if path := gjson.Escape(key.Str); path != "" {
				require.Equal(t, value.Raw, got.Get(path).Raw, path)
			}
			seen++
			return true
		})
		require.Len(t, decoded, seen)
	case []any:
		elements := got.Array()
		require.Len(t, elements, len(decoded))
		for i, element := range elements {
			agree(t, element, decoded[i])
		}
	}
}
