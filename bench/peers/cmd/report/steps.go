package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// steps is a run as a list of named steps. Each step writes a file when it is complete, so an
// interrupted run loses one step only.
type steps struct {
	folder string
	names  []string // in the order of the run
}

// headName is the file that describes machine and program, a line "key: value" for each property.
const headName = "head"

// openSteps opens a folder for the steps of a run. A run to resume must have the same head but for
// its date and load.
func openSteps(folder, head string, resume bool) (*steps, error) {
	file := filepath.Join(folder, headName)
	old, err := os.ReadFile(file)
	switch {
	case resume && err != nil:
		return nil, fmt.Errorf("no run to resume: %w", err)
	case resume:
		if now, was, same := compareHeads(head, string(old)); !same {
			return nil, fmt.Errorf("the run in %s cannot be resumed: it has %q, and now it is %q", folder, was, now)
		}
	case err == nil:
		return nil, fmt.Errorf("a run in %s has not ended: continue it with -resume, or delete the folder", folder)
	default:
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(head), 0o644); err != nil {
			return nil, err
		}
	}
	return &steps{folder: folder, names: []string{headName}}, nil
}

// compareHeads returns the first lines that differ. The date and the load may.
func compareHeads(a, b string) (inA, inB string, same bool) {
	lines := func(head string) []string { return strings.Split(changing.ReplaceAllString(head, ""), "\n") }
	for i, line := range lines(a) {
		if others := lines(b); i >= len(others) {
			return line, "", false
		} else if line != others[i] {
			return line, others[i], false
		}
	}
	return "", "", true
}

var changing = regexp.MustCompile(`(?m)^(date|load-before): .*\n`)

// do makes a step, unless an earlier run has completed it.
func (s *steps) do(name string, step func(w io.Writer) error) error {
	s.names = append(s.names, name)
	file := filepath.Join(s.folder, name)
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	var text bytes.Buffer
	if err := step(&text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.WriteFile(file+".new", text.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// end joins the files of all steps to one at path, and deletes them.
func (s *steps) end(path string) error {
	var all bytes.Buffer
	for _, name := range s.names {
		text, err := os.ReadFile(filepath.Join(s.folder, name))
		if err != nil {
			return err
		}
		all.Write(text)
	}
	if err := os.WriteFile(path, all.Bytes(), 0o644); err != nil {
		return err
	}
	return os.RemoveAll(s.folder)
}
