// Package driver runs the checks of package vet over packages, and writes what they report for people, for programs, for
// GitHub, and as SARIF. The program wxpayvet -format is flags over it.
//
// It starts the go command, which finds and compiles packages; it uses the network only if that does. Functions may be
// called by several goroutines at once.
package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/wxpay-go/wxpay/contrib/vet"
)

// Config says what is checked. The zero value checks the packages in and below the current directory, with their tests.
type Config struct {
	Dir       string   // where the patterns begin; empty is the current directory
	Env       []string // of the go command; nil is that of the process
	Patterns  []string // as for go build; none is ./...
	SkipTests bool     // leave test files out
	SkipHints bool     // leave out what the documentation alone says
}

// Severity tells how certain a report is.
type Severity string

// Severities.
const (
	Error Severity = "error" // two sources agree, the library refuses the call, or the code shows the mistake
	Hint  Severity = "hint"  // the documentation alone says so, and it may be out of date
)

// Report is one mistake that a check found.
type Report struct {
	Check    string   `json:"check"` // such as wxbody
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Link     string   `json:"link"` // explains the check
	File     string   `json:"file"` // with its whole path
	Span
	Fixes []Fix `json:"fixes,omitempty"`
}

// Span is a part of a file. Lines and columns count from 1, and columns count bytes. The end is exclusive.
type Span struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`
}

// Fix is one way to mend a mistake: all of its edits.
type Fix struct {
	Message string `json:"message"`
	Edits   []Edit `json:"edits"`
}

// Edit writes a text in place of a part of the file of its report.
type Edit struct {
	Span
	Text string `json:"text"`
}

// Packages runs every check, and returns the reports in the order of files and lines. It returns an error if the go command
// fails, or if a package does not compile; it then knows nothing of the program.
func Packages(ctx context.Context, config Config) ([]Report, error) {
	patterns := config.Patterns
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	loaded, err := packages.Load(&packages.Config{
		Context: ctx, Mode: packages.LoadSyntax | packages.NeedModule,
		Dir: config.Dir, Env: config.Env, Tests: !config.SkipTests,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load packages: %w", err)
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("no packages match %s", strings.Join(patterns, " "))
	}
	var broken []error
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, err := range p.Errors {
			broken = append(broken, err)
		}
	})
	if len(broken) > 0 {
		return nil, fmt.Errorf("the packages do not compile: %w", errors.Join(broken...))
	}
	graph, err := checker.Analyze(vet.Analyzers(), loaded, nil)
	if err != nil {
		return nil, err
	}
	var found []Report
	for action := range graph.All() {
		if action.Err != nil {
			return nil, fmt.Errorf("%s of %s: %w", action.Analyzer.Name, action.Package.PkgPath, action.Err)
		}
		for _, d := range action.Diagnostics {
			if r := report(action, d); action.IsRoot && !(config.SkipHints && r.Severity == Hint) {
				found = append(found, r)
			}
		}
	}
	slices.SortFunc(found, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Check, b.Check), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(found, func(a, b Report) bool { // a package and its tests have files in common
		return a.File == b.File && a.Span == b.Span && a.Check == b.Check && a.Message == b.Message
	}), nil
}

func report(action *checker.Action, d analysis.Diagnostic) Report {
	r := Report{
		Check: action.Analyzer.Name, Severity: Severity(d.Category), Link: action.Analyzer.URL,
		Message: strings.TrimSuffix(d.Message, " (hint)"),
		File:    action.Package.Fset.Position(d.Pos).Filename, Span: span(action.Package.Fset, d.Pos, d.End),
	}
	for _, f := range d.SuggestedFixes {
		fix := Fix{Message: f.Message}
		for _, e := range f.TextEdits {
			fix.Edits = append(fix.Edits, Edit{span(action.Package.Fset, e.Pos, e.End), string(e.NewText)})
		}
		r.Fixes = append(r.Fixes, fix)
	}
	return r
}

func span(files *token.FileSet, pos, end token.Pos) Span {
	if !end.IsValid() {
		end = pos
	}
	from, to := files.Position(pos), files.Position(end)
	return Span{from.Line, from.Column, to.Line, to.Column}
}
