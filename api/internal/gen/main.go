// Command gen writes package api from the catalogue. Run it with
//
//	go generate ./api
//
// Its output depends only on the catalogue: the same facts give the same bytes. It is useful only
// in this module. It owns every file of the target folder that begins with its header line, and
// removes those that it no longer writes.
//
// If a fact does not fit its rules (two children of a node with the same name, an operation below
// no door), it fails with an error and invents no name.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/catalog"
)

func main() {
	dir := flag.String("dir", ".", "the folder of package api")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	files, err := generate(catalog.V3().Described().All())
	if err != nil {
		return err
	}
	old, err := generated(dir)
	if err != nil {
		return err
	}
	for name := range old {
		if files[name] == nil {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for name, content := range files {
		if bytes.Equal(old[name], content) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generated reads the files of dir that gen has written.
func generated(dir string) (map[string][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(content, []byte(header)) {
			files[filepath.Base(path)] = content
		}
	}
	return files, nil
}
