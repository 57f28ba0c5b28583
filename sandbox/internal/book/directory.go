package book

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/internal/filelock"
)

// Directory is a Store in a directory of its own: one file that only grows, until it is written
// anew without what was overwritten. Each batch has checksums. A batch that Append has returned
// from is in the hands of the operating system, so the end of the process (kill -9 too) loses
// nothing. A batch is not synced to the disk: if the machine itself stops, those of the last
// seconds may be missing from the end, as if they had not been. A rewritten file, and the file at
// its closing, are synced. Private keys are in it, so the directory and the file are readable by
// their owner only.
type Directory struct {
	path string
	file *os.File
	lock *filelock.Lock
	size int64 // of the file, up to the end of the last whole batch
	cut  int64
	err  error // why the file can be no longer appended to
}

// The file begins with the magic; a frame is a header (the length of the batch, the CRC-32C of the
// batch, and the CRC-32C of these two, four bytes each, little endian) and the batch.
const (
	directoryFile  = "sandbox.journal"
	directoryMagic = "wxpay sandbox journal 1\n"
	frameHeader    = 12
	frameLimit     = 1 << 30 // of a batch, far beyond any
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenDirectory opens a directory, which it makes if there is none. It is an error if another
// process has it open (on Linux, macOS, BSD and Windows), if other users can write it or its files
// (where permissions tell), or if a link stands in place of a file. Give it to one sandbox, and close it
// behind that.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	for _, name := range []string{path, filepath.Join(path, directoryFile), filepath.Join(path, "lock")} {
		if err := checkOwn(name, name == path); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	lock, err := filelock.Acquire(filepath.Join(path, "lock"))
	if errors.Is(err, filelock.ErrLocked) {
		err = errors.New("another sandbox has it open")
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: the directory %s: %w", path, err)
	}
	d := &Directory{path: path, lock: lock}
	d.file, err = os.OpenFile(filepath.Join(path, directoryFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		_ = lock.Release()
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return d, nil
}

// checkOwn rejects a file in place of which others can put theirs, and a link in place of a file. A
// directory may be reached by a link, and what is not there yet passes.
func checkOwn(name string, directory bool) error {
	look := os.Lstat
	if directory {
		look = os.Stat
	}
	switch info, err := look(name); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !directory && !info.Mode().IsRegular():
		return fmt.Errorf("%s is a link or another special file, and must be a file of its own", name)
	case othersWrite(info):
		return fmt.Errorf("others can write %s, which holds private keys and what the sandbox believes: chmod go-w %s", name, name)
	}
	return nil
}

// Load implements Store. A batch at the end that was not written whole is cut off: it was never
// acknowledged. Anything else that is not as it was written is an error, and nothing is changed
// then.
func (d *Directory) Load(each func([]byte) error) error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	whole := info.Size()
	in := bufio.NewReaderSize(d.file, 1<<20)
	magic := make([]byte, min(int64(len(directoryMagic)), whole))
	if _, err := io.ReadFull(in, magic); err != nil {
		return err
	}
	if string(magic) != directoryMagic[:len(magic)] {
		return fmt.Errorf("%s is no journal of a sandbox of this version", d.file.Name())
	}
	if len(magic) < len(directoryMagic) { // new, or cut while it was begun
		if err := d.begin(d.file); err != nil {
			return err
		}
		d.size = int64(len(directoryMagic))
		return nil
	}
	d.size = int64(len(directoryMagic))
	for d.size < whole {
		batch, torn, err := readFrame(in, whole-d.size)
		if torn {
			d.cut = whole - d.size
			return d.truncate()
		}
		if err != nil {
			return fmt.Errorf("%s is damaged at byte %d: %w; restore it from a copy, or move it away to begin anew", d.file.Name(), d.size, err)
		}
		if err := each(batch); err != nil {
			return fmt.Errorf("%s, byte %d: %w", d.file.Name(), d.size, err)
		}
		d.size += frameHeader + int64(len(batch))
	}
	_, err = d.file.Seek(d.size, io.SeekStart)
	return err
}

// readFrame reads one frame of a file of which rest bytes are left. torn reports that it is the
// last and was not written whole.
func readFrame(in io.Reader, rest int64) (batch []byte, torn bool, err error) {
	if rest < frameHeader {
		return nil, true, nil
	}
	var header [frameHeader]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, false, err
	}
	length := int64(binary.LittleEndian.Uint32(header[0:]))
	if crc32.Checksum(header[:8], castagnoli) != binary.LittleEndian.Uint32(header[8:]) || length > frameLimit {
		if header == [frameHeader]byte{} && onlyZeros(in) { // room that a file system gave before it stopped
			return nil, true, nil
		}
		return nil, false, errors.New("the checksum of a header is wrong")
	}
	rest -= frameHeader
	if length > rest {
		return nil, true, nil
	}
	batch = make([]byte, length)
	if _, err := io.ReadFull(in, batch); err != nil {
		return nil, false, err
	}
	if crc32.Checksum(batch, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
		return nil, length == rest, errors.New("the checksum of a batch is wrong")
	}
	return batch, false, nil
}

func onlyZeros(in io.Reader) bool {
	buffer := make([]byte, 4096)
	for {
		n, err := in.Read(buffer)
		for _, b := range buffer[:n] {
			if b != 0 {
				return false
			}
		}
		if err != nil {
			return err == io.EOF
		}
	}
}

// Cut returns how many bytes at the end Load cut off, because they were not written whole.
func (d *Directory) Cut() int64 { return d.cut }

// begin writes the magic at the start of a file.
func (d *Directory) begin(file *os.File) error {
	if _, err := file.WriteAt([]byte(directoryMagic), 0); err != nil {
		return err
	}
	_, err := file.Seek(int64(len(directoryMagic)), io.SeekStart)
	return err
}

// truncate ends the file behind the last whole batch.
func (d *Directory) truncate() error {
	if err := d.file.Truncate(d.size); err != nil {
		return err
	}
	_, err := d.file.Seek(d.size, io.SeekStart)
	return err
}

func frame(batch []byte) []byte {
	f := make([]byte, frameHeader, frameHeader+len(batch))
	binary.LittleEndian.PutUint32(f[0:], uint32(len(batch)))
	binary.LittleEndian.PutUint32(f[4:], crc32.Checksum(batch, castagnoli))
	binary.LittleEndian.PutUint32(f[8:], crc32.Checksum(f[:8], castagnoli))
	return append(f, batch...)
}

// Append implements Store.
func (d *Directory) Append(batch []byte) error {
	switch {
	case d.err != nil:
		return d.err
	case len(batch) > frameLimit:
		return fmt.Errorf("a batch of %d bytes is too large", len(batch))
	}
	f := frame(batch)
	if _, err := d.file.Write(f); err != nil {
		if cut := d.truncate(); cut != nil { // what was written of it must not stand before another
			d.err = errors.Join(err, cut)
		}
		return err
	}
	d.size += int64(len(f))
	return nil
}

// Replace implements Store.
func (d *Directory) Replace(batches iter.Seq[[]byte]) error {
	path := filepath.Join(d.path, directoryFile)
	file, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size, err := d.write(file, batches)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		file.Close()
		return err
	}
	d.file.Close() // its successor is safe
	d.file, d.size, d.err = file, size, nil
	return syncDirectory(d.path)
}

func (d *Directory) write(file *os.File, batches iter.Seq[[]byte]) (size int64, err error) {
	if err := d.begin(file); err != nil {
		return 0, err
	}
	size = int64(len(directoryMagic))
	out := bufio.NewWriterSize(file, 1<<20)
	for batch := range batches {
		f := frame(batch)
		if _, err := out.Write(f); err != nil {
			return 0, err
		}
		size += int64(len(f))
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return size, file.Sync()
}

// Close forces what was written onto the disk and lets the directory go.
func (d *Directory) Close() error {
	return errors.Join(d.file.Sync(), d.file.Close(), d.lock.Release())
}

var _ Store = (*Directory)(nil)
