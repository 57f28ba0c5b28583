package wxpay_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// A path with its value, and the query of a map. The catalogue knows that the operation takes a date.
func ExampleChain_Queries() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	yesterday := time.Date(2026, 11, 22, 0, 0, 0, 0, time.FixedZone("", 8*60*60))
	req, err := client.Chain("v3/merchant/fund/withdraw/bill-type/{bill_type}", "NO_SUCC").
		Queries(wxpay.JSON{"bill_date": yesterday, "tar_type": "GZIP"}).
		Request(context.Background(), "GET", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.URL.RequestURI())
	// Output: /v3/merchant/fund/withdraw/bill-type/NO_SUCC?bill_date=2026-11-22&tar_type=GZIP
}

// page is the kind of struct that callers keep for paging.
type page struct {
	Limit  int  `json:"limit"`
	Offset *int `json:"offset"`
}

type hidden struct {
	Of string `json:"of"`
}

func TestQueries(t *testing.T) {
	client, zero := newClient(t), 0
	var missing *hidden
	for _, tt := range []struct {
		name    string
		members any
		want    string
	}{
		{"a map, sorted", map[string]any{"b": 1, "a": "x y", "c": true}, "?a=x%20y&b=1&c=true"},
		{"a JSON", wxpay.JSON{"state": []string{"A", "B"}}, "?state=A&state=B"},
		{"a map of strings", map[string]string{"b": "2", "a": "1"}, "?a=1&b=2"},
		{"names of a type of their own", map[wxcode.Code]int{"b": 2, "a": 1}, "?a=1&b=2"},
		{"url.Values", url.Values{"b": {"2", "3"}, "a": {"1"}, "none": nil}, "?a=1&b=2&b=3"},
		{"a nil map has none", url.Values(nil), ""},
		{"a struct, in the order of its fields", struct {
			Z int    `json:"z"`
			A string `url:"a" json:"other"`
			_ int
			b int
			C bool `json:"-"`
			D bool `url:"-" json:"d"`
		}{Z: 1, A: "", b: 3}, "?z=1&a="},
		{"what is empty is left out where a tag says so", struct {
			A string    `json:"a,omitempty"`
			B int       `url:"b,omitempty"`
			C []string  `json:"c,omitzero"`
			D []int     `json:"d,omitempty"`
			E time.Time `json:"e,omitzero"`
			F int       `json:"f,omitempty"`
		}{D: []int{}, F: 1}, "?f=1"},
		{"pointers", &page{10, &zero}, "?limit=10&offset=0"},
		{"nil pointers are left out", page{Limit: 10}, "?limit=10"},
		{"nil is left out of a struct", struct {
			A any `json:"a"`
			B any `json:"b"`
		}{nil, 1}, "?b=1"},
		{"structs inside", struct {
			hidden
			*page
			Last int `json:"last"`
		}{hidden{"x"}, &page{Limit: 1}, 2}, "?of=x&limit=1&last=2"},
		{"structs that are not there", struct{ *hidden }{missing}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := client.Chain("v3/x").Queries(tt.members).Request(context.Background(), "GET", nil)
			require.NoError(t, err)
			assert.Equal(t, "/v3/x"+tt.want, req.URL.RequestURI())
		})
	}
	chain := client.Chain("v3/x").Query("a", 1).Queries(wxpay.JSON{"b": 2}).Queries(wxpay.JSON{"a": 3})
	req, err := chain.Query("b", 4).Request(context.Background(), "GET", nil)
	require.NoError(t, err)
	assert.Equal(t, "/v3/x?a=3&b=4", req.URL.RequestURI(), "a name set again is replaced")
}

func TestQueriesMistakes(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	var none *page
	for _, tt := range []struct {
		name    string
		members any
		says    string
	}{
		{"nil", nil, "Queries: the argument is nil, it must be a map or a struct"},
		{"a nil pointer", none, "Queries: the argument is nil"},
		{"a text", "a=1", "Queries: the argument is a string, it must be a map with strings as keys or a struct"},
		{"a map by number", map[int]string{1: "x"}, "Queries: the argument is a map[int]string"},
		{"a time", time.Now(), "Queries: the argument is a time.Time"},
		{"nil in a map", wxpay.JSON{"a": nil}, `query field "a": nil is not a string`},
		{"an empty name", wxpay.JSON{"": 1}, "empty name"},
		{"an object", struct {
			A page `json:"a"`
		}{}, `query field "a": wxpay_test.page is not a string`},
		{"a field without a name", struct{ Limit int }{1}, "the field Limit of struct { Limit int } has no name: give it a json or url tag"},
		{"a field with options only", struct {
			Limit int `json:",omitempty"`
		}{1}, "has no name"},
		{"a name twice", struct {
			A int `json:"a"`
			B int `url:"a"`
		}{}, `are called "a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.Chain("v3/x").Queries(tt.members).Get(context.Background())
			require.ErrorContains(t, err, tt.says)
			assert.ErrorIs(t, err, wxpay.StageBuild)
		})
	}
}

// A time is written as the operation documents it, in Beijing, and refused where nobody knows how.
func TestQueryTime(t *testing.T) {
	timed := facts{{Method: "GET", Path: "/v3/timed", In: fact.Request{Query: []fact.Field{
		{Name: "day", Type: fact.String, Format: "date", Alt: []string{"date"}}, {Name: "at", Type: fact.String, Format: "rfc3339"},
		{Name: "note", Type: fact.String},
	}}}}
	late := time.Date(2026, 11, 22, 23, 30, 0, 999, time.UTC) // the 23rd in Beijing
	for _, tt := range []struct {
		name, path string
		options    []wxpay.Option
		members    wxpay.JSON
		want, says string
	}{
		{"a date", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"day": late}, "?day=2026-11-23", ""},
		{"a date by its other name", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"date": late}, "?date=2026-11-23", ""},
		{"a time", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"at": late}, "?at=2026-11-23T07%3A30%3A00%2B08%3A00", ""},
		{"a time replaced by a text", "v3/timed", nil, wxpay.JSON{"at": "x"}, "?at=x", ""},
		{"a text", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"note": late}, "",
			`query field "note" is a time.Time, and the catalogue does not know the form that the operation takes: pass a text, such as at.Format(time.DateOnly)`},
		{"an unknown member", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"other": late}, "", "the catalogue does not know the form"},
		{"an unknown operation", "v3/x", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"at": late}, "", "the catalogue does not know the form"},
		{"no catalogue", "v3/timed", []wxpay.Option{wxpay.WithCatalog(nil)}, wxpay.JSON{"at": late}, "", "the catalogue does not know the form"},
		{"no time", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"at": time.Time{}}, "",
			`query field "at": the time is the zero time, or out of range`},
		{"no year of four digits", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"at": late.AddDate(8000, 0, 0)}, "", "out of range"},
		{"several times", "v3/timed", []wxpay.Option{wxpay.WithCatalog(timed)}, wxpay.JSON{"at": []time.Time{late}}, "", `query field "at": []time.Time is not`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, tt.options...)
			req, err := client.Chain(tt.path).Query("at", late).Queries(tt.members).Request(context.Background(), "GET", nil)
			if tt.members["at"] == nil {
				req, err = client.Chain(tt.path).Queries(tt.members).Request(context.Background(), "GET", nil)
			}
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "/"+tt.path+tt.want, req.URL.RequestURI())
		})
	}
}

// A time can be written for every member of the catalogue whose format says that it is one, or whose sample shows it.
func TestDocumentedTimes(t *testing.T) {
	client := newClient(t)
	at, forms := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC), map[string]int{}
	for operation := range catalog.V3().Described().All() {
		for i := range operation.In.Query {
			field := &operation.In.Query[i]
			sample, _ := field.Sample.(string)
			if field.Format != "date" && field.Format != "rfc3339" && !strings.HasSuffix(field.Name, "date") {
				continue
			}
			chain := client.Chain(operation.Path).Query(field.Name, at)
			for j := range operation.In.Path {
				chain = chain.Var(operation.In.Path[j].Name, 1)
			}
			req, err := chain.Request(context.Background(), operation.Method, nil)
			if !assert.NoError(t, err, "%s %s %s", operation.Method, operation.Path, field.Name) {
				continue
			}
			sent := req.URL.Query().Get(field.Name)
			forms[sent]++
			if sample != "" && field.Format == "" {
				assert.Len(t, sent, len(sample), "%s %s %s", operation.Method, operation.Path, sample)
			}
		}
	}
	assert.Len(t, forms, 3)
	for _, form := range []string{"2026-11-23", "20261123", "2026-11-23T07:30:00+08:00"} {
		assert.NotZero(t, forms[form], form)
	}
}
