package cli

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parse runs a command that does nothing but keep its options.
func parse(command *cobra.Command, args ...string) error {
	command.SetArgs(args)
	command.SetOut(io.Discard)
	command.SetErr(io.Discard)
	return command.Execute()
}

func TestCallOptions(t *testing.T) {
	base := callOptions{method: "GET", path: "v3/x"}
	with := func(change func(*callOptions)) callOptions {
		o := base
		change(&o)
		return o
	}
	for _, test := range []struct {
		name string
		args []string
		want callOptions
	}{
		{"path", []string{"v3/x"}, base},
		{"method", []string{"delete", "v3/x"}, with(func(o *callOptions) { o.method = "DELETE" })},
		{"body makes a POST", []string{"v3/x", "-d", "@f"}, with(func(o *callOptions) { o.method, o.data, o.hasData = "POST", "@f", true })},
		{"empty body is one", []string{"v3/x", "--data="}, with(func(o *callOptions) { o.method, o.hasData = "POST", true })},
		{"fields make a POST, in the order of both flags", []string{"v3/x", "-F", "a=1", "-f", "b[c][]=2=3", "--field", "d[]"}, with(func(o *callOptions) {
			o.method = "POST"
			o.fields = []field{
				{path: []string{"a"}, text: "1", typed: true},
				{path: []string{"b", "c", ""}, text: "2=3"},
				{path: []string{"d", ""}, typed: true, bare: true},
			}
		})},
		{"a method is kept with fields", []string{"PUT", "v3/x", "-f", "a="}, with(func(o *callOptions) {
			o.method, o.fields = "PUT", []field{{path: []string{"a"}}}
		})},
		{"pairs", []string{"v3/x", "-q", "a=1", "-q", "a=b=c", "-H", "X-A: b: c ", "--var", "v=", "--raw-var", "w=%2F"}, with(func(o *callOptions) {
			o.query = []pair{{"a", "1"}, {"a", "b=c"}}
			o.header = []pair{{"X-A", "b: c"}}
			o.variables, o.escaped = []pair{{"v", ""}}, []pair{{"w", "%2F"}}
		})},
		{"output", []string{"v3/x", "--get", "a.b", "-i", "--sandbox"}, with(func(o *callOptions) { o.get, o.include, o.sandbox = "a.b", true, true })},
		{"pointers", []string{"v3/x", "--encrypt", "/a,b", "--encrypt", "/c", "--plain", "/d"}, with(func(o *callOptions) {
			o.encrypt, o.plain = []string{"/a,b", "/c"}, []string{"/d"}
		})},
		{"strict", []string{"v3/x", "--strict"}, with(func(o *callOptions) { o.strict = true })},
		{"no check", []string{"v3/x", "--no-check"}, with(func(o *callOptions) { o.noCheck = true })},
		{"appid", []string{"v3/x", "--appid", "wx1"}, with(func(o *callOptions) { o.appid = "wx1" })},
		{"dry run", []string{"v3/x", "--dry-run"}, with(func(o *callOptions) { o.dryRun = true })},
		{"timeout", []string{"v3/x", "--timeout", "1m"}, with(func(o *callOptions) { o.timeout, o.hasTimeout = time.Minute, true })},
		{"no timeout", []string{"v3/x", "--timeout", "0"}, with(func(o *callOptions) { o.hasTimeout = true })},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *callOptions
			require.NoError(t, parse(callCommand(func(_ context.Context, o callOptions) error { got = &o; return nil }), test.args...))
			require.NotNil(t, got)
			assert.Equal(t, test.want, *got)
		})
	}
}

func TestSandboxOptions(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want sandboxOptions
	}{
		{"none", nil, sandboxOptions{addr: "127.0.0.1:0", command: []string{}}},
		{"address", []string{"--addr", "localhost:8080"}, sandboxOptions{addr: "localhost:8080", command: []string{}}},
		{"command with flags of its own", []string{"--addr=[::1]:0", "--", "go", "test", "--addr", "x"}, sandboxOptions{addr: "[::1]:0", command: []string{"go", "test", "--addr", "x"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *sandboxOptions
			require.NoError(t, parse(sandboxCommand(func(_ context.Context, o sandboxOptions) error { got = &o; return nil }, sandboxExplainCommand(nil)), test.args...))
			require.NotNil(t, got)
			assert.Equal(t, test.want, *got)
		})
	}
}

func TestDemoOptions(t *testing.T) {
	var got demoOptions
	require.NoError(t, parse(demoCommand(func(_ context.Context, o demoOptions) error { got = o; return nil }), "--json"))
	assert.Equal(t, demoOptions{json: true}, got)
}

func TestDocsOptions(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want docsOptions
	}{
		{"path", []string{"v3/x"}, docsOptions{path: "v3/x"}},
		{"method", []string{"get", "/v3/x", "--format", "json"}, docsOptions{method: "GET", path: "/v3/x", format: "json"}},
		{"all", []string{"--all", "--out", "m"}, docsOptions{all: true, out: "m"}},
		{"all, in the only format it has", []string{"--all", "--out", "m", "--format", "md"}, docsOptions{all: true, out: "m", format: "md"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *docsOptions
			require.NoError(t, parse(docsCommand(func(o docsOptions) error { got = &o; return nil }), test.args...))
			require.NotNil(t, got)
			assert.Equal(t, test.want, *got)
		})
	}
}

func TestSearchOptions(t *testing.T) {
	var got searchOptions
	require.NoError(t, parse(searchCommand(func(o searchOptions) error { got = o; return nil }), "GET", "退款", "-n", "0", "--json"))
	assert.Equal(t, searchOptions{text: "GET 退款", json: true}, got)
	require.NoError(t, parse(searchCommand(func(o searchOptions) error { got = o; return nil }), "退款"))
	assert.Equal(t, searchOptions{text: "退款", most: 20}, got)
}

func TestGenTypesOptions(t *testing.T) {
	var got genTypesOptions
	command := func() *cobra.Command { return genTypesCommand(func(o genTypesOptions) error { got = o; return nil }) }
	require.NoError(t, parse(command(), "v3/x"))
	assert.Equal(t, genTypesOptions{path: "v3/x", packageName: "main"}, got)
	require.NoError(t, parse(command(), "post", "v3/x", "--package", "pay", "--name", "Order"))
	assert.Equal(t, genTypesOptions{method: "POST", path: "v3/x", packageName: "pay", prefix: "Order"}, got)
}

func TestOpenapiOptions(t *testing.T) {
	var got openapiOptions
	require.NoError(t, parse(openapiCommand(func(o openapiOptions) error { got = o; return nil }), "--tag", "跨境/", "--path", "v3/x"))
	assert.Equal(t, openapiOptions{tag: "跨境", path: "v3/x"}, got)
}
