package book

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// dated is a record that changes by itself.
type dated interface {
	Due() time.Time // zero for never
}

func dueOf(row any) time.Time {
	if d, ok := row.(dated); ok {
		return d.Due()
	}
	return time.Time{}
}

// Table is records by key. All but OnDue needs a book that is begun.
//
// Table and [Series] are interfaces. The compiler compiles the methods of a generic type again for
// each package that can reach it, and each package that uses a sandbox can reach these.
type Table[T any] interface {
	// OnDue sets what happens when a record is due.
	OnDue(happen func(key string, row T, at time.Time))
	// Len returns the number of records.
	Len() int
	// Get returns the record of a key.
	Get(key string) (row T, known bool)
	// Rows yields all records with their keys, in no order.
	Rows() iter.Seq2[string, T]
	// Keys returns the keys, sorted.
	Keys() []string
	// Put sets the record of a key.
	Put(key string, row T)
	// Delete removes the record of a key, if there is one.
	Delete(key string)
}

// Values yields the records of a table, in no order.
func Values[T any](t Table[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, row := range t.Rows() {
			if !yield(row) {
				return
			}
		}
	}
}

// table gives records their type.
type table[T any] struct{ records *records }

// OpenTable adds a table to a merchant's. The name stands in snapshots and stores.
func OpenTable[T any](b *Book, merchant, name string) Table[T] {
	mustBePlain(name, reflect.TypeFor[T]())
	r := &records{book: b, merchant: merchant, name: name, rows: make(map[string]any), parse: func(text json.RawMessage) (any, error) {
		var row T
		err := readRow(text, &row)
		return row, err
	}}
	b.add(merchant, name, r)
	return &table[T]{r}
}

func (t *table[T]) OnDue(happen func(key string, row T, at time.Time)) {
	t.records.onDue = func(key string, row any, at time.Time) { happen(key, row.(T), at) }
}

func (t *table[T]) Len() int { return len(t.records.rows) }

func (t *table[T]) Get(key string) (T, bool) {
	row, known := t.records.rows[key].(T)
	return row, known
}

func (t *table[T]) Rows() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for key, row := range t.records.rows {
			if !yield(key, row.(T)) {
				return
			}
		}
	}
}

func (t *table[T]) Keys() []string { return t.records.keys() }

func (t *table[T]) Put(key string, row T) { t.records.put(key, row) }

func (t *table[T]) Delete(key string) { t.records.remove(key) }

// records is what tables have in common, whatever the type of their records.
type records struct {
	book     *Book
	merchant string
	name     string
	rows     map[string]any
	onDue    func(key string, row any, at time.Time)
	parse    func(text json.RawMessage) (any, error)
}

func (r *records) keys() []string { return slices.Sorted(maps.Keys(r.rows)) }

func (r *records) put(key string, row any) {
	old, had := r.rows[key]
	r.set(key, row)
	r.book.changed(change{r, key, func() {
		if had {
			r.rows[key] = old
		} else {
			delete(r.rows, key)
		}
	}})
}

// set is put without a trace.
func (r *records) set(key string, row any) {
	before := dueOf(r.rows[key])
	r.rows[key] = row
	if due := dueOf(row); !due.IsZero() && !due.Equal(before) {
		if r.onDue == nil {
			panic("sandbox: records of " + r.name + " are due, and nothing is to happen then") // found by any test
		}
		r.book.alarm(r, key, due)
	}
}

func (r *records) remove(key string) {
	if old, had := r.rows[key]; had {
		delete(r.rows, key)
		r.book.changed(change{r, key, func() { r.rows[key] = old }})
	}
}

func (r *records) read(key string, text json.RawMessage) error {
	if text == nil {
		delete(r.rows, key)
		return nil
	}
	row, err := r.parse(text)
	if err != nil {
		return fmt.Errorf("%s %q: %w", r.name, key, err)
	}
	r.set(key, row)
	return nil
}

func (r *records) row(key string) any { return r.rows[key] }

func (r *records) each(yield func(string, any) bool) {
	for key, row := range r.rows {
		if !yield(key, row) {
			return
		}
	}
}

func (r *records) readAll(texts map[string]json.RawMessage) (swap func(), err error) {
	rows := make(map[string]any, len(texts))
	for key, text := range texts {
		if rows[key], err = r.parse(text); err != nil {
			return nil, fmt.Errorf("%s %q: %w", r.name, key, err)
		}
	}
	return func() { r.rows = rows }, nil
}

func (r *records) place() (merchant, name string) { return r.merchant, r.name }

func (r *records) due(key string) time.Time { return dueOf(r.rows[key]) }

func (r *records) happen(key string, at time.Time) { r.onDue(key, r.rows[key], at) }

// Series is records that follow each other. They stay as they were added.
type Series[T any] interface {
	// Add puts a record at the end.
	Add(row T)
	// Rows are all records. They are to be read only.
	Rows() []T
}

type series[T any] struct {
	book     *Book
	merchant string
	name     string
	rows     []T
}

// OpenSeries adds a series to a merchant's tables.
func OpenSeries[T any](b *Book, merchant, name string) Series[T] {
	mustBePlain(name, reflect.TypeFor[T]())
	s := &series[T]{book: b, merchant: merchant, name: name}
	b.add(merchant, name, s)
	return s
}

func (s *series[T]) Add(row T) {
	s.rows = append(s.rows, row)
	s.book.changed(change{s, strconv.Itoa(len(s.rows) - 1), func() { s.rows = s.rows[:len(s.rows)-1] }})
}

func (s *series[T]) Rows() []T { return s.rows }

func (s *series[T]) read(key string, text json.RawMessage) error {
	if i, err := strconv.Atoi(key); err != nil || i != len(s.rows) || text == nil {
		return fmt.Errorf("%s: record %q does not follow the %d before it", s.name, key, len(s.rows))
	}
	var row T
	if err := readRow(text, &row); err != nil {
		return fmt.Errorf("%s %s: %w", s.name, key, err)
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *series[T]) row(key string) any {
	if i, err := strconv.Atoi(key); err == nil && i < len(s.rows) {
		return s.rows[i]
	}
	return nil
}

func (s *series[T]) each(yield func(string, any) bool) {
	for i, row := range s.rows {
		if !yield(strconv.Itoa(i), row) {
			return
		}
	}
}

func (s *series[T]) readAll(texts map[string]json.RawMessage) (swap func(), err error) {
	rows := make([]T, len(texts))
	for i := range rows {
		text, ok := texts[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("%s: record %d is missing", s.name, i)
		}
		if err := readRow(text, &rows[i]); err != nil {
			return nil, fmt.Errorf("%s %d: %w", s.name, i, err)
		}
	}
	return func() { s.rows = rows }, nil
}

func (s *series[T]) place() (merchant, name string) { return s.merchant, s.name }

func (s *series[T]) due(string) time.Time     { return time.Time{} }
func (s *series[T]) happen(string, time.Time) {}

// readRow reads a record, with the numbers of what has no type of its own as they were written.
func readRow(text json.RawMessage, row any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(row)
}

// ReadObject reads a JSON object that was written here.
func ReadObject(text string) map[string]any {
	var object map[string]any
	if err := readRow(json.RawMessage(text), &object); err != nil {
		panic(fmt.Sprintf("sandbox: a record cannot be read: %v", err)) // it was written here
	}
	return object
}
