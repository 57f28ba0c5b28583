// Package folder writes generated files into a folder of the user.
package folder

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// ErrForeign says that a file of the user has the name of a generated one.
var ErrForeign = shell.Say("this command did not write it, so it stays: move it, or choose another folder")

// Write writes files into a folder, and makes the folder if it is missing. It replaces files that begin with mark and
// no others: with a foreign file in the place of one it writes nothing and returns [ErrForeign]. It deletes nothing, and
// follows no link out of the folder.
func Write(dir, mark string, files map[string][]byte) (written int, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	names := make([]string, 0, len(files))
	for name, content := range files {
		old, err := root.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return 0, err
		case !bytes.HasPrefix(old, []byte(mark)):
			return 0, shell.Say("%s: %w", path.Join(dir, name), ErrForeign)
		case bytes.Equal(old, content):
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
			return written, err
		}
		if err := root.WriteFile(name, files[name], 0o666); err != nil {
			return written, err
		}
		written++
	}
	return written, nil
}
