package sandbox

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecordsArePlain: whatever a table holds survives JSON, so that snapshots and stores lose nothing.
func TestRecordsArePlain(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	var check func(path string, kind reflect.Type)
	check = func(path string, kind reflect.Type) {
		switch kind.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex128, reflect.Float32:
			assert.Fail(t, path+" is a "+kind.Kind().String()+", which a record cannot have")
		case reflect.Map:
			assert.Equal(t, reflect.String, kind.Key().Kind(), path)
			check(path+"[]", kind.Elem())
		case reflect.Slice, reflect.Array:
			check(path+"[]", kind.Elem())
		case reflect.Struct:
			if kind == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range kind.NumField() {
				field := kind.Field(i)
				assert.True(t, field.IsExported() || field.Anonymous, "%s.%s is not exported, and would be lost", path, field.Name)
				assert.NotEqual(t, "-", field.Tag.Get("json"), "%s.%s is left out, and would be lost", path, field.Name)
				check(path+"."+field.Name, field.Type)
			}
		}
	}
	tables := 0
	for _, of := range s.records.tables {
		for name, table := range of {
			tables++
			rows, ok := reflect.TypeOf(table).Elem().FieldByName("rows")
			require.True(t, ok, name)
			check(name, rows.Type.Elem())
			due := rows.Type.Elem().Implements(reflect.TypeFor[dated]())
			if ripen := reflect.ValueOf(table).Elem().FieldByName("ripen"); due {
				assert.True(t, ripen.IsValid() && !ripen.IsNil(), "records of %s are due, and nothing is to happen then", name)
			}
		}
	}
	assert.Greater(t, tables, 15)
}

// thing is a record for the tests of tables.
type thing struct {
	Text string    `json:"text"`
	At   time.Time `json:"at,omitzero"`
}

func (t thing) due() time.Time { return t.At }

// TestChangesAreWholeOrNotAtAll: a panic in the middle, and a store that fails, leave nothing behind.
func TestChangesAreWholeOrNotAtAll(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	var things table[thing]
	var list series[thing]
	s.records.add(s.state, &things, "things")
	s.records.add(s.state, &list, "list")
	things.ripen = func(st *state, key string, row thing, at time.Time) {
		things.put(key, thing{Text: row.Text + " ripe"})
	}
	st := s.begin()
	things.put("a", thing{Text: "old"})
	things.put("c", thing{Text: "to go"})
	list.add(thing{Text: "first"})
	st.commit()

	assert.PanicsWithValue(t, "no", func() {
		st := s.begin()
		defer st.commit()
		things.put("a", thing{Text: "new"})
		things.put("a", thing{Text: "newer"})
		things.put("b", thing{Text: "new"})
		things.delete("c")
		list.add(thing{Text: "second"})
		panic("no")
	})
	assert.Equal(t, map[string]thing{"a": {Text: "old"}, "c": {Text: "to go"}}, things.rows)
	assert.Equal(t, []thing{{Text: "first"}}, list.rows)

	// What is due follows the record: it can be put off, called off, and brought forward.
	now := s.clock()
	st = s.begin()
	things.put("a", thing{Text: "a", At: now.Add(time.Hour)})
	things.put("a", thing{Text: "a", At: now.Add(2 * time.Hour)})
	things.put("b", thing{Text: "b", At: now.Add(time.Hour)})
	things.put("b", thing{Text: "b"})
	things.put("c", thing{Text: "c", At: now.Add(3 * time.Hour)})
	things.put("c", thing{Text: "c", At: now.Add(time.Minute)})
	things.put("d", thing{Text: "d", At: now.Add(-time.Hour)})
	st.commit()
	assert.Equal(t, "d ripe", things.rows["d"].Text, "what is due at once happens at once")
	require.NoError(t, s.Clock().Jump(time.Hour))
	assert.Equal(t, []string{"a", "b", "c ripe"}, []string{things.rows["a"].Text, things.rows["b"].Text, things.rows["c"].Text})
	require.NoError(t, s.Clock().Jump(time.Hour))
	assert.Equal(t, []string{"a ripe", "b", "c ripe"}, []string{things.rows["a"].Text, things.rows["b"].Text, things.rows["c"].Text})
}
