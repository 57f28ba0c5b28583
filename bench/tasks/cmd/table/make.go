package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// makeMistakes makes every mistake that has edits or shows itself, and compares its fate with the
// table. It returns the differences.
func makeMistakes(dir string) (differ []string, err error) {
	temporary, err := os.MkdirTemp("", "mistakes")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	for i := range mistakes {
		m := &mistakes[i]
		if m.scenario == "" {
			continue
		}
		got, err := m.makeIn(dir, temporary)
		if err != nil {
			return differ, fmt.Errorf("%s: %w", m.what, err)
		}
		for _, client := range clients {
			switch {
			case !m.made(client):
			case got[client] == m.fates[client]:
				fmt.Printf("%s, %s: %s\n", m.what, client, got[client])
			default:
				differ = append(differ, fmt.Sprintf("%s, %s: %s, and the table says %s", m.what, client, got[client], m.fates[client]))
			}
		}
	}
	return differ, nil
}

// makeIn makes the mistake and returns its fates, from the compiler and from the probe.
func (m *mistake) makeIn(dir, temporary string) (map[string]fate, error) {
	fates := make(map[string]fate)
	overlay := make(map[string]string)
	for client, edits := range m.edits {
		path, err := filepath.Abs(filepath.Join(dir, client, client+".go"))
		if err != nil {
			return nil, err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		changed := string(source)
		for _, edit := range edits {
			if !strings.Contains(changed, edit[0]) {
				return nil, fmt.Errorf("%s has no %q", client, edit[0])
			}
			changed = strings.Replace(changed, edit[0], edit[1], 1)
		}
		file := filepath.Join(temporary, client+".go")
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			return nil, err
		}
		if _, err := run(dir, temporary, map[string]string{path: file}, "build", "./"+client); err != nil {
			if !strings.Contains(err.Error(), client+".go:") {
				return nil, err
			}
			fates[client] = compiler
			continue
		}
		overlay[path] = file
	}
	printed, err := run(dir, temporary, overlay, "run", "./cmd/probe", m.scenario)
	if err != nil {
		return nil, err
	}
	probed := make(map[string]fate)
	if err := json.Unmarshal(printed, &probed); err != nil {
		return nil, err
	}
	for client, f := range probed {
		if fates[client] == "" {
			fates[client] = f
		}
	}
	return fates, nil
}

// run runs the go command with some files in the place of others.
func run(dir, temporary string, overlay map[string]string, command string, arguments ...string) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(temporary, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	c := exec.Command("go", append([]string{command, "-overlay", file}, arguments...)...)
	c.Dir = dir
	printed, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return printed, err
}
