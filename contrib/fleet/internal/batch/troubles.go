package batch

import (
	"log/slog"
	"sync"
	"time"
)

// troubles tells of what workers meet, each thing once a minute.
type troubles struct {
	p    *program
	mu   sync.Mutex
	told map[string]time.Time
}

func (t *troubles) tell(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := inFlags(err.Error())
	if time.Since(t.told[text]) < time.Minute {
		return
	}
	if t.told == nil {
		t.told = make(map[string]time.Time)
	}
	t.told[text] = time.Now()
	t.p.log(slog.LevelWarn, "%s", text)
}
