package cli

import (
	"bytes"
	"go/token"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
)

type genTypesOptions struct {
	method, path string // an empty method is the only one that the path has
	packageName  string
	prefix       string // empty: made from the path
}

func genCommand(types func(genTypesOptions) error) *cobra.Command {
	command := &cobra.Command{
		Use:   "gen",
		Short: "Write Go from what is documented",
		Long:  "Write Go from what is documented. The client itself needs none of it: any map or struct is a body.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("there is no gen %s: write wxpay gen types", args[0])
			}
			return usageError("say what to write: wxpay gen types METHOD PATH")
		},
	}
	command.AddCommand(genTypesCommand(types))
	return command
}

func genTypesCommand(run func(genTypesOptions) error) *cobra.Command {
	o := new(genTypesOptions)
	command := &cobra.Command{
		Use:   "types METHOD PATH",
		Short: "Print Go structs for the request and the answer of an operation",
		Long: `Print a Go file with structs for the body and the answer of an operation, formatted. METHOD may be left out where the
path has one only.

An integer is an int64. A number is a json.Number, which rounds nothing. Optional members have omitempty, and in a
request optional integers and booleans are pointers, so that 0 and false can be sent. A JSON text is a string, with a
struct for what is in it. Comments tell what is required, encrypted, or one of a list of constants: strong hints, no
laws. Encrypted members hold plain text: the client encrypts and decrypts them.`,
		Example: `  wxpay gen types POST v3/pay/transactions/native --package pay > native.go
  wxpay gen types v3/refund/domestic/refunds/{out_refund_no} --name RefundQuery`,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if o.method, o.path, err = operationArgs(args); err != nil {
				return err
			}
			switch {
			case !token.IsIdentifier(o.packageName) || o.packageName == "_":
				return usageError("the package name %q is not a Go identifier", o.packageName)
			case o.prefix != "" && (!token.IsIdentifier(o.prefix) || !token.IsExported(o.prefix)):
				return usageError("the name %q is not an exported Go identifier", o.prefix)
			}
			return run(*o)
		},
		ValidArgsFunction: completeOperation,
	}
	o.flags(command.Flags())
	return command
}

func (o *genTypesOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.packageName, "package", "main", "`NAME` of the Go package")
	flags.StringVar(&o.prefix, "name", "", "`NAME` that all types begin with, instead of one made from the path")
}

func (p *program) genTypes(o genTypesOptions) error {
	operations, err := documented(p.facts(), o.method, o.path)
	if err != nil {
		return err
	}
	if len(operations) > 1 {
		methods := make([]string, len(operations))
		for i, operation := range operations {
			methods[i] = operation.Method
		}
		return usageError("%s has %s: say which", operations[0].Path, strings.Join(methods, ", "))
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
	return p.write(bytes.NewBuffer(code))
}
