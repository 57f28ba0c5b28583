// Package folder writes generated files into a folder of the user.
package folder

import (
	"bytes"
	"errors"
	"io/fs"
	"iter"
	"maps"
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
	var names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		old, err := read(root, mark, name)
		if err != nil {
			return 0, err
		}
		if old == nil || !bytes.Equal(old, files[name]) {
			names = append(names, name)
		}
	}
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

// Check looks for what would stop [Write] from writing files of these names, before anybody makes them.
func Check(dir, mark string, names iter.Seq[string]) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer root.Close()
	for name := range names {
		if _, err := read(root, mark, name); err != nil {
			return err
		}
	}
	return nil
}

// read returns a file that begins with mark, or nil if there is none.
func read(root *os.Root, mark, name string) ([]byte, error) {
	content, err := root.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.HasPrefix(content, []byte(mark)):
		return nil, shell.Say("%s: %w", path.Join(root.Name(), name), ErrForeign)
	}
	return content, nil
}
