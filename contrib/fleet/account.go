package fleet

import (
	"sync"
	"sync/atomic"
	"time"
)

// account counts records apart from them, so that it shows when some are lost. It never counts more
// than there are: what a process that dies has not added yet is missing from it.
type account struct {
	Known int64 `json:"known"` // jobs with a record
	Ended int64 `json:"ended"` // those of them that stand at an end
}

func (a account) plus(b account) account { return account{a.Known + b.Known, a.Ended + b.Ended} }

func (a account) minus(b account) account { return account{a.Known - b.Known, a.Ended - b.Ended} }

// ledger holds what this process has not added to the account yet.
type ledger struct {
	known, ended atomic.Int64
	mu           sync.Mutex // held while it is added
	added        time.Time
}

// note counts records that were stored.
func (l *ledger) note(a account) {
	l.known.Add(a.Known)
	l.ended.Add(a.Ended)
}

// ledgerEvery is how often a process adds what it has stored to the account.
const ledgerEvery = time.Second
