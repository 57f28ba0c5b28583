package manual

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/openapi"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

type openapiOptions struct {
	tag, path string // empty is all
}

// OpenAPI returns wxpay openapi.
func OpenAPI(sh *shell.Shell) *cobra.Command {
	o := new(openapiOptions)
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the API as an OpenAPI 3.1 document",
		Long: `Print one OpenAPI 3.1 document in JSON: of the whole API, of a product family, or of the paths beneath one. Encrypted fields
have x-wxpay-cipher. Lists of constants that may be out of date are x-extensible-enum, not enum. Paths that differ in the
names of placeholders only are one path item, with the other operation in x-wxpay-look-alikes. Notifications are webhooks,
with the fields of the decrypted resource in x-wxpay-resource; --path leaves them out.

The form of the document is experimental: a minor version may change it.`,
		Example: `  wxpay openapi > wxpay.openapi.json
  wxpay openapi --path v3/refund
  wxpay openapi --tag 商家转账`,
		Args: shell.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			o.tag = strings.Trim(o.tag, "/")
			return o.run(sh)
		},
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("tag", completeTags(sh))
	_ = command.RegisterFlagCompletionFunc("path", operation.CompleteFlag(sh.Facts(), ""))
	return command
}

func (o *openapiOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.tag, "tag", "", "only a product family, `TAG`, and those beneath it")
	flags.StringVar(&o.path, "path", "", "only a `PATH`, and those beneath it")
}

func (o *openapiOptions) run(sh *shell.Shell) error {
	chosen, err := o.choose(sh.Facts().Described())
	if err != nil {
		return err
	}
	events := func(func(*fact.Event) bool) {} // those of a path are not known
	switch facts := sh.Facts().Described(); {
	case o.tag != "" && o.path == "":
		events = eventsOf(facts.Events(), o.tag)
	case o.path == "":
		events = facts.Events()
	}
	document, err := openapi.Document(slices.Values(chosen), events, wxpay.Version)
	if err != nil {
		return err
	}
	return sh.Write(document)
}

// choose returns the operations that the flags choose. If there are none, the error names those near them.
func (o *openapiOptions) choose(facts *catalog.Catalog) ([]*fact.Operation, error) {
	template := strings.TrimSuffix(operation.Rooted(o.path), "/")
	if methods := facts.Methods(o.path); len(methods) > 0 { // a path with values, or with placeholders of other names
		operation, _ := facts.Lookup(methods[0], o.path)
		template = strings.TrimSuffix(operation.Path, "/")
	}
	var tagged, chosen []*fact.Operation
	for operation := range facts.All() {
		if o.tag != "" && !slices.ContainsFunc(operation.Tags, func(tag string) bool { return beneath(tag, o.tag) }) {
			continue
		}
		tagged = append(tagged, operation)
		if o.path == "" || beneath(operation.Path, template) {
			chosen = append(chosen, operation)
		}
	}
	switch {
	case len(tagged) == 0:
		return nil, unknownTag(facts, o.tag)
	case len(chosen) == 0 && o.tag != "":
		return nil, shell.Usage("no operation of %s is at %s or beneath it", shell.Printable(o.tag),
			shell.Printable(operation.Rooted(o.path)))
	case len(chosen) == 0:
		return nil, operation.Unknown(facts, o.path)
	}
	return chosen, nil
}

// unknownTag returns the error about a family that does not exist. It names those that contain the text, or the first
// level of all.
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
	return shell.Usage("no product family is called %s; there are: %s", shell.Printable(text), strings.Join(near, ", "))
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

// completeTags completes the name of a product family.
func completeTags(sh *shell.Shell) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return knownTags(sh.Facts()), cobra.ShellCompDirectiveNoFileComp
	}
}
