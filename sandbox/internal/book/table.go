package book

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// Table is records by key. All but Rows of it needs a book that is begun.
//
// Table and [Series] are interfaces, since the compiler compiles the methods of a generic type again
// for each package that can reach it, and all that use a sandbox can reach these.
type Table[T any] interface {
	// OnDue sets what happens when a record is due.
	OnDue(happen func(key string, row T, at time.Time))
	// Get returns the record of a key.
	Get(key string) (row T, known bool)
	// Rows are all records, by key. They are to be read only.
	Rows() map[string]T
	// Keys returns the keys, sorted.
	Keys() []string
	// Put sets the record of a key.
	Put(key string, row T)
	// Delete removes the record of a key, if there is one.
	Delete(key string)

	set(key string, row T) // Put without a trace
}

type table[T any] struct {
	book     *Book
	merchant string
	name     string
	rows     map[string]T
	onDue    func(key string, row T, at time.Time)
}

// OpenTable adds a table to a merchant's. The name stands in snapshots and stores.
func OpenTable[T any](b *Book, merchant, name string) Table[T] {
	mustBePlain(name, reflect.TypeFor[T]())
	t := &table[T]{book: b, merchant: merchant, name: name, rows: make(map[string]T)}
	b.add(merchant, name, t)
	return t
}

func (t *table[T]) OnDue(happen func(key string, row T, at time.Time)) { t.onDue = happen }

func (t *table[T]) Get(key string) (T, bool) {
	row, ok := t.rows[key]
	return row, ok
}

func (t *table[T]) Rows() map[string]T { return t.rows }

func (t *table[T]) Keys() []string { return slices.Sorted(maps.Keys(t.rows)) }

func (t *table[T]) Put(key string, row T) {
	old, had := t.rows[key]
	t.set(key, row)
	t.book.changed(change{t, key, func() {
		if had {
			t.rows[key] = old
		} else {
			delete(t.rows, key)
		}
	}})
}

func (t *table[T]) set(key string, row T) {
	before := dueOf(t.rows[key])
	t.rows[key] = row
	if due := dueOf(row); !due.IsZero() && !due.Equal(before) {
		if t.onDue == nil {
			panic("sandbox: records of " + t.name + " are due, and nothing is to happen then") // found by any test
		}
		t.book.alarm(t, key, due)
	}
}

func (t *table[T]) Delete(key string) {
	if old, had := t.rows[key]; had {
		delete(t.rows, key)
		t.book.changed(change{t, key, func() { t.rows[key] = old }})
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

func (t *table[T]) place() (merchant, name string) { return t.merchant, t.name }

func (t *table[T]) due(key string) time.Time { return dueOf(t.rows[key]) }

func (t *table[T]) happen(key string, at time.Time) { t.onDue(key, t.rows[key], at) }

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
	row, err := readRow[T](text)
	if err != nil {
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
		if rows[i], err = readRow[T](text); err != nil {
			return nil, fmt.Errorf("%s %d: %w", s.name, i, err)
		}
	}
	return func() { s.rows = rows }, nil
}

func (s *series[T]) place() (merchant, name string) { return s.merchant, s.name }

func (s *series[T]) due(string) time.Time     { return time.Time{} }
func (s *series[T]) happen(string, time.Time) {}

// readRow reads a record, with the numbers of what has no type of its own as they were written.
func readRow[T any](text json.RawMessage) (row T, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&row)
	return row, err
}

// ReadObject reads a JSON object that was written here.
func ReadObject(text string) map[string]any {
	object, err := readRow[map[string]any](json.RawMessage(text))
	if err != nil {
		panic(fmt.Sprintf("sandbox: a record cannot be read: %v", err)) // it was written here
	}
	return object
}
