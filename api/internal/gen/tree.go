package main

import (
	"fmt"
	"go/token"
	"iter"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/gosource"
)

// door is a function of package api that begins a chain. Its root type is hand-written, in
// doors.go.
type door struct{ name, prefix string }

var doors = []door{{"V3", "/v3"}, {"HK", "/hk/v3"}, {"Global", "/global/v3"}, {"Invoicing", "/invoicing"}, {"Brand", "/brand"}}

// methods are the HTTP methods in the order of the catalogue.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// tree enters every operation below its door and chooses the names.
func tree(operations iter.Seq[*fact.Operation]) ([]*node, error) {
	roots := make([]*node, len(doors))
	for i, d := range doors {
		roots[i] = &node{path: d.prefix, depth: strings.Count(d.prefix, "/"), name: d.name, kind: d.name + "Root"}
	}
	for operation := range operations {
		i := slices.IndexFunc(doors, func(d door) bool { return strings.HasPrefix(operation.Path, d.prefix+"/") })
		if i < 0 {
			return nil, fmt.Errorf("%s %s is below no door: add one to the table of doors", operation.Method, operation.Path)
		}
		if !slices.Contains(methods, operation.Method) {
			return nil, fmt.Errorf("%s %s: there is no verb for this method", operation.Method, operation.Path)
		}
		n := roots[i]
		for segment := range strings.SplitSeq(operation.Path[len(n.path)+1:], "/") {
			n = n.child(segment)
		}
		n.operations = append(n.operations, operation)
	}
	kinds := make(map[string]string)
	for _, root := range roots {
		kinds[root.kind] = root.path
		if root.isLeaf() {
			return nil, fmt.Errorf("no operation is below %s", root.path)
		}
		for n := range root.walk() {
			if err := n.sort(); err != nil {
				return nil, err
			}
		}
		if err := root.settle(kinds); err != nil {
			return nil, err
		}
	}
	return roots, nil
}

func (n *node) child(segment string) *node {
	for _, child := range n.children {
		if child.segment == segment {
			return child
		}
	}
	child := &node{parent: n, segment: segment, path: n.path + "/" + segment, depth: n.depth + 1}
	n.children = append(n.children, child)
	return child
}

func (n *node) sort() error {
	slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(a.segment, b.segment) })
	slices.SortFunc(n.operations, func(a, b *fact.Operation) int {
		return slices.Index(methods, a.Method) - slices.Index(methods, b.Method)
	})
	for i, operation := range n.operations[min(1, len(n.operations)):] {
		if n.operations[i].Method == operation.Method {
			return fmt.Errorf("%s %s is listed twice", operation.Method, operation.Path)
		}
	}
	return nil
}

// settle names everything below n. kinds holds the path of every type named so far.
func (n *node) settle(kinds map[string]string) error {
	prefix := n.kind
	if n.parent == nil {
		prefix = n.name
	}
	plain := make(map[string]int)
	for _, child := range n.children {
		plain[exported(child.variable())]++
	}
	taken := make(map[string]string)
	for _, child := range n.children {
		child.name = exported(child.variable())
		if plain[child.name] > 1 && !child.isVariable() && strings.Contains(child.segment, "_") {
			child.name = strings.Join(gosource.Words(child.segment), "_")
		}
		if len(n.operations) > 0 && reserved[child.name] {
			child.name += "Segment"
		}
		if !token.IsIdentifier(child.name) {
			return fmt.Errorf("%s: %s is not a Go name", child.path, child.name)
		}
		if child.segment == "" && n.hasVariables() {
			return fmt.Errorf("%s: there is no rule for a slash after the last placeholder", child.path)
		}
		if other, ok := taken[child.name]; ok {
			return fmt.Errorf("%s and %s would both be called %s: they need a rule", other, child.path, child.name)
		}
		taken[child.name] = child.path
		if child.isLeaf() {
			child.kind = callKind(child)
			continue
		}
		child.kind = prefix + child.name
		if other, ok := kinds[child.kind]; ok {
			return fmt.Errorf("the types of %s and %s would both be called %s: they need a rule", other, child.path, child.kind)
		}
		kinds[child.kind] = child.path
	}
	for _, child := range n.children {
		if err := child.settle(kinds); err != nil {
			return err
		}
	}
	return nil
}
