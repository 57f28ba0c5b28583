package publish

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

// A Proxy is a directory in the form that GOPROXY=file://… reads.
type Proxy string

// URL returns the address for GOPROXY.
func (p Proxy) URL() string { return "file://" + filepath.ToSlash(string(p)) }

// Add puts a version of a module into the proxy, with the files of a commit or tree of the repository in dir. The zip has the
// files that the go command would take from the tag, the licence of the root among them.
func (p Proxy) Add(dir, treeish string, m tree.Module, version string) error {
	files, err := filesOf(dir, treeish, m)
	if err != nil {
		return err
	}
	escaped, err := module.EscapePath(m.Path())
	if err != nil {
		return err
	}
	at := filepath.Join(string(p), filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := zip.Create(&packed, module.Version{Path: m.Path(), Version: version}, files); err != nil {
		return fmt.Errorf("pack %s: %w", m.Path(), err)
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	var mod []byte
	for _, f := range files {
		if f.Path() == "go.mod" {
			mod = f.(*file).content
		}
	}
	list, err := os.OpenFile(filepath.Join(at, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(list, version)
	return errors.Join(err, list.Close(),
		os.WriteFile(filepath.Join(at, version+".info"), info, 0o644),
		os.WriteFile(filepath.Join(at, version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(at, version+".zip"), packed.Bytes(), 0o644))
}

// filesOf returns the files of a module in a commit or tree. A nested module is another module's.
func filesOf(dir, treeish string, m tree.Module) ([]zip.File, error) {
	archive, err := output(command(dir, "git", "archive", "--format=tar", treeish))
	if err != nil {
		return nil, err
	}
	var all []*file
	nested := make(map[string]bool)
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		f := &file{name: header.Name, content: content, info: header.FileInfo()}
		if path.Base(f.name) == "go.mod" {
			nested[path.Dir(f.name)] = true
		}
		all = append(all, f)
	}
	var files []zip.File
	var licence *file
	licensed := false
	for _, f := range all {
		if f.name == "LICENSE" {
			licence = f
		}
		if within(f.name, nested) != m.Dir {
			continue
		}
		if m.Dir != "." {
			f = &file{name: strings.TrimPrefix(f.name, m.Dir+"/"), content: f.content, info: f.info}
		}
		licensed = licensed || f.name == "LICENSE"
		files = append(files, f)
	}
	if !licensed {
		if licence == nil {
			return nil, errors.New("no LICENSE at the root")
		}
		files = append(files, licence)
	}
	return files, nil
}

// within returns the directory of the module that a file belongs to.
func within(name string, modules map[string]bool) string {
	for at := path.Dir(name); ; at = path.Dir(at) {
		if modules[at] || at == "." {
			return at
		}
	}
}

// file is a file of a commit.
type file struct {
	name    string
	content []byte
	info    fs.FileInfo
}

func (f *file) Path() string                 { return f.name }
func (f *file) Lstat() (os.FileInfo, error)  { return f.info, nil }
func (f *file) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.content)), nil }

func command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd
}
