package webhook

import "context"

// Deduper remembers which events were processed, and who is processing one. A key names an event; keys are at most a
// few hundred bytes unless a notification's id is longer, hold merchant and order numbers, and no identities. owner is a
// random text that names one attempt: only who holds a claim may end it.
//
// A store that several instances share needs one atomic step for Claim (an INSERT that fails on a conflict, a SET NX),
// and claims that lapse by themselves some time after WithTimeout, because an instance may die with one. What is done
// has to be kept for the 24 hours and 4 minutes of the platform's schedule.
//
// An error of Claim is answered 503, so the event comes again; an error of Done or Release is logged and observed, and
// the claim then lapses.
type Deduper interface {
	// Claim takes the event for owner, unless it is taken or done. It does not wait for another owner.
	Claim(ctx context.Context, key, owner string) (State, error)
	// Done notes that the event was processed. Without a claim of owner's it does nothing.
	Done(ctx context.Context, key, owner string) error
	// Release gives the event back, so that another delivery can claim it. Without a claim of owner's it does nothing.
	Release(ctx context.Context, key, owner string) error
}

// Waiter is what a Deduper may also be. Without it the handler asks again every 200 ms while an event is busy.
type Waiter interface {
	// Wait returns when the event is not busy any more, or ctx ends.
	Wait(ctx context.Context, key string) error
}

// State is what Claim found.
type State int

// States of an event.
const (
	Claimed   State = iota + 1 // it is owner's now
	Busy                       // another owner has it
	Processed                  // it was done before
)

func (s State) String() string {
	switch s {
	case Claimed:
		return "claimed"
	case Busy:
		return "busy"
	case Processed:
		return "processed"
	}
	return "unknown"
}
