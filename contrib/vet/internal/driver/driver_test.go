package driver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/vet"
	"github.com/wxpay-go/wxpay/contrib/vet/internal/driver"
)

var environ = append(os.Environ(), "GOWORK=off", "GOPROXY=off")

// bodies are the reports about testdata/body, which has both severities and fixes.
var bodies = sync.OnceValues(func() ([]driver.Report, error) {
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		return nil, err
	}
	return driver.Packages(context.Background(), driver.Config{Dir: dir, Env: environ, Patterns: []string{"./body"}})
})

func reports(t *testing.T) []driver.Report {
	t.Helper()
	found, err := bodies()
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

// The reports are those that the file wants, in its order, with their severity, link and fixes.
func TestPackages(t *testing.T) {
	found := reports(t)
	source, err := os.ReadFile("../../testdata/body/body.go")
	require.NoError(t, err)
	want := regexp.MustCompile("// want [\"`]").FindAllIndex(source, -1)
	assert.GreaterOrEqual(t, len(found), len(want))
	severities, fixes := map[driver.Severity]int{}, 0
	for i, r := range found {
		assert.True(t, strings.HasPrefix(r.Check, "wx"), r.Check)
		assert.Equal(t, "https://github.com/wxpay-go/wxpay/blob/main/docs/vet.md#"+r.Check, r.Link)
		assert.NotContains(t, r.Message, "(hint)")
		assert.True(t, filepath.IsAbs(r.File), r.File)
		assert.Positive(t, r.Line)
		assert.Positive(t, r.Column)
		assert.True(t, r.EndLine > r.Line || r.EndColumn > r.Column, "%+v", r.Span)
		severities[r.Severity]++
		fixes += len(r.Fixes)
		if i > 0 {
			assert.LessOrEqual(t, found[i-1].Line, r.Line)
		}
	}
	assert.Positive(t, severities[driver.Error])
	assert.Positive(t, severities[driver.Hint])
	assert.Len(t, severities, 2)
	assert.Positive(t, fixes)
}

func TestSkips(t *testing.T) {
	found, err := driver.Packages(t.Context(), driver.Config{
		Dir: "../../testdata", Env: environ, Patterns: []string{"./body"}, SkipHints: true, SkipTests: true,
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	assert.Less(t, len(found), len(reports(t)))
	for _, r := range found {
		assert.Equal(t, driver.Error, r.Severity)
	}
}

// What gopls said about testdata/gopls/shop.go, with these checks linked in, is what they say now: docs/vet.md shows the
// record and tells how it was made.
func TestGoplsRecord(t *testing.T) {
	type place struct {
		Line      int `json:"line"`
		Character int `json:"character"`
	}
	var record struct {
		Publish struct {
			Diagnostics []struct {
				Range       struct{ Start, End place } `json:"range"`
				Code        string                     `json:"code"`
				Description struct{ Href string }      `json:"codeDescription"`
				Source      string                     `json:"source"`
				Message     string                     `json:"message"`
			} `json:"diagnostics"`
		} `json:"publishDiagnostics"`
		Actions []struct{ Title string } `json:"codeAction"`
	}
	text, err := os.ReadFile("../../testdata/gopls/diagnostics.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &record))
	found, err := driver.Packages(t.Context(), driver.Config{Dir: "../../testdata", Env: environ, Patterns: []string{"./gopls"}})
	require.NoError(t, err)
	require.Len(t, record.Publish.Diagnostics, len(found))
	require.Len(t, record.Actions, len(found), "each of them has a fix")
	for i, d := range record.Publish.Diagnostics {
		r := found[i]
		assert.Equal(t, r.Check, d.Source)
		assert.Equal(t, string(r.Severity), d.Code)
		assert.Equal(t, r.Link, d.Description.Href)
		assert.Equal(t, r.Message, strings.TrimSuffix(d.Message, " (hint)"))
		assert.Equal(t, r.Span, driver.Span{ // the protocol counts from 0, and this file has ASCII only
			Line: d.Range.Start.Line + 1, Column: d.Range.Start.Character + 1,
			EndLine: d.Range.End.Line + 1, EndColumn: d.Range.End.Character + 1,
		})
		assert.Equal(t, r.Fixes[0].Message, record.Actions[i].Title)
	}
}

// A program that does not compile, or is not there, is an error: nothing is known of it.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/broken\n\ngo 1.25\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte("package broken\n\nvar a int = \"text\"\n"), 0o600))
	_, err := driver.Packages(t.Context(), driver.Config{Dir: dir, Env: environ})
	require.ErrorContains(t, err, "the packages do not compile: ")
	require.ErrorContains(t, err, "a.go:3:13")
	_, err = driver.Packages(t.Context(), driver.Config{Dir: dir, Env: environ, Patterns: []string{"./missing"}})
	require.Error(t, err)
	_, err = driver.Packages(t.Context(), driver.Config{Dir: filepath.Join(dir, "missing"), Env: environ})
	require.Error(t, err)
}

// written is what Write writes of two reports, of which one is hard to write.
var hard = []driver.Report{
	{
		Check: "wxbody", Severity: driver.Error, Message: "amount.total is a string, 100%\nand documented as integer", Link: "https://example.com/#wxbody",
		Span: driver.Span{Line: 3, Column: 23, EndLine: 3, EndColumn: 28},
		Fixes: []driver.Fix{{Message: "leave the quotes out", Edits: []driver.Edit{
			{Span: driver.Span{Line: 3, Column: 23, EndLine: 3, EndColumn: 28}, Text: "100"},
		}}},
	},
	{
		Check: "wxpath", Severity: driver.Hint, Message: "the documentation has no operation GET /v3/certificate", Link: "https://example.com/#wxpath",
		Span: driver.Span{Line: 1, Column: 1, EndLine: 1, EndColumn: 8},
	},
}

// inRoot puts the hard reports into a file below a folder.
func inRoot(t *testing.T) (root string, found []driver.Report) {
	t.Helper()
	root = t.TempDir()
	file := filepath.Join(root, "a,b", "c:d.go")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte("package p\n\nvar 金额, 🍵 = 1, \"100\"\n"), 0o600))
	found = slices.Clone(hard)
	for i := range found {
		found[i].File = file
	}
	return root, found
}

func write(t *testing.T, format string) string {
	t.Helper()
	root, found := inRoot(t)
	var out bytes.Buffer
	require.NoError(t, driver.Write(&out, format, root, found))
	return out.String()
}

func TestWriteText(t *testing.T) {
	assert.Equal(t, `a,b/c:d.go:3:23: error: amount.total is a string, 100%
and documented as integer (wxbody)
a,b/c:d.go:1:1: hint: the documentation has no operation GET /v3/certificate (wxpath)
wxbody is explained at https://example.com/#wxbody
wxpath is explained at https://example.com/#wxpath
`, write(t, "text"))
}

func TestWriteGitHub(t *testing.T) {
	assert.Equal(t, `::error file=a%2Cb/c%3Ad.go,line=3,endLine=3,col=23,endColumn=28,title=wxbody::amount.total is a string, 100%25%0Aand documented as integer; see https://example.com/#wxbody
::warning file=a%2Cb/c%3Ad.go,line=1,endLine=1,col=1,endColumn=8,title=wxpath::the documentation has no operation GET /v3/certificate; see https://example.com/#wxpath
`, write(t, "github"))
}

func TestWriteJSON(t *testing.T) {
	var back []driver.Report
	require.NoError(t, json.Unmarshal([]byte(write(t, "json")), &back))
	require.Len(t, back, 2)
	back[0].File, back[1].File = "", ""
	assert.Equal(t, hard, back)
}

// required has the required members of the objects of a SARIF log, by the path at which the log has these objects. The
// schema of SARIF 2.1.0 lists them:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
var required = map[string][]string{
	"":                        {"version", "runs"},
	".runs":                   {"tool"},
	".runs.tool":              {"driver"},
	".runs.tool.driver":       {"name"},
	".runs.tool.driver.rules": {"id"},
	".runs.tool.driver.rules.shortDescription":         {"text"},
	".runs.tool.driver.rules.fullDescription":          {"text"},
	".runs.tool.driver.rules.help":                     {"text"},
	".runs.results":                                    {"message"},
	".runs.results.message":                            {"text"},
	".runs.results.locations.physicalLocation":         {"artifactLocation"}, // or an address
	".runs.results.fixes":                              {"artifactChanges"},
	".runs.results.fixes.artifactChanges":              {"artifactLocation", "replacements"},
	".runs.results.fixes.artifactChanges.replacements": {"deletedRegion"},
}

func TestWriteSARIF(t *testing.T) {
	text := write(t, "sarif")
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &whole))
	seen := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case []any:
			for _, element := range value {
				walk(path, element)
			}
		case map[string]any:
			seen[path] = true
			for _, name := range required[path] {
				assert.Contains(t, value, name, path)
			}
			for name, inner := range value {
				walk(path+"."+name, inner)
			}
		}
	}
	walk("", whole)
	for path := range required {
		assert.True(t, seen[path], "the log has nothing at %s", path)
	}
	assert.Equal(t, "2.1.0", whole["version"])

	run := whole["runs"].([]any)[0].(map[string]any)
	rules := run["tool"].(map[string]any)["driver"].(map[string]any)["rules"].([]any)
	require.Len(t, rules, len(vet.Analyzers()))
	results := run["results"].([]any)
	require.Len(t, results, 2)
	for i, level := range []string{"error", "warning"} {
		result := results[i].(map[string]any)
		assert.Equal(t, level, result["level"])
		rule := rules[int(result["ruleIndex"].(float64))].(map[string]any)
		assert.Equal(t, result["ruleId"], rule["id"])
		assert.Regexp(t, `\p{Han}`, rule["help"].(map[string]any)["text"], "the explanation has both languages")
		location := result["locations"].([]any)[0].(map[string]any)["physicalLocation"].(map[string]any)
		assert.Equal(t, "a,b/c:d.go", location["artifactLocation"].(map[string]any)["uri"])
		if i == 0 { // 金额 is two units of UTF-16, and so is the tea
			assert.Equal(t, map[string]any{"startLine": 3.0, "startColumn": 17.0, "endLine": 3.0, "endColumn": 22.0}, location["region"])
		}
	}
	assert.Equal(t, "utf16CodeUnits", run["columnKind"])
}

// No report is an empty list, which says that the checks ran.
func TestWriteNothing(t *testing.T) {
	for format, want := range map[string]string{"text": "", "github": "", "json": "[]\n"} {
		var out bytes.Buffer
		require.NoError(t, driver.Write(&out, format, ".", nil))
		assert.Equal(t, want, out.String(), format)
	}
	var out bytes.Buffer
	require.NoError(t, driver.Write(&out, "sarif", ".", nil))
	assert.Contains(t, out.String(), `"results": []`)
	assert.ErrorContains(t, driver.Write(&out, "xml", ".", nil), `the format "xml" is none of text, json, github, sarif`)
}

// The cost of a package of 20 files, after the go command has compiled what it imports.
func BenchmarkPackages(b *testing.B) {
	dir := twenty(b)
	config := driver.Config{Dir: dir, Env: environ}
	found, err := driver.Packages(b.Context(), config)
	require.NoError(b, err)
	require.Empty(b, found)
	for b.Loop() {
		if _, err := driver.Packages(b.Context(), config); err != nil {
			b.Fatal(err)
		}
	}
}

// twenty writes a package of 20 files with calls to ten operations in each.
func twenty(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	root, err := filepath.Abs("../../../..")
	require.NoError(b, err)
	module, err := os.ReadFile("../../testdata/go.mod")
	require.NoError(b, err)
	sum, err := os.ReadFile("../../testdata/go.sum")
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(strings.Replace(string(module), "../../..", root, 1)), 0o600))
	require.NoError(b, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	for i := range 20 {
		var file strings.Builder
		file.WriteString("package shop\n\nimport (\n\t\"context\"\n\n\t\"github.com/wxpay-go/wxpay\"\n)\n")
		for j := range 10 {
			name := strings.Repeat("A", i+1) + strings.Repeat("b", j+1)
			file.WriteString("\nfunc " + name + `(ctx context.Context, client *wxpay.Client, number, openid string, total int64) (string, error) {
	body := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com/notify"}
	body["amount"] = wxpay.JSON{"total": total, "currency": "CNY"}
	body["payer"] = wxpay.JSON{"openid": openid}
	res, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, body)
	if err != nil {
		return "", err
	}
	return res.Text("prepay_id")
}
`)
		}
		require.NoError(b, os.WriteFile(filepath.Join(dir, strings.Repeat("a", i+1)+".go"), []byte(file.String()), 0o600))
	}
	return dir
}
