// Package manual runs the commands about the documentation: wxpay docs, search, openapi, gen and catalog.
package manual

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/folder"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

type docsOptions struct {
	method, path string // an empty method is all that the path has
	format       string
	language     string
	addr         string // of --serve; empty serves nothing
	site         string // the folder of a built site
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
		Long: `Show the documentation of an operation: name, fields of request and response, links, and the call in Go, as a command,
and with curl.

PATH is a template, as the manual prints it, or a path with values. Without METHOD the command shows every operation of the
path. The facts come from a catalogue inside this program, so it needs no network. A field that it calls required is
required with high probability, not with certainty, and lists of constants go out of date.

WXPAY_CATALOG_OVERLAY names a file that corrects or adds facts, in the form of the files in catalog/data: a block for each
operation, with the differences. The command marks facts of this file.

The format is term, unless --format gives another; json is an array of operations. --lang zh shows the manual in Chinese.
On a terminal the page goes through the program in PAGER, if that is set.

--all --output DIR writes the whole manual as Markdown, one file for each operation and notification, with README.md as its
index and with what the sandbox responds. It replaces the files that it wrote before, and neither deletes nor replaces any
other file.

--serve ADDR shows the manual in a browser, with a search, offline: 127.0.0.1:8088, for example. With --site DIR it serves
the site that docs-site/build.mjs has built.`,
		Example: `  wxpay docs v3/pay/transactions/native
  wxpay docs GET v3/pay/transactions/out-trade-no/{out_trade_no} --format json
  wxpay docs --all --output manual
  wxpay docs --serve 127.0.0.1:8088`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := o.arguments(args); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	o.flags(sh, command.Flags())
	_ = command.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(language.All, cobra.ShellCompDirectiveNoFileComp))
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(docsFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = command.MarkFlagDirname("out")
	_ = command.MarkFlagDirname("site")
	return command
}

func (o *docsOptions) flags(sh *shell.Shell, flags *pflag.FlagSet) {
	own := language.English
	if sh.Chinese {
		own = language.Chinese
	}
	flags.SortFlags = false
	flags.StringVar(&o.format, "format", "", "`FORMAT` of the output: "+strings.Join(docsFormats, ", "))
	flags.StringVar(&o.language, "lang", string(own), "`LANGUAGE` of the manual: "+strings.Join(language.All, ", "))
	flags.StringVar(&o.addr, "serve", "", "show the manual in a browser at this `ADDR`")
	flags.StringVar(&o.site, "site", "", "the folder, `DIR`, of a built site, for --serve")
	flags.BoolVar(&o.all, "all", false, "write the whole manual into the folder of --output")
	flags.StringVarP(&o.out, "output", "o", "", "the folder, `DIR`, for --all; wxpay makes it if it is missing")
}

func (o *docsOptions) arguments(args []string) error {
	switch {
	case o.format != "" && !slices.Contains(docsFormats, o.format):
		return shell.Usage("the format %q is not one of %s", o.format, strings.Join(docsFormats, ", "))
	case !slices.Contains(language.All, o.language):
		return shell.Usage("the language %q is not one of %s", o.language, strings.Join(language.All, ", "))
	case o.site != "" && o.addr == "":
		return shell.Usage("--site is for --serve: give an address too, such as --serve 127.0.0.1:8088")
	case o.addr != "" && (o.all || len(args) > 0 || o.format != ""):
		return shell.Usage("--serve shows the whole manual: it takes no path, no --all and no --format")
	case o.addr != "":
		return nil
	case o.all && o.out == "":
		return shell.Usage("--all needs a folder: --output DIR")
	case !o.all && o.out != "":
		return shell.Usage("--output is the folder for --all; to write one page, redirect stdout")
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

func (o *docsOptions) run(ctx context.Context, sh *shell.Shell) error {
	facts := sh.Facts().Described()
	manual := page.New(facts.All(), facts.Events(), language.Language(o.language))
	if o.addr != "" {
		return serve(ctx, sh, manual, o.addr, o.site)
	}
	if o.all {
		return o.write(ctx, sh, manual, slices.Collect(facts.All()))
	}
	operations, err := operation.Find(sh.Facts(), o.method, o.path)
	if err != nil {
		return err
	}
	pages := make([]page.Page, len(operations))
	for i, operation := range operations {
		pages[i] = manual.Page(operation)
	}
	if o.format == "json" {
		return sh.WriteJSON(pages)
	}
	colours := sh.Colours()
	paint := page.Paint{Bold: colours.Bold, Faint: colours.Faint}
	var out bytes.Buffer
	for i := range pages {
		if i > 0 {
			out.WriteByte('\n')
		}
		if o.format == "md" {
			pages[i].Markdown(&out)
		} else {
			pages[i].Terminal(&out, paint)
		}
	}
	return sh.Page(ctx, out.Bytes())
}

// write writes the whole manual into a folder.
func (o *docsOptions) write(ctx context.Context, sh *shell.Shell, manual *page.Manual, operations []*fact.Operation) error {
	unwritten := func(err error) error { return shell.Usage("the manual could not be written: %w", err) }
	if err := folder.Check(o.out, page.Mark, manual.FileNames()); err != nil { // before seconds of work
		return unwritten(err)
	}
	platform, err := answer.New(operations)
	if err != nil {
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	defer platform.Close()
	files, err := manual.Files(ctx, platform)
	if err != nil {
		return err
	}
	written, err := folder.Write(o.out, page.Mark, files)
	if err != nil {
		return unwritten(err)
	}
	sh.Note("%d files in %s: %d of them written, the others unchanged.", len(files), o.out, written)
	return nil
}
