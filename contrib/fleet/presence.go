package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Member is a worker that has told the queue lately that it is at work.
type Member struct {
	// Name is Worker.Name.
	Name string `json:"name"`
	// Since is when it began, by its own clock.
	Since time.Time `json:"since"`
	// Aside tells why it has stepped aside, nil if it has not.
	Aside *Pause `json:"aside,omitempty"`
}

// keyMember is the beginning of the keys under which the control bucket keeps a member for each
// Run.
const keyMember = "worker."

// memberForgotten is after how long what is kept of a worker that died is removed.
const memberForgotten = 24 * time.Hour

// announce stores that a worker is at work.
func (q *Queue) announce(ctx context.Context, id string, m Member) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = q.control.Put(ctx, keyMember+id, q.keys.Seal(keyMember+id, text))
	return err
}

// leave removes what announce has stored.
func (q *Queue) leave(ctx context.Context, id string) error {
	s, err := q.engine.js.Stream(ctx, "KV_"+q.name+"-control")
	if err != nil {
		return err
	}
	return s.Purge(ctx, jetstream.WithPurgeSubject("$KV."+q.name+"-control."+keyMember+id)) // and no mark that it was there
}

// members lists the workers that were at work within a lease before the one that announced itself
// last: so only the clock of the engine counts.
func (q *Queue) members(ctx context.Context) (map[string]Member, error) {
	ctx, cancel := context.WithTimeout(ctx, rideSetup)
	defer cancel()
	list, err := q.control.ListKeysFiltered(ctx, keyMember+"*")
	if err != nil {
		return nil, fmt.Errorf("fleet: listing the workers: %w", q.engine.Explain(err))
	}
	defer func() { _ = list.Stop() }()
	entries := make(map[string]jetstream.KeyValueEntry)
	var last time.Time
	for key := range list.Keys() {
		entry, err := q.control.Get(ctx, key)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return nil, fmt.Errorf("fleet: reading what a worker says: %w", q.engine.Explain(err))
		default:
			entries[key] = entry
			last = later(last, entry.Created())
		}
	}
	members := make(map[string]Member)
	for key, entry := range entries {
		id := key[len(keyMember):]
		switch age := last.Sub(entry.Created()); {
		case age > memberForgotten:
			if q.client != nil { // else nothing is to be changed
				_ = q.leave(ctx, id)
			}
			continue
		case age > q.lease:
			continue
		}
		var m Member
		if text, _, err := q.keys.Open(key, entry.Value()); err != nil || json.Unmarshal(text, &m) != nil {
			m.Name = "one that cannot be read"
		}
		members[id] = m
	}
	return members, nil
}
