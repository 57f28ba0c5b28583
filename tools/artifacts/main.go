// Command artifacts makes what a release has for download, beside the packages that goreleaser makes of it.
//
//	go run ./tools/artifacts check              # in the root of the repository: the committed state builds to the same bytes in two folders
//	go run ./tools/artifacts check -fresh       # the same, and the second build compiles everything anew
//	go run ./tools/artifacts pages PROGRAM DIR  # completions and manual pages of wxpay or wxpay-batch
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/wxpay-go/wxpay/tools/internal/artifact"
)

func main() {
	if err := do(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "artifacts:", err)
		os.Exit(1)
	}
}

func do(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "check":
		return artifact.Check(os.Stdout, ".", false)
	case len(args) == 2 && args[0] == "check" && args[1] == "-fresh":
		return artifact.Check(os.Stdout, ".", true)
	case len(args) == 3 && args[0] == "pages":
		program, err := artifact.Find(".", args[1])
		if err != nil {
			return err
		}
		return artifact.Pages(".", program, args[2])
	}
	return errors.New("usage: artifacts check [-fresh] | pages PROGRAM DIR")
}
