//go:build unix

package checkup

import (
	"os/exec"
	"syscall"
)

// alone gives a process a group of its own, so that what it starts ends with it: "go run" leaves its program behind.
func alone(process *exec.Cmd) { process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminate(process *exec.Cmd) { _ = syscall.Kill(-process.Process.Pid, syscall.SIGTERM) }

func kill(process *exec.Cmd) { _ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }
