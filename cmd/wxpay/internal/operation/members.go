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
