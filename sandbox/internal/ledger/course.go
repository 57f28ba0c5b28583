package ledger

import (
	"slices"
	"time"
)

// Ending is how a record ends; sandbox.Ending documents the fields.
type Ending struct {
	State string
	After time.Duration
}

// Course is the way of a record to its end.
type Course struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Changed time.Time `json:"changed"`
	Next    string    `json:"next,omitempty"` // the state to come; empty when none is on its way
	At      time.Time `json:"due,omitzero"`   // when Next is reached
}

// Begin returns the course of something new.
func Begin(state string, now time.Time) Course { return Course{State: state, Since: now, Changed: now} }

// Due is when the next state is reached.
func (c Course) Due() time.Time { return c.At }

// Lead sets what is to come, unless the ending leaves it to be settled.
func (c *Course) Lead(ending Ending, now time.Time) {
	if ending.After >= 0 {
		c.Next, c.At = ending.State, now.Add(ending.After)
	}
}

// Become takes a state on, and drops what was to come.
func (c *Course) Become(state string, now time.Time) {
	c.State, c.Changed, c.Next, c.At = state, now, "", time.Time{}
}

// ended reports whether a record cannot be settled any more. ABNORMAL can still be repaired;
// FINISHED is the end of records whose parts end in the final states.
func (c Course) ended(finals []string) bool {
	return c.State == "FINISHED" || slices.Contains(finals, c.State) && c.State != "ABNORMAL"
}
