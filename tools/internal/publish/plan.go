// Package publish prepares a release in a scratch clone and proves that users can get it. It sends nothing anywhere, and
// never asks a server for a module of this repository.
package publish

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

// changelogs are the files in each released module that tell its changes to users, in the form of https://keepachangelog.com.
var changelogs = []struct{ name, none string }{
	{"CHANGELOG.md", "No change for users is recorded."},
	{"CHANGELOG.zh-CN.md", "没有记录对用户可见的变化。"},
}

// First is the version of a module that has none.
const First = "v0.1.0"

// A Release is the version that a module has after the release.
type Release struct {
	tree.Module
	Last    string // the version before; empty for the first
	Version string // equal to Last if nothing of the module changed
}

// New reports whether the release makes this version.
func (r Release) New() bool { return r.Version != r.Last }

// change is the weight of a change, in the terms of semantic versioning.
type change int

const (
	none change = iota
	patch
	minor
	major
)

// Plan computes the version of each released module from the tags of the repository in dir and from what changed since:
//
//   - a module without a tag gets First;
//   - a change of the recorded exported names is a minor version, and so is any change of a module that records none (a
//     program);
//   - any other change, and a new version of a module that it requires, is a patch;
//   - from v1 on, a name that is gone is refused: it would be another major version, which is another module path.
func Plan(dir string) ([]Release, error) {
	modules, err := tree.Read(dir)
	if err != nil {
		return nil, err
	}
	var plan []Release
	newer := make(map[string]bool)
	for _, m := range modules {
		if !m.Released() {
			continue
		}
		r := Release{Module: m, Version: First}
		if r.Last, err = last(dir, m); err != nil {
			return nil, err
		}
		if r.Last != "" {
			changed, err := weigh(dir, m, r.Last, modules)
			if err != nil {
				return nil, err
			}
			for _, path := range m.Ours() {
				if newer[path] {
					changed = max(changed, patch)
				}
			}
			if r.Version, err = bump(r.Last, changed); err != nil {
				return nil, fmt.Errorf("%s: %w", m.Path(), err)
			}
		}
		newer[m.Path()] = r.New()
		plan = append(plan, r)
	}
	return plan, nil
}

// last returns the highest version of the module among the tags, or none.
func last(dir string, m tree.Module) (string, error) {
	tags, err := git(dir, "tag", "--list", m.Tag("v*"))
	if err != nil {
		return "", err
	}
	var highest string
	for tag := range strings.FieldsSeq(tags) {
		version := strings.TrimPrefix(tag, m.Tag(""))
		if semver.IsValid(version) && semver.Canonical(version) == version && semver.Compare(version, highest) > 0 {
			highest = version
		}
	}
	return highest, nil
}

// weigh compares the module with its state in the last release. A tag is on a release commit; its parent is the state before
// the requirements were written, which is comparable with the present one.
func weigh(dir string, m tree.Module, version string, all []tree.Module) (change, error) {
	before := m.Tag(version) + "^"
	args := []string{"diff", "--name-only", before, "HEAD", "--", m.Dir}
	for _, inner := range all {
		if inner.Dir != "." && inner.Dir != m.Dir && (m.Dir == "." || strings.HasPrefix(inner.Dir, m.Dir+"/")) {
			args = append(args, ":(exclude)"+inner.Dir)
		}
	}
	for _, log := range changelogs { // which a release closes: no change of the module
		args = append(args, ":(exclude)"+path.Join(m.Dir, log.name))
	}
	changed, err := git(dir, args...)
	if err != nil || changed == "" {
		return none, err
	}
	record := m.Record()
	now, err := os.ReadFile(filepath.Join(dir, record))
	if os.IsNotExist(err) {
		return minor, nil
	}
	if err != nil {
		return none, err
	}
	then, err := git(dir, "show", before+":"+record)
	if err != nil {
		return minor, nil // it recorded none at that time
	}
	weight := patch
	names := lines(string(now))
	for name := range lines(then) {
		if !names[name] {
			return major, nil
		}
		delete(names, name)
	}
	if len(names) > 0 {
		weight = minor
	}
	return weight, nil
}

func lines(text string) map[string]bool {
	set := make(map[string]bool)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			set[line] = true
		}
	}
	return set
}

// bump returns the version after last for a change.
func bump(last string, changed change) (string, error) {
	var x, y, z int
	if _, err := fmt.Sscanf(last, "v%d.%d.%d", &x, &y, &z); err != nil || semver.Prerelease(last) != "" {
		return "", fmt.Errorf("the last version %s is no plain version", last)
	}
	switch {
	case changed == none:
		return last, nil
	case changed == patch:
		return fmt.Sprintf("v%d.%d.%d", x, y, z+1), nil
	case changed == major && x > 0:
		return "", fmt.Errorf("an exported name of %s is gone: that needs a new major version, so a new module path", last)
	default:
		return fmt.Sprintf("v%d.%d.%d", x, y+1, 0), nil
	}
}
