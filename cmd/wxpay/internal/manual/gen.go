package manual

import (
	"go/token"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/folder"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type typesOptions struct {
	method, path string // an empty method is the only one that the path has
	packageName  string
	prefix       string // empty: made from the path
	tag          string // all of a product family, into the folder out
	out          string
}

// Gen returns wxpay gen.
func Gen(sh *shell.Shell) *cobra.Command {
	command := &cobra.Command{
		Use:   "gen",
		Short: "Write Go from the documentation",
		Long:  "Write Go from the documentation. The client needs no generated code: any map or struct is a body.",
		RunE:  shell.Group("wxpay gen types METHOD PATH"),
	}
	command.AddCommand(typesCommand(sh))
	return command
}

func typesCommand(sh *shell.Shell) *cobra.Command {
	o := new(typesOptions)
	command := &cobra.Command{
		Use:   "types METHOD PATH",
		Short: "Write Go types for an operation, or for a whole product family",
		Long: `Print a Go file with structs for the query, the body and the response of an operation, formatted. METHOD is optional if
the path has one only.

--tag TAG --output DIR writes a package for a product family and those beneath it: a file for each operation, one for each
notification that the family gets, and doc.go with a list. It replaces the files that it wrote before, and neither deletes
nor replaces any other file. The name of a type follows from the path and the field alone, so that a newer catalogue adds
names and changes none.

An integer is an int64, and so is an amount; the comment gives the unit, as far as the documentation does. Another number
is a json.Number, which rounds nothing. Optional fields have omitempty, and in a request optional integers and booleans are pointers, so that 0 and
false can be sent. A field with constants has a type with these constants. A JSON text is a string, with a struct for its
content. Comments tell which fields are required or encrypted, with high probability and not with certainty. Encrypted
fields contain plain text: the client encrypts and decrypts them. The types fit Post, Queries, Into, Decode and webhook.On.

The form of the code is experimental: a minor version may change it.`,
		Example: `  wxpay gen types POST v3/pay/transactions/native --package pay > native.go
  wxpay gen types v3/refund/domestic/refunds/{out_refund_no} --name RefundQuery
  wxpay gen types --tag 基础支付 --package pay --output pay`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.arguments(args); err != nil {
				return err
			}
			if o.tag != "" {
				return o.family(sh)
			}
			return o.run(sh)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("tag", completeTags(sh))
	_ = command.MarkFlagDirname("out")
	return command
}

func (o *typesOptions) arguments(args []string) (err error) {
	switch {
	case !token.IsIdentifier(o.packageName) || o.packageName == "_":
		return shell.Usage("the package name %q is not a Go identifier: give letters and digits, such as mypay", o.packageName)
	case o.prefix != "" && (!token.IsIdentifier(o.prefix) || !token.IsExported(o.prefix)):
		return shell.Usage("the name %q is not an exported Go identifier", o.prefix)
	case o.tag == "" && o.out != "":
		return shell.Usage("--output is the folder for --tag; to write one file, redirect stdout")
	case o.tag == "":
		var at operation.Address
		o.method, at, err = operation.Args(args)
		o.path = at.Path
		return err
	case o.out == "":
		return shell.Usage("--tag needs a folder: --output DIR")
	case len(args) > 0:
		return shell.Usage("--tag writes every operation of the family: it takes no path")
	case o.prefix != "":
		return shell.Usage("--name is for one operation")
	}
	return nil
}

func (o *typesOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.packageName, "package", "main", "`NAME` of the Go package")
	flags.StringVar(&o.prefix, "name", "", "`NAME` at the beginning of all types, instead of one from the path")
	flags.StringVar(&o.tag, "tag", "", "all operations and notifications of a product family, `TAG`, and of those beneath it")
	flags.StringVarP(&o.out, "output", "o", "", "the folder, `DIR`, for --tag; wxpay makes it if it is missing")
}

func (o *typesOptions) run(sh *shell.Shell) error {
	operations, err := operation.Find(sh.Facts(), o.method, o.path)
	if err != nil {
		return err
	}
	if len(operations) > 1 {
		methods := make([]string, len(operations))
		for i, operation := range operations {
			methods[i] = operation.Method
		}
		return shell.Usage("%s has %s: say which", operations[0].Path, strings.Join(methods, ", "))
	}
	operation := operations[0]
	prefix := o.prefix
	if prefix == "" {
		prefix = gocode.Prefix(operation.Path)
	}
	code, err := gocode.Types(operation, o.packageName, prefix, language.English)
	if err != nil {
		return err
	}
	return sh.Write(code)
}

// family writes the package of a product family.
func (o *typesOptions) family(sh *shell.Shell) error {
	facts := sh.Facts().Described()
	tag := strings.Trim(o.tag, "/")
	operations, err := (&openapiOptions{tag: tag}).choose(facts)
	if err != nil {
		return err
	}
	files, err := gocode.Family{
		Package: o.packageName, Tag: tag, Operations: slices.Values(operations), Events: eventsOf(facts.Events(), tag),
	}.Files()
	if err != nil {
		return err
	}
	written, err := folder.Write(o.out, gocode.Mark, files)
	if err != nil {
		return shell.Usage("the package could not be written: %w", err)
	}
	sh.Note("%d files in %s: %d of them written, the others unchanged.", len(files), o.out, written)
	return nil
}
