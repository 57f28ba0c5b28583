// Command wxpayvet checks calls to WeChat Pay while they are written. It runs alone, and under go vet:
//
//	wxpayvet ./...
//	wxpayvet -fix ./...
//	wxpayvet -format sarif ./... > wxpayvet.sarif
//	go vet -vettool=$(which wxpayvet) ./...
//
// wxpayvet help lists the checks, wxpayvet help wxbody explains one in English and Chinese. With -format (text, json,
// github, sarif) it takes the flags -hints=false and -tests=false, and none of the others. Exit codes alone: 0 no report,
// 1 the packages do not load, 2 wrong flags, 3 reports (0 with -json).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/wxpay-go/wxpay/contrib/vet"
	"github.com/wxpay-go/wxpay/contrib/vet/internal/driver"
)

func main() {
	args := os.Args[1:]
	if !slices.ContainsFunc(args, asksForFormat) {
		multichecker.Main(vet.Analyzers()...)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func asksForFormat(arg string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
	return strings.HasPrefix(arg, "-") && strings.TrimPrefix(name, "-") == "format"
}

// run checks packages and writes the reports in a format.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("wxpayvet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("format", "text", "`format` of the output: "+strings.Join(driver.Formats, ", "))
	hints := flags.Bool("hints", true, "show what the documentation alone says, too")
	tests := flags.Bool("tests", true, "check test files, too")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if !slices.Contains(driver.Formats, *format) {
		fmt.Fprintf(stderr, "wxpayvet: the format %q is none of %s\n", *format, strings.Join(driver.Formats, ", "))
		return 2
	}
	reports, err := driver.Packages(ctx, driver.Config{Patterns: flags.Args(), SkipHints: !*hints, SkipTests: !*tests})
	if err == nil {
		var dir string
		if dir, err = os.Getwd(); err == nil {
			err = driver.Write(stdout, *format, dir, reports)
		}
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "wxpayvet:", err)
		return 1
	case len(reports) > 0:
		return 3
	}
	return 0
}
