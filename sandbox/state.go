package sandbox

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
	"weak"
)

// All that a merchant and its users have done is records in tables. A record is a plain struct that marshals to JSON and back
// without loss; it names other records by their keys and points to none, and it is copied in and out, so what is inside of it
// (a slice, a map) is replaced and never changed. Snapshots, stores and resets follow from that and need no code of their own.
//
// To give a new flow its state:
//
//  1. Declare the record, with exported members. What can be read out of the request is best kept as its canonical JSON, once.
//
//  2. Add a table (or a series, where records only follow each other) to state, and name it in newState. The name stands in
//     snapshots and stores, so it must not change.
//
//  3. In an operation:
//
//     s := c.begin()
//     defer s.commit()
//     row, known := s.things.get(key)
//     … every check, with all refusals …
//     s.things.put(key, row)
//
//     All that is put between begin and commit takes effect together or not at all. Nothing may be put before a refusal.
//     A method of the Go API does the same with s.begin() of a Sandbox, and returns s.end() for its error.
//
//  4. What happens by itself, at a time: let the record say when, by a method due() time.Time (zero for never), and the table
//     what, by ripen. begin makes everything that is due by then happen, in the order of time, and a timer does when nobody
//     asks; so nobody who reads a record has to look at the time. ripen must put a record whose due is later, or zero. What is
//     due at once happens after commit, as a change of its own.
//
//  5. What took effect goes to the ledger by s.enter; kinds tells how the present state of an effect is found.
//
//  6. Whom a record concerns is told by s.announce, as a part of the same change.
//
// Everything below holds for one merchant; its tables are reached by c.state, or by what begin returns.
type state struct {
	*records
	merchant string
	view     *Sandbox

	orders        table[order]        // by orderKey
	combined      table[combined]     // by combine_out_trade_no
	appIDs        table[appID]        // that are bound; without any, all are
	transactions  table[string]       // key of the order by transaction_id
	refunds       table[refund]       // by out_refund_no, as orderKey
	transfers     table[transfer]     // by out_bill_no
	bills         table[string]       // out_bill_no by transfer_bill_no
	feeds         table[feed]         // by out_request_no
	receipts      table[receipt]      // by transfer_bill_no
	receivers     table[receiver]     // by receiverKey
	shares        table[shared]       // by out_order_no, as orderKey
	returns       table[returned]     // by out_return_no, as orderKey
	shareURL      table[string]       // where the merchant is told of shares, under ""
	balances      table[int64]        // fen, by merchant number of a receiver; without one it is boundless
	cards         table[card]         // by card_id
	userCards     table[userCard]     // by card_id and openid
	cardCodes     table[string]       // openid by card_id and user_card_code
	pointSyncs    table[pointSync]    // by out_request_no
	exchanges     table[exchange]     // by record_id
	complaints    table[complaint]    // by complaint_id
	complaintURL  table[string]       // where the merchant is told of complaints, under ""
	serviceOrders table[serviceOrder] // by out_order_no
	effects       series[Effect]

	subs      table[subMerchant] // by merchant number
	keys      table[keyRecord]   // one, under the empty key, if there is a store
	rotations table[rotation]    // one, under the empty key

	fate     func(EffectKind, string) Ending
	repeated RepeatedFeed
}

// subMerchant is a merchant for whom this one is the service provider.
type subMerchant struct {
	Since time.Time `json:"since"`
}

func newState(view *Sandbox, all *records, merchant string) *state {
	s := &state{records: all, merchant: merchant, view: view}
	all.add(s, &s.orders, "orders")
	all.add(s, &s.transactions, "transactions")
	all.add(s, &s.refunds, "refunds")
	all.add(s, &s.transfers, "transfers")
	all.add(s, &s.bills, "bills")
	all.add(s, &s.feeds, "feeds")
	all.add(s, &s.receipts, "receipts")
	all.add(s, &s.cards, "cards")
	all.add(s, &s.userCards, "user cards")
	all.add(s, &s.cardCodes, "card codes")
	all.add(s, &s.pointSyncs, "point syncs")
	all.add(s, &s.exchanges, "exchanges")
	all.add(s, &s.complaints, "complaints")
	all.add(s, &s.complaintURL, "complaint url")
	all.add(s, &s.serviceOrders, "service orders")
	all.add(s, &s.effects, "effects")
	all.add(s, &s.subs, "subs")
	all.add(s, &s.keys, "keys")
	all.add(s, &s.rotations, "rotations")
	all.add(s, &s.combined, "combined")
	all.add(s, &s.appIDs, "appids")
	all.add(s, &s.receivers, "receivers")
	all.add(s, &s.shares, "shares")
	all.add(s, &s.returns, "returns")
	all.add(s, &s.balances, "balances")
	all.add(s, &s.shareURL, "share-url")
	s.orders.ripen = (*state).ripenOrder
	s.combined.ripen = (*state).ripenCombined
	s.shares.ripen = (*state).ripenShare
	s.returns.ripen = (*state).ripenReturn
	s.refunds.ripen = (*state).ripenRefund
	s.transfers.ripen = (*state).ripenTransfer
	s.serviceOrders.ripen = (*state).ripenServiceOrder
	s.rotations.ripen = (*state).rotate
	return s
}

// records are the tables of all merchants, under one mutex.
type records struct {
	mu     sync.Mutex
	tables map[string]map[string]keeper // by merchant and name; what belongs to no merchant by ""
	clock  *Clock

	serials    table[uint64]      // running numbers of the platform's, by what they count
	clocks     table[clockRecord] // one, under the empty key
	deliveries table[delivery]    // by the id of the notification

	begun  time.Time // the time of the present change
	batch  []change  // put since the last flush
	kept   persistence
	alarms alarms
	timer  *time.Timer
	armed  time.Time // what timer waits for; zero for nothing
	closed bool
}

func newRecords(clock *Clock) *records {
	r := &records{tables: make(map[string]map[string]keeper), clock: clock}
	common := &state{records: r}
	r.add(common, &r.serials, "serials")
	r.add(common, &r.clocks, "clocks")
	r.add(common, &r.deliveries, "deliveries")
	return r
}

// keeper is a table or a series.
type keeper interface {
	attach(s *state, name string)
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

func (r *records) add(s *state, k keeper, name string) {
	if r.tables[s.merchant] == nil {
		r.tables[s.merchant] = make(map[string]keeper)
	}
	r.tables[s.merchant][name] = k
	k.attach(s, name)
}

// dated is a record to which something happens by itself.
type dated interface {
	due() time.Time // zero for never
}

func dueOf(row any) time.Time {
	if d, ok := row.(dated); ok {
		return d.due()
	}
	return time.Time{}
}

// table is records by key.
type table[T any] struct {
	state *state
	name  string
	rows  map[string]T
	ripen func(s *state, key string, row T, at time.Time) // what happens when a record is due; nil if T is not dated
}

func (t *table[T]) attach(s *state, name string) {
	t.state, t.name, t.rows = s, name, make(map[string]T)
}

func (t *table[T]) get(key string) (T, bool) {
	row, ok := t.rows[key]
	return row, ok
}

// keys returns the keys, sorted.
func (t *table[T]) keys() []string { return slices.Sorted(maps.Keys(t.rows)) }

// put sets the record of a key. The state must be begun.
func (t *table[T]) put(key string, row T) {
	old, had := t.rows[key]
	t.set(key, row)
	t.state.changed(change{t, key, func() {
		if had {
			t.rows[key] = old
		} else {
			delete(t.rows, key)
		}
	}})
}

// set is put without a trace.
func (t *table[T]) set(key string, row T) {
	before := dueOf(t.rows[key])
	t.rows[key] = row
	if due := dueOf(row); !due.IsZero() && !due.Equal(before) {
		t.state.alarm(t, key, due)
	}
}

// delete removes the record of a key, if there is one. The state must be begun.
func (t *table[T]) delete(key string) {
	if old, had := t.rows[key]; had {
		delete(t.rows, key)
		t.state.changed(change{t, key, func() { t.rows[key] = old }})
	}
}

func (t *table[T]) read(key string, text json.RawMessage) error {
	if text == nil {
		delete(t.rows, key)
		return nil
	}
	row, err := readRow[T](text)
	if err != nil {
		return fmt.Errorf("%s %q: %w", t.name, key, err)
	}
	t.set(key, row)
	return nil
}

func (t *table[T]) row(key string) any {
	if row, ok := t.rows[key]; ok {
		return row
	}
	return nil
}

func (t *table[T]) each(yield func(string, any) bool) {
	for key, row := range t.rows {
		if !yield(key, row) {
			return
		}
	}
}

func (t *table[T]) readAll(texts map[string]json.RawMessage) (swap func(), err error) {
	rows := make(map[string]T, len(texts))
	for key, text := range texts {
		if rows[key], err = readRow[T](text); err != nil {
			return nil, fmt.Errorf("%s %q: %w", t.name, key, err)
		}
	}
	return func() { t.rows = rows }, nil
}

func (t *table[T]) place() (merchant, name string) { return t.state.merchant, t.name }

func (t *table[T]) due(key string) time.Time { return dueOf(t.rows[key]) }

func (t *table[T]) happen(key string, at time.Time) { t.ripen(t.state, key, t.rows[key], at) }

// series is records that follow each other. They stay as they were added.
type series[T any] struct {
	state *state
	name  string
	rows  []T
}

func (l *series[T]) attach(s *state, name string) { l.state, l.name = s, name }

// add puts a record at the end. The state must be begun.
func (l *series[T]) add(row T) {
	l.rows = append(l.rows, row)
	l.state.changed(change{l, strconv.Itoa(len(l.rows) - 1), func() { l.rows = l.rows[:len(l.rows)-1] }})
}

func (l *series[T]) read(key string, text json.RawMessage) error {
	if i, err := strconv.Atoi(key); err != nil || i != len(l.rows) || text == nil {
		return fmt.Errorf("%s: record %q does not follow the %d before it", l.name, key, len(l.rows))
	}
	row, err := readRow[T](text)
	if err != nil {
		return fmt.Errorf("%s %s: %w", l.name, key, err)
	}
	l.rows = append(l.rows, row)
	return nil
}

func (l *series[T]) row(key string) any {
	if i, err := strconv.Atoi(key); err == nil && i < len(l.rows) {
		return l.rows[i]
	}
	return nil
}

func (l *series[T]) each(yield func(string, any) bool) {
	for i, row := range l.rows {
		if !yield(strconv.Itoa(i), row) {
			return
		}
	}
}

func (l *series[T]) readAll(texts map[string]json.RawMessage) (swap func(), err error) {
	rows := make([]T, len(texts))
	for i := range rows {
		text, ok := texts[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("%s: record %d is missing", l.name, i)
		}
		if rows[i], err = readRow[T](text); err != nil {
			return nil, fmt.Errorf("%s %d: %w", l.name, i, err)
		}
	}
	return func() { l.rows = rows }, nil
}

func (l *series[T]) place() (merchant, name string) { return l.state.merchant, l.name }

func (l *series[T]) due(string) time.Time     { return time.Time{} }
func (l *series[T]) happen(string, time.Time) {}

// readRow reads a record, with the numbers of what has no type of its own as they were written.
func readRow[T any](text json.RawMessage) (row T, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&row)
	return row, err
}

// begin takes the state for a change, once all that is due by now has happened. End it with commit or end.
func (s *state) begin(now time.Time) *state {
	s.mu.Lock()
	s.begun = now
	s.ripenBy(now)
	return s
}

// begin takes the state of the merchant whom the call concerns.
func (c *call) begin() *state { return c.state.begin(c.now) }

// begin takes the state of the merchant.
func (s *Sandbox) begin() *state { return s.state.begin(s.clock()) }

// commit makes the change safe and gives the state free. It is to be deferred: a panic undoes the change.
func (s *state) commit() {
	if v := recover(); v != nil {
		s.undo()
		s.mu.Unlock()
		panic(v)
	}
	s.end()
}

// end is commit for those who take the error.
func (s *state) end() error {
	err := s.flush()
	s.ripenBy(s.begun) // what takes no time has happened before the call is answered
	s.arm()
	s.mu.Unlock()
	return err
}

// changed notes a change of the present batch.
func (r *records) changed(c change) { r.batch = append(r.batch, c) }

// undo takes back the present batch.
func (r *records) undo() {
	for _, c := range slices.Backward(r.batch) {
		c.undo()
	}
	clear(r.batch)
	r.batch = r.batch[:0]
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

func (r *records) alarm(in keeper, key string, at time.Time) {
	r.alarms.count++
	heap.Push(&r.alarms, alarm{at, r.alarms.count, in, key})
}

// realarm sets the alarms of all records anew.
func (r *records) realarm() {
	r.alarms.list = nil
	for _, merchant := range slices.Sorted(maps.Keys(r.tables)) { // sorted, so that what is due at one time happens in one order
		tables := r.tables[merchant]
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			table, dues := tables[name], make(map[string]time.Time)
			for key := range table.each {
				if at := table.due(key); !at.IsZero() {
					dues[key] = at
				}
			}
			for _, key := range slices.Sorted(maps.Keys(dues)) {
				r.alarm(table, key, dues[key])
			}
		}
	}
	r.disarm()
	r.arm()
}

// next returns the time of the next alarm that still holds; zero if there is none.
func (r *records) next() time.Time {
	for len(r.alarms.list) > 0 {
		a := &r.alarms.list[0]
		if a.in.due(a.key).Equal(a.at) {
			return a.at
		}
		heap.Pop(&r.alarms)
	}
	return time.Time{}
}

// ripenBy makes all that is due by now happen, each as a batch of its own.
func (r *records) ripenBy(now time.Time) {
	begun := r.begun
	defer func() { r.begun = begun }()
	for {
		at := r.next()
		if at.IsZero() || at.After(now) {
			return
		}
		a := heap.Pop(&r.alarms).(alarm)
		r.begun = at // which is when it happens, however late it is noticed
		a.in.happen(a.key, at)
		r.flush()
	}
}

// arm has the next alarm go off by itself, unless the clock stands still.
func (r *records) arm() {
	at := r.next()
	if r.closed || at.Equal(r.armed) {
		return
	}
	r.disarm()
	if at.IsZero() || r.clock.Frozen() {
		return
	}
	r.armed = at
	weakly := weak.Make(r) // a sandbox that nobody has any more does not live on for a certificate that ends in years
	r.timer = time.AfterFunc(at.Sub(r.clock.Now()), func() {
		if r := weakly.Value(); r != nil {
			r.ring(at)
		}
	})
}

// disarm keeps the alarm that arm has set from going off.
func (r *records) disarm() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.armed = time.Time{}
}

// ring makes happen what is due at the time that the timer waited for.
func (r *records) ring(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || !r.armed.Equal(at) {
		return
	}
	r.armed = time.Time{}
	r.clock.advance(at) // one that stands still by itself, or was asked a little early
	r.flush()
	r.ripenBy(r.clock.Now())
	r.arm()
}

// close keeps alarms from going off by themselves. begin still makes happen what is due.
func (r *records) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.disarm()
}
