package book

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Store keeps batches of changes beyond the process; sandbox.Store documents it.
type Store interface {
	Load(each func(batch []byte) error) error
	Append(batch []byte) error
	Replace(batches iter.Seq[[]byte]) error
}

// keeper is a table or a series.
type keeper interface {
	place() (merchant, name string)
	read(key string, row json.RawMessage) error // puts a record, or deletes it if row is nil, without a trace in the batch
	row(key string) any                         // nil if there is none
	each(yield func(key string, row any) bool)
	readAll(rows map[string]json.RawMessage) (swap func(), err error) // reads records to put in place of all
	due(key string) time.Time                                         // zero for never
	happen(key string, at time.Time)
}

// change is a record that was put or deleted, and how that is undone.
type change struct {
	in   keeper
	key  string
	undo func()
}

// leastCompaction is how many bytes a store gathers at least before it is written anew without what
// was overwritten.
const leastCompaction = 4 << 20

// persistence is where records are kept; the zero value keeps nothing.
type persistence struct {
	store   Store
	failure error // why nothing can be kept any more
	grown   int   // bytes since the last compaction
	size    int   // bytes then
}

// stored is one change in a batch: merchant, table, key and record; without a record the key was
// deleted.
type stored [4]json.RawMessage

func storedOf(in keeper, key string, row any) stored {
	merchant, name := in.place()
	change := stored{say.JSON(merchant), say.JSON(name), say.JSON(key), json.RawMessage("null")}
	if row != nil {
		change[3] = say.JSON(row)
	}
	return change
}

// encode writes a batch, with the last record of each key.
func encode(batch []change) []byte {
	type place struct {
		in  keeper
		key string
	}
	done := make(map[place]bool, len(batch))
	list := make([]stored, 0, len(batch))
	for _, c := range batch {
		if at := (place{c.in, c.key}); !done[at] {
			done[at] = true
			list = append(list, storedOf(c.in, c.key, c.in.row(c.key)))
		}
	}
	return say.JSON(list)
}

func (p *persistence) fail(err error) error {
	p.failure = fmt.Errorf("sandbox: the store failed, so nothing can change any more: %w", err)
	return p.failure
}

// append makes a batch safe. all are the records of every table, for when the store has grown too
// large.
func (p *persistence) append(batch []change, all iter.Seq[keeper]) error {
	if p.store == nil || p.failure != nil {
		return p.failure
	}
	text := encode(batch)
	if err := p.store.Append(text); err != nil {
		return p.fail(err)
	}
	if p.grown += len(text); p.grown > max(leastCompaction, 2*p.size) {
		p.compact(all) // a failure counts from the next change on: this one is safe
	}
	return nil
}

// compact writes the store anew.
func (p *persistence) compact(all iter.Seq[keeper]) error {
	size := 0
	err := p.store.Replace(func(yield func([]byte) bool) {
		var list []stored
		give := func() bool {
			batch := say.JSON(list)
			size, list = size+len(batch), list[:0]
			return yield(batch)
		}
		for table := range all {
			for key, row := range table.each {
				if list = append(list, storedOf(table, key, row)); len(list) == 100 && !give() {
					return
				}
			}
		}
		give()
	})
	if err != nil {
		return p.fail(err)
	}
	p.size, p.grown = size, 0
	return nil
}
