package book_test

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
)

var start = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// thing is a record that becomes ripe at a time.
type thing struct {
	Text string    `json:"text"`
	At   time.Time `json:"at,omitzero"`
}

func (t thing) Due() time.Time { return t.At }

// ripening is a record that became ripe, and when.
type ripening struct {
	key string
	at  time.Time
}

// shelf is a book with a table and a series of one merchant.
type shelf struct {
	t      testing.TB
	book   *book.Book
	clock  *book.Clock
	things book.Table[thing]
	list   book.Series[thing]
	subs   book.Table[string] // which a reset leaves alone
	log    []ripening
}

// newShelf returns one with a clock that stands still.
func newShelf(t testing.TB) *shelf {
	s := &shelf{t: t}
	s.book, s.clock = book.New(func() time.Time { return start })
	s.things = book.OpenTable[thing](s.book, "m", "things")
	s.list = book.OpenSeries[thing](s.book, "m", "list")
	s.subs = book.OpenTable[string](s.book, "m", "subs")
	s.things.OnDue(func(key string, row thing, at time.Time) {
		s.log = append(s.log, ripening{key, at})
		assert.Equal(t, at, s.book.Begun(), "it happens at its time, however late it is noticed")
		s.things.Put(key, thing{Text: row.Text + " ripe"})
	})
	require.NoError(t, s.clock.Freeze())
	return s
}

// change puts records as one change.
func (s *shelf) change(put func()) error {
	s.book.Begin(s.clock.Now())
	put()
	return s.book.End()
}

func (s *shelf) must(put func()) {
	s.t.Helper()
	require.NoError(s.t, s.change(put))
}

func (s *shelf) jump(d time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.clock.Jump(d, func() {}))
}

// texts returns the texts of the records, by key.
func (s *shelf) texts() map[string]string {
	texts := make(map[string]string)
	for key, row := range s.things.Rows() {
		texts[key] = row.Text
	}
	return texts
}

// fill puts two records and one of the series.
func (s *shelf) fill() {
	s.t.Helper()
	s.must(func() {
		s.things.Put("a", thing{Text: "old"})
		s.things.Put("c", thing{Text: "to go"})
		s.list.Add(thing{Text: "first"})
	})
}

// spoil changes every kind of record.
func (s *shelf) spoil() {
	s.things.Put("a", thing{Text: "new"})
	s.things.Put("a", thing{Text: "newer"})
	s.things.Put("b", thing{Text: "new"})
	s.things.Delete("c")
	s.list.Add(thing{Text: "second"})
}

func (s *shelf) requireUnspoilt() {
	s.t.Helper()
	require.Equal(s.t, map[string]string{"a": "old", "c": "to go"}, s.texts())
	require.Equal(s.t, []thing{{Text: "first"}}, s.list.Rows())
}

func TestPanicUndoesTheChange(t *testing.T) {
	s := newShelf(t)
	s.fill()
	assert.PanicsWithValue(t, "no", func() {
		defer s.book.Begin(s.clock.Now()).Commit()
		s.spoil()
		panic("no")
	})
	s.requireUnspoilt()
	s.must(s.spoil)
	assert.Equal(t, map[string]string{"a": "newer", "b": "new"}, s.texts(), "the book is free again")
}

func TestFailedStoreUndoesTheChange(t *testing.T) {
	s, kept := newShelf(t), new(memory)
	require.NoError(t, s.clock.Load(kept, func(string) {}))
	s.fill()
	require.True(t, s.book.Stores())
	require.NoError(t, s.book.Lost())
	kept.failure = errors.New("no space left")
	assert.ErrorIs(t, s.change(s.spoil), kept.failure)
	s.requireUnspoilt()
	kept.failure = nil
	assert.Error(t, s.change(s.spoil), "a store that failed once is not trusted again")
	s.requireUnspoilt()
	assert.ErrorContains(t, s.book.Lost(), "no space left")
	assert.Error(t, s.clock.Reset(func() {}))
}

// A due time follows its record: it can be put off, called off, and brought forward.
func TestDueTimesFollowTheirRecords(t *testing.T) {
	s := newShelf(t)
	now := s.clock.Now()
	s.must(func() {
		s.things.Put("off", thing{Text: "off", At: now.Add(time.Hour)})
		s.things.Put("off", thing{Text: "off", At: now.Add(2 * time.Hour)})
		s.things.Put("called", thing{Text: "called", At: now.Add(time.Hour)})
		s.things.Put("called", thing{Text: "called"})
		s.things.Put("gone", thing{Text: "gone", At: now.Add(time.Hour)})
		s.things.Delete("gone")
		s.things.Put("forward", thing{Text: "forward", At: now.Add(3 * time.Hour)})
		s.things.Put("forward", thing{Text: "forward", At: now.Add(time.Minute)})
		s.things.Put("past", thing{Text: "past", At: now.Add(-time.Hour)})
	})
	assert.Equal(t, []ripening{{"past", now.Add(-time.Hour)}}, s.log, "what is due at once happens at once")
	s.jump(time.Hour)
	assert.Equal(t, map[string]string{"off": "off", "called": "called", "forward": "forward ripe", "past": "past ripe"}, s.texts())
	s.jump(time.Hour)
	assert.Equal(t, map[string]string{"off": "off ripe", "called": "called", "forward": "forward ripe", "past": "past ripe"}, s.texts())
	assert.Len(t, s.log, 3, "nothing happens twice")
}

// Due records happen in the order of time, and at one time in the order in which they were put.
func TestDueRecordsHappenInOrder(t *testing.T) {
	s := newShelf(t)
	now := s.clock.Now()
	var want []ripening
	s.must(func() {
		for i, key := range []string{"d", "b", "c", "a"} {
			s.things.Put(key+"2", thing{At: now.Add(2 * time.Hour)})
			s.things.Put(key+"1", thing{At: now.Add(time.Duration(1+i) * time.Minute)})
			want = append(want, ripening{key + "1", now.Add(time.Duration(1+i) * time.Minute)})
		}
	})
	for _, key := range []string{"d", "b", "c", "a"} {
		want = append(want, ripening{key + "2", now.Add(2 * time.Hour)})
	}
	s.jump(24 * time.Hour)
	assert.Equal(t, want, s.log, "each at its own time, however far the clock jumps")
}

func TestTablesThatCannotBe(t *testing.T) {
	s := newShelf(t)
	assert.PanicsWithValue(t, "sandbox: there are two tables things", func() { book.OpenTable[thing](s.book, "m", "things") })
	assert.NotPanics(t, func() { book.OpenTable[thing](s.book, "another", "things") })
	mute := book.OpenTable[thing](s.book, "m", "mute")
	assert.PanicsWithValue(t, "sandbox: records of mute are due, and nothing is to happen then", func() {
		defer s.book.Begin(start).Commit()
		mute.Put("a", thing{At: start.Add(time.Hour)})
	})
}

type hidden struct {
	secret string //lint:ignore U1000 a record with a field that no snapshot could hold
}

type nested struct {
	List []map[string]struct {
		Deep *int
	}
}

// A record that JSON would not bring back is found when its table is opened.
func TestRecordsArePlain(t *testing.T) {
	s := newShelf(t)
	for name, open := range map[string]func(){
		"sandbox: pointer is a ptr, which a record cannot have":              func() { book.OpenTable[*thing](s.book, "m", "pointer") },
		"sandbox: func is a func, which a record cannot have":                func() { book.OpenTable[func()](s.book, "m", "func") },
		"sandbox: short is a float32, which a record cannot have":            func() { book.OpenSeries[float32](s.book, "m", "short") },
		"sandbox: the keys of numbered are not strings":                      func() { book.OpenTable[map[int]string](s.book, "m", "numbered") },
		"sandbox: hidden.secret would be lost":                               func() { book.OpenTable[hidden](s.book, "m", "hidden") },
		"sandbox: nested.List[][].Deep is a ptr, which a record cannot have": func() { book.OpenTable[nested](s.book, "m", "nested") },
		"sandbox: left.Out would be lost": func() {
			book.OpenTable[struct {
				Out string `json:"-"`
			}](s.book, "m", "left")
		},
	} {
		assert.PanicsWithValue(t, name, open)
	}
	assert.NotPanics(t, func() { book.OpenTable[map[string][]thing](s.book, "m", "plain") })
}

func TestSnapshotBringsRecordsBack(t *testing.T) {
	s := newShelf(t)
	numbers := book.OpenNumbers(s.book, 0)
	s.fill()
	s.must(func() {
		s.things.Put("z", thing{Text: "z", At: start.Add(time.Hour)})
		s.things.Put("y", thing{Text: "y", At: start.Add(time.Hour)})
		s.subs.Put("sub", "of m")
		assert.EqualValues(t, 1, numbers.Next("x"))
	})
	s.jump(time.Minute)
	text, err := s.clock.Snapshot()
	require.NoError(t, err)

	other := newShelf(t)
	counted := book.OpenNumbers(other.book, 0)
	snap, merchants, err := other.clock.ReadSnapshot(text)
	require.NoError(t, err)
	assert.Equal(t, []string{"m"}, merchants)
	other.must(func() { other.things.Put("more", thing{Text: "more"}) })
	behind := false
	require.NoError(t, other.clock.Restore(snap, func() { behind = true }))
	assert.True(t, behind)
	assert.Equal(t, maps.Collect(s.things.Rows()), maps.Collect(other.things.Rows()))
	assert.Equal(t, s.list.Rows(), other.list.Rows())
	assert.Equal(t, maps.Collect(s.subs.Rows()), maps.Collect(other.subs.Rows()))
	assert.Equal(t, start.Add(time.Minute), other.clock.Now())
	assert.True(t, other.clock.Frozen())
	other.must(func() { assert.EqualValues(t, 2, counted.Next("x")) })
	again, err := other.clock.Snapshot()
	require.NoError(t, err)
	assert.NotEqual(t, text, again, "the number was counted")
	other.jump(time.Hour)
	assert.Equal(t, []ripening{{"y", start.Add(time.Hour)}, {"z", start.Add(time.Hour)}}, other.log, "what was due is due again")

	require.NoError(t, other.clock.Reset(func() {}))
	assert.Empty(t, maps.Collect(other.things.Rows()))
	assert.Empty(t, other.list.Rows())
	assert.Equal(t, maps.Collect(s.subs.Rows()), maps.Collect(other.subs.Rows()), "relations are a part of the set-up")
	assert.Equal(t, start, other.clock.Now())
	assert.False(t, other.clock.Frozen())
}

func TestUnreadableSnapshotChangesNothing(t *testing.T) {
	s := newShelf(t)
	s.fill()
	const head = `{"format":1,"time":"2025-01-01T12:00:00Z","tables":`
	for text, want := range map[string]string{
		`no`:           "no snapshot of a sandbox",
		`null`:         "no snapshot of a sandbox",
		`{"format":1}`: "no snapshot of a sandbox",
		`{"format":2,"time":"2025-01-01T12:00:00Z","tables":{}}`: "format 2, this version reads 1",
		`{"format":1,"tables":{}}`:                               "no time, or one that is more than a hundred years from now",
		head + `{"m":{"others":{"a":{}}}}}`:                      `no table "others"`,
		head + `{"m":{"clocks":{"":{}}}}}`:                       `no table "clocks"`,
		head + `{"m":{"things":{"a":{"text":7}}}}}`:              `things "a": json: cannot unmarshal number`,
		head + `{"m":{"list":{"0":{},"2":{}}}}}`:                 "list: record 1 is missing",
	} {
		snap, _, err := s.clock.ReadSnapshot([]byte(text))
		if err == nil {
			err = s.clock.Restore(snap, func() { assert.Fail(t, "nothing is behind it") })
		}
		assert.ErrorContains(t, err, want, text)
		s.requireUnspoilt()
	}
}

// memory is a store in memory.
type memory struct {
	batches [][]byte
	failure error
	written int // how often it was written anew
}

func (m *memory) Load(each func([]byte) error) error {
	for _, batch := range m.batches {
		if err := each(batch); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Append(batch []byte) error {
	if m.failure == nil {
		m.batches = append(m.batches, slices.Clone(batch))
	}
	return m.failure
}

func (m *memory) Replace(batches iter.Seq[[]byte]) error {
	m.batches, m.written = nil, m.written+1
	for batch := range batches {
		m.batches = append(m.batches, slices.Clone(batch))
	}
	return m.failure
}

func TestStoreBringsRecordsBack(t *testing.T) {
	s, kept := newShelf(t), new(memory)
	require.NoError(t, s.clock.Load(kept, func(string) {}))
	s.fill()
	s.must(s.spoil)
	require.Len(t, kept.batches, 2)
	assert.Equal(t, 4, strings.Count(string(kept.batches[1]), `["m",`), "a batch has the last record of each key")
	s.must(func() {})
	require.Len(t, kept.batches, 2, "a change without records is not stored")
	s.must(func() { s.things.Put("d", thing{Text: "d", At: start.Add(time.Hour)}) })
	s.jump(time.Minute)

	other := newShelf(t)
	require.NoError(t, other.clock.Load(kept, func(string) { assert.Fail(t, "the merchant is known") }))
	other.clock.Arm()
	assert.Equal(t, maps.Collect(s.things.Rows()), maps.Collect(other.things.Rows()))
	assert.Equal(t, s.list.Rows(), other.list.Rows())
	assert.Equal(t, start.Add(time.Minute), other.clock.Now())
	other.jump(time.Hour)
	assert.Equal(t, []ripening{{"d", start.Add(time.Hour)}}, other.log)

	long := strings.Repeat("x", 5<<20)
	other.must(func() { other.things.Put("long", thing{Text: long}) })
	assert.Equal(t, 1, kept.written, "a store that has grown is written anew")
	third := newShelf(t)
	require.NoError(t, third.clock.Load(kept, func(string) {}))
	assert.Equal(t, maps.Collect(other.things.Rows()), maps.Collect(third.things.Rows()))
	assert.Equal(t, other.list.Rows(), third.list.Rows())
}

func TestStoreOfAnotherVersion(t *testing.T) {
	for batch, want := range map[string]string{
		`{}`:                          "not in the form of this version",
		`[["m","things",7,{}]]`:       "not in the form of this version",
		`[["m","others","a",{}]]`:     `a table "others" of another version`,
		`[["m","list","1",{}]]`:       `list: record "1" does not follow the 0 before it`,
		`[["m","list","0",null]]`:     `list: record "0" does not follow the 0 before it`,
		`[["m","things","a","text"]]`: `things "a": json: cannot unmarshal string`,
	} {
		err := newShelf(t).clock.Load(&memory{batches: [][]byte{[]byte(batch)}}, func(string) {})
		assert.ErrorContains(t, err, want, batch)
	}
	var asked []string
	s := newShelf(t)
	require.NoError(t, s.clock.Load(&memory{batches: [][]byte{[]byte(`[["n","things","a",{"text":"x"}],["n","things","b",{}]]`)}}, func(id string) {
		asked = append(asked, id)
		book.OpenTable[thing](s.book, id, "things").OnDue(func(string, thing, time.Time) {})
	}))
	assert.Equal(t, []string{"n"}, asked, "tables of an unknown merchant are asked for, once")
}

func TestNumbers(t *testing.T) {
	s := newShelf(t)
	n := book.OpenNumbers(s.book, 0)
	s.must(func() {
		assert.Equal(t, []uint64{1, 2, 1}, []uint64{n.Next("a"), n.Next("a"), n.Next("b")})
		late := time.Date(2025, 1, 1, 16, 30, 0, 0, time.UTC) // the next day in Beijing
		assert.Equal(t, "422025010200000001", n.Dated("42", 18, late))
		assert.Equal(t, "422025010200000002", n.Dated("42", 18, late))
	})
}

func TestNumbersBeginAtATimeOfTheDay(t *testing.T) {
	midnight := time.Date(2025, 1, 1, 16, 0, 0, 0, time.UTC) // in Beijing
	assert.EqualValues(t, 0, book.BeforeFirst(midnight))
	assert.EqualValues(t, 1, book.BeforeFirst(midnight.Add(10*time.Microsecond)))
	last := book.BeforeFirst(midnight.Add(24*time.Hour - 1))
	assert.EqualValues(t, 8_639_999_999, last)
	s := newShelf(t)
	n := book.OpenNumbers(s.book, last)
	s.must(func() {
		assert.Equal(t, "4200001234202501018640000000", n.Dated("4200001234", 28, midnight.Add(-1)), "no number is longer than it should be")
		assert.Equal(t, "4200001234202501028640000001", n.Dated("4200001234", 28, midnight))
		assert.EqualValues(t, last+1, n.Next("other"))
	})
}
