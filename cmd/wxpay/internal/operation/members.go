package operation

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// CompleteFlags completes those flags of a command that belong to its operation: variables of the path, and fields of the
// query, of the body, and of an upload's meta.
func CompleteFlags(facts *catalog.Catalog, command *cobra.Command) {
	register := func(flag string, complete cobra.CompletionFunc) {
		if command.Flags().Lookup(flag) != nil {
			_ = command.RegisterFlagCompletionFunc(flag, complete)
		}
	}
	register("var", completeVariables)
	register("raw-var", completeVariables)
	register("query", completeFields(facts, http.MethodGet, func(o *fact.Operation) []fact.Field { return o.In.Query }))
	for _, flag := range []string{"field", "raw-field"} {
		register(flag, completeFields(facts, http.MethodPost, given))
	}
	register("get", completeResponse(facts))
}

// CompleteQuery completes the fields of the query of a read. at tells its path, and the fields that other flags give.
func CompleteQuery(facts *catalog.Catalog, at func(args []string) (path string, but []string)) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var offers []cobra.Completion
		path, but := at(args)
		if operation, ok := facts.Described().Lookup(http.MethodGet, "/"+path); ok {
			fields := slices.DeleteFunc(slices.Clone(operation.In.Query), func(f fact.Field) bool { return slices.Contains(but, f.Name) })
			offers = members(fields, "", text)
		}
		return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeResponse completes the gjson path of a value of the response. A call without a method is a write if it has a body;
// without one it may be of a read, or else of a write that is still to get its body.
func completeResponse(facts *catalog.Catalog) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		directive := cobra.ShellCompDirectiveNoFileComp
		method, at, err := named(command, args)
		methods := []string{method}
		if method == "" && slices.ContainsFunc([]string{"field", "raw-field", "data"}, command.Flags().Changed) {
			methods = []string{http.MethodPost}
		} else if method == "" {
			methods = []string{http.MethodGet, http.MethodPost}
		}
		for _, method := range methods {
			if operation, ok := facts.Described().Lookup(method, at.Path); ok && err == nil {
				offers := values(operation.Out, "", text)
				for _, offer := range offers {
					if place, _, _ := strings.Cut(offer, "\t"); strings.HasSuffix(place, ".") {
						directive |= cobra.ShellCompDirectiveNoSpace // the path goes on
					}
				}
				return offers, directive
			}
		}
		return nil, directive
	}
}

// values offers the gjson paths that begin with text, each with its label. Those of an object, and of the elements of an array
// (# for all of them, or the number of one), follow when it is begun.
func values(fields []fact.Field, within, text string) (offers []cobra.Completion) {
	for _, field := range fields {
		name := within + field.Name
		below, begun := strings.CutPrefix(text, name+".")
		element, _, deeper := strings.Cut(below, ".")
		isArray := strings.HasSuffix(string(field.Type), "[]")
		isElement := deeper && (element == "#" || element != "" && strings.Trim(element, "0123456789") == "")
		switch {
		case len(field.Fields) > 0 && !isArray && begun:
			offers = append(offers, values(field.Fields, name+".", text)...)
		case len(field.Fields) > 0 && isArray && begun && isElement:
			offers = append(offers, values(field.Fields, name+"."+element+".", text)...)
		case len(field.Fields) > 0 && isArray && strings.HasPrefix(name+".#.", text):
			offers = append(offers, cobra.CompletionWithDesc(name+".#.", field.Label))
		case len(field.Fields) > 0 && !isArray && strings.HasPrefix(name+".", text):
			offers = append(offers, cobra.CompletionWithDesc(name+".", field.Label))
		case len(field.Fields) == 0 && strings.HasPrefix(name, text):
			offers = append(offers, cobra.CompletionWithDesc(name, field.Label))
		}
	}
	return offers
}

// given returns the fields of the body, or of an upload's meta without those that describe the file.
func given(o *fact.Operation) []fact.Field {
	fields, form := slices.Clone(o.In.JSON), o.UploadForm()
	for _, part := range o.In.Form {
		for _, field := range part.Fields {
			if !slices.Contains([]string{form.Name, form.Digest, form.Algorithm}, field.Name) {
				fields = append(fields, field)
			}
		}
	}
	return fields
}

// named returns the operation that stands on the command line: as the first arguments, or behind --to.
func named(command *cobra.Command, args []string) (method string, at Address, err error) {
	if to := command.Flag("to"); to != nil {
		args = []string{to.Value.String()}
	}
	first := min(len(args), 1)
	if first == 1 && IsMethod(args[0]) {
		first = min(len(args), 2)
	}
	return Args(args[:first])
}

func completeVariables(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	if _, at, err := named(command, args); err == nil {
		for segment := range strings.SplitSeq(at.Path, "/") {
			if name, ok := fact.Placeholder(segment); ok && strings.HasPrefix(name+"=", text) {
				offers = append(offers, name+"=")
			}
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeFields completes some fields of the operation, whose method is usual if none is given.
func completeFields(facts *catalog.Catalog, usual string, some func(*fact.Operation) []fact.Field) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var offers []cobra.Completion
		method, at, err := named(command, args)
		if operation, ok := facts.Described().Lookup(cmp.Or(method, usual), at.Path); ok && err == nil {
			offers = members(some(operation), "", text)
		}
		return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// members offers the fields that begin with text, each with its label, and those of an object that is begun.
func members(fields []fact.Field, within, text string) (offers []cobra.Completion) {
	for _, field := range fields {
		name := field.Name
		if within != "" {
			name = within + "[" + name + "]"
		}
		if strings.HasSuffix(string(field.Type), "[]") {
			name += "[]"
		}
		switch {
		case len(field.Fields) > 0 && strings.HasPrefix(text, name):
			offers = append(offers, members(field.Fields, name, text)...)
		case len(field.Fields) > 0 && strings.HasPrefix(name+"[", text):
			offers = append(offers, cobra.CompletionWithDesc(name+"[", field.Label))
		case len(field.Fields) == 0 && strings.HasPrefix(name+"=", text):
			offers = append(offers, cobra.CompletionWithDesc(name+"=", field.Label))
		}
	}
	return offers
}
