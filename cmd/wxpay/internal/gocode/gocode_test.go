package gocode_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

func operation(t *testing.T, method, path string) *fact.Operation {
	t.Helper()
	op, ok := catalog.V3().Described().Lookup(method, path)
	require.True(t, ok)
	return op
}

// compiled returns an importer of packages that the go command compiles, with everything beneath them.
func compiled(t *testing.T, files *token.FileSet, packages ...string) types.Importer {
	t.Helper()
	list := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	exports := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
}

// TestSamplesCompile compiles the sample of every operation against the core and package api, and finds it formatted.
func TestSamplesCompile(t *testing.T) {
	w := gocode.New(catalog.V3().Described().All())
	var file bytes.Buffer
	file.WriteString(`package sample

import (
	"context"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

var _ = api.V3
`)
	samples := 0
	for op := range catalog.V3().Described().All() {
		sample := w.Sample(op, language.English)
		samples++
		name := op.Method + " " + op.Path
		require.Equal(t, 6, strings.Count(sample, "res, err "), name)
		formatted, err := format.Source([]byte(sample))
		require.NoError(t, err, name)
		require.Equal(t, string(formatted), sample, name)
		require.NotContains(t, sample, "…", "every value is one that could be sent")
		fmt.Fprintf(&file, "\n// %s\nfunc _(ctx context.Context, client *wxpay.Client) {\n%s\n_, _ = res, err\n}\n", name, sample)
	}
	assert.Greater(t, samples, 1000)

	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "sample.go", &file, parser.ParseComments)
	require.NoError(t, err)
	config := types.Config{Importer: compiled(t, files, "github.com/wxpay-go/wxpay", "github.com/wxpay-go/wxpay/api")}
	_, err = config.Check("sample", files, []*ast.File{parsed}, nil)
	require.NoError(t, err)
}

// TestHandlersCompile compiles the handler of every notification.
func TestHandlersCompile(t *testing.T) {
	var file bytes.Buffer
	file.WriteString("package sample\n\nimport (\n\t\"context\"\n\n\t\"github.com/wxpay-go/wxpay/webhook\"\n)\n")
	count := 0
	for event := range catalog.V3().Described().Events() {
		for _, l := range []language.Language{language.English, language.Chinese} {
			handler := gocode.Handler(event, l)
			formatted, err := format.Source([]byte(handler))
			require.NoError(t, err, event.Type)
			require.Equal(t, string(formatted), handler)
			fmt.Fprintf(&file, "\nfunc _(handler *webhook.Handler) {\n%s}\n", handler)
		}
		count++
	}
	assert.Greater(t, count, 100)
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "handler.go", &file, parser.ParseComments)
	require.NoError(t, err)
	config := types.Config{Importer: compiled(t, files, "github.com/wxpay-go/wxpay/webhook")}
	_, err = config.Check("sample", files, []*ast.File{parsed}, nil)
	require.NoError(t, err)
}

// TestSamplesLeadToTheirOperation reads the paths of the declarative and the attribute style back.
func TestSamplesLeadToTheirOperation(t *testing.T) {
	w := gocode.New(catalog.V3().Described().All())
	chain := regexp.MustCompile(`client\.Chain\("([^"]*)"[),]`)
	at := regexp.MustCompile(`client\.At\(([^)]*)\)`)
	capital := regexp.MustCompile(`[A-Z]`)
	count := 0
	for op := range catalog.V3().Described().All() {
		sample := w.Sample(op, language.English)
		for _, found := range chain.FindAllStringSubmatch(sample, -1) {
			assert.Equal(t, op.Path, "/"+found[1])
			count++
		}
		for _, found := range at.FindAllStringSubmatch(sample, -1) {
			var path strings.Builder
			for quoted := range strings.SplitSeq(found[1], ", ") {
				name, err := strconv.Unquote(quoted)
				require.NoError(t, err)
				if strings.HasPrefix(name, "_") {
					name = "{" + strings.Trim(name, "_") + "}"
				} else {
					name = capital.ReplaceAllStringFunc(name, func(c string) string { return "-" + strings.ToLower(c) })
				}
				path.WriteString("/" + name)
			}
			assert.Equal(t, op.Path, path.String())
		}
	}
	assert.Greater(t, count, 2000)
}

// TestJSONTextInSamples parses what a sample puts into raw strings.
func TestJSONTextInSamples(t *testing.T) {
	w := gocode.New(catalog.V3().Described().All())
	texts := 0
	for op := range catalog.V3().Described().All() {
		for i, text := range strings.Split(w.Sample(op, language.English), "`") {
			if i%2 == 1 {
				texts++
				assert.True(t, json.Valid([]byte(text)), "%s %s: %s", op.Method, op.Path, text)
			}
		}
	}
	assert.Positive(t, texts)
}

// TestPureChainsLeadToTheirPaths runs a program that walks the pure chain of every path and tells where it came.
func TestPureChainsLeadToTheirPaths(t *testing.T) {
	w := gocode.New(catalog.V3().Described().All())
	var program bytes.Buffer
	program.WriteString(`package main

import (
	"fmt"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

var client *wxpay.Client

func show(chain interface{ Chain() wxpay.Chain }) { fmt.Println(chain.Chain()) }

func main() {
`)
	value := regexp.MustCompile(`\(([a-z]\w*)\)`)
	var want []string
	for op := range catalog.V3().Described().All() {
		expression, ok := w.Pure(op.Path)
		require.True(t, ok, op.Path)
		if len(want) > 0 && want[len(want)-1] == op.Path {
			continue
		}
		want = append(want, op.Path)
		expression = value.ReplaceAllStringFunc(expression, func(argument string) string {
			if argument == "(client)" {
				return argument
			}
			return `("x")`
		})
		fmt.Fprintf(&program, "\tshow(%s)\n", expression)
	}
	program.WriteString("}\n")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, program.Bytes(), 0o600))
	run := exec.Command("go", "run", file)
	run.Stderr = os.Stderr
	out, err := run.Output()
	require.NoError(t, err)
	assert.Equal(t, want, strings.Fields(string(out)))
}

// golden compares text with a file of testdata, or writes it there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), string(got))
}

var update = flag.Bool("update", false, "write the golden files anew")

// The samples are those of a query with a variable, a body with constants and objects, encrypted fields, a
// DELETE that has a body, a POST that has none, an upload, one with another digest, and a
// JSON text.
func TestSample(t *testing.T) {
	w := gocode.New(catalog.V3().Described().All())
	for name, line := range map[string]string{
		"query.golden":     "GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
		"body.golden":      "POST /v3/pay/transactions/native",
		"encrypted.golden": "POST /v3/payroll-card/tokens",
		"delete.golden":    "DELETE /v3/global/profit-sharing/receivers",
		"bodyless.golden":  "POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
		"upload.golden":    "POST /v3/mch-operation-manage/enhanced-due-diligence/{due_diligence_id}/upload",
		"digest.golden":    "POST /v3/taxi-invoice/cards/upload-file",
		"jsontext.golden":  "POST /v3/transaction-block/transaction-block-submissions/sub-mchid/{sub_mchid}",
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(line, " ")
			golden(t, name, []byte(w.Sample(operation(t, method, path), language.English)))
		})
	}
	assert.NotContains(t, w.Sample(&fact.Operation{Method: "GET", Path: "/v4/new"}, language.English), "api.", "package api has no such path")
}

// TestTypesCompile compiles the types of every operation, and finds the documented fields in their tags.
func TestTypesCompile(t *testing.T) {
	files := token.NewFileSet()
	config := types.Config{Importer: compiled(t, files, "encoding/json")}
	count, longest := 0, ""
	for op := range catalog.V3().Described().All() {
		name := op.Method + " " + op.Path
		prefix := gocode.Prefix(op.Path)
		code, err := gocode.Types(op, "sample", prefix, language.English)
		require.NoError(t, err, name)
		again, err := format.Source(code)
		require.NoError(t, err, name)
		require.Equal(t, string(again), string(code), name)

		parsed, err := parser.ParseFile(files, "types.go", code, parser.ParseComments)
		require.NoError(t, err, name)
		_, err = config.Check("sample", files, []*ast.File{parsed}, nil)
		require.NoError(t, err, "%s\n%s", name, code)
		structs := structsOf(parsed)
		if len(op.In.JSON) > 0 {
			checkFields(t, op, structs, prefix+"Request", op.In.JSON)
		} else if len(op.In.Form) == 0 {
			assert.Contains(t, string(code), "// It takes no body.", name)
		}
		if op.Response == fact.JSONResponse {
			checkFields(t, op, structs, prefix+"Response", op.Out)
		} else {
			assert.Contains(t, string(code), "// Its response is ", name)
		}
		for kind := range structs {
			if len(kind) > len(longest) {
				longest = kind
			}
		}
		count++
	}
	assert.Greater(t, count, 1000)
	t.Logf("%d operations; the longest name of a type is %s", count, longest)
}

// TestTypedCallsCompile compiles the typed call of every operation, with its types.
func TestTypedCallsCompile(t *testing.T) {
	files := token.NewFileSet()
	config := types.Config{Importer: compiled(t, files, "github.com/wxpay-go/wxpay", "encoding/json")}
	typed, bare := 0, 0
	for op := range catalog.V3().Described().All() {
		name := op.Method + " " + op.Path
		code := gocode.Typed(op, language.English)
		if code == "" {
			assert.Empty(t, op.In.Query, name)
			assert.Empty(t, op.In.JSON, name)
			assert.NotEqual(t, fact.JSONResponse, op.Response, name)
			bare++
			continue
		}
		if op.Response == fact.JSONResponse {
			assert.Contains(t, code, "return wxpay.Into["+gocode.Prefix(op.Path)+"Response](client.Chain(", name)
		}
		if len(op.In.JSON) > 0 {
			assert.Contains(t, code, "body := "+gocode.Prefix(op.Path)+"Request{\n", name)
		}
		require.NotContains(t, code, "…", "every value is one that could be sent")
		header := "package sample\n\nimport (\n\t\"context\"\n\t\"encoding/json\"\n\n\t\"github.com/wxpay-go/wxpay\"\n)\n\nvar _ json.Number\n\n"
		parsed, err := parser.ParseFile(files, "typed.go", header+code, parser.ParseComments)
		require.NoError(t, err, name)
		_, err = config.Check("sample", files, []*ast.File{parsed}, nil)
		require.NoError(t, err, "%s\n%s", name, code)
		typed++
	}
	assert.Greater(t, typed, 1000)
	t.Logf("%d typed calls, %d operations without types", typed, bare)
}

func structsOf(file *ast.File) map[string]*ast.StructType {
	structs := make(map[string]*ast.StructType)
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE {
			continue
		}
		spec := general.Specs[0].(*ast.TypeSpec)
		if structure, ok := spec.Type.(*ast.StructType); ok {
			structs[spec.Name.Name] = structure
		}
	}
	return structs
}

// checkFields compares the tags of a struct, and of those in it, with documented fields.
func checkFields(t *testing.T, op *fact.Operation, structs map[string]*ast.StructType, kind string, fields []fact.Field) {
	t.Helper()
	name := op.Method + " " + op.Path
	require.Contains(t, structs, kind, name)
	found := structs[kind].Fields.List
	require.Len(t, found, len(fields), "%s: %s", name, kind)
	for i, got := range found {
		field := fields[i]
		text, err := strconv.Unquote(got.Tag.Value)
		require.NoError(t, err)
		want := field.Name
		caller := slices.Contains([]string{"mchid", "appid", "sp_mchid", "sp_appid"}, field.Name) && !op.Joined &&
			kind == gocode.Prefix(op.Path)+"Request" && !slices.Contains(op.NotCaller, field.Name)
		if !field.Required || caller {
			want += ",omitempty"
		}
		require.Equal(t, want, reflect.StructTag(text).Get("json"), "%s: %s", name, kind)
		if field.Type.Element() != fact.Object || len(field.Fields) == 0 {
			continue
		}
		inner := got.Type
		switch wrapped := inner.(type) {
		case *ast.StarExpr:
			require.False(t, field.Required, "%s: %s", name, kind)
			inner = wrapped.X
		case *ast.ArrayType:
			require.Equal(t, fact.Objects, field.Type)
			inner = wrapped.Elt
		}
		checkFields(t, op, structs, inner.(*ast.Ident).Name, field.Fields)
	}
}

// TestTypesForms checks each form of a field.
func TestTypesForms(t *testing.T) {
	inner := []fact.Field{{Name: "id", Type: fact.String, Required: true, Confirmed: true, Min: 6, Max: 32}}
	op := &fact.Operation{
		Method: "POST", Path: "/v3/a/{b_id}/things", Name: "名", Response: fact.JSONResponse, Docs: []string{"v3/merchant/1"},
		In: fact.Request{
			Path:  []fact.Field{{Name: "b_id", Type: fact.String, Required: true}},
			Query: []fact.Field{{Name: "limit", Type: fact.Integer}},
			JSON: []fact.Field{
				{Name: "name", Type: fact.String, Required: true, Confirmed: true, Label: "姓名", Cipher: fact.RSA},
				{Name: "state", Type: fact.String, Enum: []any{"A", "B"}, EnumLabels: []string{"甲", ""}, Sample: "A"},
				{Name: "total", Type: fact.Integer, Required: true, Unit: fact.Fen, Max: 100, Sample: int64(7)},
				{Name: "count", Type: fact.Integer},
				{Name: "share", Type: fact.Boolean},
				{Name: "rate", Type: fact.Number},
				{Name: "at", Type: fact.String, Format: "rfc3339", Alt: []string{"when"}},
				{Name: "amount", Type: fact.Object, Fields: inner},
				{Name: "detail", Type: fact.Objects, Required: true, Fields: inner},
				{Name: "tags", Type: fact.Strings},
				{Name: "extra", Type: fact.String, JSONText: true, Fields: inner},
				{Name: "type", Type: fact.String},
				{Name: "a_b", Type: fact.String},
				{Name: "ab", Type: fact.String},
			},
		},
		Out: []fact.Field{
			{Name: "amount", Type: fact.Object, Required: true, Fields: inner},
			{Name: "detail", Type: fact.Objects, Fields: []fact.Field{{Name: "other", Type: fact.Boolean}}},
			{Name: "free", Type: fact.Object},
			{Name: "list", Type: fact.Objects},
		},
	}
	code, err := gocode.Types(op, "things", gocode.Prefix(op.Path), language.English)
	require.NoError(t, err)
	golden(t, "types.golden", code)
}

func TestPrefix(t *testing.T) {
	for path, want := range map[string]string{
		"/v3/pay/transactions/native":                      "Native",
		"/v3/pay/transactions/id/{transaction_id}":         "TransactionsID",
		"/v3/pay/transactions/out-trade-no/{out_trade_no}": "TransactionsOutTradeNo",
		"/v3/ecommerce/applyments/":                        "EcommerceApplyments",
		"/v3/pay/transactions/h5":                          "TransactionsH5",
		"/{a}":                                             "Operation",
		"/4a":                                              "Operation4a",
	} {
		assert.Equal(t, want, gocode.Prefix(path), path)
	}
	for op := range catalog.V3().Described().All() {
		assert.True(t, token.IsIdentifier(gocode.Prefix(op.Path)), op.Path)
	}
}

// TestDeterministic writes everything twice, the second time knowing the operations in another order.
func TestDeterministic(t *testing.T) {
	operations := slices.Collect(catalog.V3().Described().All())
	first := gocode.New(slices.Values(operations))
	reversed := slices.Clone(operations)
	slices.Reverse(reversed)
	second := gocode.New(slices.Values(reversed))
	for _, op := range operations {
		require.Equal(t, first.Sample(op, language.English), second.Sample(op, language.English))
	}
}
