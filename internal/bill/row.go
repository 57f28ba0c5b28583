package bill

import (
	"slices"
	"strings"
)

// Row is one line of a bill.
type Row struct {
	// Line counts the lines of the file from 1.
	Line int
	Values
}

// Values are the values of a row, and the names of their columns. The zero value has neither.
type Values struct {
	columns *columns
	text    string // the values, divided by separator[:between]
	between int    // 1 or 2; 0 of the zero value
}

// separator divides the values of a row. If no back-tick begins the line, its comma does.
const separator = "," + tick

// columns are the names above a block of rows.
type columns struct {
	names []string
	index map[string]int
}

func newColumns(names []string) *columns {
	c := &columns{names: names, index: make(map[string]int, len(names))}
	for i, name := range slices.Backward(names) {
		c.index[name] = i // of a name that stands twice the first counts
	}
	return c
}

// Columns returns the names of the columns. They must not be changed.
func (v Values) Columns() []string {
	if v.columns == nil {
		return nil
	}
	return v.columns.names
}

// All returns the values in the order of Columns.
func (v Values) All() []string {
	if v.between == 0 {
		return nil
	}
	return strings.Split(v.text, separator[:v.between])
}

// Len returns the number of values.
func (v Values) Len() int {
	if v.between == 0 {
		return 0
	}
	n := 1
	for at := v.end(0); at < len(v.text); at = v.end(at + v.between) {
		n++
	}
	return n
}

// Get returns the value of a column; "" if there is no such column.
func (v Values) Get(column string) string {
	if v.columns == nil {
		return ""
	}
	i, ok := v.columns.index[column]
	if !ok {
		return ""
	}
	begin, end := 0, v.end(0)
	for ; i > 0; i-- {
		if end == len(v.text) {
			return ""
		}
		begin = end + v.between
		end = v.end(begin)
	}
	return v.text[begin:end]
}

// end returns where the value that begins at begin ends. Values are so short that looking at each
// byte takes half the time of package strings.
func (v *Values) end(begin int) int {
	text, comma := v.text, v.between == 1
	for at := begin; at < len(text); at++ {
		if text[at] == ',' && (comma || at+1 < len(text) && text[at+1] == tick[0]) {
			return at
		}
	}
	return len(text)
}

// tick begins a line of values, and stands before each of them.
const tick = "`"

// parse takes the values of a line, and reports whether a back-tick begins it.
func (v *Values) parse(line string) (begins bool) {
	if v.text, begins = strings.CutPrefix(line, tick); begins {
		v.between = len(separator)
	} else {
		v.between = 1
	}
	return begins
}

// likeNames reports whether the values look like names: there is something in each, and it begins
// with no digit or sign.
func (v Values) likeNames() bool {
	for name := range strings.SplitSeq(v.text, separator[:v.between]) {
		if name == "" || strings.Contains("+-0123456789", name[:1]) {
			return false
		}
	}
	return true
}
