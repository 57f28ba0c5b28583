package publish

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// git runs a git command in dir and returns its output without the last line break.
func git(dir string, args ...string) (string, error) {
	out, err := run(dir, nil, "git", args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// run runs a command in dir, with variables added to those of this process. An error has the command's output.
func run(dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if env != nil {
		cmd.Env = append(os.Environ(), env...)
	}
	return output(cmd)
}

func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String() + stdout.String())
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return stdout.Bytes(), nil
}
