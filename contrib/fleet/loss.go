package fleet

import (
	"encoding/json"
	"errors"
	"time"
)

// ErrLost means that records of the queue are missing, or older than they were: its disk was
// damaged, or files of several copies were mixed. Their numbers might be sent again, so workers
// begin nothing. [Queue.Status] tells how many; restore a complete copy, or go on by [Queue.Doubt].
var ErrLost = errors.New("fleet: records of the queue are missing")

const (
	keyLost = "lost" // a loss that was found and not accepted
	keyLoss = "loss" // the last one that was accepted
)

// loss is a difference between the account and the records.
type loss struct {
	Since   time.Time `json:"since"`   // when it was found, or accepted
	Missing int64     `json:"missing"` // records, at least
	Older   int64     `json:"older"`   // of those that are there, at least so many had ended and are as they were before
	// Last is the sequence of the last record when it was accepted: all up to that may tell less
	// than they did.
	Last uint64 `json:"last,omitempty"`
}

// same reports whether two are one; nil is none.
func (l *loss) same(as *loss) bool {
	return l == as || l != nil && as != nil && l.Since.Equal(as.Since)
}

func parseLoss(text []byte) (*loss, error) {
	l := new(loss)
	return l, json.Unmarshal(text, l)
}
