// Command gen maintains the catalogue's data.
//
//	go run ./catalog/internal/gen -check FILE...    print what an import would change; status 1 if anything
//	go run ./catalog/internal/gen -import FILE...   take facts files over, correct them, and pack
//	go run ./catalog/internal/gen -pack             correct the texts and write the packed copies (go generate ./catalog)
//
// A facts file has a JSON object a line, all of operations or all of events or both, with the short keys that the row
// types of package facts list; it is taken to be complete for the kinds it holds. An import keeps the facts that were
// added by hand: the lines that facts files know nothing of, rows marked "hand", and what edition/corrections.txt says.
// The flag -catalog names the package's folder.
//
// The commands do not reach the network and are no part of any program's build.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/wxpay-go/wxpay/catalog/internal/facts"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	same      = 0
	different = 1 // -check found differences
	failed    = 2
)

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "print what an import of the facts `files` would change")
	take := flags.Bool("import", false, "take the facts files over, keep what was added by hand, and pack")
	pack := flags.Bool("pack", false, "correct the texts and write the packed copies of them")
	dir := flags.String("catalog", "catalog", "`folder` of the package: the texts are in its data")
	if err := flags.Parse(args); err != nil {
		return failed
	}
	modes := 0
	for _, mode := range []bool{*check, *take, *pack} {
		if mode {
			modes++
		}
	}
	if modes != 1 || *pack && flags.NArg() > 0 {
		fmt.Fprintln(stderr, "gen: say one of -check FILE..., -import FILE... and -pack")
		return failed
	}
	g := generator{*dir, stdout}
	status, err := g.maintain(flags.Args(), *check, *pack)
	if err != nil {
		fmt.Fprintln(stderr, "gen:", err)
		return failed
	}
	return status
}

type generator struct {
	dir    string
	stdout io.Writer
}

// maintain reads the texts, takes facts over unless there are none, and writes what came of it unless that is not wanted.
// Nothing is written unless everything is well-formed.
func (g generator) maintain(files []string, checkOnly, packOnly bool) (int, error) {
	have, err := readTexts(g.dir)
	if err != nil {
		return failed, err
	}
	corrections, err := readCorrections(g.dir)
	if err != nil {
		return failed, err
	}
	said := &facts.Said{}
	if !packOnly {
		if said, err = facts.Read(files); err != nil {
			return failed, err
		}
	}
	next, learnt, err := facts.Merge(have, said, corrections)
	if err != nil {
		return failed, fmt.Errorf("nothing was written: %s: %w", correctionsName, err)
	}
	if err := text.Check(next); err != nil {
		return failed, fmt.Errorf("nothing was written: %w", err)
	}
	changes := facts.Differences(have, next)
	for _, change := range changes {
		fmt.Fprintln(g.stdout, change)
	}
	if !packOnly {
		for _, c := range learnt {
			fmt.Fprintf(g.stdout, "= %s:%d: the facts say so themselves now: %s\n", correctionsName, c.Line, c)
		}
	}
	if checkOnly {
		if len(changes) > 0 {
			return different, nil
		}
		return same, nil
	}
	if err := writeTexts(g.dir, next); err != nil {
		return failed, err
	}
	return same, writePacked(g.dir, next)
}

// readCorrections reads what facts files have wrong. There may be no such file.
func readCorrections(dir string) ([]text.Correction, error) {
	src, err := os.ReadFile(correctionsFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := text.ParseCorrections(string(src))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", correctionsName, err)
	}
	return list, nil
}
