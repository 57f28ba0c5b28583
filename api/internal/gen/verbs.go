package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// verb is a way to make a call, in a set of verbs.
type verb struct {
	method  string // in upper case
	hasBody bool
	upload  bool // sends a file
	file    bool // answers with one
}

// name returns the Go name: Get, Post, Put, Patch, Delete, Upload or Download.
func (v verb) name() string {
	switch {
	case v.upload:
		return "Upload"
	case v.file:
		return "Download"
	}
	return v.method[:1] + strings.ToLower(v.method[1:])
}

// verbs returns the verbs of a node. Every writing method takes a body, for which nil may be passed; DELETE does so
// where the catalogue lists one. An operation that takes a form is called with Upload, and one that answers with a file
// with Download too.
func (n *node) verbs() []verb {
	var list []verb
	for _, operation := range n.operations {
		body := operation.Method != "GET" && operation.Method != "DELETE"
		if operation.Method == "DELETE" && len(operation.In.JSON) > 0 {
			body = true
		}
		list = append(list, verb{method: operation.Method, hasBody: body, upload: len(operation.In.Form) > 0})
		if operation.Answer == fact.StreamAnswer {
			list = append(list, verb{method: operation.Method, file: true})
		}
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
	{"Encrypt", "pointer string", "pointer", "has a member encrypted, whatever the catalogue says; see [wxpay.Chain.Encrypt]."},
	{"Plain", "pointer string", "pointer", "leaves a member as it is; see [wxpay.Chain.Plain]."},
	{"Repeatable", "", "", "vouches that the call may be sent again; see [wxpay.Chain.Repeatable]."},
	{"Unbind", "", "", "takes the answer as it is, whatever it repeats of the call; see [wxpay.Chain.Unbind]."},
}

// reserved are the names that a child of a node with verbs cannot have. All verbs are in it, whichever the node has: a
// Delete that does not delete would mislead, and a verb that an operation gains must not rename a segment.
var reserved = func() map[string]bool {
	names := map[string]bool{"Chain": true, "Format": true, "MarshalText": true}
	for _, method := range methods {
		name := verb{method: method}.name()
		names[name], names[name+"Async"] = true, true
	}
	names["Upload"], names["UploadAsync"], names["Download"] = true, true, true
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
	out.head("api", "context", "fmt", "io", "time", "", module)
	out.printf("\n// branch is a chain that ends at no operation.\n")
	out.printf("type branch wxpay.Chain\n")
	writePrinting(out, "branch")
	for _, kind := range kinds {
		writeCall(out, kind, sets[kind])
	}
}

func writeCall(out *source, kind string, verbs []verb) {
	names := make([]string, len(verbs))
	for i, v := range verbs {
		if names[i] = v.method; v.upload || v.file {
			names[i] = v.name()
		}
	}
	out.printf("\n// %s is a call that can be ended with %s. It is an immutable value.\n", kind, join(names, "or"))
	out.printf("type %s wxpay.Chain\n", kind)
	for _, v := range verbs {
		if v.upload {
			out.printf("\n// Upload sends a file; see [wxpay.Chain.Upload].\n")
			out.printf("func (c %s) Upload(ctx context.Context, file wxpay.File) (*wxpay.Response, error) { return wxpay.Chain(c).Upload(ctx, file) }\n", kind)
			out.printf("\n// UploadAsync is [%s.Upload] in the background; see [wxpay.Chain.UploadAsync].\n", kind)
			out.printf("func (c %s) UploadAsync(ctx context.Context, file wxpay.File) *wxpay.Future { return wxpay.Chain(c).UploadAsync(ctx, file) }\n", kind)
			continue
		}
		if v.file {
			out.printf("\n// Download writes the file that is answered to w; see [wxpay.Chain.Download].\n")
			out.printf("func (c %s) Download(ctx context.Context, w io.Writer, options ...wxpay.DownloadOption) (*wxpay.Downloaded, error) {\n"+
				"return wxpay.Chain(c).Download(ctx, w, options...)\n}\n", kind)
			continue
		}
		parameters, body := "ctx context.Context", "nil"
		if v.hasBody {
			parameters, body = parameters+", body any", "body"
		}
		// Do is called rather than the verb of Chain so that the compiler puts the call in place: then a program is no
		// larger than with a plain chain.
		arguments := fmt.Sprintf("(ctx, %q, %s)", v.method, body)
		does := "makes the call with " + v.method
		if v.hasBody {
			does += " and body, or no body if that is nil"
		}
		out.printf("\n// %s %s; see [wxpay.Chain.Do].\n", v.name(), does)
		out.printf("func (c %s) %s(%s) (*wxpay.Response, error) { return wxpay.Chain(c).Do%s }\n",
			kind, v.name(), parameters, arguments)
		out.printf("\n// %sAsync is [%s.%s] in the background; see [wxpay.Chain.DoAsync].\n", v.name(), kind, v.name())
		out.printf("func (c %s) %sAsync(%s) *wxpay.Future { return wxpay.Chain(c).DoAsync%s }\n",
			kind, v.name(), parameters, arguments)
	}
	for _, s := range settings {
		out.printf("\n// %s %s\n", s.name, s.doc)
		out.printf("func (c %s) %s(%s) %s { return %s(wxpay.Chain(c).%s(%s)) }\n",
			kind, s.name, s.parameters, kind, kind, s.name, s.arguments)
	}
	out.printf("\n// Chain returns the same call as a plain chain, which has every verb, Pages, Each and Ensure.\n")
	out.printf("func (c %s) Chain() wxpay.Chain { return wxpay.Chain(c) }\n", kind)
	writePrinting(out, kind)
}

func writePrinting(out *source, kind string) {
	out.printf("\n// Format prints the path, without values, under every verb.\n")
	out.printf("func (c %s) Format(s fmt.State, verb rune) { wxpay.Chain(c).Format(s, verb) }\n", kind)
	out.printf("\n// MarshalText gives encodings what Format prints.\n")
	out.printf("func (c %s) MarshalText() ([]byte, error) { return wxpay.Chain(c).MarshalText() }\n", kind)
}

func join(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}
