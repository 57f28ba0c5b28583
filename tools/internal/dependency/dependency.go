// Package dependency tells what the modules of this repository require from others: where, under which licence, how much.
package dependency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

// A Dependency is a module of others that a go.mod requires.
type Dependency struct {
	Path, Version string   // the newest version, if modules require different ones
	By            []string // the directories of the modules that require it directly; none for what only dependencies require
	Released      bool     // a released module requires it, perhaps through others

	// What Inspect finds.
	Licence string // its SPDX name; empty if the text is not on our list
	Size    int64  // of the module's zip, in bytes
}

// Direct reports whether a module of ours requires the dependency itself.
func (d Dependency) Direct() bool { return len(d.By) > 0 }

// All returns the dependencies of all modules in the repository in dir, by path, as each go.mod tells them.
func All(dir string) ([]*Dependency, error) {
	modules, err := tree.Read(dir)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*Dependency)
	for _, m := range modules {
		for _, r := range m.File.Require {
			if tree.Owns(r.Mod.Path) {
				continue
			}
			d := found[r.Mod.Path]
			if d == nil {
				d = &Dependency{Path: r.Mod.Path, Version: r.Mod.Version}
				found[r.Mod.Path] = d
			}
			if semver.Compare(r.Mod.Version, d.Version) > 0 {
				d.Version = r.Mod.Version
			}
			d.Released = d.Released || m.Released()
			if !r.Indirect {
				d.By = append(d.By, m.Dir)
			}
		}
	}
	for _, d := range found {
		slices.Sort(d.By)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *Dependency) int { return strings.Compare(a.Path, b.Path) }), nil
}

// Inspect reads the licences and sizes of dependencies in the module cache. It downloads those that are not there.
func Inspect(list []*Dependency) error {
	args := []string{"mod", "download", "-json"}
	found := make(map[string]*Dependency)
	for _, d := range list {
		args = append(args, d.Path+"@"+d.Version)
		found[d.Path] = d
	}
	command := exec.Command("go", args...)
	command.Dir = os.TempDir() // outside of every module, or the workspace would have its say
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir, Zip string }
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		info, err := os.Stat(m.Zip)
		if err != nil {
			return err
		}
		found[m.Path].Size = info.Size()
		if found[m.Path].Licence, err = licenceIn(m.Dir); err != nil {
			return err
		}
	}
}

// licenceIn reads the licence of a module in the cache.
func licenceIn(dir string) (string, error) {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			if name := Licence(string(text)); name != "" {
				return name, nil
			}
		}
	}
	return "", nil
}

// MPL is a licence that binds whoever changes the files under it. We use them in tests, unchanged, and give none on.
const MPL = "MPL-2.0"

// Licence returns the SPDX name of a licence that permits what we do with it, or nothing: the list is short on purpose.
func Licence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case strings.Contains(text, "GNU ") && strings.Contains(text, "GENERAL PUBLIC LICENSE"):
		return ""
	case strings.Contains(text, "Apache License Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(text, "Permission is hereby granted, free of charge, to any person obtaining a copy"):
		return "MIT"
	case strings.Contains(text, "Mozilla Public License Version 2.0"):
		return MPL
	case !strings.Contains(text, "Redistribution and use in source and binary forms"):
		return ""
	case strings.Contains(text, "endorse or promote products derived from"):
		return "BSD-3-Clause"
	default:
		return "BSD-2-Clause"
	}
}
