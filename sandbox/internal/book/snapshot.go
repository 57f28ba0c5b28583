package book

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Snapshot is all records of a moment.
type Snapshot struct {
	Format int                                              `json:"format"`
	Time   time.Time                                        `json:"time"` // of the clock
	Frozen bool                                             `json:"frozen,omitempty"`
	Tables map[string]map[string]map[string]json.RawMessage `json:"tables"` // by merchant and name, records by key
}

const snapshotFormat = 1

// Tables that are no part of a snapshot, and those that a reset leaves alone. Keys stay with their
// process, so that clients which have them go on. Relations between merchants are as much a part of
// the set-up as the merchants. A running number never repeats, as none of the platform's does.
var (
	unsnapped = []string{"keys", "rotations", "clocks"}
	unreset   = append([]string{"subs", "serials"}, unsnapped...)
)

// Snapshot returns all records as JSON.
func (c *Clock) Snapshot() ([]byte, error) {
	b := c.book.Begin(c.Now())
	snap := Snapshot{Format: snapshotFormat, Time: c.Now(), Frozen: c.Frozen(), Tables: make(map[string]map[string]map[string]json.RawMessage)}
	for merchant, tables := range b.tables {
		snap.Tables[merchant] = make(map[string]map[string]json.RawMessage)
		for name, table := range tables {
			if slices.Contains(unsnapped, name) {
				continue
			}
			rows := make(map[string]json.RawMessage)
			for key, row := range table.each {
				rows[key] = say.JSON(row)
			}
			if len(rows) > 0 {
				snap.Tables[merchant][name] = rows
			}
		}
	}
	if err := b.End(); err != nil {
		return nil, err
	}
	return say.JSON(snap), nil
}

// ReadSnapshot reads what Snapshot wrote, and returns the merchants in it, sorted.
func (c *Clock) ReadSnapshot(data []byte) (snap *Snapshot, merchants []string, err error) {
	if err := json.Unmarshal(data, &snap); err != nil || snap == nil || snap.Tables == nil {
		return nil, nil, errors.New("sandbox: restore: this is no snapshot of a sandbox")
	}
	if snap.Format != snapshotFormat {
		return nil, nil, fmt.Errorf("sandbox: restore: the snapshot is in format %d, this version reads %d", snap.Format, snapshotFormat)
	}
	if !c.reaches(snap.Time) {
		return nil, nil, errors.New("sandbox: restore: the snapshot has no time, or one that is more than a hundred years from now")
	}
	merchants = slices.DeleteFunc(slices.Sorted(maps.Keys(snap.Tables)), func(id string) bool { return id == "" })
	return snap, merchants, nil
}

// Restore puts the records of a snapshot in place of all others, but for keys and the clock's own.
// behind is done while nobody else can change anything, before something is due.
func (c *Clock) Restore(snap *Snapshot, behind func()) error {
	return c.replace(snap, unsnapped, behind)
}

// Reset empties all records but keys, relations and running numbers, and sets the clock to the time of the wire.
// behind is as for Restore.
func (c *Clock) Reset(behind func()) error {
	return c.replace(&Snapshot{Time: c.Wire()}, unreset, behind)
}

// replace puts the records of a snapshot in place of all others but those of some tables.
func (c *Clock) replace(snap *Snapshot, but []string, behind func()) error {
	b := c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept.failure != nil {
		return b.kept.failure
	}
	for merchant, tables := range snap.Tables {
		for name := range tables {
			if b.tables[merchant][name] == nil || slices.Contains(but, name) {
				return fmt.Errorf("sandbox: restore: there is no table %q in this version", name)
			}
		}
	}
	var swaps []func()
	for merchant, tables := range b.tables {
		for name, table := range tables {
			if slices.Contains(but, name) {
				continue
			}
			swap, err := table.readAll(snap.Tables[merchant][name])
			if err != nil {
				return fmt.Errorf("sandbox: restore: %w", err)
			}
			swaps = append(swaps, swap)
		}
	}
	for _, swap := range swaps {
		swap()
	}
	c.to(snap.Time, snap.Frozen)
	c.clocks.Put("", c.position())
	behind()
	b.forget() // the store is written anew
	b.realarm()
	if b.kept.store == nil {
		return nil
	}
	return b.kept.compact(b.all())
}

// Load begins with the records in a store. merchant is called with a number when it first appears,
// and opens its tables.
func (c *Clock) Load(store Store, merchant func(id string)) error {
	b := c.book
	b.kept.store = store
	err := store.Load(func(batch []byte) error {
		b.kept.grown += len(batch)
		var list []stored
		if err := json.Unmarshal(batch, &list); err != nil {
			return fmt.Errorf("a batch is not in the form of this version: %w", err)
		}
		for _, change := range list {
			var of, name, key string
			for i, to := range []*string{&of, &name, &key} {
				if err := json.Unmarshal(change[i], to); err != nil {
					return fmt.Errorf("a batch is not in the form of this version: %w", err)
				}
			}
			if of != "" && b.tables[of] == nil {
				merchant(of)
			}
			table := b.tables[of][name]
			if table == nil {
				return fmt.Errorf("there is a table %q of another version of the sandbox", name)
			}
			row := change[3]
			if bytes.Equal(row, []byte("null")) {
				row = nil
			}
			if err := table.read(key, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sandbox: the store: %w", err)
	}
	if p, ok := c.clocks.Get(""); ok {
		c.set(p)
	}
	b.kept.size = b.kept.grown
	return nil
}

// Arm sets the alarms of all records, after Load.
func (c *Clock) Arm() {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	c.book.realarm()
}
