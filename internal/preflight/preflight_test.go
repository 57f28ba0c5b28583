package preflight_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

var operation = fact.Operation{
	Path: "/v3/things/{id}", HostRequired: true, Host: "api.mch.weixin.qq.com",
	In: fact.Request{
		Path:   []fact.Field{{Name: "id", Type: fact.Integer}},
		Query:  []fact.Field{{Name: "limit", Type: fact.Integer, Required: true, Confirmed: true, Max: 10}},
		Header: []fact.Field{{Name: "X-Thing", Required: true}},
		JSON: []fact.Field{
			{Name: "name", Type: fact.String, Required: true, Confirmed: true},
			{Name: "kind", Type: fact.String, Enum: []any{"A", "B"}},
			{Name: "list", Type: fact.Integers, Required: true},
		},
	},
}

// request is a request in which nothing is wrong.
func request(plans *sensitive.Plans) *preflight.Request {
	return &preflight.Request{
		Method: "POST", Path: operation.Path, Operation: &operation, Plan: plans.Of(&operation),
		Variables: []target.Variable{{Name: "id", Value: "7"}}, Query: []target.Param{{Name: "limit", Values: []string{"5"}}},
		Header: func(name string) bool { return name == "X-Thing" }, Body: []byte(`{"name":"x","kind":"A","list":[1]}`),
		Base: &url.URL{Scheme: "https", Host: "api.mch.weixin.qq.com"},
	}
}

func TestCheck(t *testing.T) {
	plans := new(sensitive.Plans)
	for name, tt := range map[string]struct {
		change   func(r *preflight.Request)
		silenced []string
		want     string // place, pointer and kind of each finding
		certain  bool
	}{
		"nothing":          {change: func(*preflight.Request) {}},
		"a host":           {change: func(r *preflight.Request) { r.Base = &url.URL{Host: "elsewhere"} }, want: "operation  wrong host"},
		"this machine":     {change: func(r *preflight.Request) { r.Base = &url.URL{Host: "localhost:1"} }},
		"a scheme":         {change: func(r *preflight.Request) { r.WrongScheme = "a brand signs it" }, want: "operation  wrong scheme", certain: true},
		"an operation":     {change: func(r *preflight.Request) { r.Operation, r.Plan = nil, plans.Of(nil) }, want: "operation  unknown operation"},
		"a variable":       {change: func(r *preflight.Request) { r.Variables[0].Value = "x" }, want: "path /id wrong type", certain: true},
		"an encoded one":   {change: func(r *preflight.Request) { r.Variables[0] = target.Variable{Name: "id", Value: "x", Raw: true} }},
		"the query":        {change: func(r *preflight.Request) { r.Query = nil }, want: "query /limit missing field", certain: true},
		"a bound":          {change: func(r *preflight.Request) { r.Query[0].Values = []string{"11"} }, want: "query /limit out of bounds"},
		"a header":         {change: func(r *preflight.Request) { r.Header = func(string) bool { return false } }, want: "header /X-Thing missing field"},
		"a field":          {change: func(r *preflight.Request) { r.Body = []byte(`{"list":[]}`) }, want: "body /name missing field", certain: true},
		"one source alone": {change: func(r *preflight.Request) { r.Body = []byte(`{"name":"x"}`) }, want: "body /list missing field"},
		"a constant":       {change: func(r *preflight.Request) { r.Body = []byte(`{"name":"x","kind":"C","list":[]}`) }, want: "body /kind unknown constant"},
		"an element":       {change: func(r *preflight.Request) { r.Body = []byte(`{"name":"x","list":[1,1.5]}`) }, want: "body /list/1 wrong type", certain: true},
		"no JSON":          {change: func(r *preflight.Request) { r.Body = []byte(`{"name":"x","list":[]`) }, want: "body  not JSON", certain: true},
		"silenced":         {change: func(r *preflight.Request) { r.Query = nil }, silenced: []string{"missing field"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(plans)
			tt.change(r)
			report := preflight.Check(r, tt.silenced)
			var got []string
			for _, f := range report.Findings() {
				got = append(got, f.Place+" "+f.Pointer+" "+f.Kind)
				assert.Contains(t, preflight.Kinds, f.Kind)
				assert.NotEmpty(t, f.Text)
			}
			assert.Equal(t, tt.want, strings.Join(got, "; "))
			assert.Equal(t, tt.certain, report.Certain())
			assert.Equal(t, tt.want == "" || tt.want == "operation  unknown operation", report.Hint(400) == "")
			assert.Empty(t, report.Hint(500))
		})
	}
}

// A finding is logged once for its place in any element, and a client logs no more than a thousand.
func TestTold(t *testing.T) {
	var log bytes.Buffer
	logger, told := slog.New(slog.NewTextHandler(&log, nil)), preflight.NewTold()
	for i := range 3 {
		report := preflight.NewReport("POST", "/v3/x", nil, nil)
		report.AddEncrypted([]string{fmt.Sprintf("/list/%d/name", i)})
		report.Tell(t.Context(), logger, told, "/v3/x")
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"))
	assert.Contains(t, log.String(), "/list/*/name")
	for i := range 2000 {
		told.Add("POST", "/v3/x", "unknown field", "body", fmt.Sprintf("/f%d_", i))
	}
	first, _ := told.Add("POST", "/v3/x", "unknown field", "body", "/another")
	assert.False(t, first)
	var none *preflight.Report
	none.Tell(t.Context(), logger, told, "")
	assert.Empty(t, none.Findings())
}
