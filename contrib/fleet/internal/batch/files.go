package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

// exists reports whether something is at a path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// hashOf returns the SHA-256 of a file in hex, empty if it is none that stays.
func hashOf(path string) (string, error) {
	if path == "-" || special(path) {
		return "", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// sameContent reports whether two files are the same byte for byte.
func sameContent(a, b string) bool {
	one, err := hashOf(a)
	two, wrong := hashOf(b)
	return err == nil && wrong == nil && one == two && one != ""
}

// special reports whether something is at path that must not be replaced by a file.
func special(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// writable finds out whether the file that a flag names can be written, before there is anything to write.
func writable(flag, path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return usageError("%s: %s is a directory", flag, path)
	case path == "" || path == "-" || special(path):
		return nil
	}
	file, err := atomicfile.Create(path, true)
	if err != nil {
		return usageError("%s: %s: %w", flag, path, err)
	}
	file.Abandon()
	return nil
}

// samePath reports whether two paths lead to one file, which need not be there yet.
func samePath(a, b string) bool {
	one, err := filepath.Abs(a)
	two, wrong := filepath.Abs(b)
	return err == nil && wrong == nil && one == two || sameFile(a, b)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	two, wrong := os.Stat(b)
	return err == nil && wrong == nil && os.SameFile(one, two)
}
