package sandbox

import (
	"iter"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
)

// Store keeps a sandbox beyond its process: what merchants and users did, keys included, as batches
// one behind another. A batch is one change, kept whole or not at all. [Directory] is one. A
// sandbox calls it one call at a time, and does not close it.
type Store interface {
	// Load hands over every batch, the oldest first, and ends with the first error. It is called
	// once, before all else.
	Load(each func(batch []byte) error) error
	// Append keeps one more batch. Once it returns, the end of the process must not lose it.
	Append(batch []byte) error
	// Replace keeps these batches in place of all others, at once: whenever the process ends, it is
	// the ones or the others.
	Replace(batches iter.Seq[[]byte]) error
}

// Directory is a [Store] in a directory of its own: one file that only grows, until it is written
// anew without what was overwritten. Each batch has checksums. A batch that Append has returned
// from is in the hands of the operating system, so the end of the process (kill -9 too) loses
// nothing. A batch is not synced to the disk: if the machine itself stops, those of the last
// seconds may be missing from the end, as if they had not been. A rewritten file, and the file at
// its closing, are synced. Private keys are in it, so the directory and the file are readable by
// their owner only.
type Directory struct{ directory *book.Directory }

// OpenDirectory opens a directory, which it makes if there is none. It is an error if another
// process has it open (on Linux, macOS, BSD and Windows). Give it to one sandbox, and close it
// behind that.
func OpenDirectory(path string) (*Directory, error) {
	directory, err := book.OpenDirectory(path)
	if err != nil {
		return nil, err
	}
	return &Directory{directory}, nil
}

// Load implements [Store]. A batch at the end that was not written whole is cut off: it was never
// acknowledged. Anything else that is not as it was written is an error, and nothing is changed
// then.
func (d *Directory) Load(each func([]byte) error) error { return d.directory.Load(each) }

// Append implements [Store].
func (d *Directory) Append(batch []byte) error { return d.directory.Append(batch) }

// Replace implements [Store].
func (d *Directory) Replace(batches iter.Seq[[]byte]) error { return d.directory.Replace(batches) }

// Cut returns how many bytes at the end Load cut off, because they were not written whole.
func (d *Directory) Cut() int64 { return d.directory.Cut() }

// Close forces what was written onto the disk and lets the directory go.
func (d *Directory) Close() error { return d.directory.Close() }

var _ Store = (*Directory)(nil)
