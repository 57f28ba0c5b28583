package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"iter"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// generate returns the files of package api by name.
func generate(operations iter.Seq[*fact.Operation]) (map[string][]byte, error) {
	roots, err := tree(operations)
	if err != nil {
		return nil, err
	}
	sources := make(map[string]*source)
	open := func(name string) *source {
		s := new(source)
		sources[name] = s
		return s
	}
	writeCalls(open("calls.go"), roots)
	writeWalks(open("walks_test.go"), roots)
	for _, root := range roots {
		for top := range root.tops() {
			writeTop(open(fileName(top.path)), top)
		}
	}
	files := make(map[string][]byte, len(sources))
	for name, s := range sources {
		if files[name], err = format.Source(s.Bytes()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// tops yields the nodes that begin a file: one for each first pair of path segments, as in the
// catalogue's data. The root of a door may itself be such a pair.
func (n *node) tops() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		if n.depth >= 2 {
			yield(n)
			return
		}
		for _, child := range n.children {
			if !yield(child) {
				return
			}
		}
	}
}

// fileName returns v3.pay.go for /v3/pay. The go command looks for a build constraint only before
// the first dot of a name, so it takes no segment for one.
func fileName(path string) string {
	first, second, _ := strings.Cut(path[1:], "/")
	return first + "." + second + ".go"
}

// writeTop writes the step to top, unless it is a root, and everything below it.
func writeTop(out *source, top *node) {
	body := new(source)
	for n := range top.walk() {
		if n.parent != nil {
			writeStep(body, n)
		}
		if n.parent != nil && !n.isLeaf() {
			writeType(body, n)
		}
	}
	if bytes.Contains(body.Bytes(), []byte("wxpay.")) {
		out.head("api", module)
	} else {
		out.head("api")
	}
	out.Write(body.Bytes())
}

// The variables of its path decide the content of a node. Without variables it holds the client:
// the template of its operations is a constant, so a step costs nothing and a set of verbs costs no
// allocation. After a variable it holds a chain with the values, whose path ends at the last
// variable or set of verbs: a branch, which is not a call and prints like one.

func writeType(out *source, n *node) {
	out.printf("\n// %s is %s.\n", n.kind, n.path)
	fields := "client *wxpay.Client"
	switch {
	case len(n.operations) > 0 && n.hasVariables():
		fields = callKind(n)
	case len(n.operations) > 0:
		fields = "\n" + callKind(n) + "\n" + fields + "\n"
	case n.hasVariables():
		fields = "branch"
	}
	out.printf("type %s struct{ %s }\n", n.kind, fields)
}

func writeStep(out *source, n *node) {
	n.comment(out)
	parameters := ""
	if n.isVariable() {
		parameters = argument(n) + " string"
	}
	var value string
	switch {
	case n.isLeaf():
		value = n.kind + "(" + chain(n) + ")"
	case len(n.operations) > 0 && n.hasVariables():
		value = n.kind + "{" + callKind(n) + "(" + chain(n) + ")}"
	case len(n.operations) > 0:
		value = n.kind + "{" + callKind(n) + "(" + chain(n) + "), n.client}"
	case n.isVariable():
		value = n.kind + "{branch(" + chain(n) + ")}"
	case n.hasVariables():
		value = n.kind + "{" + carried(n.parent) + "}"
	default:
		value = n.kind + "{n.client}"
	}
	out.printf("func (n %s) %s(%s) %s {\nreturn %s\n}\n", n.parent.kind, n.name, parameters, n.kind, value)
}

// chain returns the expression of the chain whose path ends at n, for the method of n's parent that
// leads to n.
func chain(n *node) string {
	var text string
	if n.parent.hasVariables() {
		joined := n.parent
		for len(joined.operations) == 0 && !joined.isVariable() {
			joined = joined.parent
		}
		text = fmt.Sprintf("%s.Chain(%q)", values(n.parent), n.path[len(joined.path)+1:])
	} else {
		text = fmt.Sprintf("n.client.Chain(%q)", n.path[1:])
	}
	if n.isVariable() {
		text += fmt.Sprintf(".Var(%q, %s)", n.variable(), argument(n))
	}
	return text
}

// values returns the expression of the chain that a node after a variable holds.
func values(n *node) string {
	if len(n.operations) > 0 {
		return "wxpay.Chain(n." + callKind(n) + ")"
	}
	return "wxpay.Chain(n.branch)"
}

// carried returns the expression of the branch for a child of n that adds no variable.
func carried(n *node) string {
	if len(n.operations) > 0 {
		return "branch(n." + callKind(n) + ")"
	}
	return "n.branch"
}

func argument(n *node) string {
	name := parameter(n.variable())
	if token.IsKeyword(name) || name == "n" {
		name += "_"
	}
	return name
}

// writeWalks writes, for the tests, every path with the expression that leads to it.
func writeWalks(out *source, roots []*node) {
	out.head("api_test", module, module+"/api")
	out.printf("\n// walks holds every path with operations, and the pure chain that leads to it with the values of [value].\n")
	out.printf("var walks = []walk{\n")
	for _, root := range roots {
		for n := range root.walk() {
			if len(n.operations) == 0 {
				continue
			}
			var expression string
			for at := n; at.parent != nil; at = at.parent {
				step := "." + at.name + "()"
				if at.isVariable() {
					step = fmt.Sprintf(".%s(value(%q))", at.name, at.variable())
				}
				expression = step + expression
			}
			out.printf("{%q, func(c *wxpay.Client) any { return api.%s(c)%s }},\n", n.path, root.name, expression)
		}
	}
	out.printf("}\n")
}
