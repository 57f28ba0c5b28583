package main

import (
	"iter"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// node is a place in the tree of path segments.
type node struct {
	parent   *node
	segment  string // {name} for a placeholder; empty for a trailing slash, and for a root
	path     string // with its leading slash
	depth    int    // segments in path
	children []*node

	operations []*fact.Operation // operations whose path ends here, by method

	name string // of the method that leads here
	kind string // the Go type
}

func (n *node) isVariable() bool { return strings.HasPrefix(n.segment, "{") }

func (n *node) variable() string { return strings.Trim(n.segment, "{}") }

// hasVariables reports whether the path of n has placeholders.
func (n *node) hasVariables() bool { return strings.Contains(n.path, "{") }

// isLeaf reports that nothing follows n. A leaf has no separate type: it is its set of verbs.
func (n *node) isLeaf() bool { return len(n.children) == 0 }

// walk yields n and everything below it, parents first.
func (n *node) walk() iter.Seq[*node] {
	return func(yield func(*node) bool) { n.visit(yield) }
}

func (n *node) visit(yield func(*node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, child := range n.children {
		if !child.visit(yield) {
			return false
		}
	}
	return true
}
