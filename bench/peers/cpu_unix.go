//go:build unix

package peers

import (
	"syscall"
	"time"
)

// ProcessorTime is what this process has used of the processors, in its own work and the garbage
// collector's. Unlike the time on the clock, it does not count what other programs do.
func ProcessorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
