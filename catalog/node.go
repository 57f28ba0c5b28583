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
	// operations are those whose path ends here, one a method, the first by name.
	operations []*row[fact.Operation]
}

// add enters an operation. Of operations that look alike the first by name has to come first.
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

// find goes down along path, which has no leading slash. It returns to the placeholder where a literal leads to nothing,
// so it can look at two ways a segment; templates that overlap are few, and no path is longer than the tree is deep.
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

// isValue says whether a segment can stand for a placeholder: as a placeholder of any name, or as a value. A value is not
// empty and no step to another folder, and has no byte that would end the path or can only be sent percent-encoded.
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
