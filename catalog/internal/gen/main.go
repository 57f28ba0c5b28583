// Command gen maintains the catalogue's data.
//
//	go run ./catalog/internal/gen -check FILE...    print what a facts file says differently; status 1 if anything
//	go run ./catalog/internal/gen -import FILE...   take it over, and pack
//	go run ./catalog/internal/gen -pack             write the packed copy that programs embed (go generate ./catalog)
//
// A facts file has a JSON object a line, all of operations or all of events or both, with the short keys that package
// gen's row types list; it is taken to be complete for the kinds it holds. What was added by hand stays: rows marked
// "hand" and the keys that facts files know nothing of. The flag -catalog names the package's folder.
//
// The commands do not reach the network and are no part of any program's build.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

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
	check := flags.Bool("check", false, "print what the facts `files` say differently")
	take := flags.Bool("import", false, "take the facts files over, keep what was added by hand, and pack")
	pack := flags.Bool("pack", false, "write the packed copy of the texts")
	dir := flags.String("catalog", "catalog", "`folder` of the package: the texts are in its data")
	if err := flags.Parse(args); err != nil {
		return failed
	}
	status, err := failed, error(nil)
	switch {
	case *check && !*take && !*pack:
		status, err = compareFiles(*dir, flags.Args(), stdout)
	case *take && !*check && !*pack:
		status, err = importFiles(*dir, flags.Args(), stdout)
	case *pack && !*check && !*take && flags.NArg() == 0:
		status, err = packFiles(*dir)
	default:
		err = errors.New("say one of -check FILE..., -import FILE... and -pack")
	}
	if err != nil {
		fmt.Fprintln(stderr, "gen:", err)
		return failed
	}
	return status
}

// compareFiles prints what an import would change.
func compareFiles(dir string, files []string, stdout io.Writer) (int, error) {
	have, err := readTexts(dir)
	if err != nil {
		return failed, err
	}
	facts, err := readFacts(files)
	if err != nil {
		return failed, err
	}
	found := differences(have, merge(have, facts))
	for _, line := range found {
		fmt.Fprintln(stdout, line)
	}
	if len(found) > 0 {
		return different, nil
	}
	return same, nil
}

// importFiles writes what compareFiles prints. Nothing is written unless everything is well-formed.
func importFiles(dir string, files []string, stdout io.Writer) (int, error) {
	have, err := readTexts(dir)
	if err != nil {
		return failed, err
	}
	facts, err := readFacts(files)
	if err != nil {
		return failed, err
	}
	next := merge(have, facts)
	if err := text.Check(next); err != nil {
		return failed, fmt.Errorf("nothing was written: %w", err)
	}
	for _, line := range differences(have, next) {
		fmt.Fprintln(stdout, line)
	}
	if err := writeTexts(dir, next); err != nil {
		return failed, err
	}
	return packFiles(dir)
}

// packFiles packs well-formed texts.
func packFiles(dir string) (int, error) {
	have, err := readTexts(dir)
	if err != nil {
		return failed, err
	}
	if err := text.Check(have); err != nil {
		return failed, err
	}
	return same, writePacked(dir, have)
}
