package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/fact"
)

// Sheet says how the lines of a file become jobs. Files are read as streams: memory does not grow
// with them. A line that is no job is a *[LineError] and the next one is read; trouble with reading
// ends it with another error. A byte order mark, CRLF and empty lines do not matter. A line, or a
// CSV record of several, has at most 512 KiB.
type Sheet struct {
	// File is the name of the file, for reports.
	File string
	// Method and Path are those of every job; Method is POST if it is empty. Without a Path each
	// line of an NDJSON file is a whole [Job].
	Method, Path string
	// Number and Order name where a job's number and order are: a field of the body by its dotted
	// path, or a placeholder of Path in braces. Without Number the catalogue tells.
	Number, Order string
	// Expires is that of every job.
	Expires time.Time
	// Map says where columns go. One that it does not name goes to the field of its own name; in a
	// table also to the one whose label it has (退款金额 is amount.refund), and nowhere if its name
	// begins with #. The columns that it names have to stand in the first line, also of an NDJSON
	// file, or nothing is read: a name that is misspelt would spoil all of them.
	Map []Column
	// OnHeader, unless nil, is told once where the columns of a table go, before the first job.
	OnHeader func(Header)
	// Worksheet is the name of the worksheet; empty stands for the first one that is not hidden.
	Worksheet string
	// Comma divides the fields of a CSV file; zero is a comma.
	Comma byte
}

// Header is the first line of a table.
type Header struct {
	Source  *Source
	Columns []Column // where each goes, and the constants
}

// to returns where Map has a column go; told is false if it does not say.
func (s *Sheet) to(name string) (to []Column, told bool) {
	for _, c := range s.Map {
		if c.From == name {
			to = append(to, c)
		}
	}
	told = len(to) > 0 || slices.ContainsFunc(s.Map, func(c Column) bool { return c.From == "*" })
	if len(to) == 0 && told {
		to = []Column{{From: name}}
	}
	return to, told
}

func (s *Sheet) method() string {
	if s.Method == "" {
		return "POST"
	}
	return s.Method
}

// finish completes a job that came from a line.
func (s *Sheet) finish(job *Job, line int) {
	job.File, job.Line = s.File, line
	if job.Expires.IsZero() {
		job.Expires = s.Expires
	}
	if s.Number != "" {
		job.Number = job.value(s.Number)
	}
	if s.Order != "" {
		job.Order = job.value(s.Order)
	}
}

// missing reports what the sheet expects in each line and the job has not.
func (s *Sheet) missing(job *Job) error {
	switch {
	case s.Number != "" && job.Number == "":
		return fmt.Errorf("the merchant's own number is missing: it is expected in %s", s.Number)
	case s.Order != "" && job.Order == "":
		return fmt.Errorf("the field that orders the jobs is missing: it is expected in %s", s.Order)
	}
	return nil
}

func (s *Sheet) bad(line int, err error, source *Source) *LineError {
	return &LineError{File: s.File, Line: line, Err: err, Source: source}
}

// ErrColumns means that a file cannot be read at all, because it is no table, or its first line does
// not name the columns that it should.
var ErrColumns = errors.New("fleet: the list cannot be read")

// place puts a value into the path or the query, and reports whether it belongs there.
func place(job *Job, to string, value gjson.Result) (bool, error) {
	name, variable := fact.Placeholder(to)
	query, inQuery := strings.CutPrefix(to, "?")
	if !variable && !inQuery {
		return false, nil
	}
	if value.IsObject() || value.IsArray() || value.Type == gjson.Null {
		return true, fmt.Errorf("%s takes a text, a number or a boolean", to)
	}
	text := value.String()
	if value.Type == gjson.Number {
		text = value.Raw
	}
	if variable {
		if job.Vars == nil {
			job.Vars = make(map[string]string)
		}
		if _, twice := job.Vars[name]; twice {
			return true, fmt.Errorf("two values go to %s", to)
		}
		job.Vars[name] = text
		return true, nil
	}
	if job.Query == nil {
		job.Query = make(map[string][]string)
	}
	job.Query[query] = append(job.Query[query], text)
	return true, nil
}
