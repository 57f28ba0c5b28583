package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Store keeps a sandbox beyond its process: what merchants and users did, keys included, as batches one behind another. A batch is
// one change, kept whole or not at all. [Directory] is one. A sandbox calls it one call at a time, and does not close it.
type Store interface {
	// Load hands over every batch, the oldest first, and ends with the first error. It is called once, before all else.
	Load(each func(batch []byte) error) error
	// Append keeps one more batch. Once it returns, the end of the process must not lose it.
	Append(batch []byte) error
	// Replace keeps these batches in place of all others, at once: whenever the process ends, it is the ones or the others.
	Replace(batches iter.Seq[[]byte]) error
}

// WithStore keeps the sandbox in a store, and begins with what is in there: orders, refunds and all else, the ledger,
// notifications that are on their way, the clock, merchants and their keys. By default it lives in memory only. A change is in the
// store before its call is answered. When the store fails, the change is not made, and every call from then on is answered with 500
// SYSTEM_ERROR. The journal, faults, rules, plans and fates are not kept, nor are the brand's keys. Notifications that have become
// due meanwhile are sent at once, over the network, unless the clock was frozen. Of a merchant who is in the store
// already, the store's key mode counts.
func WithStore(store Store) Option {
	return func(s *settings) error {
		if store == nil {
			return errors.New("sandbox: WithStore: the store is nil")
		}
		s.store = store
		return nil
	}
}

// leastCompaction is how many bytes a store gathers at least before it is written anew without what was overwritten.
const leastCompaction = 4 << 20

// persistence is where records are kept; the zero value keeps nothing.
type persistence struct {
	store   Store
	failure error // why nothing can be kept any more
	grown   int   // bytes since the last compaction
	size    int   // bytes then
}

// stored is one change in a batch: merchant, table, key and record; without a record the key was deleted.
type stored [4]json.RawMessage

// flush makes the present batch safe. If that fails, the batch is undone.
func (r *records) flush() error {
	defer func() {
		clear(r.batch)
		r.batch = r.batch[:0]
	}()
	if len(r.batch) == 0 || r.kept.store == nil {
		return nil
	}
	if r.kept.failure == nil {
		batch := r.encode()
		if err := r.kept.store.Append(batch); err != nil {
			r.kept.failure = fmt.Errorf("sandbox: the store failed, so nothing can change any more: %w", err)
		} else if r.kept.grown += len(batch); r.kept.grown > max(leastCompaction, 2*r.kept.size) {
			r.compact() // a failure counts from the next change on: this one is safe
		}
		if r.kept.failure == nil {
			return nil
		}
	}
	for _, c := range slices.Backward(r.batch) {
		c.undo()
	}
	return r.kept.failure
}

// encode writes the present batch, with the last record of each key.
func (r *records) encode() []byte {
	type place struct {
		in  keeper
		key string
	}
	done := make(map[place]bool, len(r.batch))
	list := make([]stored, 0, len(r.batch))
	for _, c := range r.batch {
		if at := (place{c.in, c.key}); !done[at] {
			done[at] = true
			list = append(list, storedOf(c.in, c.key, c.in.row(c.key)))
		}
	}
	return marshal(list)
}

func storedOf(in keeper, key string, row any) stored {
	merchant, name := in.place()
	change := stored{marshal(merchant), marshal(name), marshal(key), json.RawMessage("null")}
	if row != nil {
		change[3] = marshal(row)
	}
	return change
}

// compact writes the store anew.
func (r *records) compact() error {
	size := 0
	err := r.kept.store.Replace(func(yield func([]byte) bool) {
		var list []stored
		give := func() bool {
			batch := marshal(list)
			size, list = size+len(batch), list[:0]
			return yield(batch)
		}
		for _, tables := range r.tables {
			for _, table := range tables {
				for key, row := range table.each {
					if list = append(list, storedOf(table, key, row)); len(list) == 100 && !give() {
						return
					}
				}
			}
		}
		give()
	})
	if err != nil {
		r.kept.failure = fmt.Errorf("sandbox: the store failed, so nothing can change any more: %w", err)
		return r.kept.failure
	}
	r.kept.size, r.kept.grown = size, 0
	return nil
}

// load begins with what is in the store.
func (g *gateway) load() error {
	r := g.records
	err := r.kept.store.Load(func(batch []byte) error {
		r.kept.grown += len(batch)
		var list []stored
		if err := json.Unmarshal(batch, &list); err != nil {
			return fmt.Errorf("a batch is not in the form of this version: %w", err)
		}
		for _, change := range list {
			var merchant, name, key string
			for i, to := range []*string{&merchant, &name, &key} {
				if err := json.Unmarshal(change[i], to); err != nil {
					return fmt.Errorf("a batch is not in the form of this version: %w", err)
				}
			}
			if merchant != "" && g.tenants.find(merchant) == nil {
				g.enlist(&Sandbox{g, &tenant{merchant: Merchant{ID: merchant}}})
			}
			table := r.tables[merchant][name]
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
	if moved, ok := r.clocks.get(""); ok {
		g.time.offset, g.time.frozen = moved.Offset, moved.Frozen
	}
	for _, s := range g.tenants.list {
		keys, ok := s.state.keys.get("")
		if !ok {
			return fmt.Errorf("sandbox: the store has no keys of the merchant %s", s.merchant.ID)
		}
		if err := s.install(keys); err != nil {
			return fmt.Errorf("sandbox: the store: the keys of the merchant %s: %w", s.merchant.ID, err)
		}
	}
	r.kept.size = r.kept.grown
	return nil
}

// lost returns why nothing can change any more; nil as long as all is well.
func (r *records) lost() error {
	if r.kept.store == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept.failure
}
