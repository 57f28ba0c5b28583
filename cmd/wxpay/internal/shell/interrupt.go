package shell

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that SIGINT, SIGTERM and SIGHUP end. A SIGHUP that is ignored, as under nohup, stays
// ignored. A second signal ends the process, as it does by default.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
