//go:build !unix

package checkup

import "os/exec"

// alone does nothing: there are no groups of processes here.
func alone(*exec.Cmd) {}

func terminate(process *exec.Cmd) { kill(process) }

func kill(process *exec.Cmd) { _ = process.Process.Kill() }
