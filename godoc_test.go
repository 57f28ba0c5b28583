package wxpay_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The ten things that programs use most. Each of names has an Example of its own, as godoc and go vet associate it, and
// Examples call each method of types.
var mostUsed = []struct {
	what, dir    string
	names, types []string
}{
	{"clients", ".", []string{"New", "FromConfig", "FromLookupEnv", "Client.As", "WithDefaults", "WithMiddleware", "WithLimiter"}, nil},
	{"chains", ".", []string{
		"Client.Chain", "Client.At", "Chain.Get", "Chain.Post", "Chain.Query", "Chain.Queries", "Chain.Var", "Chain.Vars",
		"Chain.Chain", "Chain.Each", "Chain.Pages", "Chain.Check", "Chain.Encrypt", "Secret", "Chain.PostAsync", "WaitAll",
	}, []string{"Future"}},
	{"the pure chain", "api", []string{"", "PostCall.Chain"}, nil},
	{"responses", ".", []string{"Response", "Response.Fen", "Response.Need", "Into"}, []string{"Response"}},
	{"outcomes", ".", []string{"Chain.Ensure", "Chain.UntilFinal", "Chain.SentBefore", "Verdict", "Client.Resolve", "OutcomeOf"}, nil},
	{"errors", ".", []string{"APIError", "CallError", "VerifyError", "FieldError", "IsCode"}, nil},
	{"files and bills", ".", []string{
		"Chain.Upload", "File", "Chain.Download", "Client.Fetch", "Chain.Receipt", "ToFile", "Chain.Bill", "Chain.BillTo", "Bill", "Row",
		"ParseYuan",
	}, []string{"File", "Bill", "Row"}},
	{"keys", ".", []string{
		"WithCertificates", "WithPublicKey", "WithPublicKeyShare", "KeyRing", "LoadPrivateKey", "Client.VerifyKeys",
	}, []string{"KeyRing"}},
	{"notifications", "webhook", []string{
		"", "New", "NewMulti", "On", "Handler", "Handler.On", "Handler.Parse", "Handler.Deliver", "Event", "Event.Resource", "Payment.Check",
	}, []string{"Handler", "Event"}},
	{"doubles", "wxpaytest", []string{
		"Client", "Answer", "Answers", "Lost", "Event", "Notification", "NotificationAt", "Receiver", "Encrypt", "Clock",
	}, []string{"Clock"}},
}

func TestMostUsedHaveExamples(t *testing.T) {
	t.Parallel()
	require.Len(t, mostUsed, 10)
	packages := make(map[string]*doc.Package)
	for _, use := range mostUsed {
		p := packages[use.dir]
		if p == nil {
			p = documentation(t, use.dir)
			packages[use.dir] = p
		}
		examples := examplesOf(p)
		for _, name := range use.names {
			if examples[name] == nil {
				t.Errorf("%s: godoc shows no Example of %s in package %s", use.what, name, p.Name)
			}
		}
		called := make(map[string]bool)
		for name, list := range examples {
			for _, example := range list {
				assert.True(t, example.Output != "" || example.EmptyOutput, "%s: the Example of %s states no output, so it never runs", p.Name, name)
				ast.Inspect(example.Code, func(n ast.Node) bool {
					if selector, ok := n.(*ast.SelectorExpr); ok {
						called[selector.Sel.Name] = true
					}
					return true
				})
			}
		}
		for _, name := range use.types {
			at := slices.IndexFunc(p.Types, func(typ *doc.Type) bool { return typ.Name == name })
			require.GreaterOrEqual(t, at, 0, "%s: package %s has no type %s", use.what, p.Name, name)
			for _, method := range p.Types[at].Methods {
				assert.True(t, called[method.Name] || prints[method.Name], "%s: no Example of package %s calls %s.%s",
					use.what, p.Name, name, method.Name)
			}
		}
	}
}

// Methods that package fmt, log/slog or an encoder calls.
var prints = map[string]bool{"Format": true, "LogValue": true, "MarshalText": true, "String": true}

// The documentation of a package names the page that guides through it.
func TestPackagesNameTheirGuide(t *testing.T) {
	t.Parallel()
	dirs := []string{
		".", "api", "apiv3", "catalog", "middleware", "sandbox", "sandbox/fault", "transport", "webhook",
		"wxbill", "wxcode", "wxpaytest", "contrib/fleet", "contrib/fleet/relay", "contrib/openssl", "contrib/otel", "contrib/pkcs12",
		"contrib/redis", "contrib/sm", "contrib/sql", "contrib/vet", "contrib/vet/golangci",
	}
	for _, dir := range dirs {
		pages := guide.FindAllString(documentation(t, dir).Doc, -1)
		assert.NotEmpty(t, pages, "the comment of package %s names no page", dir)
		for _, page := range pages {
			assert.FileExists(t, page, "the comment of package %s", dir)
		}
	}
}

var guide = regexp.MustCompile(`\b(?:docs|contrib)/[\w./-]*\w\.md\b`)

// documentation returns what godoc shows of a package.
func documentation(t *testing.T, dir string) *doc.Package {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	require.NotEmpty(t, files, dir)
	p, err := doc.NewFromFiles(set, files, "github.com/wxpay-go/wxpay/"+dir)
	require.NoError(t, err)
	return p
}

// examplesOf returns the Examples of a package by the names that they stand next to; those of the package itself have none.
func examplesOf(p *doc.Package) map[string][]*doc.Example {
	all := map[string][]*doc.Example{"": p.Examples}
	functions := func(list []*doc.Func, receiver string) {
		for _, f := range list {
			all[receiver+f.Name] = f.Examples
		}
	}
	functions(p.Funcs, "")
	for _, typ := range p.Types {
		all[typ.Name] = typ.Examples
		functions(typ.Funcs, "")
		functions(typ.Methods, typ.Name+".")
	}
	maps.DeleteFunc(all, func(_ string, list []*doc.Example) bool { return len(list) == 0 })
	return all
}
