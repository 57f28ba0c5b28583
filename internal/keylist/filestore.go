package keylist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// FileStore is a [Store] of one file for each merchant in a directory, which is made when it is missing.
type FileStore string

var _ Store = FileStore("")

// path returns the file of name, which is a merchant number and nothing else.
func (s FileStore) path(name string) (string, error) {
	if name == "" || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return "", fmt.Errorf("%s cannot be a file name", redact.Quote(name))
	}
	return filepath.Join(string(s), name+".certificates.json"), nil
}

// Load reads the file of name.
func (s FileStore) Load(_ context.Context, name string) ([]byte, error) {
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
func (s FileStore) Save(_ context.Context, name string, data []byte) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return err
	}
	return atomicfile.Replace(path, data)
}
