package manual

import (
	"go/token"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type typesOptions struct {
	method, path string // an empty method is the only one that the path has
	packageName  string
	prefix       string // empty: made from the path
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
		Short: "Print Go structs for the request and the response of an operation",
		Long: `Print a Go file with structs for the body and the response of an operation, formatted. METHOD is optional if the path has
one only.

An integer is an int64. A number is a json.Number, which rounds nothing. Optional fields have omitempty, and in a request
optional integers and booleans are pointers, so that 0 and false can be sent. A JSON text is a string, with a struct for
its content. Comments tell which fields are required, encrypted, or one of a list of constants, with high probability and
not with certainty. Encrypted fields contain plain text: the client encrypts and decrypts them.`,
		Example: `  wxpay gen types POST v3/pay/transactions/native --package pay > native.go
  wxpay gen types v3/refund/domestic/refunds/{out_refund_no} --name RefundQuery`,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if o.method, o.path, err = operation.Args(args); err != nil {
				return err
			}
			switch {
			case !token.IsIdentifier(o.packageName) || o.packageName == "_":
				return shell.Usage("the package name %q is not a Go identifier", o.packageName)
			case o.prefix != "" && (!token.IsIdentifier(o.prefix) || !token.IsExported(o.prefix)):
				return shell.Usage("the name %q is not an exported Go identifier", o.prefix)
			}
			return o.run(sh)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	o.flags(command.Flags())
	return command
}

func (o *typesOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.packageName, "package", "main", "`NAME` of the Go package")
	flags.StringVar(&o.prefix, "name", "", "`NAME` at the beginning of all types, instead of one from the path")
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
	code, err := gocode.Types(operation, o.packageName, prefix)
	if err != nil {
		return err
	}
	return sh.Write(code)
}
