// Package tree reads the modules of this repository: where each is, what it requires, and whether it is released.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Root is the path of the root module. The paths of all others begin with it.
const Root = "github.com/wxpay-go/wxpay"

// A Module is one go.mod of the repository.
type Module struct {
	Dir  string // slash separated, from the root of the repository; "." is the root itself
	File *modfile.File
}

// Path returns the module's path.
func (m Module) Path() string { return m.File.Module.Mod.Path }

// Released reports whether the module gets a version: the root, the programs and the additions do. Benchmarks, examples,
// conformance and tools are used in a clone only.
func (m Module) Released() bool {
	return m.Dir == "." || path.Dir(m.Dir) == "cmd" || strings.HasPrefix(m.Dir, "contrib/")
}

// Tag returns the name of the git tag of a version of the module, as the go command looks for it.
func (m Module) Tag(version string) string {
	if m.Dir == "." {
		return version
	}
	return m.Dir + "/" + version
}

// Record returns the file that lists the exported names of the module, from the root of the repository.
func (m Module) Record() string {
	name := "wxpay"
	if m.Dir != "." {
		name = strings.ReplaceAll(m.Dir, "/", "-")
	}
	return "docs/exported/" + name + ".txt"
}

// Ours returns the modules of this repository that the module requires.
func (m Module) Ours() []string {
	var ours []string
	for _, r := range m.File.Require {
		if Owns(r.Mod.Path) {
			ours = append(ours, r.Mod.Path)
		}
	}
	return ours
}

// Owns reports whether a module or package path belongs to this repository.
func Owns(path string) bool { return path == Root || strings.HasPrefix(path, Root+"/") }

// Read returns the modules below dir. Each stands behind those that it requires; otherwise they are in the order of their
// directories.
func Read(dir string) ([]Module, error) {
	var all []Module
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || entry.Name() != "go.mod":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			return err
		}
		if file.Module == nil || file.Go == nil {
			return fmt.Errorf("%s: no module or go line", name)
		}
		at, err := filepath.Rel(dir, filepath.Dir(name))
		if err != nil {
			return err
		}
		m := Module{Dir: filepath.ToSlash(at), File: file}
		want := Root
		if m.Dir != "." {
			want += "/" + m.Dir
		}
		if m.Path() != want {
			return fmt.Errorf("%s: the module is %s, want %s", name, m.Path(), want)
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Module) int { return strings.Compare(a.Dir, b.Dir) })
	return ordered(all)
}

func skipped(name string) bool { return name == ".git" || name == "node_modules" || name == "testdata" }

// ordered puts each module behind those that it requires.
func ordered(all []Module) ([]Module, error) {
	var done []Module
	placed := func(path string) bool {
		return slices.ContainsFunc(done, func(m Module) bool { return m.Path() == path })
	}
	for len(all) > 0 {
		next := slices.IndexFunc(all, func(m Module) bool {
			return !slices.ContainsFunc(m.Ours(), func(path string) bool { return !placed(path) })
		})
		if next < 0 {
			return nil, errors.New("modules require each other, or one that is not here")
		}
		done = append(done, all[next])
		all = slices.Delete(all, next, next+1)
	}
	return done, nil
}
