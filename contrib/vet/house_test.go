package vet_test

import (
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/contrib/vet"
	"github.com/wxpay-go/wxpay/fact"
)

// report is one report of any check.
type report struct{ check, file, text string }

// reports runs every check over packages.
func reports(t *testing.T, dir, workspace string, tests bool, patterns ...string) (found []report) {
	t.Helper()
	config := &packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Dir: dir, Tests: tests,
		// GOFLAGS stays: with others than those of go test, everything would be compiled once more.
		Env: append(os.Environ(), "GOWORK="+workspace, "GOPROXY=off"),
	}
	loaded, err := packages.Load(config, patterns...)
	require.NoError(t, err)
	require.NotEmpty(t, loaded)
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.ID)
	}
	graph, err := checker.Analyze(vet.Analyzers(), loaded, nil)
	require.NoError(t, err)
	for action := range graph.All() {
		require.NoError(t, action.Err)
		for _, d := range action.Diagnostics {
			if !action.IsRoot {
				continue
			}
			at := action.Package.Fset.Position(d.Pos)
			r := report{action.Analyzer.Name, at.Filename, fmt.Sprintf("%s:%d: %s", filepath.Base(at.Filename), at.Line, d.Message)}
			if !slices.Contains(found, r) { // a package and its tests
				found = append(found, r)
			}
		}
	}
	return found
}

// mistake is the comment of a seeded mistake: its number, what is wrong, and the check that finds it. A third of them name
// a public report in which a user of some client of WeChat Pay made a mistake of this kind.
var mistake = regexp.MustCompile(`(?m)^// (m\d+): (.*)\.\n(?:// report (https://github\.com/\S+/(?:issues|pull)/\d+)\n)?// want (wx\w+)$`)

// Of the mistakes in testdata/mistakes at least 95 of 100 are found, each by the check that it wants. At least a third
// follow a public report, no two the same.
func TestMistakes(t *testing.T) {
	found := reports(t, analysistest.TestData(), "off", false, "./mistakes")
	files, err := filepath.Glob("testdata/mistakes/m*.go")
	require.NoError(t, err)
	require.Greater(t, len(files), 90)
	hits, public := 0, map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		want := mistake.FindStringSubmatch(string(source))
		require.NotNil(t, want, "%s does not say what it wants", file)
		require.Equal(t, strings.TrimSuffix(filepath.Base(file), ".go"), want[1])
		if want[3] != "" {
			assert.False(t, public[want[3]], "%s: another mistake has this report", file)
			public[want[3]] = true
		}
		hit := slices.ContainsFunc(found, func(r report) bool { return filepath.Base(r.file) == filepath.Base(file) && r.check == want[4] })
		if hit {
			hits++
		}
		t.Logf("%s found=%-5v %s: %s", want[1], hit, want[4], want[2])
	}
	t.Logf("found %d of %d; %d of them follow a public report", hits, len(files), len(public))
	assert.GreaterOrEqual(t, 3*len(public), len(files))
	assert.GreaterOrEqual(t, 100*hits, 95*len(files))
}

// onPurpose are the reports in examples that show a mistake, an operation or a field that does
// not exist, a read of another type, or a list of numbers.
var onPurpose = map[string]string{
	"example_test.go":           `\{out_refund_no\} .* has no value|TRANSACTION.SUCCESS documents no (first|goods|phone) `,
	"response_example_test.go":  `(Int|Bool) does not read that|documents no (amount.discount|sub_mchid) `,
	"sensitive_example_test.go": `no operation POST /v3/new/operation|leave emoji out|transactions/nativ;|total is a string|documents no id `,
}

// Nothing is reported in the examples of this repository, except for what they show on purpose.
func TestExamples(t *testing.T) {
	for _, tt := range []struct {
		dir, workspace string
		tests          bool
		patterns       []string
		files          string // suffix of those that are examples
	}{
		{"../..", "", true, []string{".", "./api", "./webhook", "./sandbox", "./catalog"}, "example_test.go"},
		{"../../bench/tasks", "off", false, []string{"./declarative", "./attribute", "./pure"}, ".go"},
		{"../sql", "off", true, []string{"."}, "example_test.go"},
	} {
		for _, r := range reports(t, tt.dir, tt.workspace, tt.tests, tt.patterns...) {
			purpose := onPurpose[filepath.Base(r.file)]
			shown := purpose != "" && regexp.MustCompile(purpose).MatchString(r.text)
			assert.False(t, strings.HasSuffix(r.file, tt.files) && !shown, "%s: %s", tt.dir, r.text)
		}
	}
}

// Nothing is reported in services that are written in the manner of shops, providers and market places, in many styles:
// the packages in testdata/foreign. They are right, and every report about them was a fault of a check.
func TestForeign(t *testing.T) {
	files, err := filepath.Glob("testdata/foreign/*/*.go")
	require.NoError(t, err)
	lines := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		lines += strings.Count(string(source), "\n")
	}
	assert.Greater(t, lines, 10_000)
	for _, r := range reports(t, analysistest.TestData(), "off", true, "./foreign/...") {
		t.Error(r.file, r.text)
	}
	t.Logf("%d lines in %d files", lines, len(files))
}

// Nothing is reported in a call of each operation that says what the documentation does.
func TestEveryOperation(t *testing.T) {
	var source strings.Builder
	source.WriteString("package every\n\nimport (\n\"context\"\n\n\"github.com/wxpay-go/wxpay\"\n)\n")
	count := 0
	for o := range catalog.V3().Described().All() {
		if o.Status == fact.Offline || o.Status == fact.Superseded || len(o.Also) > 0 || len(o.In.Form) > 0 {
			continue
		}
		count++
		fmt.Fprintf(&source, "\nfunc f%d(ctx context.Context, client *wxpay.Client) error {\n\tres, err := client.Chain(%q)", count, o.Path)
		for _, f := range o.In.Path {
			fmt.Fprintf(&source, ".Var(%q, \"1\")", f.Name)
		}
		for i := range o.In.Query {
			fmt.Fprintf(&source, ".Query(%q, %s)", o.In.Query[i].Name, literal(&o.In.Query[i], true))
		}
		body := "nil"
		if len(o.In.JSON) > 0 {
			body = object(o.In.JSON)
		}
		fmt.Fprintf(&source, ".Do(ctx, %q, %s)\n\tif err != nil {\n\t\treturn err\n\t}\n", o.Method, body)
		for _, path := range paths(o.Out, "") {
			fmt.Fprintf(&source, "\t_ = res.Get(%q)\n", path)
		}
		source.WriteString("\t_ = res\n\treturn nil\n}\n")
	}
	require.Greater(t, count, 900)
	formatted, err := format.Source([]byte(source.String()))
	require.NoError(t, err)
	dir := module(t, map[string]string{"every.go": string(formatted)})
	found := reports(t, dir, "off", false, ".")
	for _, r := range found {
		t.Error(r.text)
	}
}

// object is the literal of documented fields.
func object(fields []fact.Field) string {
	var b strings.Builder
	b.WriteString("wxpay.JSON{")
	for i := range fields {
		fmt.Fprintf(&b, "%q: %s, ", fields[i].Name, literal(&fields[i], false))
	}
	return b.String() + "}"
}

// literal is a value of a documented field.
func literal(f *fact.Field, query bool) string {
	one := func() string {
		switch f.Type.Element() {
		case fact.Integer, fact.Number:
			if len(f.Enum) > 0 {
				return fmt.Sprint(f.Enum[0])
			}
			return fmt.Sprint(max(f.Min, 1))
		case fact.Boolean:
			return "true"
		case fact.Object:
			return object(f.Fields)
		}
		switch {
		case len(f.Enum) > 0:
			return fmt.Sprintf("%q", f.Enum[0])
		case f.Format == "rfc3339":
			return `"2018-06-08T10:34:56+08:00"`
		case f.Format == "date":
			return `"2018-06-08"`
		}
		return fmt.Sprintf("%q", strings.Repeat("1", int(max(f.Min, 1))))
	}
	if f.Type != f.Type.Element() && !query {
		return "[]any{" + one() + "}"
	}
	return one()
}

// paths are the paths of the fields of a response.
func paths(fields []fact.Field, place string) (found []string) {
	for i := range fields {
		f := &fields[i]
		path := place + f.Name
		found = append(found, path)
		switch {
		case f.JSONText:
		case f.Type == fact.Object:
			found = append(found, paths(f.Fields, path+".")...)
		case f.Type == fact.Objects:
			found = append(found, paths(f.Fields, path+".#.")...)
		}
	}
	return found
}
