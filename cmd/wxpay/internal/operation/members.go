package operation

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// CompleteVariables returns the completion of --var: the names of the path that stands on the command line.
func CompleteVariables(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	if _, at, err := Args(args); err == nil {
		for segment := range strings.SplitSeq(at.Path, "/") {
			if name, ok := fact.Placeholder(segment); ok && strings.HasPrefix(name+"=", text) {
				offers = append(offers, name+"=")
			}
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// CompleteFields returns the completion of the fields of a body, or of the query.
func CompleteFields(facts *catalog.Catalog, query bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var offers []cobra.Completion
		method, at, err := Args(args)
		switch {
		case method != "":
		case query:
			method = http.MethodGet
		default:
			method = http.MethodPost
		}
		if operation, ok := facts.Described().Lookup(method, at.Path); ok && err == nil {
			fields := operation.In.JSON
			if query {
				fields = operation.In.Query
			}
			offers = members(fields, "", text)
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
