package api_test

import (
	"context"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// operationsByPath returns every operation of the catalogue by its path.
func operationsByPath(t *testing.T) map[string][]*fact.Operation {
	t.Helper()
	byPath := make(map[string][]*fact.Operation)
	for operation := range catalog.V3().All() {
		byPath[operation.Path] = append(byPath[operation.Path], operation)
	}
	require.NotEmpty(t, byPath)
	return byPath
}

// TestEveryOperationThreeWays calls every documented operation as declarative, attribute and pure chain, each at once,
// in the background and as a bare request, and looks at what reaches the wire.
func TestEveryOperationThreeWays(t *testing.T) {
	client, wire := recording(t)
	byPath := operationsByPath(t)
	require.Len(t, walks, len(byPath), "one walk a path")

	count := 0
	for _, w := range walks {
		operations := byPath[w.path]
		require.NotEmpty(t, operations, "%s is not in the catalogue", w.path)
		delete(byPath, w.path)
		for _, operation := range operations {
			count++
			name := operation.Method + " " + operation.Path
			styles := map[string]any{
				"declarative": fill(client.Chain(w.path), w.path),
				"attribute":   fill(client.At(names(w.path)...), w.path),
				"pure":        w.to(client),
			}
			for style, chain := range styles {
				check(t, wire, name+", "+style, operation, chain)
			}
		}
	}
	assert.Empty(t, byPath, "paths without a walk")
	t.Logf("%d operations on %d paths", count, len(walks))
}

// check makes the call of an operation with the verb that belongs to it, in every form the chain has.
func check(t *testing.T, wire *recorder, name string, operation *fact.Operation, chain any) {
	t.Helper()
	ctx := context.Background()
	want := sent{operation.Method, target(operation.Path), `{"of":"` + operation.Path + `"}`}
	body := any(wxpay.JSON{"of": operation.Path})
	if operation.Method == http.MethodGet || operation.Method == http.MethodDelete && len(operation.In.JSON) == 0 {
		body, want.body = nil, ""
	}

	var now func() (*wxpay.Response, error)
	var later func() *wxpay.Future
	plain, isPlain := chain.(wxpay.Chain)
	switch operation.Method {
	case http.MethodGet:
		verbs, ok := chain.(getter)
		require.True(t, ok, "%s: %T has no Get", name, chain)
		now, later = func() (*wxpay.Response, error) { return verbs.Get(ctx) }, func() *wxpay.Future { return verbs.GetAsync(ctx) }
	case http.MethodPost:
		verbs, ok := chain.(poster)
		require.True(t, ok, "%s: %T has no Post", name, chain)
		now, later = func() (*wxpay.Response, error) { return verbs.Post(ctx, body) }, func() *wxpay.Future { return verbs.PostAsync(ctx, body) }
	case http.MethodPut:
		verbs, ok := chain.(putter)
		require.True(t, ok, "%s: %T has no Put", name, chain)
		now, later = func() (*wxpay.Response, error) { return verbs.Put(ctx, body) }, func() *wxpay.Future { return verbs.PutAsync(ctx, body) }
	case http.MethodPatch:
		verbs, ok := chain.(patcher)
		require.True(t, ok, "%s: %T has no Patch", name, chain)
		now, later = func() (*wxpay.Response, error) { return verbs.Patch(ctx, body) }, func() *wxpay.Future { return verbs.PatchAsync(ctx, body) }
	case http.MethodDelete:
		switch {
		case body == nil:
			verbs, ok := chain.(deleter)
			require.True(t, ok, "%s: %T has no Delete", name, chain)
			now, later = func() (*wxpay.Response, error) { return verbs.Delete(ctx) }, func() *wxpay.Future { return verbs.DeleteAsync(ctx) }
		case isPlain:
			now, later = func() (*wxpay.Response, error) { return plain.Do(ctx, "DELETE", body) }, func() *wxpay.Future { return plain.DoAsync(ctx, "DELETE", body) }
		default:
			verbs, ok := chain.(bodyDeleter)
			require.True(t, ok, "%s: %T has no Delete with a body", name, chain)
			now, later = func() (*wxpay.Response, error) { return verbs.Delete(ctx, body) }, func() *wxpay.Future { return verbs.DeleteAsync(ctx, body) }
		}
	default:
		require.Failf(t, "no verb", "%s", name)
	}

	_, err := now()
	require.ErrorIs(t, err, errRecorded, name)
	assert.Equal(t, want, wire.take(t), name)

	_, err = later().Wait(ctx)
	require.ErrorIs(t, err, errRecorded, name+", async")
	assert.Equal(t, want, wire.take(t), name+", async")

	if !isPlain {
		plain = chain.(interface{ Chain() wxpay.Chain }).Chain()
	}
	req, err := plain.Request(ctx, operation.Method, body)
	require.NoError(t, err, name)
	assert.Equal(t, want.method+" "+want.target, req.Method+" "+req.URL.RequestURI(), name)
	assert.Equal(t, operation.Path, plain.String(), name)
}

func fill(chain wxpay.Chain, template string) wxpay.Chain {
	for segment := range strings.SplitSeq(template, "/") {
		if strings.HasPrefix(segment, "{") {
			name := strings.Trim(segment, "{}")
			chain = chain.Var(name, value(name))
		}
	}
	return chain
}

// isNoCamel matches a segment that camelCase cannot express: with a _, or with a hyphen that is not between letters.
var isNoCamel = regexp.MustCompile(`_|[^a-z]-|-[^a-z]`)

// names returns the path of a template as one would write properties. Segments that camelCase cannot express, because
// they have a _ or a capital would follow a digit, are given as they are.
func names(template string) []string {
	segments := strings.Split(template[1:], "/")
	var list []string
	for i, segment := range segments {
		switch {
		case strings.HasPrefix(segment, "{"):
			segment = "_" + strings.Trim(segment, "{}") + "_"
		case segment == "" && i == len(segments)-1: // a trailing slash goes with the last name
			list[len(list)-1] += "/"
			continue
		case !isNoCamel.MatchString(segment):
			words := strings.Split(segment, "-")
			for j := range words[1:] {
				words[j+1] = strings.ToUpper(words[j+1][:1]) + words[j+1][1:]
			}
			segment = strings.Join(words, "")
		}
		list = append(list, segment)
	}
	return list
}

// TestAttributeStyle keeps the list of the segments that the attribute style takes only as they are.
func TestAttributeStyle(t *testing.T) {
	var literal []string
	for _, w := range walks {
		for i, name := range names(w.path) {
			if segment := strings.Split(w.path[1:], "/")[i]; name == segment && strings.ContainsAny(segment, "-_") && !slices.Contains(literal, segment) {
				literal = append(literal, segment)
			}
		}
	}
	slices.Sort(literal)
	assert.Equal(t, []string{
		"applyment_id", "available_abroad_amounts", "business_code", "commit_status", "h5-pre-entrust-sign", "h5-presign",
		"mch_archives", "mch_media", "mch_operate", "policy_periods", "sub_merchants", "video_upload",
	}, literal)
}

// TestOnlyDocumentedVerbs looks at the methods of every node with operations: it has the verbs of its operations and no
// others, and each setting returns the same set of verbs with variables and settings kept.
func TestOnlyDocumentedVerbs(t *testing.T) {
	client, _ := recording(t)
	for path, operations := range operationsByPath(t) {
		i := slices.IndexFunc(walks, func(w walk) bool { return w.path == path })
		require.GreaterOrEqual(t, i, 0, path)
		node := walks[i].to(client)
		for _, method := range []string{"Get", "Post", "Put", "Patch", "Delete", "Do", "Request", "Var", "RawVar", "At", "String"} {
			documented := slices.ContainsFunc(operations, func(o *fact.Operation) bool { return o.Method == strings.ToUpper(method) })
			for _, name := range []string{method, method + "Async"} {
				_, has := reflect.TypeOf(node).MethodByName(name)
				assert.Equal(t, documented, has, "%s: %s", path, name)
			}
		}

		set := reflect.ValueOf(node)
		var kind reflect.Type
		for _, step := range []struct {
			setting   string
			arguments []any
		}{
			{"Query", []any{"limit", 10}}, {"Header", []any{"X-Test", "1"}}, {"Timeout", []any{time.Second}},
			{"AttemptTimeout", []any{time.Second}}, {"Query", []any{"offset", 0}},
		} {
			arguments := make([]reflect.Value, len(step.arguments))
			for i, argument := range step.arguments {
				arguments[i] = reflect.ValueOf(argument)
			}
			set = set.MethodByName(step.setting).Call(arguments)[0]
			if kind == nil {
				kind = set.Type()
			}
			assert.Equal(t, kind, set.Type(), "%s: %s", path, step.setting)
		}
		chain := set.Interface().(interface{ Chain() wxpay.Chain }).Chain()
		req, err := chain.Request(context.Background(), operations[0].Method, nil)
		require.NoError(t, err, path)
		assert.Equal(t, target(path)+"?limit=10&offset=0", req.URL.RequestURI())
		assert.Equal(t, "1", req.Header.Get("X-Test"), path)
	}
}
