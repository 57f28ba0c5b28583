package cli

import (
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What nohup ignores stays ignored.
func TestHangUpStaysIgnored(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop := interruptible(t.Context())
	defer stop()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
}
