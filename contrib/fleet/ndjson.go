package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// NDJSON reads one JSON object a line: the body of a job, or a whole job if the sheet has no Path.
// An object with the fields rejected, and line or text, is one from a file of rejects: what line
// or text has is read.
func (s Sheet) NDJSON(r io.Reader) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		first := true
		for line, err := range physicalLines(r) {
			var job Job
			switch {
			case err != nil:
			case line.err != nil:
				err = s.bad(line.number, line.err, nil)
			case len(bytes.TrimSpace(line.text)) == 0:
				continue
			default:
				text := rejectedBefore(line.text)
				if err = s.mapped(&first, text); err != nil {
					yield(Job{}, err)
					return
				}
				job.Source = &Source{Text: string(text)}
				if err = s.object(&job, text); err == nil {
					s.finish(&job, line.number)
					err = s.missing(&job)
				}
				if err != nil {
					err = s.bad(line.number, err, job.Source)
				}
			}
			if !yield(job, err) {
				return
			}
		}
	}
}

// rejectedBefore returns the line that stands in one of a file of rejects; other lines are returned
// as they are.
func rejectedBefore(text []byte) []byte {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte(`{"rejected":`)) || !gjson.ValidBytes(text) {
		return text
	}
	members := gjson.ParseBytes(text).Map()
	line, raw := members["line"], members["text"]
	switch {
	case len(members) != 2:
	case line.IsObject():
		return []byte(line.Raw)
	case raw.Type == gjson.String:
		return []byte(raw.String())
	}
	return text
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
		if c.constant() || c.Type != "" {
			return fmt.Errorf("%w: constants, types and units are for tables, a line of JSON says them itself", ErrColumns)
		}
		if c.From != "*" && c.To != "" && !have[c.From] {
			return fmt.Errorf("%w: it has no field %q", ErrColumns, c.From)
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
	case bytes.ContainsRune(text, utf8.RuneError):
		return errors.New(lost)
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
			return fmt.Errorf("it is not a job: it has a field besides %s, or one of another type", strings.Join(jobMembers, ", "))
		}
		if _, err := jsonwalk.Read(text); err != nil {
			return err
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
		to, told := s.to(name.String())
		if !told {
			to = []Column{{To: name.String()}}
		}
		for _, c := range to {
			if c.To == "" {
				continue
			}
			placed, wrong := place(job, c.To, value)
			if wrong != nil {
				err = wrong
				return false
			}
			if placed {
				continue
			}
			if len(body) > 1 {
				body = append(body, ',')
			}
			quoted, _ := json.Marshal(c.To)
			body = append(append(append(body, quoted...), ':'), value.Raw...)
		}
		return true
	})
	if job.Body = append(body, '}'); len(body) == 1 {
		job.Body = nil
	}
	return err
}
