// Package manual runs the commands about the documentation: wxpay docs, search, openapi, gen and catalog.
package manual

import (
	"bytes"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/folder"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type docsOptions struct {
	method, path string // an empty method is all that the path has
	format       string // empty: term on a terminal, else md
	all          bool
	out          string
}

var docsFormats = []string{"term", "md", "json"}

// Docs returns wxpay docs.
func Docs(sh *shell.Shell) *cobra.Command {
	o := new(docsOptions)
	command := &cobra.Command{
		Use:   "docs [METHOD] PATH",
		Short: "Show the documentation of an operation",
		Long: `Show the documentation of an operation: name, fields of request and response, links, and the call in Go.

PATH is a template, as the manual prints it, or a path with values. Without METHOD the command shows every operation of the
path. The facts come from a catalogue inside this program, so it needs no network. A field that it calls required is
required with high probability, not with certainty, and lists of constants go out of date.

WXPAY_CATALOG_OVERLAY names a file that corrects or adds facts, in the form of the files in catalog/data: a block for each
operation, with the differences. The command marks facts of this file.

The format is term on a terminal and md in a pipe, unless --format gives another; json is an array of operations.

--all --out DIR writes the whole manual as Markdown, one file for each path, with README.md as its index. It replaces the
files that it wrote before, and neither deletes nor replaces any other file.`,
		Example: `  wxpay docs v3/pay/transactions/native
  wxpay docs GET v3/pay/transactions/out-trade-no/{out_trade_no} --format json
  wxpay docs --all --out manual`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.arguments(args); err != nil {
				return err
			}
			return o.run(sh)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(docsFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = command.MarkFlagDirname("out")
	return command
}

func (o *docsOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.format, "format", "", "`FORMAT` of the output: "+strings.Join(docsFormats, ", "))
	flags.BoolVar(&o.all, "all", false, "write the whole manual into the folder of --out")
	flags.StringVar(&o.out, "out", "", "the folder, `DIR`, for --all; wxpay makes it if it is missing")
}

func (o *docsOptions) arguments(args []string) error {
	switch {
	case o.format != "" && !slices.Contains(docsFormats, o.format):
		return shell.Usage("the format %q is not one of %s", o.format, strings.Join(docsFormats, ", "))
	case o.all && o.out == "":
		return shell.Usage("--all needs a folder: --out DIR")
	case !o.all && o.out != "":
		return shell.Usage("--out is the folder for --all; to write one page, redirect stdout")
	case o.all && len(args) > 0:
		return shell.Usage("--all writes every operation: it takes no path")
	case o.all && o.format != "" && o.format != "md":
		return shell.Usage("--all writes Markdown only")
	case o.all:
		return nil
	}
	method, at, err := operation.Args(args)
	o.method, o.path = method, at.Path
	return err
}

func (o *docsOptions) run(sh *shell.Shell) error {
	writer := gocode.New(catalog.V3().All()) // package api is made of it
	if o.all {
		files := page.Files(sh.Facts().Described().All(), writer)
		written, err := folder.Write(o.out, page.Mark, files)
		if err != nil {
			return shell.Usage("the manual could not be written: %w", err)
		}
		sh.Note("%d files in %s: %d of them written, the others unchanged.", len(files), o.out, written)
		return nil
	}
	operations, err := operation.Find(sh.Facts(), o.method, o.path)
	if err != nil {
		return err
	}
	pages := make([]page.Page, len(operations))
	for i, operation := range operations {
		pages[i] = page.New(operation, writer)
	}
	format := o.format
	if format == "" {
		format = "md"
		if sh.Terminal {
			format = "term"
		}
	}
	if format == "json" {
		return sh.WriteJSON(pages)
	}
	colours := sh.Colours()
	paint := page.Paint{Bold: colours.Bold, Faint: colours.Faint}
	var out bytes.Buffer
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
	return sh.Write(out.Bytes())
}
