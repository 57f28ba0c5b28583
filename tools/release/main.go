// Command release prepares a release in a scratch clone, proves that users can get it, and prints the commit and the tags in
// the order to push them. It sends nothing anywhere; a maintainer pushes.
//
//	go run ./tools/release            # in the root of the repository
//	go run ./tools/release -plan      # the versions only
//	go run ./tools/release -notes TAG # what the changelogs say of a version, in English and Chinese
//
// The clone stays for the maintainer unless the proof fails, or -discard is given.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/wxpay-go/wxpay/tools/internal/publish"
)

func main() {
	plan := flag.Bool("plan", false, "print the versions and stop")
	discard := flag.Bool("discard", false, "remove the clone at the end: for a check")
	tag := flag.String("notes", "", "print the notes of the release of a `tag`, and stop")
	flag.Parse()
	var err error
	if *tag != "" {
		err = notes(os.Stdout, *tag)
	} else {
		err = release(os.Stdout, *plan, *discard)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func notes(out io.Writer, tag string) error {
	text, err := publish.Notes(".", tag)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

func release(out io.Writer, planOnly, discard bool) (err error) {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	plan, err := publish.Plan(dir)
	if err != nil {
		return err
	}
	for _, r := range plan {
		if r.New() {
			fmt.Fprintf(out, "%s %s (before: %s)\n", r.Path(), r.Version, orNone(r.Last))
		} else {
			fmt.Fprintf(out, "%s stays %s\n", r.Path(), r.Version)
		}
	}
	if planOnly {
		return nil
	}
	if err := publish.CheckNotes(dir, plan); err != nil {
		if !discard {
			return err
		}
		fmt.Fprintln(out, "not ready to be published:", err)
	}
	work, err := os.MkdirTemp("", "wxpay-release-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil || discard {
			err = errors.Join(err, os.RemoveAll(work))
		}
	}()
	candidate, err := publish.Prepare(dir, work)
	if err != nil {
		return err
	}
	if err := candidate.Prove(out); err != nil {
		return err
	}
	return candidate.Instructions(out)
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
