package wxpay

import (
	"fmt"
	"io"
	"os"
)

// spill is a temporary file that nobody else can read. Where the system allows it has no name, so that nothing is left
// behind even if the process is killed. It stands in os.TempDir.
type spill struct {
	file  *os.File
	named bool
	size  int64
}

func newSpill() (*spill, error) {
	file, err := os.CreateTemp("", "wxpay-*")
	if err != nil {
		return nil, fmt.Errorf("there is no temporary file: %w", pathless(err))
	}
	return &spill{file: file, named: os.Remove(file.Name()) != nil}, nil
}

// Write appends.
func (s *spill) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		return n, &spillError{pathless(err)}
	}
	return n, nil
}

// spillError is a spill that cannot be written, most likely for want of room.
type spillError struct{ err error }

func (e *spillError) Error() string {
	return "the temporary file cannot be written: " + e.err.Error() + " (TMPDIR chooses its folder)"
}

func (e *spillError) Unwrap() error { return e.err }

// rewind makes it empty.
func (s *spill) rewind() bool {
	s.size = 0
	_, err := s.file.Seek(0, io.SeekStart)
	return err == nil && s.file.Truncate(0) == nil
}

// reader reads from the start; readers do not disturb each other.
func (s *spill) reader() io.Reader { return spillReader{io.NewSectionReader(s.file, 0, s.size)} }

// spillReader keeps the path out of its errors.
type spillReader struct{ *io.SectionReader }

func (r spillReader) Read(p []byte) (int, error) {
	n, err := r.SectionReader.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("the temporary file cannot be read: %w", pathless(err))
	}
	return n, err
}

func (s *spill) Close() error {
	err := s.file.Close()
	if s.named {
		_ = os.Remove(s.file.Name())
	}
	return pathless(err)
}
