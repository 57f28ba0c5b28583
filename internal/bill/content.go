package bill

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/wxpay-go/wxpay/internal/download"
)

// Content is a bill that is kept in temporary files, as it came over the wire. The zero value is
// empty. It is safe for concurrent use until Close.
type Content struct {
	parts []part // in order

	mu      sync.Mutex
	summary []Row
	summed  bool // summary is known
	closed  bool
}

// part is one part of a bill.
type part interface {
	plain() (io.Reader, error)
	Close() error
}

// WriteTo writes the plain text to w, byte for byte.
func (c *Content) WriteTo(w io.Writer) (int64, error) {
	parts, err := c.plain()
	if err != nil {
		return 0, err
	}
	// A reader's own WriteTo or a writer's ReadFrom might use more memory than a buffer.
	all := struct{ io.Reader }{io.MultiReader(parts...)}
	return io.CopyBuffer(download.ToWriter(w), all, make([]byte, download.BufferSize))
}

// plain reads the plain text of each part.
func (c *Content) plain() (all []io.Reader, err error) {
	for _, part := range c.parts {
		r, err := part.plain()
		if err != nil {
			return nil, fmt.Errorf("wxpay: the bill cannot be read: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// Close removes the files. Once is enough; again it does nothing.
func (c *Content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var problems []error
	for _, part := range c.parts {
		problems = append(problems, part.Close())
	}
	return errors.Join(problems...)
}

// Rows returns the rows without the summary.
func (c *Content) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		parts, err := c.plain()
		if err != nil {
			yield(Row{}, err)
			return
		}
		var summary summing
		for line, err := range readLines(joined(parts)) {
			if summary.take(line, err) {
				continue
			}
			if !yield(line.Row, err) || err != nil && line.columns == nil {
				return
			}
		}
		if summary.wrong() == nil {
			c.keepSummary(summary.rows)
		}
	}
}

// Summary returns the rows of the summary. It reads the bill, unless Rows has been at the end.
func (c *Content) Summary() ([]Row, error) {
	c.mu.Lock()
	rows, known := c.summary, c.summed
	c.mu.Unlock()
	if known {
		return rows, nil
	}
	parts, err := c.plain()
	if err != nil {
		return nil, err
	}
	var summary summing
	for line, err := range readLines(joined(parts)) {
		summary.take(line, err)
	}
	if err := summary.wrong(); err != nil {
		return nil, err
	}
	c.keepSummary(summary.rows)
	return summary.rows, nil
}

func (c *Content) keepSummary(summary []Row) {
	c.mu.Lock()
	c.summary, c.summed = summary, true
	c.mu.Unlock()
}

// summing gathers the summary of a bill.
type summing struct {
	rows  []Row
	err   error // the summary cannot be read
	doubt error // of a line that may be part of one; a summary after it shows that it is not
}

// take reports whether the line is one of the summary.
func (s *summing) take(l line, err error) bool {
	switch {
	case err == nil && l.summary:
		s.rows, s.doubt = append(s.rows, l.Row), nil
		return true
	case err != nil && (l.summary || l.columns == nil):
		s.err = err
	case l.stray:
		s.doubt = err
	}
	return false
}

func (s *summing) wrong() error {
	if s.err != nil {
		return s.err
	}
	return s.doubt
}
