package download

import (
	"io"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// Destination is where content goes.
type Destination interface {
	io.Writer
	Released() int64 // bytes that are in somebody's hands
	Rewind() bool    // takes everything back, and reports whether that was possible
	Finish() error   // all has arrived: is it right, as far as the destination knows?
	Commit() error
	Abandon() // does nothing after Commit
}

// ToWriter returns a destination that cannot take anything back.
func ToWriter(w io.Writer) Destination { return &writer{w: w} }

type writer struct {
	w   io.Writer
	out int64
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	w.out += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, fault.Outside(err)
}

func (w *writer) Released() int64 { return w.out }
func (w *writer) Rewind() bool    { return w.out == 0 }
func (w *writer) Finish() error   { return nil }
func (w *writer) Commit() error   { return nil }
func (w *writer) Abandon()        {}

// ToFile returns a destination that becomes a file.
func ToFile(file *atomicfile.File) Destination { return wholeFile{file} }

type wholeFile struct{ *atomicfile.File }

func (wholeFile) Released() int64 { return 0 }
func (wholeFile) Finish() error   { return nil }
