package fleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Sheet says how the lines of a file become jobs. Files are read as streams: memory does not grow with them. A line that is
// no job is a *[LineError] and the next one is read; trouble with reading ends it with another error. A byte order mark, CRLF
// and empty lines do not matter. A line, or a CSV record of several, has at most 512 KiB.
type Sheet struct {
	// File is the name of the file, for reports.
	File string
	// Method and Path are those of every job; Method is POST if it is empty. Without a Path each line of an NDJSON file is a
	// whole [Job].
	Method, Path string
	// Number and Order name where a job's number and order are: a member of the body by its dotted path, or a placeholder of
	// Path in braces. Without Number the catalogue tells.
	Number, Order string
	// Expires is that of every job.
	Expires time.Time
	// Map says where columns go. One that it does not name goes to the member of its own name. What it names has to stand in the
	// first line, also of an NDJSON file, or nothing is read: a name that is misspelt would spoil all of them.
	Map []Column
	// Comma divides the fields of a CSV file; zero is a comma.
	Comma byte
}

// Column says where a column of a CSV file, or a member of an NDJSON line, goes.
type Column struct {
	// From is its name; "*" stands for all that no other Column names.
	From string
	// To is a member of the body, in a CSV file by its dotted path; a placeholder of the path in braces; a query member
	// behind a question mark; or empty, to leave it out.
	To string
	// Type is the JSON type of a member that comes from CSV: string, integer, number, boolean or json. Empty takes the
	// documented one, else string.
	Type string
}

var columnTypes = []string{"string", "integer", "number", "boolean", "json"}

// ParseColumn reads a column in the form FROM=TO[:TYPE], such as "code=user_card_code", "points=point_balance:integer",
// "order={out_trade_no}" or "*=".
func ParseColumn(text string) (Column, error) {
	from, to, ok := strings.Cut(text, "=")
	if !ok || from == "" {
		return Column{}, fmt.Errorf("the column %q is not of the form FROM=TO", text)
	}
	to, kind, typed := strings.Cut(to, ":")
	if typed && !slices.Contains(columnTypes, kind) {
		return Column{}, fmt.Errorf("the type %q of column %q is not one of %s", kind, from, strings.Join(columnTypes, ", "))
	}
	if from == "*" && to != "" {
		return Column{}, errors.New(`the column "*" stands for many: it can only be left out, "*="`)
	}
	return Column{from, to, kind}, nil
}

// to returns where a column goes.
func (s *Sheet) to(name string) Column {
	other := Column{From: name, To: name}
	for _, c := range s.Map {
		switch c.From {
		case name:
			return c
		case "*":
			other.To = ""
		}
	}
	return other
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
		return fmt.Errorf("the member that orders the jobs is missing: it is expected in %s", s.Order)
	}
	return nil
}

func (s *Sheet) bad(line int, err error) *LineError {
	return &LineError{File: s.File, Line: line, Err: err}
}

// ErrColumns means that a file cannot be read at all, because its first line does not have the columns that it should.
var ErrColumns = errors.New("fleet: the first line does not name the columns")

// NDJSON reads one JSON object a line: the body of a job, or a whole job if the sheet has no Path.
func (s Sheet) NDJSON(r io.Reader) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		first := true
		for line, err := range physicalLines(r) {
			var job Job
			switch {
			case err != nil:
			case line.err != nil:
				err = s.bad(line.number, line.err)
			case len(bytes.TrimSpace(line.text)) == 0:
				continue
			default:
				if err = s.mapped(&first, line.text); err != nil {
					yield(Job{}, err)
					return
				}
				if err = s.object(&job, line.text); err == nil {
					s.finish(&job, line.number)
					err = s.missing(&job)
				}
				if err != nil {
					err = s.bad(line.number, err)
				}
			}
			if !yield(job, err) {
				return
			}
		}
	}
}

// mapped reports what Map names and the first line that is an object does not have.
func (s *Sheet) mapped(first *bool, text []byte) error {
	if !*first || s.Path == "" || !gjson.ValidBytes(text) {
		return nil
	}
	line := gjson.ParseBytes(text)
	if !line.IsObject() {
		return nil
	}
	*first = false
	have := make(map[string]bool)
	line.ForEach(func(name, _ gjson.Result) bool {
		have[name.String()] = true
		return true
	})
	for _, c := range s.Map {
		if c.From != "*" && c.To != "" && !have[c.From] {
			return fmt.Errorf("%w: it has no member %q", ErrColumns, c.From)
		}
	}
	return nil
}

// jobMembers are those of a line that is a whole job.
var jobMembers = []string{"method", "path", "vars", "query", "body", "number", "order", "expires"}

// object reads a line of an NDJSON file.
func (s *Sheet) object(job *Job, text []byte) error {
	text = bytes.TrimSpace(text)
	switch {
	case !utf8.Valid(text):
		return errors.New("it is not UTF-8")
	case !gjson.ValidBytes(text) || text[0] != '{':
		return errors.New("it is not a JSON object")
	}
	if s.Path == "" {
		known := true // exactly, while package json takes PATH for path
		gjson.ParseBytes(text).ForEach(func(name, _ gjson.Result) bool {
			known = slices.Contains(jobMembers, name.String())
			return known
		})
		if !known || json.Unmarshal(text, job) != nil { // whose error would repeat what the line says
			return fmt.Errorf("it is not a job: it has a member besides %s, or one of another type", strings.Join(jobMembers, ", "))
		}
		if !unique(gjson.ParseBytes(text), 0) {
			return errTwice
		}
		if string(job.Body) == "null" {
			job.Body = nil
		}
		return nil
	}
	job.Method, job.Path = s.Method, s.Path
	if len(s.Map) == 0 {
		job.Body = bytes.Clone(text)
		return nil
	}
	body := []byte("{")
	var err error
	gjson.ParseBytes(text).ForEach(func(name, value gjson.Result) bool {
		c := s.to(name.String())
		if c.To == "" {
			return true
		}
		if placed, wrong := place(job, c.To, value); placed || wrong != nil {
			err = wrong
			return err == nil
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		quoted, _ := json.Marshal(c.To)
		body = append(append(append(body, quoted...), ':'), value.Raw...)
		return true
	})
	if job.Body = append(body, '}'); len(body) == 1 {
		job.Body = nil
	}
	return err
}

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

// CSV reads a table whose first line names the columns. Fields may be quoted, with quotes doubled and line breaks inside. An
// empty field leaves its member out.
func (s Sheet) CSV(r io.Reader) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		if s.Path == "" {
			yield(Job{}, errors.New("fleet: jobs from CSV need a path"))
			return
		}
		if s.Comma == 0 {
			s.Comma = ','
		}
		var table *table
		var fields []string
		width := func() int {
			if table == nil {
				return 0
			}
			return len(table.columns)
		}
		for record, err := range records(r, s.Comma, width) {
			if err != nil {
				yield(Job{}, err)
				return
			}
			if record.err == nil {
				fields, record.err = splitRecord(fields[:0], record.text, s.Comma)
			}
			if table == nil {
				if record.err == nil {
					table, record.err = s.header(fields)
				}
				if record.err != nil {
					yield(Job{}, fmt.Errorf("%w: %w", ErrColumns, record.err))
					return
				}
				continue
			}
			var job Job
			if err = record.err; err == nil {
				if err = table.row(&job, fields); err == nil {
					s.finish(&job, record.number)
					err = s.missing(&job)
				}
			}
			if err != nil {
				err = s.bad(record.number, err)
			}
			if !yield(job, err) {
				return
			}
		}
		if table == nil {
			yield(Job{}, fmt.Errorf("%w: there is none", ErrColumns))
		}
	}
}

// table is what the first line of a CSV file says.
type table struct {
	sheet   *Sheet
	columns []Column
	body    *branch
	text    []byte
}

// branch is a member of the body, or the body itself.
type branch struct {
	name   string // quoted, with its colon
	inner  []*branch
	column int
	kind   string
}

func (s *Sheet) header(names []string) (*table, error) {
	t := &table{sheet: s, body: new(branch)}
	operation, _ := catalog.V3().Lookup(s.method(), "/"+strings.TrimPrefix(s.Path, "/"))
	targets := make(map[string]int)
	known := operation == nil || len(operation.In.JSON) == 0
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		if strings.ContainsAny(name, "\r\n") {
			return nil, fmt.Errorf("the name of column %d goes over several lines: do the lines of the file end with CR alone?", i+1)
		}
		c := s.to(name)
		t.columns = append(t.columns, c)
		if c.To == "" {
			continue
		}
		_, variable := fact.Placeholder(c.To)
		query := strings.HasPrefix(c.To, "?")
		if before := targets[c.To]; before > 0 && !query {
			return nil, fmt.Errorf("the columns %d and %d go to the same member", before, i+1)
		}
		targets[c.To] = i + 1
		if variable || query {
			known = true
			continue
		}
		kind, documented := kindOf(c, operation)
		known = known || documented
		if err := t.body.grow(strings.Split(c.To, "."), i, kind); err != nil {
			return nil, fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	if !known { // and no text of it goes into an error: it may be the first person's
		return nil, errors.New("none of its fields is a member that the operation documents: is the line with the names missing?")
	}
	for _, c := range s.Map {
		if c.From != "*" && !slices.ContainsFunc(t.columns, func(have Column) bool { return have.From == c.From }) {
			return nil, fmt.Errorf("there is no column %q", c.From)
		}
	}
	return t, nil
}

func (s *Sheet) method() string {
	if s.Method == "" {
		return "POST"
	}
	return s.Method
}

// kindOf is the JSON type of a column, and whether its member is documented.
func kindOf(c Column, o *fact.Operation) (kind string, documented bool) {
	if o == nil {
		return c.Type, false
	}
	fields := o.In.JSON
	for parts := strings.Split(c.To, "."); ; parts = parts[1:] {
		i := slices.IndexFunc(fields, func(f fact.Field) bool { return f.Name == parts[0] })
		switch {
		case i < 0:
			return c.Type, false
		case len(parts) > 1:
			fields = fields[i].Fields
		case c.Type != "":
			return c.Type, true
		default:
			return string(fields[i].Type), true
		}
	}
}

// grow adds a member.
func (b *branch) grow(path []string, column int, kind string) error {
	if path[0] == "" {
		return errors.New("a name in it is empty")
	}
	quoted, _ := json.Marshal(path[0])
	name := string(quoted) + ":"
	i := slices.IndexFunc(b.inner, func(inner *branch) bool { return inner.name == name })
	if len(path) == 1 {
		if i >= 0 {
			return errors.New("it is an object and a value")
		}
		b.inner = append(b.inner, &branch{name: name, column: column, kind: kind})
		return nil
	}
	if i < 0 {
		i = len(b.inner)
		b.inner = append(b.inner, &branch{name: name, column: -1})
	}
	if b.inner[i].column >= 0 {
		return errors.New("it is an object and a value")
	}
	return b.inner[i].grow(path[1:], column, kind)
}

// row makes the job of a record.
func (t *table) row(job *Job, fields []string) error {
	if len(fields) != len(t.columns) {
		return fmt.Errorf("it has %d fields, the first line names %d columns", len(fields), len(t.columns))
	}
	job.Method, job.Path = t.sheet.Method, t.sheet.Path
	for i, c := range t.columns {
		if !utf8.ValidString(fields[i]) {
			return fmt.Errorf("column %s is not UTF-8", c.From)
		}
		if fields[i] != "" {
			if _, err := place(job, c.To, gjson.Result{Type: gjson.String, Str: fields[i]}); err != nil {
				return err
			}
		}
	}
	if len(t.body.inner) == 0 {
		return nil
	}
	text, _, err := t.body.object(t.text[:0], fields)
	t.text = text
	job.Body = bytes.Clone(text)
	return err
}

// object appends the members that have a value, and reports whether there are any.
func (b *branch) object(dst []byte, fields []string) (_ []byte, some bool, err error) {
	dst = append(dst, '{')
	for _, m := range b.inner {
		before := len(dst)
		if some {
			dst = append(dst, ',')
		}
		dst = append(dst, m.name...)
		has := false
		if m.column < 0 {
			dst, has, err = m.object(dst, fields)
		} else if has = fields[m.column] != ""; has {
			dst, err = m.value(dst, fields[m.column])
		}
		if err != nil {
			return dst, some, err
		}
		if !has {
			dst = dst[:before]
		}
		some = some || has
	}
	return append(dst, '}'), some, nil
}

// value appends a field as JSON.
func (b *branch) value(dst []byte, field string) ([]byte, error) {
	name := strings.TrimSuffix(b.name, ":")
	switch fact.Type(b.kind) {
	case fact.Integer:
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return dst, fmt.Errorf("%s is not an integer", name)
		}
		return strconv.AppendInt(dst, n, 10), nil
	case fact.Number:
		if !json.Valid([]byte(field)) || strings.Trim(field, "+-.0123456789eE") != "" {
			return dst, fmt.Errorf("%s is not a number", name)
		}
		return append(dst, field...), nil
	case fact.Boolean:
		if field != "true" && field != "false" {
			return dst, fmt.Errorf("%s is neither true nor false", name)
		}
		return append(dst, field...), nil
	case "json", fact.Object, fact.Strings, fact.Integers, fact.Numbers, fact.Booleans, fact.Objects:
		if !json.Valid([]byte(field)) {
			return dst, fmt.Errorf("%s is not JSON", name)
		}
		return append(dst, field...), nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(field); err != nil {
		return dst, err
	}
	return append(dst, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...), nil
}

// maxLine bounds a line, and a CSV record of several, in bytes.
const maxLine = maxJob

// line is one line of a file, or one record, without its end.
type line struct {
	number int // of the first line
	text   []byte
	err    error // why it cannot be read
}

var (
	errLong     = fmt.Errorf("it has more than %d bytes", maxLine)
	errUnclosed = errors.New("a quote is not closed")
)

// physicalLines reads lines. text is good until the next one.
func physicalLines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
			_, _ = in.Discard(3)
		}
		var text []byte
		for number := 1; ; number++ {
			text = text[:0]
			long := false
			var err error
			for more := true; more; more = errors.Is(err, bufio.ErrBufferFull) {
				var piece []byte
				piece, err = in.ReadSlice('\n')
				if long = long || len(text)+len(piece) > maxLine; !long {
					text = append(text, piece...)
				}
			}
			if err != nil && err != io.EOF {
				yield(line{}, fmt.Errorf("fleet: reading after line %d: %w", number-1, err))
				return
			}
			l := line{number: number, text: bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))}
			if long {
				l.text, l.err = nil, errLong
			}
			if err == io.EOF && len(text) == 0 && !long || !yield(l, nil) || err == io.EOF {
				return
			}
		}
	}
}

// records reads the records of a CSV file, which are lines unless a quoted field has line breaks. Where a quote is not closed,
// or what it seems to hold is no record of the width that is known by then (0 for none), only the line where it is opened is
// lost.
func records(r io.Reader, comma byte, width func() int) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		next, stop := iter.Pull2(physicalLines(r))
		defer stop()
		var ahead []line // read while an open quote was followed
		take := func() (line, error, bool) {
			if len(ahead) > 0 {
				l := ahead[0]
				ahead = ahead[1:]
				return l, nil, true
			}
			return next()
		}
		var fields []string
		// follow reads the lines that belong to a record whose first one opens a quote.
		follow := func(record *line) error {
			var followed []line
			record.text = bytes.Clone(record.text)
			quotes := bytes.Count(record.text, []byte{'"'})
			for {
				l, err, ok := take()
				if err != nil {
					return err
				}
				if ok {
					l.text = bytes.Clone(l.text)
					followed = append(followed, l)
				}
				if !ok || l.err != nil || len(record.text)+len(l.text) > maxLine {
					record.err = errUnclosed
					break
				}
				record.text = append(append(record.text, '\n'), l.text...)
				if quotes += bytes.Count(l.text, []byte{'"'}); quotes%2 == 1 {
					continue // it cannot be closed yet
				}
				if fields, err = splitRecord(fields[:0], record.text, comma); err == nil && (width() == 0 || len(fields) == width()) {
					return nil
				}
				record.err = errUnclosed
				break
			}
			ahead = append(followed, ahead...)
			return nil
		}
		for {
			l, err, ok := take()
			if !ok || err != nil {
				if err != nil {
					yield(line{}, err)
				}
				return
			}
			if l.err != nil || len(bytes.TrimSpace(l.text)) > 0 {
				record := line{number: l.number, text: l.text, err: l.err}
				if record.err == nil {
					if fields, err = splitRecord(fields[:0], record.text, comma); errors.Is(err, errUnclosed) {
						if err := follow(&record); err != nil {
							yield(line{}, err)
							return
						}
					}
				}
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// splitRecord divides a record into its fields.
func splitRecord(fields []string, text []byte, comma byte) ([]string, error) {
	for {
		var field []byte
		if len(text) > 0 && text[0] == '"' {
			for text = text[1:]; ; text = text[1:] {
				i := bytes.IndexByte(text, '"')
				if i < 0 {
					return fields, errUnclosed
				}
				field = append(field, text[:i]...)
				if text = text[i+1:]; len(text) == 0 || text[0] != '"' {
					break
				}
				field = append(field, '"')
			}
			if len(text) > 0 && text[0] != comma {
				return fields, errors.New("something follows a quoted field")
			}
		} else {
			i := bytes.IndexByte(text, comma)
			if i < 0 {
				i = len(text)
			}
			if field = text[:i]; bytes.IndexByte(field, '"') >= 0 {
				return fields, errors.New("there is a quote inside a field that is not quoted")
			}
			text = text[i:]
		}
		fields = append(fields, string(field))
		if len(text) == 0 {
			return fields, nil
		}
		text = text[1:]
	}
}
