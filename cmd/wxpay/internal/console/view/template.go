package view

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"reflect"
	"strings"
	"text/template/parse"
)

// A pageSet executes templates in the syntax of package text/template, of which the pages need little: fields, variables,
// if, range, with, template, and functions. That package and html/template can call any exported method of a value by its
// name, so a linker keeps all methods of the program, which would be a fifth larger.
//
// Each value is escaped for HTML text and for an attribute in quotes. A value of an address takes the function url or q; a
// test finds one that does not.
type pageSet struct {
	trees map[string]*parse.Tree
	funcs map[string]function
}

// function is a function of templates.
type function func(arguments []any) (any, error)

// HTML is text that is written as it is.
type HTML string

// parsePages parses the templates of files.
func parsePages(files fs.FS, pattern string, funcs map[string]function) (*pageSet, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	known := make(map[string]any, len(funcs))
	for name := range funcs {
		known[name] = true
	}
	set := &pageSet{trees: make(map[string]*parse.Tree), funcs: funcs}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		trees, err := parse.Parse(name, string(text), "", "", known)
		if err != nil {
			return nil, err
		}
		for name, tree := range trees {
			set.trees[name] = tree
		}
	}
	return set, nil
}

// frame is where an execution is.
type frame struct {
	set  *pageSet
	out  *strings.Builder
	vars []variable
}

type variable struct {
	name  string
	value reflect.Value
}

// execute writes a template.
func (s *pageSet) execute(out *strings.Builder, name string, data any) error {
	return s.run(out, name, reflect.ValueOf(data))
}

func (s *pageSet) run(out *strings.Builder, name string, dot reflect.Value) error {
	tree, ok := s.trees[name]
	if !ok {
		return fmt.Errorf("there is no template %q", name)
	}
	f := &frame{set: s, out: out, vars: []variable{{"$", dot}}}
	if err := f.list(dot, tree.Root); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (f *frame) list(dot reflect.Value, list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := f.node(dot, node); err != nil {
			return err
		}
	}
	return nil
}

func (f *frame) node(dot reflect.Value, node parse.Node) error {
	switch n := node.(type) {
	case *parse.TextNode:
		f.out.Write(n.Text)
		return nil
	case *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		value, err := f.pipe(dot, n.Pipe)
		if err != nil || len(n.Pipe.Decl) > 0 {
			return err
		}
		return f.print(value)
	case *parse.IfNode:
		return f.scoped(dot, &n.BranchNode, func(reflect.Value) error { return f.list(dot, n.List) })
	case *parse.WithNode:
		return f.scoped(dot, &n.BranchNode, func(value reflect.Value) error { return f.list(value, n.List) })
	case *parse.RangeNode:
		return f.scoped(dot, &n.BranchNode, func(value reflect.Value) error {
			if value.Kind() != reflect.Slice {
				return fmt.Errorf("%s: range takes a list", n)
			}
			for i := range value.Len() {
				if err := f.list(indirect(value.Index(i)), n.List); err != nil {
					return err
				}
			}
			return nil
		})
	case *parse.TemplateNode:
		value := reflect.Value{}
		if n.Pipe != nil {
			var err error
			if value, err = f.pipe(dot, n.Pipe); err != nil {
				return err
			}
		}
		return f.set.run(f.out, n.Name, value)
	}
	return fmt.Errorf("%s: pages do without this", node)
}

// scoped executes one of the two branches of a node, and drops the variables of the node behind it.
func (f *frame) scoped(dot reflect.Value, n *parse.BranchNode, then func(value reflect.Value) error) error {
	mark := len(f.vars)
	defer func() { f.vars = f.vars[:mark] }()
	value, err := f.pipe(dot, n.Pipe)
	switch {
	case err != nil:
		return err
	case truth(value):
		return then(value)
	}
	return f.list(dot, n.ElseList)
}

// truth reports whether a value is more than the zero of its type.
func truth(v reflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() > 0
	case reflect.Struct:
		return true
	}
	return !v.IsZero()
}

func (f *frame) pipe(dot reflect.Value, pipe *parse.PipeNode) (reflect.Value, error) {
	if len(pipe.Cmds) != 1 {
		return reflect.Value{}, fmt.Errorf("%s: pages do without pipes", pipe)
	}
	value, err := f.command(dot, pipe.Cmds[0])
	if err != nil {
		return value, err
	}
	for _, declared := range pipe.Decl {
		f.vars = append(f.vars, variable{declared.Ident[0], value})
	}
	return value, nil
}

func (f *frame) command(dot reflect.Value, command *parse.CommandNode) (reflect.Value, error) {
	identifier, calls := command.Args[0].(*parse.IdentifierNode)
	if !calls {
		if len(command.Args) > 1 {
			return reflect.Value{}, fmt.Errorf("%s: only functions take arguments", command)
		}
		return f.operand(dot, command.Args[0])
	}
	arguments := make([]any, 0, len(command.Args)-1)
	for _, node := range command.Args[1:] {
		value, err := f.operand(dot, node)
		if err != nil {
			return value, err
		}
		if value.IsValid() {
			arguments = append(arguments, value.Interface())
		} else {
			arguments = append(arguments, nil)
		}
	}
	result, err := f.set.funcs[identifier.Ident](arguments)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%s: %w", command, err)
	}
	return reflect.ValueOf(result), nil
}

func (f *frame) operand(dot reflect.Value, node parse.Node) (reflect.Value, error) {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.FieldNode:
		return field(dot, n.Ident)
	case *parse.VariableNode:
		for i := len(f.vars) - 1; i >= 0; i-- {
			if f.vars[i].name == n.Ident[0] {
				return field(f.vars[i].value, n.Ident[1:])
			}
		}
	case *parse.StringNode:
		return reflect.ValueOf(n.Text), nil
	case *parse.NumberNode:
		if n.IsInt {
			return reflect.ValueOf(int(n.Int64)), nil
		}
	case *parse.PipeNode:
		return f.pipe(dot, n)
	}
	return reflect.Value{}, fmt.Errorf("%s: pages do without this", node)
}

// indirect follows pointers and interfaces.
func indirect(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

// field returns a field of a struct, or of a field of it.
func field(v reflect.Value, names []string) (reflect.Value, error) {
	v = indirect(v)
	for _, name := range names {
		if v.Kind() != reflect.Struct {
			return v, fmt.Errorf("there is no field %s", name)
		}
		of := v.Type()
		if v = indirect(v.FieldByName(name)); !v.IsValid() {
			return v, fmt.Errorf("%s has no field %s", of, name)
		}
	}
	return v, nil
}

// print writes a value, escaped.
func (f *frame) print(v reflect.Value) error {
	if !v.IsValid() {
		return nil
	}
	if v.Type() == reflect.TypeFor[HTML]() {
		f.out.WriteString(v.String())
		return nil
	}
	text, err := plain(v)
	if err == nil {
		f.out.WriteString(html.EscapeString(text))
	}
	return err
}

// plain is a text, a number or a boolean as text. Others have fields to show.
func plain(v reflect.Value) (string, error) {
	switch {
	case v.Kind() == reflect.String:
		return v.String(), nil
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.Kind() == reflect.Bool:
		return fmt.Sprint(v.Interface()), nil
	}
	return "", fmt.Errorf("%s is no text", v.Type())
}

// textArgument returns the only argument of a function as text.
func textArgument(arguments []any) (string, error) {
	if len(arguments) != 1 || arguments[0] == nil {
		return "", errors.New("one argument is wanted")
	}
	return plain(reflect.ValueOf(arguments[0]))
}

// of makes a function of templates of a function of one argument.
func of[From, To any](do func(From) To) function {
	return func(arguments []any) (any, error) {
		if len(arguments) == 1 {
			if v, ok := arguments[0].(From); ok {
				return do(v), nil
			}
		}
		return nil, fmt.Errorf("one %v is wanted", reflect.TypeFor[From]())
	}
}

// equal compares two values by their texts.
func equal(arguments []any) (any, error) {
	if len(arguments) != 2 {
		return nil, errors.New("two arguments are wanted")
	}
	var texts [2]string
	for i, argument := range arguments {
		var err error
		if texts[i], err = plain(reflect.ValueOf(argument)); err != nil {
			return nil, err
		}
	}
	return texts[0] == texts[1], nil
}

// atLeast compares two integers.
func atLeast(arguments []any) (any, error) {
	if len(arguments) == 2 {
		a, b := reflect.ValueOf(arguments[0]), reflect.ValueOf(arguments[1])
		if a.CanInt() && b.CanInt() {
			return a.Int() >= b.Int(), nil
		}
	}
	return nil, errors.New("two integers are wanted")
}

func not(arguments []any) (any, error) {
	return len(arguments) == 1 && !truth(reflect.ValueOf(arguments[0])), nil
}

func either(arguments []any) (any, error) {
	for _, argument := range arguments {
		if truth(reflect.ValueOf(argument)) {
			return true, nil
		}
	}
	return false, nil
}

func length(arguments []any) (any, error) {
	if len(arguments) == 1 {
		if v := reflect.ValueOf(arguments[0]); v.IsValid() && (v.Kind() == reflect.Slice || v.Kind() == reflect.String) {
			return v.Len(), nil
		}
	}
	return nil, errors.New("one list is wanted")
}

// component escapes a part of an address.
func component(arguments []any) (any, error) {
	text, err := textArgument(arguments)
	return url.QueryEscape(text), err
}

// address returns an address that a link may lead to: of this console, or by http. Another one leads nowhere.
func address(arguments []any) (any, error) {
	text, err := textArgument(arguments)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return u.String(), nil
	}
	return Local(text, "#"), nil
}

// Local returns a path of the console, or another one in place of an address elsewhere.
func Local(path, otherwise string) string {
	if u, err := url.Parse(path); err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsAny(path, "\\\r\n\t") {
		return otherwise
	}
	return path
}
