package shell

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
)

// Page writes a long text for a person: on a terminal through the program in PAGER, if that is set.
func (sh *Shell) Page(ctx context.Context, text []byte) error {
	pager := sh.Getenv("PAGER")
	if !sh.Terminal || pager == "" || pager == "cat" {
		return sh.Write(text)
	}
	command := exec.CommandContext(ctx, "sh", "-c", pager)
	command.Env = sh.Environ
	if _, set := sh.Lookup("LESS"); !set {
		command.Env = append(command.Environ(), "LESS=FRX") // ends at once where the text fits, keeps colours, and leaves the text there
	}
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), sh.Stdout, sh.Stderr
	if err := command.Start(); err != nil {
		return sh.Write(text) // there is no shell
	}
	var exit *exec.ExitError
	if err := command.Wait(); errors.As(err, &exit) && (exit.ExitCode() == 126 || exit.ExitCode() == 127) {
		return sh.Write(text) // there is no such pager
	}
	return nil // who leaves the pager early has read enough
}
