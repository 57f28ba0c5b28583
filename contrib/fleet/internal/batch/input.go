package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/textfile"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// run is what a submission of the file is.
func (o *sourceOptions) run() (*fleet.Run, error) {
	hash, err := hashOf(o.file)
	if err != nil {
		return nil, usageError("%w", err)
	}
	return &fleet.Run{File: o.sheet.File, Hash: hash}, nil
}

// source opens the file.
func (p *program) source(o *sourceOptions) (jobs iter.Seq2[fleet.Job, error], size int, done func(), err error) {
	if err := writable("--rejects", o.rejects); err != nil {
		return nil, 0, nil, err
	}
	o.sheet.OnHeader = p.told(o)
	in, done := p.stdin, func() {}
	var file *os.File // nil unless it can be read twice
	if o.file != "-" {
		opened, err := os.Open(o.file)
		if err != nil {
			return nil, 0, nil, usageError("%w", err)
		}
		in, done = opened, func() { opened.Close() }
		info, err := opened.Stat()
		switch {
		case err != nil:
		case info.IsDir():
			err = usageError("%s is a directory", o.file)
		case info.Mode().IsRegular():
			file = opened
		}
		if o.format == "xlsx" && err == nil {
			if file == nil {
				err = usageError("a workbook cannot be read from a pipe")
			} else {
				jobs, err = p.workbook(o, file, info.Size())
			}
			if err != nil {
				done()
				return nil, 0, nil, err
			}
			jobs, done, err = begun(jobs, done)
			return jobs, 0, done, err
		}
		if file != nil && p.terminal {
			size = lines(file) // for the progress bar
			_, err = file.Seek(0, io.SeekStart)
		}
		if err != nil {
			done()
			return nil, 0, nil, usageError("%w", err)
		}
	}
	text, err := p.text(o, in, file)
	if err != nil {
		done()
		return nil, 0, nil, err
	}
	if o.format == "csv" {
		jobs = o.sheet.CSV(text)
	} else {
		jobs = o.listed(o.sheet.NDJSON(text))
	}
	if file != nil {
		if jobs, done, err = begun(jobs, done); err != nil {
			return nil, 0, nil, err
		}
	}
	return jobs, size, done, nil
}

// begun reads as far as the first job, so that a file whose beginning is wrong is found out before anything is made.
func begun(jobs iter.Seq2[fleet.Job, error], done func()) (iter.Seq2[fleet.Job, error], func(), error) {
	take, stop := iter.Pull2(jobs)
	var mu sync.Mutex // whoever reads may still be about to when nobody wants it any more
	next := func() (fleet.Job, error, bool) {
		mu.Lock()
		defer mu.Unlock()
		return take()
	}
	end := func() {
		mu.Lock()
		defer mu.Unlock()
		stop()
		done()
	}
	job, err, more := next()
	if err != nil && !errors.As(err, new(*fleet.LineError)) {
		end()
		return nil, nil, err
	}
	return func(yield func(fleet.Job, error) bool) {
		for more && yield(job, err) {
			job, err, more = next()
		}
	}, end, nil
}

// workbook reads a workbook. It says which sheet that is, if there are several.
func (p *program) workbook(o *sourceOptions, file *os.File, size int64) (iter.Seq2[fleet.Job, error], error) {
	book, err := xlsx.Open(file, size)
	if err != nil {
		return nil, usageError("%s: %w", o.sheet.File, err)
	}
	var seen []string
	for _, sheet := range book.Worksheets() {
		if !sheet.Hidden {
			seen = append(seen, sheet.Name)
		}
	}
	if o.sheet.Worksheet == "" && len(seen) > 1 {
		p.note("%s: the sheet is %q, the first of %d (else say --sheet).", o.sheet.File, printable(seen[0]), len(seen))
	}
	return o.sheet.XLSX(file, size), nil
}

// told keeps the first line of a table, and says where columns go whose names do not tell, and --map neither.
func (p *program) told(o *sourceOptions) func(fleet.Header) {
	return func(h fleet.Header) {
		o.header = h
		var found []string
		for _, c := range h.Columns {
			if c.From != "" && c.To != "" && c.To != c.From && !slices.Contains(o.sheet.Map, c) {
				found = append(found, c.From+" is "+c.To)
			}
		}
		if len(found) > 0 {
			p.note("%s: by their labels, %s (else say --map or --skip).", o.sheet.File, printable(strings.Join(found, ", ")))
		}
	}
}

// text returns the text of the input in UTF-8, and completes the sheet with its separator. It says what it recognised, if that
// is not the usual: all of a regular file decides about the encoding, of a pipe what comes first.
func (p *program) text(o *sourceOptions, in io.Reader, file *os.File) (io.Reader, error) {
	raw := bufio.NewReaderSize(in, 64<<10)
	encoding, given := textfile.ParseEncoding(o.encoding)
	if given {
		if mark, _ := raw.Peek(3); string(mark) == "\ufeff" { // as rejects are written, in whatever the list was
			encoding = textfile.UTF8
		}
	} else {
		var err error
		if file != nil {
			encoding, err = textfile.Recognize(file)
			if err == nil {
				_, err = file.Seek(0, io.SeekStart)
			}
		} else {
			_, _ = raw.Peek(1) // waits; an error comes again when it is read
			head, _ := raw.Peek(raw.Buffered())
			encoding, err = textfile.Recognize(bytes.NewReader(head))
		}
		if err != nil {
			return nil, usageError("%s cannot be read: %w; save it as UTF-8, or name its encoding with --encoding", o.sheet.File, err)
		}
	}
	var said []string
	if !given && encoding != textfile.UTF8 {
		said = append(said, "the encoding is "+string(encoding)+" (else say --encoding)")
	}
	text := bufio.NewReaderSize(textfile.Decode(raw, encoding), 64<<10)
	if o.format == "csv" {
		switch {
		case o.comma == "tab":
			o.sheet.Comma = '\t'
		case o.comma != "":
			o.sheet.Comma = o.comma[0]
		default:
			comma, ok := textfile.Comma(firstLine(text))
			if !ok {
				return nil, usageError("%s: the first line has several of comma, tab and semicolon: name the one between the fields with --comma", o.sheet.File)
			}
			if o.sheet.Comma = comma; comma != ',' {
				said = append(said, "the fields are divided by "+map[byte]string{'\t': "tabs", ';': "semicolons"}[comma]+" (else say --comma)")
			}
		}
	}
	if len(said) > 0 {
		p.note("%s: %s.", o.sheet.File, strings.Join(said, ", "))
	}
	return text, nil
}

// firstLine returns the first line that is not empty, without reading it. It waits no longer than that line takes.
func firstLine(in *bufio.Reader) []byte {
	for n := 1; ; n++ {
		_, err := in.Peek(n)
		head, _ := in.Peek(in.Buffered())
		line := bytes.TrimLeft(head, "\ufeff \r\n")
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			return line[:end]
		}
		if err != nil {
			return line
		}
		n = len(head)
	}
}

// lines counts line ends, which is about how many jobs there are.
func lines(r io.Reader) (n int) {
	buffer := make([]byte, 256<<10)
	for {
		k, err := r.Read(buffer)
		n += bytes.Count(buffer[:k], []byte("\n"))
		if err != nil {
			return n
		}
	}
}
