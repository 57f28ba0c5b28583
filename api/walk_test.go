package api_test

import (
	"context"
	"io"
	"iter"
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

	now, later, ok := verb(chain, operation.Method, body != nil)
	if len(operation.In.Form) > 0 {
		file := wxpay.FileFrom("a.pdf", strings.NewReader("pdf"), 3)
		if strings.Contains(operation.Path, "video") {
			file = wxpay.FileFrom("a.mp4", strings.NewReader("pdf"), 3)
		} else if strings.Contains(operation.Path, "image") {
			file = wxpay.FileFrom("a.png", strings.NewReader("pdf"), 3)
		}
		uploads, has := chain.(uploader)
		ok, want.body = has, "multipart"
		now = func(ctx context.Context, _ any) (*wxpay.Response, error) { return uploads.Upload(ctx, file) }
		later = func(ctx context.Context, _ any) *wxpay.Future { return uploads.UploadAsync(ctx, file) }
	}
	require.True(t, ok, "%s: %T has no such verb", name, chain)

	_, err := now(ctx, body)
	require.ErrorIs(t, err, errRecorded, name)
	assert.Equal(t, want, wire.take(t), name)

	_, err = later(ctx, body).Wait(ctx)
	require.ErrorIs(t, err, errRecorded, name+", async")
	assert.Equal(t, want, wire.take(t), name+", async")

	plain, isPlain := chain.(wxpay.Chain)
	if !isPlain {
		plain = chain.(interface{ Chain() wxpay.Chain }).Chain()
	}
	req, err := plain.Request(ctx, operation.Method, body)
	require.NoError(t, err, name)
	assert.Equal(t, want.method+" "+want.target, req.Method+" "+req.URL.RequestURI(), name)
	assert.Equal(t, operation.Path, plain.String(), name)
}

type (
	nowFunc   = func(context.Context, any) (*wxpay.Response, error)
	laterFunc = func(context.Context, any) *wxpay.Future
)

// verb returns the verb of a chain for a method, and its twin. ok is false if the chain does not have it.
func verb(chain any, method string, hasBody bool) (now nowFunc, later laterFunc, ok bool) {
	switch method {
	case http.MethodGet:
		if verbs, ok := chain.(getter); ok {
			return bare(verbs.Get), bareAsync(verbs.GetAsync), true
		}
	case http.MethodPost:
		if verbs, ok := chain.(poster); ok {
			return verbs.Post, verbs.PostAsync, true
		}
	case http.MethodPut:
		if verbs, ok := chain.(putter); ok {
			return verbs.Put, verbs.PutAsync, true
		}
	case http.MethodPatch:
		if verbs, ok := chain.(patcher); ok {
			return verbs.Patch, verbs.PatchAsync, true
		}
	case http.MethodDelete:
		if verbs, ok := chain.(bodyDeleter); ok && hasBody {
			return verbs.Delete, verbs.DeleteAsync, true
		}
		if plain, ok := chain.(wxpay.Chain); ok && hasBody {
			return func(ctx context.Context, body any) (*wxpay.Response, error) { return plain.Do(ctx, method, body) },
				func(ctx context.Context, body any) *wxpay.Future { return plain.DoAsync(ctx, method, body) }, true
		}
		if verbs, ok := chain.(deleter); ok && !hasBody {
			return bare(verbs.Delete), bareAsync(verbs.DeleteAsync), true
		}
	}
	return nil, nil, false
}

func bare(verb func(context.Context) (*wxpay.Response, error)) nowFunc {
	return func(ctx context.Context, _ any) (*wxpay.Response, error) { return verb(ctx) }
}

func bareAsync(verb func(context.Context) *wxpay.Future) laterFunc {
	return func(ctx context.Context, _ any) *wxpay.Future { return verb(ctx) }
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
			segment := strings.Split(w.path[1:], "/")[i]
			if name == segment && strings.ContainsAny(segment, "-_") && !slices.Contains(literal, segment) {
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
		for _, method := range []string{"Get", "Post", "Upload", "Put", "Patch", "Delete", "Do", "Request", "Var", "Vars", "RawVar", "At", "String"} {
			documented := slices.ContainsFunc(operations, func(o *fact.Operation) bool {
				if len(o.In.Form) > 0 {
					return method == "Upload"
				}
				return o.Method == strings.ToUpper(method)
			})
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

// TestAbilities looks on every node for methods beyond the verbs. A node has one exactly where the plain chain can do it, or
// where the facts say that it makes sense.
func TestAbilities(t *testing.T) {
	client, wire := recording(t, wxpay.WithCatalog(catalog.V3()))
	ctx, count := context.Background(), make(map[string]int)
	for path, operations := range operationsByPath(t) {
		i := slices.IndexFunc(walks, func(w walk) bool { return w.path == path })
		require.GreaterOrEqual(t, i, 0, path)
		node := walks[i].to(client)
		chain := node.(interface{ Chain() wxpay.Chain }).Chain()
		get, post := byMethod(operations, "GET"), byMethod(operations, "POST")
		ensures := post != nil && (post.Link != nil || post.Repeat == fact.Documented || post.Repeat == fact.Assumed)
		resolves := post != nil && post.Link != nil
		applies := get != nil && slices.ContainsFunc(get.Out, func(f fact.Field) bool { return strings.HasPrefix(f.Name, "download_") })
		receipt := applies && slices.ContainsFunc(get.Out, func(f fact.Field) bool {
			return strings.HasSuffix(f.Name, "state") || strings.HasSuffix(f.Name, "_status")
		})
		want := map[string]bool{
			"Ensure": ensures, "OnUnknown": ensures, "SentBefore": ensures, "Resolve": resolves, "UntilFinal": resolves,
			"Download": get != nil && get.Response == fact.StreamResponse,
			"Bill":     applies && !receipt || get != nil && get.Signature == fact.OverDigest,
			"Receipt":  receipt,
		}
		want["BillTo"] = want["Bill"]
		if get != nil { // the plain chain says whether it knows how to read a list
			_, err := first(chain.Pages(ctx))
			require.Error(t, err)
			want["Each"] = !strings.Contains(err.Error(), "does not know the paging of the list")
			wire.seen = nil
		}
		want["Pages"], want["Paging"] = want["Each"], want["Each"]
		for name, should := range want {
			_, has := reflect.TypeOf(node).MethodByName(name)
			assert.Equal(t, should, has, "%s: %s", path, name)
			if has {
				count[name]++
			}
		}
		call(t, wire, path, node)
	}
	for _, name := range []string{"Ensure", "Resolve", "Each", "Pages", "Download", "Bill", "Receipt", "UntilFinal"} {
		assert.NotZero(t, count[name], name)
	}
}

// call makes the calls that go beyond the verbs, of a node that has them, and looks for their request on the wire.
func call(t *testing.T, wire *recorder, path string, node any) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	check := func(method string, err error) {
		t.Helper()
		require.ErrorIs(t, err, errRecorded, path)
		got := wire.take(t)
		assert.Equal(t, method+" "+target(path), got.method+" "+strings.SplitN(got.target, "?", 2)[0])
	}
	if list, ok := node.(interface {
		Pages(context.Context) iter.Seq2[*wxpay.Response, error]
		Each(context.Context, string) iter.Seq2[wxpay.Result, error]
	}); ok {
		_, err := first(list.Pages(ctx))
		check("GET", err)
		_, err = first(list.Each(ctx, "data"))
		check("GET", err)
	}
	if file, ok := node.(interface {
		Download(context.Context, io.Writer, ...wxpay.DownloadOption) (*wxpay.DownloadResult, error)
	}); ok {
		_, err := file.Download(ctx, io.Discard)
		check("GET", err)
	}
	if bill, ok := node.(interface {
		Bill(context.Context, ...wxpay.DownloadOption) (*wxpay.Bill, error)
		BillTo(context.Context, io.Writer, ...wxpay.DownloadOption) (*wxpay.DownloadResult, error)
	}); ok {
		_, err := bill.Bill(ctx)
		check("GET", err)
		_, err = bill.BillTo(ctx, io.Discard)
		check("GET", err)
	}
	if receipt, ok := node.(interface {
		Receipt(context.Context, io.Writer, ...wxpay.DownloadOption) (*wxpay.DownloadResult, error)
	}); ok {
		_, err := receipt.Receipt(ctx, io.Discard)
		check("GET", err)
	}
}

func first[T any](list iter.Seq2[T, error]) (element T, err error) {
	for element, err := range list {
		return element, err
	}
	return element, nil
}

func byMethod(operations []*fact.Operation, method string) *fact.Operation {
	i := slices.IndexFunc(operations, func(o *fact.Operation) bool { return o.Method == method && len(o.In.Form) == 0 })
	if i < 0 {
		return nil
	}
	return operations[i]
}
