package publish

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

const unreleased = "## [Unreleased]\n"

// headings are those that a version may have, in English and Chinese.
var headings = [][]string{
	{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"},
	{"新增", "变更", "弃用", "移除", "修复", "安全"},
}

// Notes returns the notes of the release of a tag, in English and Chinese: what the changelogs of its module say of the version.
func Notes(dir, tag string) (string, error) {
	modules, err := tree.Read(dir)
	if err != nil {
		return "", err
	}
	for _, m := range modules {
		version, found := strings.CutPrefix(tag, m.Tag("v"))
		if !found || !m.Released() || strings.Contains(version, "/") {
			continue
		}
		var parts []string
		for _, log := range changelogs {
			file := filepath.Join(dir, m.Dir, log.name)
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			body, found := versionIn(string(text), version)
			if !found {
				return "", fmt.Errorf("%s has no section for %s", file, version)
			}
			if body == "" {
				body = log.none
			}
			parts = append(parts, body)
		}
		return strings.Join(parts, "\n\n---\n\n") + "\n", nil
	}
	return "", fmt.Errorf("the tag %q is not one of a released module", tag)
}

// versionIn returns the text of a version in a changelog, which may be Unreleased.
func versionIn(text, version string) (body string, found bool) {
	_, rest, found := strings.Cut("\n"+text, "\n## ["+version+"]")
	if !found {
		return "", false
	}
	_, rest, _ = strings.Cut(rest, "\n") // the date
	body, _, _ = strings.Cut("\n"+rest, "\n## [")
	return strings.TrimSpace(body), true
}

// CheckNotes says what the changelogs of the modules with a new version lack.
func CheckNotes(dir string, plan []Release) error {
	var problems []error
	for _, r := range plan {
		if !r.New() {
			continue
		}
		if err := checkChangelogs(filepath.Join(dir, r.Dir)); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", r.Path(), err))
		}
	}
	return errors.Join(problems...)
}

// CheckForm checks the form of the changelogs in the folder of a module.
func CheckForm(dir string) error {
	_, err := unreleasedIn(dir)
	return err
}

// checkChangelogs also checks that both say as much of what is not released yet.
func checkChangelogs(dir string) error {
	counts, err := unreleasedIn(dir)
	if err == nil && counts[0] != counts[1] {
		err = fmt.Errorf("the changelogs differ: English has %s, Chinese has %s", counts[0], counts[1])
	}
	return err
}

// unreleasedIn counts what is not released yet in each changelog of a folder, after it has checked their form.
func unreleasedIn(dir string) (counts [2]string, err error) {
	for i, log := range changelogs {
		file := filepath.Join(dir, log.name)
		text, err := os.ReadFile(file)
		if err != nil {
			return counts, err
		}
		if err := checkForm(string(text), headings[i]); err != nil {
			return counts, fmt.Errorf("%s: %w", log.name, err)
		}
		body, _ := versionIn(string(text), "Unreleased")
		counts[i] = count(body, headings[i])
	}
	return counts, nil
}

var versionHeading = regexp.MustCompile(`^## \[(Unreleased|\d+\.\d+\.\d+)\](?: - (\d{4}-\d{2}-\d{2}))?$`)

// checkForm checks the lines of a changelog that begin with a #.
func checkForm(text string, known []string) error {
	if strings.Count(text, unreleased) != 1 {
		return fmt.Errorf("want one line %q", strings.TrimSpace(unreleased))
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch name, isPart := strings.CutPrefix(line, "### "); {
		case isPart && !slices.Contains(known, name):
			return fmt.Errorf("the heading %q is not one of %s", name, strings.Join(known, ", "))
		case !isPart && strings.HasPrefix(line, "## "):
			match := versionHeading.FindStringSubmatch(line)
			if match == nil || (match[1] == "Unreleased") != (match[2] == "") {
				return fmt.Errorf("the heading %q is not of the form ## [0.1.0] - 2026-11-30", line)
			}
		}
	}
	return nil
}

// count tells how many entries stand under each heading.
func count(body string, known []string) string {
	entries := make([]int, len(known))
	at := -1
	for line := range strings.Lines(body) {
		if name, isPart := strings.CutPrefix(strings.TrimSpace(line), "### "); isPart {
			at = slices.Index(known, name)
		} else if at >= 0 && strings.HasPrefix(line, "- ") {
			entries[at]++
		}
	}
	var parts []string
	for i, n := range entries {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, headings[0][i]))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// release gives the unreleased part of the changelogs of a module its version and date, and returns their names from the
// root of the clone.
func release(clone string, r Release) (closed []string, err error) {
	for _, log := range changelogs {
		name := filepath.Join(clone, r.Dir, log.name)
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // CheckNotes says so before a release that is one
		}
		if err != nil {
			return nil, err
		}
		version := fmt.Sprintf("%s\n## [%s] - %s\n", unreleased, strings.TrimPrefix(r.Version, "v"), time.Now().UTC().Format(time.DateOnly))
		if err := os.WriteFile(name, []byte(strings.Replace(string(text), unreleased, version, 1)), 0o644); err != nil {
			return nil, err
		}
		closed = append(closed, filepath.ToSlash(filepath.Join(r.Dir, log.name)))
	}
	return closed, nil
}
