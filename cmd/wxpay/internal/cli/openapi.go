package cli

import (
	"bytes"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/openapi"
	"github.com/wxpay-go/wxpay/fact"
)

type openapiOptions struct {
	tag, path string // empty is all
}

func openapiCommand(run func(openapiOptions) error) *cobra.Command {
	o := new(openapiOptions)
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the API as an OpenAPI 3.1 document",
		Long: `Print what is documented as one OpenAPI 3.1 document in JSON: the whole API, a product family, or the paths beneath
one. Encrypted members carry x-wxpay-cipher. Lists of constants that may be out of date are x-extensible-enum, not enum.
Paths that differ in the names of placeholders only are one path item, with the other operation in x-wxpay-look-alikes.`,
		Example: `  wxpay openapi > wxpay.openapi.json
  wxpay openapi --path v3/refund
  wxpay openapi --tag 商家转账`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			o.tag = strings.Trim(o.tag, "/")
			return run(*o)
		},
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("tag", func(command *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return knownTags(factsOf(command)), cobra.ShellCompDirectiveNoFileComp
	})
	_ = command.RegisterFlagCompletionFunc("path", func(command *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completePath(factsOf(command), "", text), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return command
}

func (o *openapiOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.tag, "tag", "", "only a product family, `TAG`, and those beneath it")
	flags.StringVar(&o.path, "path", "", "only a `PATH`, and those beneath it")
}

func (p *program) openapi(o openapiOptions) error {
	chosen, err := o.choose(p.facts().Described())
	if err != nil {
		return err
	}
	document, err := openapi.Document(slices.Values(chosen), wxpay.Version)
	if err != nil {
		return err
	}
	return p.write(bytes.NewBuffer(document))
}

// choose returns the operations that are asked for. That there are none is an error that says what there is.
func (o *openapiOptions) choose(facts *catalog.Catalog) ([]*fact.Operation, error) {
	template := strings.TrimSuffix(rooted(o.path), "/")
	if methods := facts.Methods(o.path); len(methods) > 0 { // a path with values, or with placeholders of other names
		operation, _ := facts.Lookup(methods[0], o.path)
		template = strings.TrimSuffix(operation.Path, "/")
	}
	var tagged, chosen []*fact.Operation
	for operation := range facts.All() {
		if o.tag != "" && !slices.ContainsFunc(operation.Tags, func(tag string) bool { return isBeneath(tag, o.tag) }) {
			continue
		}
		tagged = append(tagged, operation)
		if o.path == "" || isBeneath(operation.Path, template) {
			chosen = append(chosen, operation)
		}
	}
	switch {
	case len(tagged) == 0:
		return nil, unknownTag(facts, o.tag)
	case len(chosen) == 0 && o.tag != "":
		return nil, usageError("no operation of %s is at %s or beneath it", printable(o.tag), printable(rooted(o.path)))
	case len(chosen) == 0:
		return nil, unknownPath(facts, o.path)
	}
	return chosen, nil
}

// isBeneath reports whether one of two names with levels divided by slashes is the other or beneath it.
func isBeneath(name, other string) bool {
	rest, ok := strings.CutPrefix(name, other)
	return ok && (rest == "" || rest[0] == '/')
}

// unknownTag names the families that have the text in their name, or the first level of all.
func unknownTag(facts *catalog.Catalog, text string) error {
	var near, first []string
	for _, tag := range knownTags(facts) {
		if strings.Contains(tag, text) || strings.Contains(text, tag) {
			near = append(near, tag)
		}
		if top, _, _ := strings.Cut(tag, "/"); !slices.Contains(first, top) {
			first = append(first, top)
		}
	}
	if len(near) == 0 {
		near = first
	}
	return usageError("no product family is called %s; there are: %s", printable(text), strings.Join(near, ", "))
}

// knownTags returns every product family, sorted.
func knownTags(facts *catalog.Catalog) []string {
	var tags []string
	for operation := range facts.All() {
		tags = append(tags, operation.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
