package main

import (
	"fmt"
	"slices"
	"strings"
)

// method is a method of Chain that a set of verbs repeats.
type method struct {
	name, parameters string
	results          string // empty for a setting, which returns the set itself
	call             string // of the method of Chain
	doc              string // continues after the name
}

// methodsOf returns the methods of an ability.
func methodsOf(ability string) []method {
	name, body := strings.CutSuffix(ability, "Body")
	switch ability {
	case "Get", "Delete", "Post", "Put", "Patch", "DeleteBody":
		parameters, argument, does := "ctx context.Context", "nil", "makes the call with "+strings.ToUpper(name)
		if body || ability[0] == 'P' {
			parameters, argument, does = parameters+", body any", "body", does+" and body, or without a body if body is nil"
		}
		// The method calls Do rather than the verb of Chain, so that the compiler inlines it: a
		// program is then no larger than with a plain chain.
		arguments := fmt.Sprintf("(ctx, %q, %s)", strings.ToUpper(name), argument)
		return []method{
			{name, parameters, "(*wxpay.Response, error)", "Do" + arguments, does + "; see [wxpay.Chain.Do]."},
			{name + "Async", parameters, "*wxpay.Future", "DoAsync" + arguments, "is " + name + " in the background; see [wxpay.Chain.DoAsync]."},
		}
	case "Upload":
		return []method{
			{"Upload", "ctx context.Context, file wxpay.File", "(*wxpay.Response, error)", "Upload(ctx, file)", "sends a file; see [wxpay.Chain.Upload]."},
			{"UploadAsync", "ctx context.Context, file wxpay.File", "*wxpay.Future", "UploadAsync(ctx, file)", "is Upload in the background; see [wxpay.Chain.UploadAsync]."},
		}
	case "Each":
		return []method{
			{"Each", "ctx context.Context, path string", "iter.Seq2[wxpay.Result, error]", "Each(ctx, path)", "reads the list at path, over all of its pages; see [wxpay.Chain.Each]."},
			{"Pages", "ctx context.Context", "iter.Seq2[*wxpay.Response, error]", "Pages(ctx)", "reads the list page by page; see [wxpay.Chain.Pages]."},
			{"Paging", "paging wxpay.Paging", "", "Paging(paging)", "sets the paging of the list, in place of the catalogue; see [wxpay.Chain.Paging]."},
		}
	case "Download":
		return []method{
			{"Download", "ctx context.Context, w io.Writer, options ...wxpay.DownloadOption", "(*wxpay.DownloadResult, error)", "Download(ctx, w, options...)", "writes the file in the response to w; see [wxpay.Chain.Download]."},
		}
	case "Bill":
		return []method{
			{"Bill", "ctx context.Context, options ...wxpay.DownloadOption", "(*wxpay.Bill, error)", "Bill(ctx, options...)", "gets the bill once it is made and verified; see [wxpay.Chain.Bill]."},
			{"BillTo", "ctx context.Context, w io.Writer, options ...wxpay.DownloadOption", "(*wxpay.DownloadResult, error)", "BillTo(ctx, w, options...)", "writes the bill to w; see [wxpay.Chain.BillTo]."},
		}
	case "Receipt":
		return []method{
			{"Receipt", "ctx context.Context, w io.Writer, options ...wxpay.DownloadOption", "(*wxpay.DownloadResult, error)", "Receipt(ctx, w, options...)", "writes the receipt to w, once it is made; see [wxpay.Chain.Receipt]."},
		}
	case "Ensure":
		return []method{
			{"Ensure", "ctx context.Context, body any", "(*wxpay.Verdict, error)", "Ensure(ctx, body)", "makes the call and finds out what became of it; see [wxpay.Chain.Ensure]."},
			{"OnUnknown", "policy wxpay.UnknownPolicy", "", "OnUnknown(policy)", "overrides the policy of Ensure for an unknown outcome; see [wxpay.Chain.OnUnknown]."},
			{"Stepwise", "", "", "Stepwise()", "makes Ensure return instead of waiting for its next step; see [wxpay.Chain.Stepwise]."},
			{"SentBefore", "until time.Time", "", "SentBefore(until)", "tells Ensure that the call may have been made before; see [wxpay.Chain.SentBefore]."},
		}
	case "Resolve":
		return []method{
			{"Resolve", "ctx context.Context, err error", "(*wxpay.Verdict, error)", "Resolve(ctx, err)", "queries once what became of a call with an unknown outcome; see [wxpay.Chain.Resolve]."},
			{"UntilFinal", "", "", "UntilFinal()", "makes Ensure wait until the platform states an end; see [wxpay.Chain.UntilFinal]."},
		}
	}
	panic("no methods for " + ability)
}

// settings are the methods of Chain that every set of verbs repeats, if they serve its abilities.
var settings = []struct {
	method
	serves func(abilities []string) bool // nil for all
}{
	{method{"Query", "name string, value any", "", "Query(name, value)", "sets a field of the query string; see [wxpay.Chain.Query]."}, nil},
	{method{"Queries", "fields any", "", "Queries(fields)", "sets several fields of the query string; see [wxpay.Chain.Queries]."}, nil},
	{method{"Header", "name, value string", "", "Header(name, value)", "sets a request header; see [wxpay.Chain.Header]."}, nil},
	{method{"Timeout", "limit time.Duration", "", "Timeout(limit)", "bounds this call with all its attempts; see [wxpay.Chain.Timeout]."}, nil},
	{method{"AttemptTimeout", "limit time.Duration", "", "AttemptTimeout(limit)", "bounds each attempt of this call; see [wxpay.Chain.AttemptTimeout]."}, nil},
	{method{"Encrypt", "pointer string", "", "Encrypt(pointer)", "encrypts a field, whatever the catalogue says; see [wxpay.Chain.Encrypt]."}, writes},
	{method{"Plain", "pointer string", "", "Plain(pointer)", "sends a field in plain text; see [wxpay.Chain.Plain]."}, writes},
	{method{"Idempotent", "", "", "Idempotent()", "vouches that the call may be sent again; see [wxpay.Chain.Idempotent]."}, writes},
	{method{"Unbind", "", "", "Unbind()", "accepts the response, whatever fields of the call it repeats; see [wxpay.Chain.Unbind]."}, nil},
}

// writes reports whether a set has a write.
func writes(abilities []string) bool {
	return slices.ContainsFunc(abilities, func(a string) bool {
		return slices.Contains([]string{"Post", "Put", "Patch", "Delete", "DeleteBody", "Upload"}, a)
	})
}

// reserved are the names that a child of a node with verbs cannot have. It has the names of all
// verbs, not only those of the node: a Delete that does not delete would mislead, and a new verb of
// an operation must not rename a segment.
var reserved = func() map[string]bool {
	names := map[string]bool{"Chain": true, "Format": true}
	for _, ability := range []string{"Get", "Post", "Put", "Patch", "Delete", "Upload", "Each", "Download", "Bill", "Receipt", "Ensure", "Resolve"} {
		for _, m := range methodsOf(ability) {
			names[m.name] = true
		}
	}
	for _, s := range settings {
		names[s.name] = true
	}
	return names
}()

// writeCalls writes one type for each set of verbs that occurs.
func writeCalls(out *source, roots []*node) {
	sets := make(map[string][]string)
	for _, root := range roots {
		for n := range root.walk() {
			if len(n.operations) > 0 {
				sets[callKind(n)] = n.abilities()
			}
		}
	}
	kinds := make([]string, 0, len(sets))
	for kind := range sets {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	out.head("api", "context", "fmt", "io", "iter", "time", "", module)
	out.printf("\n// branch is a chain that ends at no operation.\n")
	out.printf("type branch wxpay.Chain\n")
	writeFormat(out, "branch")
	for _, kind := range kinds {
		writeCall(out, kind, sets[kind])
	}
}

func writeCall(out *source, kind string, abilities []string) {
	var verbs []string
	var all []method
	for _, ability := range abilities {
		for _, m := range methodsOf(ability) {
			if all = append(all, m); m.results != "" && !strings.HasSuffix(m.name, "Async") {
				verbs = append(verbs, m.name)
			}
		}
	}
	for _, s := range settings {
		if s.serves == nil || s.serves(abilities) {
			all = append(all, s.method)
		}
	}
	out.printf("\n// %s is a call for %s. It is an immutable value.\n", kind, join(verbs, "or"))
	out.printf("type %s wxpay.Chain\n", kind)
	for _, m := range all {
		results, open, end := m.results, "", ""
		if results == "" {
			results, open, end = kind, kind+"(", ")"
		}
		out.printf("\n// %s %s\n", m.name, m.doc)
		out.printf("func (c %s) %s(%s) %s { return %swxpay.Chain(c).%s%s }\n", kind, m.name, m.parameters, results, open, m.call, end)
	}
	out.printf("\n// Chain returns the same call as a plain chain, which has every verb and every setting.\n")
	out.printf("func (c %s) Chain() wxpay.Chain { return wxpay.Chain(c) }\n", kind)
	writeFormat(out, kind)
}

func writeFormat(out *source, kind string) {
	out.printf("\n// Format prints the path, without values, under every verb.\n")
	out.printf("func (c %s) Format(s fmt.State, verb rune) { wxpay.Chain(c).Format(s, verb) }\n", kind)
}
