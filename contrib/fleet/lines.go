package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

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

// records reads the records of a CSV file, which are lines unless a quoted field has line breaks.
// Only the line of an opening quote is lost if the quote is not closed, or if its content is no
// record of the known width (0 for none).
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
			first := len(record.text)
			defer func() {
				if record.err != nil {
					record.text = record.text[:first]
				}
			}()
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
