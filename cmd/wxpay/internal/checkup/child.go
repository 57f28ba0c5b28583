package checkup

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// child is the process of the service.
type child struct {
	process *exec.Cmd
	ended   chan struct{}
	err     error // says that it ended; read it behind ended
}

// start starts the service. Its output goes to stderr.
func start(sh *shell.Shell, variables, command []string) (*child, error) {
	process := exec.Command(command[0], command[1:]...)
	process.Env = append(slices.Clone(sh.Environ), variables...)
	process.Stdout, process.Stderr = sh.Stderr, sh.Stderr
	process.WaitDelay = grace // for processes of it that still have the output
	alone(process)
	if err := process.Start(); err != nil {
		code := 126
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			code = 127
		}
		return nil, &shell.ExitError{Code: code, Err: shell.Say("the service did not start: %w", err)}
	}
	c := &child{process: process, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = process.Wait()
		c.err = shell.Say("the service has ended: %s", process.ProcessState)
	}()
	return c, nil
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// longestStart is how long the service may take until it listens; it may have to be compiled.
const longestStart = 3 * time.Minute

// listening waits until somebody listens on the address.
func (c *child) listening(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	dialer := net.Dialer{Timeout: time.Second}
	for {
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-c.ended:
			return c.err
		case <-ctx.Done():
			return shell.Say("the service does not listen on %s, the port of PORT: %w", address, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// grace is how long the service may take to end when it is asked to.
const grace = 5 * time.Second

// stop ends the service and what it has started.
func (c *child) stop() {
	terminate(c.process)
	select {
	case <-c.ended:
	case <-time.After(grace):
		kill(c.process)
		<-c.ended
	}
}
