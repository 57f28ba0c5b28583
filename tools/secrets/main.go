// Command secrets looks for credentials in every commit of the repository, on every branch, and fails if it finds one. It
// prints commit, file and kind, and never the text.
//
//	go run ./tools/secrets
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/wxpay-go/wxpay/tools/internal/secret"
)

func main() {
	if err := scan(); err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
}

func scan() error {
	log := exec.Command("git", "log", "--all", "--patch", "--text", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/",
		"--diff-merges=first-parent", "--format=commit:%H")
	log.Stderr = os.Stderr
	out, err := log.StdoutPipe()
	if err != nil {
		return err
	}
	if err := log.Start(); err != nil {
		return err
	}
	found, err := secret.Scan(out)
	if err = errors.Join(err, log.Wait()); err != nil {
		return err
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		return fmt.Errorf("%d places look like credentials: revoke what is real, and take it out of the history", len(found))
	}
	return nil
}
