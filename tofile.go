package wxpay

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Target is a file that a download becomes; see [ToFile].
type Target struct {
	path    string
	replace bool
}

// ToFile makes a file the destination of [Client.Fetch], [Chain.Download], [Chain.BillTo] and [Chain.Receipt]. The
// content is written under a temporary name in the same folder, which gets the name path only when everything about it is
// right: whatever goes wrong, nothing is left behind. The file is readable by its owner only.
//
// A file that is there already is an error (fs.ErrExist) before anything is sent, and is never touched; see
// [Target.Replace].
//
// A new file is not synced to the disk: after a power failure, download again.
func ToFile(path string) Target { return Target{path: path} }

// Replace has a file that is there already replaced, in one step, by a download that is right and synced to the disk, so that
// there is one of the two even after a power failure. A symbolic link to a file is replaced itself, not what it leads to; one
// to anything but a file is an error, as that is without a link.
func (t Target) Replace() Target {
	t.replace = true
	return t
}

// Write always fails: only a download knows when the file is right.
func (t Target) Write([]byte) (int, error) {
	return 0, errors.New("a file from wxpay.ToFile is written by downloads only")
}

// begin opens the temporary file.
func (t Target) begin() (*targetFile, error) {
	if t.path == "" {
		return nil, errors.New("ToFile was given no path")
	}
	info, err := os.Lstat(t.path)
	if err == nil && t.replace && info.Mode()&fs.ModeSymlink != 0 {
		if target, targetErr := os.Stat(t.path); targetErr == nil {
			info = target
		}
	}
	switch {
	case err == nil && info.IsDir():
		return nil, errors.New("the destination is a folder")
	case err == nil && info.Mode().Type()&^fs.ModeSymlink != 0:
		return nil, errors.New("the destination is a device or the like, which a file must not replace: pass a writer")
	case err == nil && !t.replace:
		return nil, fmt.Errorf("the destination cannot be written: %w (Replace has it replaced)", fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the destination cannot be written: %w", pathless(err))
	}
	file, err := os.CreateTemp(filepath.Dir(t.path), ".wxpay-*.part") // no longer than any name may be
	if err != nil {
		return nil, fmt.Errorf("the destination cannot be written: %w", pathless(err))
	}
	return &targetFile{Target: t, file: file}, nil
}

// targetFile is a Target on its way.
type targetFile struct {
	Target
	file *os.File // nil when it is done with
}

func (t *targetFile) Write(p []byte) (int, error) { return t.file.Write(p) }

func (t *targetFile) released() int64 { return 0 }

func (t *targetFile) rewind() bool {
	_, err := t.file.Seek(0, io.SeekStart)
	return err == nil && t.file.Truncate(0) == nil
}

func (t *targetFile) finish() error { return nil }

func (t *targetFile) commit() error {
	var err error
	if t.replace {
		err = t.file.Sync()
	}
	err = errors.Join(err, t.file.Close()) // which may be where a full disk shows
	if err == nil {
		err = t.rename()
	}
	if err != nil {
		_ = os.Remove(t.file.Name())
	}
	t.file = nil
	return err
}

func (t *targetFile) rename() error {
	if t.replace {
		return os.Rename(t.file.Name(), t.path)
	}
	// A link, unlike renaming, does not replace what came there meanwhile.
	err := os.Link(t.file.Name(), t.path)
	if err == nil {
		_ = os.Remove(t.file.Name())
		return nil
	}
	if _, there := os.Lstat(t.path); errors.Is(err, fs.ErrExist) || there == nil {
		return fs.ErrExist
	}
	return os.Rename(t.file.Name(), t.path) // there are no links on this file system
}

func (t *targetFile) abandon() {
	if t.file == nil {
		return
	}
	_ = t.file.Close()
	_ = os.Remove(t.file.Name())
	t.file = nil
}
