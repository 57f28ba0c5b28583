// Package exported lists what a module exports, one line for each name, in the manner of the api directory of Go. Parameter
// names and the values of constants are left out: no caller's code depends on the first, and versions would change the second.
package exported

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// host is the part of package paths that all lines would share.
const host = "github.com/wxpay-go/"

// Names returns the sorted lines of the module in dir: of each package that others can import, "pkg path, declaration".
func Names(dir string) ([]string, error) {
	packages, err := list(dir, "-deps", "-json=ImportPath,Name,Dir,GoFiles,Standard,DepOnly", "./...")
	if err != nil {
		return nil, err
	}
	r := &reader{positions: token.NewFileSet(), listed: make(map[string]listed), known: make(map[string]*types.Package)}
	var public, standard []string
	for _, p := range packages {
		r.listed[p.ImportPath] = p
		switch {
		case p.Standard:
			standard = append(standard, p.ImportPath)
		case !p.DepOnly && p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal"):
			public = append(public, p.ImportPath)
		}
	}
	exports := make(map[string]string)
	if len(standard) > 0 { // otherwise go list would take the folder that it stands in
		packages, err := list(dir, append([]string{"-export", "-json=ImportPath,Export"}, standard...)...)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			exports[p.ImportPath] = p.Export
		}
	}
	r.standard = importer.ForCompiler(r.positions, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var lines []string
	for _, path := range public {
		p, err := r.Import(path)
		if err != nil {
			return nil, err
		}
		for _, line := range declarations(p) {
			lines = append(lines, "pkg "+strings.TrimPrefix(path, host)+", "+line)
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// listed is a package as go list shows it.
type listed struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
	Standard, DepOnly             bool
}

func list(dir string, args ...string) (packages []listed, err error) {
	command := exec.Command("go", append([]string{"list"}, args...)...)
	command.Dir = dir
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w\n%s", dir, err, &stderr)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// A reader imports packages from their source, without the bodies of functions, and the standard library as it is compiled.
// To compile the others, too, would take a minute: a queue server is among them.
type reader struct {
	positions *token.FileSet
	standard  types.Importer
	listed    map[string]listed
	known     map[string]*types.Package
}

// Import returns a package.
func (r *reader) Import(path string) (*types.Package, error) {
	p, ok := r.listed[path]
	if p.Standard || !ok { // or package unsafe
		return r.standard.Import(path)
	}
	if known := r.known[path]; known != nil {
		return known, nil
	}
	files := make([]*ast.File, len(p.GoFiles))
	for i, name := range p.GoFiles {
		var err error
		if files[i], err = parser.ParseFile(r.positions, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution); err != nil {
			return nil, err
		}
	}
	of, err := (&types.Config{Importer: r, IgnoreFuncBodies: true}).Check(path, r.positions, files, nil)
	if err != nil {
		return nil, err
	}
	r.known[path] = of
	return of, nil
}

// declarations returns a line for each exported name of the package.
func declarations(p *types.Package) []string {
	w := &writer{of: p}
	for _, name := range p.Scope().Names() {
		if object := p.Scope().Lookup(name); object.Exported() {
			w.object(object)
		}
	}
	return w.lines
}

type writer struct {
	of    *types.Package
	lines []string
}

func (w *writer) add(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *writer) object(object types.Object) {
	switch object := object.(type) {
	case *types.Const:
		w.add("const %s %s", object.Name(), w.text(object.Type()))
	case *types.Var:
		w.add("var %s %s", object.Name(), w.text(object.Type()))
	case *types.Func:
		w.add("func %s%s", object.Name(), w.signature(object.Signature()))
	case *types.TypeName:
		w.typeName(object)
	}
}

func (w *writer) typeName(object *types.TypeName) {
	if object.IsAlias() {
		w.add("type %s = %s", object.Name(), w.text(types.Unalias(object.Type())))
		return
	}
	named := object.Type().(*types.Named)
	name := object.Name() + w.parameters(named.TypeParams())
	switch under := named.Underlying().(type) {
	case *types.Struct:
		w.add("type %s struct", name)
		for field := range under.Fields() {
			switch {
			case field.Exported() && field.Embedded():
				w.add("type %s struct, embedded %s", name, w.text(field.Type()))
			case field.Exported():
				w.add("type %s struct, %s %s", name, field.Name(), w.text(field.Type()))
			}
		}
	case *types.Interface:
		w.add("type %s interface", name)
		for method := range under.Methods() {
			if method.Exported() {
				w.add("type %s interface, %s%s", name, method.Name(), w.signature(method.Signature()))
			} else {
				w.add("type %s interface, unexported methods", name)
			}
		}
	default:
		w.add("type %s %s", name, w.text(under))
	}
	for method := range named.Methods() {
		if !method.Exported() {
			continue
		}
		receiver := object.Name()
		if _, pointer := method.Signature().Recv().Type().(*types.Pointer); pointer {
			receiver = "*" + receiver
		}
		w.add("method (%s) %s%s", receiver, method.Name(), w.signature(method.Signature()))
	}
}

// parameters returns the list of type parameters in brackets, or nothing.
func (w *writer) parameters(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var parts []string
	for p := range list.TypeParams() {
		parts = append(parts, p.Obj().Name()+" "+w.text(p.Constraint()))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (w *writer) signature(s *types.Signature) string {
	return w.parameters(s.TypeParams()) + strings.TrimPrefix(w.text(s), "func")
}

// text returns the type as it is written in the package itself, with package names elsewhere.
func (w *writer) text(t types.Type) string {
	return types.TypeString(nameless(t), func(p *types.Package) string {
		if p == w.of {
			return ""
		}
		return p.Name()
	})
}

// nameless returns the type without the names of parameters, where it is a function or a slice of functions.
func nameless(t types.Type) types.Type {
	if list, ok := t.(*types.Slice); ok {
		return types.NewSlice(nameless(list.Elem()))
	}
	s, ok := t.(*types.Signature)
	if !ok {
		return t
	}
	tuple := func(old *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range old.Variables() {
			vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), "", nameless(v.Type())))
		}
		return types.NewTuple(vars...)
	}
	return types.NewSignatureType(nil, nil, nil, tuple(s.Params()), tuple(s.Results()), s.Variadic())
}
