package shell

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
)

// RunProgram runs another program of this project, which lies beside this one or is found in PATH; source is what go install
// takes in a clone.
func (sh *Shell) RunProgram(ctx context.Context, program, source string, args []string) error {
	path, err := beside(program)
	if err != nil {
		path, err = exec.LookPath(program)
	}
	if err != nil {
		return Usage("%w\nIt is a separate program. In a clone of this project, \"go install %s\" installs it.", err, source)
	}
	return sh.RunWith(ctx, nil, append([]string{path}, args...))
}

// beside returns a program in the folder of this one, also where a link leads here, as those of package managers do.
func beside(program string) (string, error) {
	own, err := os.Executable()
	if err == nil {
		own, err = filepath.EvalSymlinks(own)
	}
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(filepath.Dir(own), program))
}

// AsksForHelp reports whether arguments that another program parses ask for its help.
func AsksForHelp(args []string) bool {
	return len(args) > 0 && (args[0] == "--help" || args[0] == "-h")
}

// RunWith runs a command with more variables than the environment has. Its exit code comes back as an [ExitError]: 127 if
// the command was not found, 126 if it could not be run, 128 and the number of the signal if one ended it.
func (sh *Shell) RunWith(ctx context.Context, variables, command []string) error {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Env = append(slices.Clone(sh.Environ), variables...)
	child.Stdin, child.Stdout, child.Stderr = sh.Stdin, sh.Stdout, sh.Stderr

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		code := 126
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			code = 127
		}
		return &ExitError{code, Say("the command did not start: %w", err)}
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == os.Interrupt && slices.ContainsFunc([]any{sh.Stdin, sh.Stdout, sh.Stderr}, IsTerminal) {
				continue // the terminal has sent it to the command as well; twice would read as impatience
			}
			_ = child.Process.Signal(s) // fails only if the command has ended
		case err := <-ended:
			return childError(child, err)
		}
	}
}

// childError is the error for a command that has ended.
func childError(child *exec.Cmd, err error) error {
	if child.ProcessState == nil {
		return &ExitError{126, err}
	}
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Exit(128 + int(status.Signal()))
	}
	if code := child.ProcessState.ExitCode(); code != 0 {
		return Exit(code)
	}
	if err != nil { // the command succeeded, but its output could not be passed on
		return &ExitError{ExitConfirmed, err}
	}
	return nil
}
