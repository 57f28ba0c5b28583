package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/manual"
)

type docsOptions struct {
	method, path string // an empty method is all that the path has
	format       string // empty: term on a terminal, else md
	all          bool
	out          string
}

var docsFormats = []string{"term", "md", "json"}

func docsCommand(run func(docsOptions) error) *cobra.Command {
	o := new(docsOptions)
	command := &cobra.Command{
		Use:   "docs [METHOD] PATH",
		Short: "Show what is documented of an operation",
		Long: `Show what is documented of an operation: name, members of request and answer, links, and the call in Go.

PATH is a template, as the manual prints it, or a path with values as it is sent. Without METHOD every operation of
the path is shown. It comes from a catalogue inside this program, so it needs no network. What it calls required is a
strong hint, not a law, and lists of constants go stale.

WXPAY_CATALOG_OVERLAY names a file that corrects or adds facts, in the form of the files in catalog/data: a block for an
operation, of which it says what is different. What comes from it is marked.

The format is term on a terminal and md in a pipe, unless --format says otherwise; json is an array of operations.

--all --out DIR writes the whole manual as Markdown, one file for each path, with README.md as its index. It replaces
what it wrote before, and neither deletes nor replaces anything else.`,
		Example: `  wxpay docs v3/pay/transactions/native
  wxpay docs GET v3/pay/transactions/out-trade-no/{out_trade_no} --format json
  wxpay docs --all --out manual`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.arguments(args); err != nil {
				return err
			}
			return run(*o)
		},
		ValidArgsFunction: completeOperation,
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(docsFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = command.MarkFlagDirname("out")
	return command
}

func (o *docsOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.format, "format", "", "`FORMAT` of what is printed: "+strings.Join(docsFormats, ", "))
	flags.BoolVar(&o.all, "all", false, "write the whole manual into the folder of --out")
	flags.StringVar(&o.out, "out", "", "the folder, `DIR`, for --all; it is made if it is missing")
}

func (o *docsOptions) arguments(args []string) (err error) {
	switch {
	case o.format != "" && !slices.Contains(docsFormats, o.format):
		return usageError("the format %q is not one of %s", o.format, strings.Join(docsFormats, ", "))
	case o.all && o.out == "":
		return usageError("--all needs a folder: --out DIR")
	case !o.all && o.out != "":
		return usageError("--out is the folder for --all; to write one page, redirect stdout")
	case o.all && len(args) > 0:
		return usageError("--all writes every operation: it takes no path")
	case o.all && o.format != "" && o.format != "md":
		return usageError("--all writes Markdown only")
	case o.all:
		return nil
	}
	o.method, o.path, err = operationArgs(args)
	return err
}

func (p *program) docs(o docsOptions) error {
	writer := gocode.New(catalog.V3().All()) // which package api is made of
	if o.all {
		files := manual.Files(p.facts().Described().All(), writer)
		written, err := manual.Write(o.out, files)
		if err != nil {
			return usageError("the manual could not be written: %w", err)
		}
		p.note("%d files in %s, %d of them written, the others as they were.", len(files), o.out, written)
		return nil
	}
	operations, err := documented(p.facts(), o.method, o.path)
	if err != nil {
		return err
	}
	pages := make([]manual.Page, len(operations))
	for i, operation := range operations {
		pages[i] = manual.New(operation, writer)
	}
	var out bytes.Buffer
	format := o.format
	if format == "" {
		format = "md"
		if p.terminal {
			format = "term"
		}
	}
	switch format {
	case "json":
		err = writeJSON(&out, pages)
	default:
		colours := p.colours()
		paint := manual.Paint{Bold: colours.bold, Faint: colours.faint}
		for i := range pages {
			if i > 0 {
				out.WriteByte('\n')
			}
			if format == "term" {
				pages[i].Terminal(&out, paint)
			} else {
				pages[i].Markdown(&out)
			}
		}
	}
	if err != nil {
		return err
	}
	return p.write(&out)
}

// writeJSON writes a document for machines, laid out.
func writeJSON(out *bytes.Buffer, document any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
