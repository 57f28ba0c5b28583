package gate

import (
	"sync"

	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
)

// Listener is told of requests. The zero value tells nobody.
type Listener struct {
	mu sync.Mutex
	do func(journal.Entry)
}

// Set sets whom it tells; nil for nobody.
func (l *Listener) Set(do func(journal.Entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.do = do
}

func (l *Listener) tell(entry journal.Entry) {
	l.mu.Lock()
	do := l.do
	l.mu.Unlock()
	if do != nil {
		do(entry)
	}
}
