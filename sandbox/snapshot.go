package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// snapshot is all records of a moment.
type snapshot struct {
	Format int                                              `json:"format"`
	Time   time.Time                                        `json:"time"` // of the clock
	Frozen bool                                             `json:"frozen,omitempty"`
	Tables map[string]map[string]map[string]json.RawMessage `json:"tables"` // by merchant and name, records by key
}

const snapshotFormat = 1

// Tables that are no part of a snapshot, and those that a reset leaves alone: keys stay with their process, so that clients which
// have them go on; relations between merchants are as much a part of the set-up as the merchants.
var (
	unsnapped = []string{"keys", "rotations", "clocks"}
	unreset   = append([]string{"subs"}, unsnapped...)
)

// Snapshot returns everything that the merchants and their users have done, as JSON for [Sandbox.Restore]: orders, refunds and all
// other records, the ledger, the log of notifications, and the time of the clock. Keys are not in it, nor are the journal, faults,
// plans and fates; personal data is, in the clear.
func (s *Sandbox) Snapshot() ([]byte, error) {
	st := s.begin()
	snap := snapshot{Format: snapshotFormat, Time: s.clock(), Frozen: s.time.Frozen(), Tables: make(map[string]map[string]map[string]json.RawMessage)}
	for merchant, tables := range st.tables {
		snap.Tables[merchant] = make(map[string]map[string]json.RawMessage)
		for name, table := range tables {
			if slices.Contains(unsnapped, name) {
				continue
			}
			rows := make(map[string]json.RawMessage)
			for key, row := range table.each {
				rows[key] = marshal(row)
			}
			if len(rows) > 0 {
				snap.Tables[merchant][name] = rows
			}
		}
	}
	if err := st.end(); err != nil {
		return nil, err
	}
	return marshal(snap), nil
}

// Restore makes everything as it was when the snapshot was taken, in this sandbox or another, the time of the clock included; it
// is the only way back. What was due later is due later again, and notifications on their way are repeated. Merchants whom the
// sandbox does not have are added, with new keys, and those whom the snapshot does not have are left with nothing. Notifications
// that were encrypted for other keys than this sandbox has are given up. If the snapshot cannot be read, nothing changes.
func (s *Sandbox) Restore(data []byte) error {
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil || snap.Tables == nil {
		return errors.New("sandbox: restore: this is no snapshot of a sandbox")
	}
	if snap.Format != snapshotFormat {
		return fmt.Errorf("sandbox: restore: the snapshot is in format %d, this version reads %d", snap.Format, snapshotFormat)
	}
	if !s.time.reaches(snap.Time) {
		return errors.New("sandbox: restore: the snapshot has no time, or one that is more than a hundred years from now")
	}
	for _, id := range slices.Sorted(maps.Keys(snap.Tables)) {
		if id != "" {
			if _, err := s.AddMerchant(id); err != nil {
				return fmt.Errorf("sandbox: restore: %w", err)
			}
		}
	}
	return s.replace(snap, unsnapped)
}

// Reset empties all records, as if nobody had done anything yet, and sets the clock to the time of the wire. Merchants stay, with
// their keys and sub-merchants; so do the journal, faults, plans and fates.
func (s *Sandbox) Reset() error {
	return s.replace(snapshot{Time: s.wire()}, unreset)
}

// replace puts the records of a snapshot in place of all others but those of some tables.
func (g *gateway) replace(snap snapshot, but []string) error {
	r := g.records
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept.failure != nil {
		return r.kept.failure
	}
	for merchant, tables := range snap.Tables {
		for name := range tables {
			if r.tables[merchant][name] == nil || slices.Contains(but, name) {
				return fmt.Errorf("sandbox: restore: there is no table %q in this version", name)
			}
		}
	}
	var swaps []func()
	for merchant, tables := range r.tables {
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
	g.time.to(snap.Time, snap.Frozen)
	for id, d := range r.deliveries.rows {
		if to := g.tenants.find(d.Merchant); d.State == Waiting && (to == nil || !to.canOpen(d)) {
			d.State, d.Next, d.Reason = GivenUp, time.Time{}, "it was encrypted for other keys, before the snapshot was restored here"
			r.deliveries.rows[id] = d
		}
	}
	r.realarm()
	g.courier.tell()
	if r.kept.store == nil {
		return nil
	}
	return r.compact()
}
