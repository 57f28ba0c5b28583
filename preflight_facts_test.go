package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// request is a request that is put together from the facts of an operation.
type request struct {
	operation           *fact.Operation
	path, query, header map[string]any
	body                map[string]any // nil for none
}

// requestOf fills in the required members, or all of them, with samples, or with what the type takes where there is none.
func requestOf(operation *fact.Operation, all bool) *request {
	r := &request{operation, members(operation.In.Path, true), members(operation.In.Query, all), members(operation.In.Header, all), nil}
	for _, own := range []string{apiv3.HeaderSerial, "Accept-Encoding"} { // which the client sends by itself
		delete(r.header, own)
	}
	if len(operation.In.JSON) > 0 {
		r.body = members(operation.In.JSON, all)
	}
	return r
}

func members(fields []fact.Field, all bool) map[string]any {
	made := map[string]any{}
	for i := range fields {
		if all || fields[i].Required {
			made[fields[i].Name] = valueOf(&fields[i], all)
		}
	}
	return made
}

func valueOf(field *fact.Field, all bool) (value any) {
	switch kind := field.Type.Element(); {
	case field.JSONText:
		text, _ := json.Marshal(members(field.Fields, all))
		return string(text)
	case kind == fact.Object:
		value = members(field.Fields, all)
	case field.Sample != nil:
		value = field.Sample
	case len(field.Enum) > 0:
		value = field.Enum[0]
	case kind == fact.Integer || kind == fact.Number:
		value = max(field.Min, 1)
	case kind == fact.Boolean:
		value = true
	default:
		value = strings.Repeat("x", int(max(field.Min, 1)))
	}
	if field.Type != field.Type.Element() {
		value = []any{value}
	}
	return value
}

func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// chain returns the chain of the request, without its body.
func (r *request) chain(client *wxpay.Client) wxpay.Chain {
	chain := client.Chain(r.operation.Path)
	for name, value := range r.path {
		chain = chain.Var(name, textOf(value))
	}
	for _, name := range slices.Sorted(maps.Keys(r.query)) {
		values, list := r.query[name].([]any)
		if !list {
			values = []any{r.query[name]}
		}
		var texts []string
		for _, value := range values {
			texts = append(texts, textOf(value))
		}
		chain = chain.Query(name, texts)
	}
	for name, value := range r.header {
		chain = chain.Header(name, textOf(value))
	}
	return chain
}

// things are findings: "kind: place pointer".
type things map[string]bool

func thing(kind string, at string) string { return kind + ": " + at }

// spy collects findings from the log.
type spy struct{ got things }

func (s *spy) Enabled(context.Context, slog.Level) bool { return true }
func (s *spy) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *spy) WithGroup(string) slog.Handler            { return s }
func (s *spy) Handle(_ context.Context, record slog.Record) error {
	said := map[string]string{}
	record.Attrs(func(a slog.Attr) bool { said[a.Key] = a.Value.String(); return true })
	s.got[thing(said["kind"], said["place"]+" "+said["pointer"])] = true
	return nil
}

// checkStrictly returns what the checks find about a call, and what of it refuses the call.
func checkStrictly(t testing.TB, scheme fact.Scheme, method string, call func(*wxpay.Client) wxpay.Chain, body any) (all, refusing things) {
	all, refusing = things{}, things{}
	client := newClientFor(t, scheme, wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithLogger(slog.New(&spy{all})))
	err := call(client).Check(context.Background(), method, body)
	if err == nil {
		return all, refusing
	}
	var refused *wxpay.PreflightError
	require.ErrorAs(t, err, &refused)
	for _, finding := range refused.Findings {
		is := thing(finding.Kind, finding.Place+" "+finding.Pointer)
		if all[is] = true; !finding.Warning {
			refusing[is] = true
		}
	}
	return all, refusing
}

// bodyOf is nil, and no map, where there is none.
func (r *request) bodyOf() any {
	if r.body == nil {
		return nil
	}
	return wxpay.JSON(r.body)
}

func (r *request) check(t testing.TB) (all, refusing things) {
	return checkStrictly(t, r.operation.Scheme, r.operation.Method, r.chain, r.bodyOf())
}

// notices are what the documentation says of a whole operation, whatever the request.
func notices(operation *fact.Operation) things {
	say := things{}
	switch operation.Status {
	case fact.Offline:
		say[thing("offline operation", "operation ")] = true
	case fact.Superseded:
		say[thing("superseded operation", "operation ")] = true
	}
	if operation.HostRequired {
		say[thing("wrong host", "operation ")] = true
	}
	return say
}

// A call that is made from the facts of an operation, with the required members or with all of them, meets no check that
// refuses it or warns of it: samples agree with types, constants and lengths.
func TestPreflightPassesWhatTheFactsSay(t *testing.T) {
	operations := 0
	for operation := range catalog.V3().Described().All() {
		operations++
		for _, all := range []bool{false, true} {
			if len(operation.In.Form) > 0 {
				continue // TestEveryUpload sends them
			}
			found, refusing := requestOf(operation, all).check(t)
			require.Empty(t, refusing, "%s %s", operation.Method, operation.Path)
			assert.Equal(t, notices(operation), found, "%s %s", operation.Method, operation.Path)
		}
	}
	assert.Greater(t, operations, 1000)
}

// places calls visit for each object of a body with its fields and its pointer.
func places(object map[string]any, fields []fact.Field, pointer string, visit func(object map[string]any, field *fact.Field, pointer string)) {
	for i := range fields {
		field := &fields[i]
		at := pointer + "/" + field.Name
		visit(object, field, at)
		inner, ok := object[field.Name].(map[string]any)
		if list, isList := object[field.Name].([]any); isList && len(list) > 0 {
			inner, ok = list[0].(map[string]any)
			at += "/0"
		}
		if ok {
			places(inner, field.Fields, at, visit)
		}
	}
}

// wrong is a value of another JSON type.
func wrong(field *fact.Field) any {
	if field.Type == fact.String {
		return 1
	}
	return "x"
}

// One wrong thing at a time, in every operation and at every member: each is found, as what it is and where it is, and refuses
// the call only if it is certain.
func TestPreflightFindsOneWrongThing(t *testing.T) {
	t.Parallel()
	tried := map[string]int{}
	clients := map[fact.Scheme]*wxpay.Client{fact.MerchantScheme: newClient(t), fact.BrandScheme: newClientFor(t, fact.BrandScheme)}
	for operation := range catalog.V3().All() {
		r := requestOf(operation, true)
		usual := notices(operation)
		expect := func(kind string, at string, refuses bool, scheme fact.Scheme, method string, call func(*wxpay.Client) wxpay.Chain, body any) {
			tried[kind]++
			found, refusing := checkStrictly(t, scheme, method, call, body)
			if is := thing(kind, at); !found[is] || refusing[is] != refuses {
				t.Errorf("%s %s: %s at %q (refuses: %v): found %v, refusing %v", operation.Method, operation.Path, kind, at, refuses, found, refusing)
			}
			for other := range found { // one wrong thing is one finding
				if other != thing(kind, at) && !usual[other] {
					t.Errorf("%s %s: %s at %q: also %s", operation.Method, operation.Path, kind, at, other)
				}
			}
		}
		again := func(kind string, at string, refuses bool) {
			expect(kind, at, refuses, operation.Scheme, operation.Method, r.chain, r.bodyOf())
		}
		// replaced changes a member for a moment.
		replaced := func(object map[string]any, name string, value any, check func()) {
			before, had := object[name]
			if object[name] = value; value == nil {
				delete(object, name)
			}
			check()
			if object[name] = before; !had {
				delete(object, name)
			}
		}
		err := r.chain(clients[operation.Scheme]).Var("no_such_placeholder", "x").Check(context.Background(), operation.Method, nil)
		assert.ErrorContains(t, err, "the path has no {no_such_placeholder}")
		for where, list := range map[string][]fact.Field{"query": operation.In.Query, "header": operation.In.Header} {
			at := map[string]map[string]any{"query": r.query, "header": r.header}[where]
			for i := range list {
				field := &list[i]
				if field.Required && field.Name != apiv3.HeaderSerial {
					replaced(at, field.Name, nil, func() {
						again("missing field", where+" /"+field.Name, field.Confirmed && !operation.Inferred)
					})
				}
				if where == "query" && (field.Type == fact.Integer || field.Type == fact.Boolean) {
					replaced(at, field.Name, "x", func() { again("wrong type", "query /"+field.Name, !operation.Inferred) })
				}
			}
		}
		if len(operation.In.Form) == 0 {
			replaced(r.query, "no_such_member", "x", func() { again("unknown field", "query /no_such_member", false) })
		}
		if len(operation.In.JSON) > 0 {
			places(r.body, operation.In.JSON, "", func(object map[string]any, field *fact.Field, pointer string) {
				at := "body " + pointer
				if field.Required {
					replaced(object, field.Name, nil, func() { again("missing field", at, field.Confirmed && !operation.Inferred) })
				}
				replaced(object, field.Name, wrong(field), func() { again("wrong type", at, !operation.Inferred) })
				replaced(object, field.Name+"_x", 1, func() { again("unknown field", at+"_x", false) })
				if field.Type != fact.String || field.JSONText {
					return
				}
				value := strings.Repeat("x", int(max(field.Min, 1))-1) + "😀"
				replaced(object, field.Name, value, func() {
					if len(field.Enum) == 0 {
						again("supplementary character", at, true)
					}
				})
				if long := int(field.Max) + 1; field.Max > 0 && len(field.Enum) == 0 {
					replaced(object, field.Name, strings.Repeat("字", long), func() { again("out of bounds", at, false) })
				}
				if len(field.Enum) > 0 && (field.Max == 0 || utf8.RuneCountInString("no such constant") <= int(field.Max)) {
					replaced(object, field.Name, "no such constant", func() { again("unknown constant", at, false) })
				}
			})
			expect("not JSON", "body ", true, operation.Scheme, operation.Method, r.chain, "{")
		}
		other := map[fact.Scheme]fact.Scheme{fact.MerchantScheme: fact.BrandScheme, fact.BrandScheme: fact.MerchantScheme}[operation.Scheme]
		if len(operation.In.Form) == 0 {
			expect("wrong scheme", "operation ", true, other, operation.Method, r.chain, r.bodyOf())
		}
		if !slices.Contains(catalog.V3().Methods(operation.Path), "DELETE") {
			expect("unknown method", "operation ", false, operation.Scheme, "DELETE", r.chain, nil)
		}
		expect("unknown operation", "operation ", false, operation.Scheme, operation.Method,
			func(c *wxpay.Client) wxpay.Chain { return r.chain(c).Chain("no/such/thing/at/all") }, nil)
	}
	for kind, least := range map[string]int{
		"missing field": 3000, "wrong type": 5000, "unknown field": 5000, "supplementary character": 3000, "out of bounds": 300,
		"unknown constant": 500, "not JSON": 500, "wrong scheme": 1000, "unknown method": 900, "unknown operation": 1000,
	} {
		assert.GreaterOrEqual(t, tried[kind], least, kind)
	}
	t.Log(tried)
}
