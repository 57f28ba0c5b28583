// Command release prepares a release in a scratch clone, proves that users can get it, and prints the commit and the tags in
// the order to push them. It sends nothing anywhere; a maintainer pushes.
//
//	go run ./tools/release        # in the root of the repository
//	go run ./tools/release -plan  # the versions only
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
	flag.Parse()
	if err := release(os.Stdout, *plan, *discard); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
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
