package wxpay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// KeyStore keeps a copy of the platform's certificate list outside the process, so that a fleet fetches it once and a
// restart not at all. What it keeps is opaque: the list as the platform encrypted and signed it, so a store needs no
// protection beyond being writable by the fleet alone. A copy is decrypted and verified when it is loaded, and one that
// fails is fetched anew.
//
// Both methods are called from several goroutines, and should return soon after ctx ends.
type KeyStore interface {
	// Load returns the copy last saved under name, nil if there is none.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save replaces the copy under name whole: a reader sees the old or the new one.
	Save(ctx context.Context, name string, copy []byte) error
}

// FileStore returns a KeyStore of one file per merchant in dir, which is made when it is missing. It may lie on a disk
// that several machines share.
func FileStore(dir string) KeyStore { return fileStore(dir) }

type fileStore string

var _ KeyStore = fileStore("")

// path returns the file of name, which is a merchant number and nothing else.
func (s fileStore) path(name string) (string, error) {
	if name == "" || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return "", fmt.Errorf("%s cannot be a file name", redact.Quote(name))
	}
	return filepath.Join(string(s), name+".certificates.json"), nil
}

func (s fileStore) Load(_ context.Context, name string) ([]byte, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Save writes beside the file and renames, which is atomic.
func (s fileStore) Save(_ context.Context, name string, data []byte) (err error) {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(string(s), name+".*.tmp") // only its owner can read and write it
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
