//go:build go1.25

package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

func TestParseFault(t *testing.T) {
	for line, want := range map[string]fault.Rule{
		"refuse": {Kind: fault.Refuse},
		"reset-after path=/v3/refund/* p=0.3 count=5":  {Kind: fault.ResetAfter, Path: "/v3/refund/*", Probability: 0.3, Count: 5},
		"429 method=POST merchant=1900000109 delay=2s": {Kind: fault.Limited, Method: "POST", Merchant: "1900000109", Delay: 2 * time.Second},
		"refused-after path=/v3/a/{b} skip=1 status=400 code=INVALID_REQUEST": {Kind: fault.RefusedAfter, Path: "/v3/a/{b}",
			Skip: 1, Status: 400, Code: "INVALID_REQUEST"},
		"502 status=504":          {Kind: fault.BadGateway, Status: 504},
		"not-found-for delay=5s":  {Kind: fault.NotFoundFor, Delay: 5 * time.Second},
		"slow-body p=1 delay=1ms": {Kind: fault.SlowBody, Probability: 1, Delay: time.Millisecond},
	} {
		got, err := fault.Parse(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, got, line)
		again, err := fault.Parse(got.String())
		require.NoError(t, err, got.String())
		assert.Equal(t, want, again, "String of %q", line)
	}
	lenient, err := fault.Parse("  reset-before\tmethod=post ")
	require.NoError(t, err)
	assert.Equal(t, "reset-before method=POST", lenient.String())

	for line, want := range map[string]string{
		"": "a fault begins with its kind, one of 401, 401-after, 404, 404-after, 429, 429-after, 500, 500-after, 502, " +
			"502-after, cached, crossed, crossed-path, delay, duplicate, error-as-200, flip-byte, late, not-found-for, probe, refuse, refused-after," +
			" reset-after, reset-before, short-file, slow-body, stale-timestamp, success-as-403, truncate, unknown-serial, wrong-digest, wrong-signature",
		"explode":            `there is no fault "explode"; there are 401, 401-after, `,
		"missing-headers":    "fault missing-headers: it is one of notifications; give it to Notify or to a plan of deliveries",
		"refuse now":         `fault refuse: "now" is not of the form name=value`,
		"refuse path=":       `fault refuse: "path=" is not of the form name=value`,
		"refuse p=0.1 p=0.2": "fault refuse: p is given twice",
		"refuse times=3":     `fault refuse: there is no "times"; there are method, path, merchant, p, count, skip, delay, status, code`,
		"refuse p=0":         "fault refuse: p=0 is not a probability above 0 and up to 1",
		"refuse p=half":      "fault refuse: p=half is not a probability above 0 and up to 1",
		"refuse p=1.01":      "the probability 1.01 is not between 0 and 1",
		"refuse p=NaN":       "the probability NaN is not between 0 and 1",
		"refuse count=0":     "fault refuse: count=0 is not a number from 1",
		"refuse count=-1":    "fault refuse: count=-1 is not a number from 1",
		"refuse skip=x":      "fault refuse: skip=x is not a number from 1",
		"delay delay=5":      "fault delay: delay=5 is not a duration such as 300ms or 2s",
		"delay delay=-5s":    "fault delay: the delay must not be negative",
		"delay":              "fault delay: it needs a delay",
		"slow-body":          "fault slow-body: it needs a delay",
		"not-found-for":      "fault not-found-for: it needs a delay",
		"refuse delay=5s":    "fault refuse: it takes no delay; 429, 429-after, delay, not-found-for, slow-body do",
		"refuse status=400": "fault refuse: it takes no status; 401, 401-after, 404, 404-after, 429, 429-after, 500, 500-after, 502, " +
			"502-after, refused-after, success-as-403 do",
		"reset-after code=A":         "fault reset-after: it takes no code; 401, 401-after, 429, 429-after, 500, 500-after, error-as-200, refused-after do",
		"500 status=2x":              "fault 500: status=2x is not a status from 400 to 599",
		"500 status=399":             "fault 500: the status 399 is not from 400 to 599",
		"500 status=600":             "fault 500: the status 600 is not from 400 to 599",
		"500 code=no":                `fault 500: the code "no" is not of upper-case letters, digits and _`,
		"502 code=A":                 "fault 502: it takes no code",
		"refuse path=v3/refund":      `fault refuse: the path "v3/refund" does not begin with a slash`,
		"refuse path=/v3/*/x":        `fault refuse: the path "/v3/*/x" has a * before its end; use {x} for one segment`,
		"refuse path=/v3?mchid=1":    `fault refuse: the path "/v3?mchid=1" has a query or a blank; rules match the path alone`,
		"refuse merchant=19000001O9": "fault refuse: the merchant number has something else than digits",
		"refuse method=P(ST":         `fault refuse: the method "P(ST" is not one in upper case`,
	} {
		_, err := fault.Parse(line)
		if assert.Error(t, err, line) {
			assert.Contains(t, err.Error(), "sandbox: ")
			assert.Contains(t, err.Error(), want, line)
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("reset-after path=/v3/refund/* p=0.3 count=5 skip=2 method=GET merchant=19")
	f.Add("429 delay=1h2m3.5s status=503 code=A_1")
	f.Add("not-found-for delay=1ns p=1e-300")
	f.Fuzz(func(t *testing.T, line string) {
		rule, err := fault.Parse(line)
		if err != nil {
			return
		}
		again, err := fault.Parse(rule.String())
		require.NoError(t, err, rule.String())
		require.Equal(t, rule, again)
		require.NoError(t, newSandbox(t).Faults.Inject(rule), "what can be parsed can be injected")
	})
}

func TestInjectTakesAllOrNone(t *testing.T) {
	s := newSandbox(t)
	require.Error(t, s.Faults.Inject(fault.Rule{Kind: fault.Refuse}, fault.Rule{Kind: fault.Delay}))
	for _, bad := range []fault.Rule{
		{}, {Kind: fault.Refuse, Count: -1}, {Kind: fault.Refuse, Skip: -1}, {Kind: fault.Refuse, Method: "get"}, {Kind: fault.WrongAPIv3Key},
		{Kind: fault.Delay, Delay: -1}, {Kind: fault.Refuse, Probability: -0.1},
	} {
		assert.Error(t, s.Faults.Inject(bad), "%+v", bad)
	}
	assert.Empty(t, s.Faults.All())
	good := []fault.Rule{{Kind: fault.Refuse}, {Kind: fault.Probe, Probability: 0.5}}
	require.NoError(t, s.Faults.Inject(good...))
	assert.Equal(t, good, s.Faults.All())
	s.Faults.Clear()
	assert.Empty(t, s.Faults.All())
}
