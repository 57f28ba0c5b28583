package main

import (
	"fmt"
	"slices"
	"strings"
)

// verb is a way to make a call, in a set of verbs.
type verb struct {
	method  string // in upper case
	hasBody bool
}

// name returns the Go name: Get, Post, Put, Patch, Delete.
func (v verb) name() string { return v.method[:1] + strings.ToLower(v.method[1:]) }

// verbs returns the verbs of a node. Every writing method takes a body, for which nil may be passed; DELETE does so
// where the catalogue lists one.
func (n *node) verbs() []verb {
	var list []verb
	for _, operation := range n.operations {
		body := operation.Method != "GET" && operation.Method != "DELETE"
		if operation.Method == "DELETE" && len(operation.In.JSON) > 0 {
			body = true
		}
		list = append(list, verb{operation.Method, body})
	}
	return list
}

// callKind returns the name of the type with the verbs of a node, such as GetPostCall.
func callKind(n *node) string {
	var name strings.Builder
	for _, v := range n.verbs() {
		name.WriteString(v.name())
		if v.method == "DELETE" && v.hasBody {
			name.WriteString("Body")
		}
	}
	return name.String() + "Call"
}

// settings are the methods of Chain that a set of verbs repeats, each returning the set itself.
var settings = []struct{ name, parameters, arguments, doc string }{
	{"Query", "name string, value any", "name, value", "sets a member of the query string; see [wxpay.Chain.Query]."},
	{"Header", "name, value string", "name, value", "sets a request header; see [wxpay.Chain.Header]."},
	{"Timeout", "limit time.Duration", "limit", "bounds this call with all its attempts; see [wxpay.Chain.Timeout]."},
	{"AttemptTimeout", "limit time.Duration", "limit", "bounds each attempt of this call; see [wxpay.Chain.AttemptTimeout]."},
}

// reserved are the names that a child of a node with verbs cannot have. All verbs are in it, whichever the node has, so
// that a verb added to an operation does not rename a segment.
var reserved = func() map[string]bool {
	names := map[string]bool{"Chain": true}
	for _, method := range methods {
		name := verb{method: method}.name()
		names[name], names[name+"Async"] = true, true
	}
	for _, s := range settings {
		names[s.name] = true
	}
	return names
}()

// writeCalls writes one type for each set of verbs that occurs.
func writeCalls(out *source, roots []*node) {
	sets := make(map[string][]verb)
	for _, root := range roots {
		for n := range root.walk() {
			if len(n.operations) > 0 {
				sets[callKind(n)] = n.verbs()
			}
		}
	}
	kinds := make([]string, 0, len(sets))
	for kind := range sets {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	out.head("context", "time", "", "github.com/wxpay-go/wxpay")
	for _, kind := range kinds {
		writeCall(out, kind, sets[kind])
	}
}

func writeCall(out *source, kind string, verbs []verb) {
	names := make([]string, len(verbs))
	for i, v := range verbs {
		names[i] = v.method
	}
	out.printf("\n// %s is a call that can be ended with %s. It is an immutable value.\n", kind, join(names, "or"))
	out.printf("type %s struct{ chain wxpay.Chain }\n", kind)
	for _, v := range verbs {
		parameters, arguments := "ctx context.Context", "ctx"
		if v.hasBody {
			parameters, arguments = parameters+", body any", arguments+", body"
		}
		call, ref := v.name()+"%s("+arguments+")", v.name()
		if v.method == "DELETE" && v.hasBody {
			call, ref = `Do%s(ctx, "DELETE", body)`, "Do"
		}
		does := "makes the call with " + v.method
		if v.hasBody {
			does += " and body, or no body if that is nil"
		}
		out.printf("\n// %s %s; see [wxpay.Chain.%s].\n", v.name(), does, ref)
		out.printf("func (c %s) %s(%s) (*wxpay.Response, error) { return c.chain.%s }\n", kind, v.name(), parameters, fmt.Sprintf(call, ""))
		out.printf("\n// %sAsync is [%s.%s] in the background; see [wxpay.Chain.DoAsync].\n", v.name(), kind, v.name())
		out.printf("func (c %s) %sAsync(%s) *wxpay.Future { return c.chain.%s }\n", kind, v.name(), parameters, fmt.Sprintf(call, "Async"))
	}
	for _, s := range settings {
		out.printf("\n// %s %s\n", s.name, s.doc)
		out.printf("func (c %s) %s(%s) %s { return %s{c.chain.%s(%s)} }\n", kind, s.name, s.parameters, kind, kind, s.name, s.arguments)
	}
	out.printf("\n// Chain returns the same call as a plain chain, which has every verb.\n")
	out.printf("func (c %s) Chain() wxpay.Chain { return c.chain }\n", kind)
}

func join(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}
