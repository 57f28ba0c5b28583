package catalog

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

func (n *node) has(segment string) bool {
	_, found := n.search(segment)
	return found || n.value != nil && n.value.has(segment) ||
		slices.ContainsFunc(n.literals, func(child *node) bool { return child.has(segment) })
}

// node is a place in the tree of path segments.
type node struct {
	segment  string
	literals []*node // what may follow literally, sorted by segment
	value    *node   // what follows when the next segment is a value
	// operations are those with a path that ends here, one for each method, the first by name.
	operations []*row[fact.Operation]
}

// add inserts an operation. Of operations with the same shape, the first by name must come first.
func (n *node) add(operation *row[fact.Operation]) {
	for segment := range strings.SplitSeq(operation.name[1:], "/") {
		n = n.child(segment)
	}
	if first := n.operation(operation.method); first != nil {
		for _, other := range first.also {
			other.also = append(other.also, operation)
		}
		operation.also = append(append(operation.also, first), first.also...)
		first.also = append(first.also, operation)
		return
	}
	n.operations = append(n.operations, operation)
}

func (n *node) child(segment string) *node {
	if isPlaceholder(segment) {
		if n.value == nil {
			n.value = &node{segment: segment}
		}
		return n.value
	}
	i, found := n.search(segment)
	if !found {
		n.literals = slices.Insert(n.literals, i, &node{segment: segment})
	}
	return n.literals[i]
}

func (n *node) search(segment string) (int, bool) {
	return slices.BinarySearchFunc(n.literals, segment, func(child *node, segment string) int {
		return strings.Compare(child.segment, segment)
	})
}

func (n *node) operation(method string) *row[fact.Operation] {
	for _, operation := range n.operations {
		if operation.method == method {
			return operation
		}
	}
	return nil
}

// find descends along path, which has no leading slash. It tries the placeholder after a literal
// without result, so it may try two branches for a segment; overlapping templates are few, and the
// tree bounds the depth.
func (n *node) find(method, path string) *row[fact.Operation] {
	segment, rest, more := strings.Cut(path, "/")
	if i, found := n.search(segment); found {
		if operation := n.literals[i].end(method, rest, more); operation != nil {
			return operation
		}
	}
	if n.value != nil && isValue(segment) {
		return n.value.end(method, rest, more)
	}
	return nil
}

func (n *node) end(method, rest string, more bool) *row[fact.Operation] {
	if more {
		return n.find(method, rest)
	}
	return n.operation(method)
}

func isPlaceholder(segment string) bool {
	return len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}'
}

// isValue reports whether a segment fits a placeholder: a placeholder of any name, or a value. A
// value is not empty, not . or .., and has no byte that ends the path or needs percent-encoding.
func isValue(segment string) bool {
	if isPlaceholder(segment) {
		segment = segment[1 : len(segment)-1]
	}
	if segment == "" || segment == "." || segment == ".." {
		return false
	}
	for i := range len(segment) {
		switch c := segment[i]; {
		case c <= ' ', c == 0x7f, c == '?', c == '#', c == '{', c == '}':
			return false
		}
	}
	return true
}
