package fleet

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// startTime bounds the start of the embedded server, which reads its files: a few seconds for tens
// of millions of messages.
const startTime = 2 * time.Minute

// serverLog keeps the last complaint of the embedded server, which is silent otherwise.
type serverLog struct {
	fatal chan struct{}

	mu   sync.Mutex
	last string
	dead bool
}

// writeError is in what the server logs when it could not write a file of a stream. It stores
// nothing more in that stream then, and does not answer who publishes to it.
const writeError = "critical write error: "

func (l *serverLog) keep(format string, v []any, fatal bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return
	}
	l.last = fmt.Sprintf(format, v...)
	if fatal || strings.Contains(l.last, writeError) {
		l.dead = true
		close(l.fatal)
	}
}

func (l *serverLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return fmt.Sprintf("it was not ready within %v", startTime)
	}
	return l.last
}

func (l *serverLog) Fatalf(format string, v ...any) { l.keep(format, v, true) }

func (l *serverLog) Errorf(format string, v ...any) { l.keep(format, v, false) }

func (*serverLog) Warnf(string, ...any) {}

func (*serverLog) Noticef(string, ...any) {}

func (*serverLog) Debugf(string, ...any) {}

func (*serverLog) Tracef(string, ...any) {}
