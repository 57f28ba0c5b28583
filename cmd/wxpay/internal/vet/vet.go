// Package vet runs wxpay vet, which checks the calls of a program before it runs.
package vet

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/vet"
	"github.com/wxpay-go/wxpay/contrib/vet/driver"
)

type options struct {
	format       string
	hints, tests bool
	explain      string // a check to explain in place of a run; empty without
}

// Command returns wxpay vet.
func Command(sh *shell.Shell) *cobra.Command {
	o := new(options)
	command := &cobra.Command{
		Use:   "vet [PACKAGE]...",
		Short: "Check the calls of a Go program against the documentation",
		Long: `Check the calls of a Go program to WeChat Pay before it runs: paths, verbs, fields, constants, response paths, events and
error codes against the documentation, and habits that lose money. A PACKAGE is one of the go command, which must be
installed; without one, all in and below this folder are checked. Nothing is called, and nothing is written.

An error is certain. A hint is what the documentation alone says. A comment silences its line, or the line below it:
//wxpayvet:ignore REASON

The program wxpayvet has the same checks for go vet -vettool, and applies their fixes (wxpayvet -fix).

Exit codes:
  0  nothing to report
  1  reports
  2  wrong usage, or the packages do not compile`,
		Example: `  wxpay vet
  wxpay vet ./cmd/shop --hints=false
  wxpay vet --format sarif > wxpay.sarif
  wxpay vet --explain wxoutcome`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(driver.Formats, o.format):
				return shell.Usage("the format %q is not one of %s", o.format, strings.Join(driver.Formats, ", "))
			case o.explain != "" && len(args) > 0:
				return shell.Usage("--explain takes no package")
			case o.explain != "":
				return explain(sh, o.explain)
			}
			return o.run(command.Context(), sh, args)
		},
	}
	o.flags(command.Flags())
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(driver.Formats, cobra.ShellCompDirectiveNoFileComp))
	_ = command.RegisterFlagCompletionFunc("explain", cobra.FixedCompletions(names(), cobra.ShellCompDirectiveNoFileComp))
	return command
}

func (o *options) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.format, "format", "text", "`FORMAT` of the output: "+strings.Join(driver.Formats, ", "))
	flags.BoolVar(&o.hints, "hints", true, "show what the documentation alone says, too")
	flags.BoolVar(&o.tests, "tests", true, "check test files, too")
	flags.StringVar(&o.explain, "explain", "", "explain a `CHECK` in English and Chinese")
}

func (o *options) run(ctx context.Context, sh *shell.Shell, patterns []string) error {
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		return shell.Usage("%w", err)
	}
	reports, err := driver.Packages(ctx, driver.Config{
		Dir: dir, Env: sh.Environ, Patterns: patterns, SkipTests: !o.tests, SkipHints: !o.hints,
	})
	if err != nil {
		return shell.Usage("%w", err)
	}
	var out bytes.Buffer
	if err := driver.Write(&out, o.format, dir, reports); err != nil {
		return err
	}
	if err := sh.Write(out.Bytes()); err != nil {
		return err
	}
	if len(reports) > 0 {
		return shell.Exit(shell.ExitRejected)
	}
	return nil
}

func explain(sh *shell.Shell, name string) error {
	for _, check := range vet.Analyzers() {
		if check.Name == name {
			return sh.Write([]byte(check.Doc + "\n\n" + check.URL + "\n"))
		}
	}
	return shell.Usage("there is no check %s; there are: %s", shell.Printable(name), strings.Join(names(), ", "))
}

func names() (list []string) {
	for _, check := range vet.Analyzers() {
		list = append(list, check.Name)
	}
	return list
}
