package sandbox

import (
	"net/url"
	"strings"
	"sync"
)

// routes holds every operation that the sandbox knows. Those with state go before those that are documented and no more.
var routes = sync.OnceValue(func() *node {
	root := new(node)
	for _, family := range [][]operation{memberOperations(), payOperations(), combineOperations(), shareOperations(), refundOperations(), transferOperations(), certificateOperations(), securityOperations(), brandOperations(),
		cardOperations(), userCardOperations(), pointOperations(), complaintOperations(), serviceOperations(),
		uploadOperations(), billOperations(), downloadOperations(), receiptOperations(), cannedOperations()} {
		for i := range family {
			root.add(&family[i])
		}
	}
	return root
})

// node is one segment of the path templates. Of a literal segment and a placeholder that both fit, the literal wins.
type node struct {
	literal    map[string]*node
	any        *node                 // the placeholder
	operations map[string]*operation // by method
}

func (n *node) add(o *operation) {
	for segment := range strings.SplitSeq(strings.TrimPrefix(o.Path, "/"), "/") {
		var next *node
		if strings.HasPrefix(segment, "{") {
			if n.any == nil {
				n.any = new(node)
			}
			next = n.any
		} else {
			if next = n.literal[segment]; next == nil {
				if n.literal == nil {
					n.literal = make(map[string]*node)
				}
				next = new(node)
				n.literal[segment] = next
			}
		}
		n = next
	}
	if n.operations == nil {
		n.operations = make(map[string]*operation)
	}
	if n.operations[o.Method] == nil { // the first of those that look alike
		n.operations[o.Method] = o
	}
}

// match is what find found; operation is nil when the path is known with other methods only.
type match struct {
	operation *operation
	values    map[string]string
}

// find looks a path up, which is as on the request line. known reports whether any method has it.
func (n *node) find(method, path string) (found match, known bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return match{}, false
	}
	segments := strings.Split(rest, "/")
	o, known := n.walk(method, segments)
	if o == nil {
		return match{}, known
	}
	found = match{operation: o}
	i := 0
	for template := range strings.SplitSeq(strings.TrimPrefix(o.Path, "/"), "/") {
		if name, ok := strings.CutPrefix(template, "{"); ok {
			if found.values == nil {
				found.values = make(map[string]string, 2)
			}
			found.values[strings.TrimSuffix(name, "}")], _ = url.PathUnescape(segments[i]) // walk accepted it
		}
		i++
	}
	return found, true
}

func (n *node) walk(method string, segments []string) (o *operation, known bool) {
	if len(segments) == 0 {
		return n.operations[method], len(n.operations) > 0
	}
	if next := n.literal[segments[0]]; next != nil {
		if o, known = next.walk(method, segments[1:]); o != nil {
			return o, true
		}
	}
	if n.any != nil && segments[0] != "" {
		if value, err := url.PathUnescape(segments[0]); err == nil && value != "." && value != ".." {
			var also bool
			if o, also = n.any.walk(method, segments[1:]); o != nil {
				return o, true
			}
			known = known || also
		}
	}
	return nil, known
}
