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
			require.NoError(t, parse(sandboxCommand(func(_ context.Context, o sandboxOptions) error { got = &o; return nil }), test.args...))
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
