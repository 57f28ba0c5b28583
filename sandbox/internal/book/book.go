// Package book keeps records in tables, for all merchants under one mutex. A record is a plain
// struct that marshals to JSON and back without loss; it names other records by their keys and
// points to none. It is copied in and out, so the slices and maps inside of it are replaced and
// never changed. Snapshots, stores and resets follow from that.
//
// A flow opens its tables with [OpenTable], for each merchant. In an operation:
//
//	defer c.Begin().Commit()
//	row, known := f.things.Get(key)
//	… every check, with all rejections …
//	f.things.Put(key, row)
//
// All that is put between Begin and Commit takes effect together or not at all. Put nothing before
// a rejection. A method of the Go API calls Begin of the merchant and returns End for its error.
//
// A record that changes by itself says when, by a method Due() time.Time (zero for never), and its
// table says what happens, by OnDue. Begin makes everything happen that is due by then, in the
// order of time, and a timer does when nobody asks; so nobody who reads a record has to look at the
// time. OnDue must put a record whose Due is later, or zero.
package book

import (
	"container/heap"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
	"weak"
)

// Book is the tables of all merchants, under one mutex.
type Book struct {
	mu     sync.Mutex
	tables map[string]map[string]keeper // by merchant and name; those of no merchant by ""
	hands  hands

	begun  time.Time // the time of the present change
	batch  []change  // put since the last flush
	kept   persistence
	alarms alarms
	timer  *time.Timer
	armed  time.Time // what timer waits for; zero for nothing
	closed bool
	note   func(position) // stores where the hands are
}

// Begin takes the book for a change, once everything has happened that is due by now. End it with
// Commit or End.
func (b *Book) Begin(now time.Time) *Book {
	b.mu.Lock()
	b.begun = now
	b.ripenBy(now)
	return b
}

// Begun returns the time of the present change.
func (b *Book) Begun() time.Time { return b.begun }

// Commit makes the change safe and gives the book free. It is to be deferred: a panic undoes the
// change.
func (b *Book) Commit() {
	if v := recover(); v != nil {
		b.undo()
		b.mu.Unlock()
		panic(v)
	}
	b.End()
}

// End is Commit for those who take the error.
func (b *Book) End() error {
	err := b.flush()
	b.ripenBy(b.begun) // what takes no time has happened before the call is answered
	b.arm()
	b.mu.Unlock()
	return err
}

// Lock takes the book without a change, for what is no record. Nothing that is due happens.
func (b *Book) Lock() { b.mu.Lock() }

// Unlock gives the book free after Lock.
func (b *Book) Unlock() { b.mu.Unlock() }

// Stores reports whether a store keeps the book.
func (b *Book) Stores() bool { return b.kept.store != nil }

// Lost returns why nothing can change any more; nil as long as all is well.
func (b *Book) Lost() error {
	if b.kept.store == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept.failure
}

// Failed is Lost with the book begun.
func (b *Book) Failed() error { return b.kept.failure }

// Close keeps records from changing by themselves. Begin still makes happen what is due.
func (b *Book) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.disarm()
}

func (b *Book) add(merchant, name string, k keeper) {
	if b.tables[merchant] == nil {
		b.tables[merchant] = make(map[string]keeper)
	}
	if b.tables[merchant][name] != nil {
		panic("sandbox: there are two tables " + name) // found by any test
	}
	b.tables[merchant][name] = k
}

// all returns every table.
func (b *Book) all() iter.Seq[keeper] {
	return func(yield func(keeper) bool) {
		for _, tables := range b.tables {
			for _, table := range tables {
				if !yield(table) {
					return
				}
			}
		}
	}
}

// changed notes a change of the present batch.
func (b *Book) changed(c change) { b.batch = append(b.batch, c) }

// undo takes back the present batch.
func (b *Book) undo() {
	for _, c := range slices.Backward(b.batch) {
		c.undo()
	}
	b.forget()
}

func (b *Book) forget() {
	clear(b.batch)
	b.batch = b.batch[:0]
}

// flush makes the present batch safe. If that fails, the batch is undone.
func (b *Book) flush() error {
	if len(b.batch) == 0 {
		return nil
	}
	err := b.kept.append(b.batch, b.all())
	if err != nil {
		b.undo()
	}
	b.forget()
	return err
}

// alarm is a time at which something happens to a record, unless it has another due by then.
type alarm struct {
	at    time.Time
	order uint64 // in which alarms of one time were set
	in    keeper
	key   string
}

// alarms is a heap of them, the next at its root.
type alarms struct {
	list  []alarm
	count uint64
}

func (a *alarms) Len() int { return len(a.list) }
func (a *alarms) Less(i, j int) bool {
	x, y := &a.list[i], &a.list[j]
	return x.at.Before(y.at) || x.at.Equal(y.at) && x.order < y.order
}
func (a *alarms) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }
func (a *alarms) Push(x any)    { a.list = append(a.list, x.(alarm)) }
func (a *alarms) Pop() any {
	last := len(a.list) - 1
	x := a.list[last]
	a.list[last] = alarm{}
	a.list = a.list[:last]
	return x
}

func (b *Book) alarm(in keeper, key string, at time.Time) {
	b.alarms.count++
	heap.Push(&b.alarms, alarm{at, b.alarms.count, in, key})
}

// realarm sets the alarms of all records anew.
func (b *Book) realarm() {
	b.alarms.list = nil
	for _, merchant := range slices.Sorted(maps.Keys(b.tables)) { // sorted, so that what is due at one time happens in one order
		tables := b.tables[merchant]
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			table, dues := tables[name], make(map[string]time.Time)
			for key := range table.each {
				if at := table.due(key); !at.IsZero() {
					dues[key] = at
				}
			}
			for _, key := range slices.Sorted(maps.Keys(dues)) {
				b.alarm(table, key, dues[key])
			}
		}
	}
	b.disarm()
	b.arm()
}

// next returns the time of the next alarm that still holds; zero if there is none.
func (b *Book) next() time.Time {
	for len(b.alarms.list) > 0 {
		a := &b.alarms.list[0]
		if a.in.due(a.key).Equal(a.at) {
			return a.at
		}
		heap.Pop(&b.alarms)
	}
	return time.Time{}
}

// ripenBy makes all that is due by now happen, each as a batch of its own.
func (b *Book) ripenBy(now time.Time) {
	begun := b.begun
	defer func() { b.begun = begun }()
	for {
		at := b.next()
		if at.IsZero() || at.After(now) {
			return
		}
		a := heap.Pop(&b.alarms).(alarm)
		b.begun = at // which is when it happens, however late it is noticed
		a.in.happen(a.key, at)
		b.flush()
	}
}

// arm lets the next alarm go off by itself, unless the clock stands still.
func (b *Book) arm() {
	at := b.next()
	if b.closed || at.Equal(b.armed) {
		return
	}
	b.disarm()
	if at.IsZero() || b.hands.Frozen() {
		return
	}
	b.armed = at
	weakly := weak.Make(b) // a sandbox that nobody has any more does not live on for a certificate that ends in years
	b.timer = time.AfterFunc(at.Sub(b.hands.Now()), func() {
		if b := weakly.Value(); b != nil {
			b.ring(at)
		}
	})
}

// disarm keeps the alarm that arm has set from going off.
func (b *Book) disarm() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.armed = time.Time{}
}

// ring makes happen what is due at the time that the timer waited for.
func (b *Book) ring(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || !b.armed.Equal(at) {
		return
	}
	b.armed = time.Time{}
	b.advance(at) // one that stands still by itself, or was asked a little early
	b.flush()
	b.ripenBy(b.hands.Now())
	b.arm()
}

// advance moves the clock to a time, unless it shows a later one. The book is locked.
func (b *Book) advance(to time.Time) {
	if b.hands.advance(to) {
		b.note(b.hands.position())
	}
}
