package webhook

import "context"

// Deduper remembers the processed events and the owners of those in progress. A key names an event.
// It has at most a few hundred bytes unless a notification's id is longer, and contains merchant
// and order numbers but no identities. owner is a random text that names one attempt: only the
// owner of a claim may end it.
//
// contrib/sql and contrib/redis have stores for several instances. Such a store needs one atomic
// step for Claim (an INSERT that fails on a conflict, a SET NX). Its claims must expire some time
// after WithTimeout, because an instance may die with one. It must keep processed events for 24
// hours and 4 minutes, the platform's schedule.
//
// After an error of Claim the handler responds 503, and the event comes again. An error or a panic of
// Done or Release is logged and observed, and the claim then expires. The response is that of the
// function: it is 204 after a success, also if Done is still running at the end of the budget.
type Deduper interface {
	// Claim takes the event for owner, unless it is taken or done. It does not wait for another
	// owner.
	Claim(ctx context.Context, key, owner string) (State, error)
	// Done records the event as processed. It does nothing if another owner has the claim; a store
	// that can lose claims may record the event without one.
	Done(ctx context.Context, key, owner string) error
	// Release returns the event, so that another delivery can claim it. It does nothing if owner
	// has no claim.
	Release(ctx context.Context, key, owner string) error
}

// Waiter is an optional interface of a Deduper. Without it the handler asks every 200 ms while an
// event is busy.
type Waiter interface {
	// Wait returns when the event is not busy any more, or ctx ends.
	Wait(ctx context.Context, key string) error
}

// State is the result of Claim.
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
