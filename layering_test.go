package wxpay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/wxpay-go/wxpay"

// flow is what a flow of the sandbox may import, with other flows. A flow that arrows does not list may import orders,
// which import no other flow.
func flow(others ...string) []string {
	const below = "sandbox/internal/"
	list := []string{"apiv3", "catalog", "fact", "internal/redact", "internal/visible", below + "book", below + "console", below + "gate",
		below + "keyring", below + "ledger", below + "sample", below + "say"}
	for _, other := range others {
		list = append(list, below+"flow/"+other)
	}
	return list
}

// arrows is the packages that each package may import beyond the standard library. A lower one never imports an upper one.
var arrows = map[string][]string{
	"apiv3":      {"internal/fault", "internal/keytext", "internal/publickey", "internal/redact", "internal/visible"},
	"fact":       {},
	"wxbill":     {},
	"wxcode":     {},
	"transport":  {"internal/fault", "internal/redact", "internal/visible"},
	"catalog":    {"fact", "catalog/internal/…"},
	"middleware": {"apiv3", "fact", "internal/fault", "internal/headers", "internal/jsonwalk", "internal/redact"},
	"webhook": {"apiv3", "fact", "catalog", "gjson", "internal/fault", "internal/headers", "internal/jsonwalk",
		"internal/publickey", "internal/redact", "internal/sensitive", "internal/strict", "internal/visible"},
	"sandbox":                    {"apiv3", "internal/redact", "internal/visible", "sandbox/fault", "sandbox/internal/…"},
	"sandbox/fault":              {"sandbox/internal/say"},
	"sandbox/internal/say":       {"fact", "internal/redact", "internal/visible"},
	"sandbox/internal/book":      {"internal/filelock", "sandbox/internal/say"},
	"sandbox/internal/inprocess": {"sandbox/internal/say"},
	"sandbox/internal/journal":   {"internal/redact", "sandbox/fault", "sandbox/internal/say"},
	"sandbox/internal/sample":    {"catalog", "fact", "sandbox/internal/say"},
	"sandbox/internal/keyring":   {"apiv3", "internal/redact", "internal/sparekey", "sandbox/internal/book", "sandbox/internal/say"},
	"sandbox/internal/ledger":    {"sandbox/internal/book", "sandbox/internal/say"},
	"sandbox/internal/trouble":   {"apiv3", "fact", "sandbox/fault", "sandbox/internal/inprocess", "sandbox/internal/say"},
	"sandbox/internal/clinic":    {"apiv3", "sandbox/internal/journal", "sandbox/internal/keyring", "sandbox/internal/say"},
	"sandbox/internal/post": {"apiv3", "catalog", "fact", "sandbox/fault", "sandbox/internal/book",
		"sandbox/internal/inprocess", "sandbox/internal/keyring", "sandbox/internal/sample", "sandbox/internal/say",
		"sandbox/internal/trouble"},
	"sandbox/internal/console": {"apiv3", "sandbox/fault", "sandbox/internal/journal", "sandbox/internal/keyring",
		"sandbox/internal/post", "sandbox/internal/say"},
	"sandbox/internal/gate": {"apiv3", "catalog", "fact", "sandbox/fault", "sandbox/internal/book",
		"sandbox/internal/clinic", "sandbox/internal/console", "sandbox/internal/inprocess",
		"sandbox/internal/journal", "sandbox/internal/keyring", "sandbox/internal/ledger", "sandbox/internal/post",
		"sandbox/internal/sample", "sandbox/internal/say", "sandbox/internal/trouble"},
	"sandbox/internal/flow/bill":      flow("order", "refund", "share", "transfer"),
	"sandbox/internal/flow/complaint": flow("file", "order"),
	"sandbox/internal/flow/ecommerce": flow("refund", "share"),
	"sandbox/internal/flow/file":      flow(),
	"sandbox/internal/flow/member":    flow(),
	"sandbox/internal/flow/order":     flow(),
	"sandbox/internal/flow/security":  flow(),
	"":                                {"middleware", "transport", "apiv3", "fact", "catalog", "gjson", "wxcode", "internal/…"}, // the top of all
	"api":                             {""},
	"examples/shop":                   {"", "webhook", "wxcode"},
	"wxpaytest":                       {"", "apiv3", "catalog", "transport", "webhook"},

	"internal/autofill":   {"fact", "internal/jsonwalk", "internal/redact", "internal/target"},
	"internal/atomicfile": {"internal/fault", "internal/tempfile"},
	"internal/bill": {"apiv3", "fact", "wxcode", "internal/download", "internal/fault", "internal/redact", "internal/tempfile",
		"internal/wait"},
	"internal/call": {"apiv3", "catalog", "fact", "middleware", "wxcode", "internal/autofill", "internal/fault", "internal/headers",
		"internal/jsonwalk", "internal/keylist", "internal/keyring", "internal/preflight", "internal/redact", "internal/sensitive",
		"internal/target"},
	"internal/download": {"apiv3", "middleware", "internal/atomicfile", "internal/fault", "internal/redact", "internal/tempfile",
		"internal/wait"},
	"internal/ensure":    {"fact", "middleware", "wxcode", "internal/call", "internal/fault", "internal/target", "internal/wait"},
	"internal/environ":   {"apiv3", "internal/keytext", "internal/redact", "internal/visible"},
	"internal/filelock":  {}, // one lock of a file between processes
	"internal/fault":     {}, // what errors are, which every package has to know
	"internal/gosource":  {}, // for programs that write Go
	"internal/headers":   {},
	"internal/invoke":    {"apiv3", "middleware", "internal/redact", "internal/target", "internal/visible"},
	"internal/jsonwalk":  {"internal/fault", "internal/redact"},
	"internal/keytext":   {}, // the forms in which people have keys
	"internal/keylist":   {"apiv3", "middleware", "internal/atomicfile", "internal/fault", "internal/redact"},
	"internal/keyring":   {"apiv3", "internal/publickey", "internal/redact", "internal/visible"},
	"internal/pages":     {"fact", "internal/fault", "internal/redact"},
	"internal/preflight": {"apiv3", "catalog", "fact", "internal/jsonwalk", "internal/redact", "internal/sensitive", "internal/target"},
	"internal/publickey": {},
	"internal/queue":     {},
	"internal/redact":    {}, // how they and everything else print
	"internal/sensitive": {"apiv3", "fact", "internal/fault", "internal/jsonwalk", "internal/redact", "internal/target"},
	"internal/sparekey":  {},
	"internal/strict":    {"fact", "gjson", "internal/jsonwalk", "internal/redact"},
	"internal/target":    {"fact", "internal/jsonwalk", "internal/redact", "internal/visible"},
	"internal/tempfile":  {"internal/fault"},
	"internal/upload":    {"fact", "internal/fault", "internal/redact", "internal/tempfile", "internal/wait"},
	"internal/wait":      {"internal/fault"},
	"internal/visible":   {}, // what configuration must not hold

	// Tools of the house, which nothing above imports.
	"api/internal/gen":       {"catalog", "fact", "internal/gosource"},
	"catalog/internal/gen":   {"catalog", "fact", "catalog/internal/…"},
	"catalog/edition":        {"catalog", "catalog/internal/…"},
	"catalog/internal/facts": {"fact", "catalog/internal/text"},
	"catalog/internal/pack":  {"fact", "catalog/internal/text"},
	"catalog/internal/text":  {"fact"},
	"internal/calltest": {"apiv3", "fact", "middleware", "transport", "wxcode", "internal/call", "internal/jsonwalk", "internal/keylist", "internal/keyring",
		"internal/preflight", "internal/sensitive", "internal/vectors"},
	"internal/iotest":    {},
	"internal/filebench": {"", "apiv3"},
	"internal/vectors":   {},
	"sandbox/internal/sandboxtest": {"apiv3", "github.com/stretchr/testify/require", "sandbox/internal/book", "sandbox/internal/gate", "sandbox/internal/inprocess",
		"sandbox/internal/journal", "sandbox/internal/keyring", "sandbox/internal/post", "sandbox/internal/trouble"},
}

// gjsonFiles are the only files that may import gjson: everything else asks their types.
var gjsonFiles = []string{"response.go", "webhook/event.go", "internal/strict/strict.go"}

type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func TestLayering(t *testing.T) {
	var gjson []string
	seen := 0
	for _, p := range goList[goPackage](t, ".", "-json=ImportPath,Dir,GoFiles,Imports", "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, known := arrows[name]
		if !known && strings.HasPrefix(name, "sandbox/internal/flow/") {
			allowed, known = flow("order"), true
		}
		if !known {
			t.Errorf("the package %q is not in the plan: say in arrows what it may import", name)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if standard := !strings.Contains(strings.Split(imported, "/")[0], "."); standard {
				continue
			}
			short := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
			if imported == "github.com/tidwall/gjson" {
				short = "gjson"
			}
			if !slices.ContainsFunc(allowed, func(a string) bool {
				prefix, open := strings.CutSuffix(a, "…")
				return a == short || open && strings.HasPrefix(short, prefix)
			}) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
		}
		for _, file := range p.GoFiles {
			if imports(t, p.Dir+"/"+file, "github.com/tidwall/gjson") {
				gjson = append(gjson, strings.TrimPrefix(name+"/"+file, "/"))
			}
		}
	}
	require.Greater(t, seen, 5, "go list found no packages")
	for _, file := range gjson {
		assert.Contains(t, gjsonFiles, file, "gjson is asked through Response and Event")
	}
	assert.Contains(t, gjson, "response.go")
}

func imports(t *testing.T, file, path string) bool {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	return bytes.Contains(source, []byte(`"`+path+`"`))
}

// The core requires gjson, and testify for its tests. Nothing else.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var direct []string
	for scanner := bufio.NewScanner(bytes.NewReader(mod)); scanner.Scan(); {
		line := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(scanner.Text()), "require "))
		if name, _, ok := strings.Cut(line, " v"); ok && strings.Contains(name, "/") && !strings.HasSuffix(line, "// indirect") {
			direct = append(direct, name)
		}
	}
	slices.Sort(direct)
	assert.Equal(t, []string{"github.com/stretchr/testify", "github.com/tidwall/gjson"}, direct)
}

// goList returns what go list says in dir.
func goList[T any](t *testing.T, dir string, arguments ...string) (list []T) {
	t.Helper()
	command := exec.Command("go", append([]string{"list"}, arguments...)...)
	command.Dir = dir
	var trouble bytes.Buffer
	command.Stderr = &trouble
	out, err := command.Output()
	require.NoError(t, err, "%s: %s", dir, &trouble)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p T
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else {
			require.NoError(t, err)
		}
		list = append(list, p)
	}
}

// What an attacker must not guess comes from crypto/rand. The other source of chance only spreads times of waiting and choices
// between keys that all fit.
func TestChanceOnlySpreadsWaiting(t *testing.T) {
	allowed := []string{"middleware/retry.go", "internal/ensure/ensure.go", "internal/keylist/list.go", "internal/keylist/chosen.go"}
	var found []string
	for _, file := range coreFiles(t) {
		if imports(t, file, "math/rand") || imports(t, file, "math/rand/v2") {
			found = append(found, file)
		}
	}
	assert.ElementsMatch(t, allowed, found)
}

// No code of the core turns the checks of certificates off.
func TestNothingWeakensTLS(t *testing.T) {
	for _, file := range coreFiles(t) {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(source), "InsecureSkipVerify", file)
	}
}

// The compiler compiles the methods of a generic type again for each package that can reach it: of a field that a
// client has, for each package that uses a client.
func TestFieldsAreOfNoGenericType(t *testing.T) {
	generic := regexp.MustCompile(`(?m)^\t\w+ +\*?(atomic\.Pointer\[|sync\.Map\b)`)
	for _, file := range moduleFiles(t) {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Empty(t, generic.FindString(string(source)), file)
	}
}

// coreFiles are the files of the client: those of the root module without its sandbox.
func coreFiles(t *testing.T) []string {
	t.Helper()
	files := slices.DeleteFunc(moduleFiles(t), func(file string) bool { return strings.HasPrefix(file, "sandbox/") })
	require.Greater(t, len(files), 100)
	return files
}

// moduleFiles are the files of the root module.
func moduleFiles(t *testing.T) (files []string) {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	for _, p := range goList[goPackage](t, ".", "-json=ImportPath,Dir,GoFiles", "./...") {
		dir, err := filepath.Rel(root, p.Dir)
		require.NoError(t, err)
		for _, file := range p.GoFiles {
			files = append(files, path.Join(filepath.ToSlash(dir), file))
		}
	}
	return files
}
