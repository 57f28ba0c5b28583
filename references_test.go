// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reader follows a doc link of a Go comment, so it leads to something, in every module.
func TestDocLinksResolve(t *testing.T) {
	t.Parallel()
	repository := readSources(t)
	links := 0
	for _, p := range repository.packages {
		imports := map[string]string{p.name: p.path}
		for _, file := range p.files {
			for _, spec := range file.Imports {
				target, err := strconv.Unquote(spec.Path.Value)
				require.NoError(t, err)
				name := path.Base(target)
				if spec.Name != nil {
					name = spec.Name.Name
				}
				imports[name] = target
			}
		}
		reader := comment.Parser{
			LookupPackage: func(name string) (string, bool) {
				target, known := imports[name]
				return target, known
			},
			LookupSym: func(receiver, name string) bool { return p.has(receiver, name) },
		}
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING && strings.Contains(literal.Value, " ") {
					repository.checkProse(t, literal.Pos(), literal.Value)
				}
				return true
			})
			for _, group := range file.Comments {
				repository.checkProse(t, group.Pos(), group.Text())
				where := repository.positions.Position(group.Pos())
				for _, block := range reader.Parse(group.Text()).Content {
					for _, text := range textsOf(block) {
						switch text := text.(type) {
						case comment.Plain:
							for _, match := range looseLink.FindAllStringSubmatch(string(text), -1) {
								t.Errorf("%s: [%s] leads nowhere; the package of another name has to be imported", where, match[1])
							}
						case *comment.DocLink:
							links++
							target := cmp.Or(text.ImportPath, p.path)
							if other := repository.packages[target]; other != nil {
								assert.True(t, text.Name == "" || other.has(text.Recv, text.Name),
									"%s: %s has no %s", where, target, strings.TrimPrefix(text.Recv+"."+text.Name, "."))
							}
						}
					}
				}
			}
		}
	}
	require.Greater(t, links, 500, "too few links were found")
}

// looseLink is what looks like a doc link and was not understood as one: [Name], [Type.Method], [package.Name].
var looseLink = regexp.MustCompile(`(?:^|[^\w*\])])\[\*?((?:[a-z]\w*\.)?[A-Z]\w*[a-z]\w*(?:\.[A-Z]\w*)?)\]`)

// proseName is a name of Go in prose: package.Name, Type.Member, or an option alone.
var proseName = regexp.MustCompile(`\b(?:([a-z]\w*)\.)?([A-Z]\w*)(?:\.([A-Z]\w*))?\b…?`)

// Options begin so, and so do variables of the environment.
var (
	optionName = regexp.MustCompile(`^With[A-Z]`)
	variable   = regexp.MustCompile(`WXPAY_[A-Z0-9_]*[A-Z0-9]`)
)

// checkProse looks for the names that a comment or a message gives without brackets.
func (s *goSources) checkProse(t *testing.T, at token.Pos, text string) {
	for _, match := range proseName.FindAllStringSubmatch(text, -1) {
		qualifier, name, member := match[1], match[2], match[3]
		if strings.HasSuffix(match[0], "…") {
			continue // several
		}
		switch option := qualifier == "" && member == "" && optionName.MatchString(name); {
		case qualifier != "" && !s.isPackage(qualifier), qualifier == "" && !option && (member == "" || !s.isType(name)):
		case !s.has(qualifier, name, member) && !notOurs[match[0]]:
			t.Errorf("%s: nothing is called %s", s.positions.Position(at), match[0])
		}
	}
	if name, ok := s.unknownVariable(text); ok {
		t.Errorf("%s: no program reads %s", s.positions.Position(at), name)
	}
}

// unknownVariable returns the first variable of the environment in a text that no program reads.
func (s *goSources) unknownVariable(text string) (string, bool) {
	for _, name := range variable.FindAllString(text, -1) {
		if !s.variables[name] {
			return name, true
		}
	}
	return "", false
}

// textsOf returns the texts of a block of a comment that are prose.
func textsOf(block comment.Block) (texts []comment.Text) {
	switch block := block.(type) {
	case *comment.Paragraph:
		return block.Text
	case *comment.Heading:
		return block.Text
	case *comment.List:
		for _, item := range block.Items {
			for _, inner := range item.Content {
				texts = append(texts, textsOf(inner)...)
			}
		}
	}
	return texts
}

// What stands in back-ticks in the pages is there, and their links lead somewhere.
func TestPagesResolve(t *testing.T) {
	t.Parallel()
	repository := readSources(t)
	program := buildProgram(t)
	spans := 0
	for _, page := range repository.pages {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		text := lineBreak.ReplaceAllString(fences.ReplaceAllString(string(raw), ""), "$1 $2")
		for _, link := range pageLink.FindAllStringSubmatch(text, -1) {
			if err := repository.checkLink(page, link[1]); err != nil {
				t.Errorf("%s: (%s) %v", page, link[1], err)
			}
		}
		for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
			spans++
			var err error
			switch words := strings.Fields(span[1]); {
			case len(words) == 0 || notOurs[span[1]]:
			case words[0] == "wxpay" && len(words) > 1:
				err = program.check(words[1:])
			default:
				err = repository.checkSpan(page, span[1])
			}
			if err != nil {
				t.Errorf("%s: `%s`: %v", page, span[1], err)
			}
		}
	}
	require.Greater(t, spans, 500, "too few code spans were found")
}

// Each promise of SECURITY.md names tests that hold it.
func TestPromisesNameTests(t *testing.T) {
	t.Parallel()
	tests := readSources(t).tests
	text, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "\n## Promises\n")
	section, _, found := strings.Cut(rest, "\n## ")
	require.True(t, found)
	promises := strings.Split(section, "\n- ")[1:]
	require.Greater(t, len(promises), 5)
	for _, promise := range promises {
		named := testName.FindAllStringSubmatch(promise, -1)
		assert.NotEmpty(t, named, "no test holds: %s", promise)
		for _, name := range named {
			assert.True(t, tests[name[1]], "there is no %s", name[1])
		}
	}
}

var testName = regexp.MustCompile("`(Test\\w+)`")

var (
	fences = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	// lineBreak is one inside a paragraph: a code span may go on after it.
	lineBreak = regexp.MustCompile(`([^\n]) *\n *([^\n])`)
	pageLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")

	goName    = regexp.MustCompile(`^\*?(?:([a-z]\w*)\.)?([A-Z]\w*)(?:\.([A-Z]\w*))?(?:\(.*\)|\{.*\}|\[.*\])?$`)
	capitals  = regexp.MustCompile(`^[A-Z0-9_]+$`)
	notPublic = regexp.MustCompile(`/(internal|cmd|bench|examples|conformance)(/|$)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// notOurs are names of others.
var notOurs = map[string]bool{
	"log.SetOutput": true, "WithAttrs": true, "WithGroup": true, // of the standard library
	"MaxAge": true, // of JetStream
	// Of web frameworks.
	"ShouldBindJSON": true, "ShouldBindBodyWith": true, "middleware.BodyDump": true, "c.Request.ResetBody": true,
	"c.BindJSON": true, "httpx.ParseJsonBody": true, "khttp.DefaultRequestDecoder": true, "c.Body()": true,
	"c.BodyRaw()": true, "RestConf.Timeout": true,
	// Of the libraries that people move from.
	"core.NewClient(ctx, option.WithWechatPayPublicKeyAuthCipher(…))": true, "core.Int64(1)": true,
	`core.IsAPIError(err, "ORDER_NOT_EXIST")`: true, "notify.NewRSANotifyHandler": true, "ParseNotifyRequest": true,
	"downloader.MgrInstance()": true, "wechat.NewClientV3(mchid, serial, apiV3Key, privateKey)": true, "AutoVerifySign": true,
	"gopay.BodyMap": true, "V3ParseNotify": true, "V3EncryptText": true, "RequestException": true,
	"option.WithWechatPayAutoAuthCipher(…)": true, "utils.LoadPrivateKeyWithPath(path)": true, "WithoutValidator": true,
	"jsapi.JsapiApiService.PrepayWithRequestPayment": true, "QueryOrderByOutTradeNo": true, "CloseOrder": true,
	"refunddomestic.RefundsApiService.Create": true, "profitsharing.OrdersApiService.CreateOrder": true,
	"fileuploader.ImageUploader.Upload": true, "WithHTTPClient": true, "AutoVerifySignByPublicKey": true,
	"wxRsp.ErrResponse.Code": true, "VerifySignByPKMap": true, "V3BillTradeBill": true, "V3BillDownLoadBill": true,
	"V3TransactionNative(ctx, bm)": true, "V3TransactionQueryOrder(ctx, wechat.OutTradeNo, number)": true,
	"V3TransactionCloseOrder(ctx, number)": true, "V3Refund(ctx, bm)": true, "V3RefundQuery(ctx, number, bm)": true,
	"V3TransferBills(ctx, bm)": true, "V3ProfitShareOrder(ctx, bm)": true, "V3MediaUploadImage(ctx, name, sha256, file)": true,
	"PaySignOfJSAPI": true, "PaySignOfApplet": true, "PaySignOfApp": true,
}

// goSources is the Go of every module, and the pages.
type goSources struct {
	positions *token.FileSet
	packages  map[string]*sourcePackage // by import path
	files     map[string]bool           // every file and folder, from the root
	pages     []string
	variables map[string]bool // WXPAY_… of string literals
	tests     map[string]bool // names of test functions
}

// sourcePackage is the files of a package outside its tests, for every operating system.
type sourcePackage struct {
	path, name string
	files      []*ast.File
	names      map[string]bool // Name, Type.Method, Type.Field
}

func (p *sourcePackage) has(receiver, name string) bool {
	return p.names[strings.TrimPrefix(receiver+"."+name, ".")]
}

// readSources returns them; nobody may change them.
func readSources(t *testing.T) *goSources {
	t.Helper()
	s, err := sources()
	require.NoError(t, err)
	require.Greater(t, len(s.packages), 20, "too few packages were found")
	require.Greater(t, len(s.pages), 8, "too few pages were found")
	return s
}

var sources = sync.OnceValues(func() (*goSources, error) {
	s := &goSources{
		positions: token.NewFileSet(), packages: map[string]*sourcePackage{},
		files: map[string]bool{}, variables: map[string]bool{}, tests: map[string]bool{},
	}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() && slices.Contains([]string{".git", "node_modules", ".pages", "dist"}, path.Base(name)) {
			return filepath.SkipDir // what git or npm put there, or the build of the manual
		}
		s.files[name] = true
		switch {
		case strings.Contains(name, "testdata/") && name != "testdata/vectors/README.md":
		case strings.HasSuffix(name, ".go"):
			return s.add(name)
		case strings.HasSuffix(name, ".md") && !strings.HasPrefix(path.Base(name), "CHANGELOG."):
			s.pages = append(s.pages, name)
		}
		return nil
	})
	return s, err
})

func (s *goSources) add(name string) error {
	file, err := parser.ParseFile(s.positions, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if value, err := strconv.Unquote(literal.Value); err == nil && variable.FindString(value) == value {
				s.variables[value] = true
			}
		}
		return true
	})
	if strings.HasSuffix(name, "_test.go") {
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				s.tests[function.Name.Name] = true
			}
		}
		return nil
	}
	importPath := path.Join(module, path.Dir(name))
	p := s.packages[importPath]
	if p == nil {
		p = &sourcePackage{path: importPath, name: file.Name.Name, names: map[string]bool{}}
		s.packages[importPath] = p
	}
	p.files = append(p.files, file)
	for _, declaration := range file.Decls {
		p.declare(declaration)
	}
	return nil
}

func (p *sourcePackage) declare(declaration ast.Decl) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		name := declaration.Name.Name
		if declaration.Recv != nil {
			name = baseName(declaration.Recv.List[0].Type) + "." + name
		}
		p.names[name] = true
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					p.names[name.Name] = true
				}
			case *ast.TypeSpec:
				p.names[spec.Name.Name] = true
				var fields *ast.FieldList
				switch body := spec.Type.(type) {
				case *ast.StructType:
					fields = body.Fields
				case *ast.InterfaceType:
					fields = body.Methods
				default:
					continue
				}
				for _, field := range fields.List {
					for _, name := range field.Names {
						p.names[spec.Name.Name+"."+name.Name] = true
					}
					if len(field.Names) == 0 {
						p.names[spec.Name.Name+"."+baseName(field.Type)] = true
					}
				}
			}
		}
	}
}

// baseName returns the name of a type without its pointer, package and type arguments.
func baseName(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.StarExpr:
		return baseName(expression.X)
	case *ast.IndexExpr:
		return baseName(expression.X)
	case *ast.IndexListExpr:
		return baseName(expression.X)
	case *ast.SelectorExpr:
		return expression.Sel.Name
	case *ast.Ident:
		return expression.Name
	}
	return ""
}

// checkLink looks for the file, and for the heading in it, to which a link of a page leads.
func (s *goSources) checkLink(page, link string) error {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return nil
	}
	file, anchor, _ := strings.Cut(link, "#")
	if file = path.Join(path.Dir(page), file); strings.HasPrefix(link, "#") {
		file = page
	}
	if strings.HasPrefix(page, "docs-site/") && strings.HasPrefix(link, "/") {
		return nil // a page that the site's build makes, where every link is checked
	}
	if !s.files[file] {
		return fmt.Errorf("there is no file %s", file)
	}
	if anchor == "" {
		return nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, line := range heading.FindAllStringSubmatch(fences.ReplaceAllString(string(raw), ""), -1) {
		if anchorOf(line[1]) == anchor {
			return nil
		}
	}
	return fmt.Errorf("%s has no heading #%s", file, anchor)
}

// anchorOf returns the anchor that GitHub gives a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
			return r
		}
		return -1
	}, strings.ToLower(strings.TrimSpace(heading)))
}

// checkSpan looks for what stands in back-ticks: a file of the repository, a variable of the environment or a name of Go.
func (s *goSources) checkSpan(page, span string) error {
	if name, ok := s.unknownVariable(span); ok {
		return fmt.Errorf("no program reads %s", name)
	}
	if file, isFile := s.fileOf(span); isFile {
		if s.files[file] || s.files[path.Join(path.Dir(page), file)] || s.anywhere(file) {
			return nil
		}
		return fmt.Errorf("there is no such file")
	}
	match := goName.FindStringSubmatch(span)
	if match == nil || match[1] == "" && match[3] == "" && capitals.MatchString(match[2]) {
		return nil
	}
	qualifier, name, member := match[1], match[2], match[3]
	switch {
	case s.has(qualifier, name, member), s.tests[name]:
		return nil
	case s.isPackage(qualifier):
		return fmt.Errorf("package %s has no %s", qualifier, strings.Trim(name+"."+member, "."))
	case qualifier != "" && member != "" && s.isMember(name) && s.isMember(member): // of a variable's field
		return nil
	case member != "":
		return fmt.Errorf("no type %s has a %s", name, member)
	case !s.isMember(name): // of a variable
		return fmt.Errorf("nothing is called so")
	}
	return nil
}

// has reports whether there is Name, Type.Member, or either of them in the package of a name, which may be empty.
func (s *goSources) has(qualifier, name, member string) bool {
	receiver := ""
	if member != "" {
		receiver, name = name, member
	}
	for _, p := range s.packages {
		if (qualifier == "" || qualifier == p.name) && p.has(receiver, name) {
			return true
		}
	}
	return false
}

// isPackage reports whether a package that others may import has that name.
func (s *goSources) isPackage(name string) bool {
	for _, p := range s.packages {
		if p.name == name && !notPublic.MatchString(p.path) {
			return true
		}
	}
	return false
}

// isMember reports whether some type has a method or field of that name.
func (s *goSources) isMember(name string) bool {
	for _, p := range s.packages {
		for known := range p.names {
			if strings.HasSuffix(known, "."+name) {
				return true
			}
		}
	}
	return false
}

// isType reports whether some type has that name and members.
func (s *goSources) isType(name string) bool {
	for _, p := range s.packages {
		for known := range p.names {
			if strings.HasPrefix(known, name+".") {
				return true
			}
		}
	}
	return false
}

// fileOf reports whether a span names a file or folder of the repository.
func (s *goSources) fileOf(span string) (string, bool) {
	if strings.ContainsAny(span, " <>*…{}()=:") || strings.HasPrefix(span, "/") || strings.HasPrefix(span, "-") {
		return "", false
	}
	file := strings.TrimSuffix(strings.TrimPrefix(span, "./"), "/")
	first, _, deeper := strings.Cut(file, "/")
	return file, strings.HasSuffix(file, ".go") || strings.HasSuffix(file, ".md") || s.files[first] && (deeper || strings.HasSuffix(span, "/"))
}

// anywhere reports whether a file of that name is in some folder: a page may name it without.
func (s *goSources) anywhere(file string) bool {
	for name := range s.files {
		if strings.HasSuffix(name, "/"+file) {
			return true
		}
	}
	return false
}

// commandProgram is the program wxpay, asked for its help.
type commandProgram struct {
	name string
	help map[string]string // by command
}

func buildProgram(t *testing.T) *commandProgram {
	t.Helper()
	p := &commandProgram{name: filepath.Join(t.TempDir(), "wxpay"), help: map[string]string{}}
	build := exec.Command("go", "build", "-o", p.name, ".")
	build.Dir = "cmd/wxpay"
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return p
}

// check looks for a command, and for the options that are named with it.
func (p *commandProgram) check(words []string) error {
	var command []string
	for _, word := range words {
		if !commandWord.MatchString(word) {
			break
		}
		command = append(command, word)
	}
	var help string
	for len(command) > 0 { // the last words may be arguments
		id := strings.Join(command, " ")
		text, asked := p.help[id]
		if !asked {
			out, err := exec.Command(p.name, append(slices.Clone(command), "--help")...).CombinedOutput()
			if text = string(out); err != nil {
				text = ""
			}
			p.help[id] = text
		}
		if help = text; help != "" {
			break
		}
		command = command[:len(command)-1]
	}
	if help == "" {
		return fmt.Errorf("there is no such command")
	}
	for _, word := range words {
		if option := optionWord.FindString(word); option != "" && !strings.Contains(help, option) {
			return fmt.Errorf("wxpay %s has no %s", strings.Join(command, " "), option)
		}
		if word == "--" {
			break
		}
	}
	return nil
}

var (
	commandWord = regexp.MustCompile(`^[a-z][a-z-]*$`)
	optionWord  = regexp.MustCompile(`^--[a-z][a-z-]*`)
)
