package publish

import (
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

// A step is one thing that a user does with a release.
type step struct {
	name string
	do   func() error
}

// Prove does with the candidate what users do, with an empty module cache and home: it installs the programs, gets each module
// alone with the oldest Go that it names, and runs the program of the README. It tells log the steps and their times.
func (c *Candidate) Prove(log io.Writer) error {
	var steps []step
	for _, r := range c.Plan {
		packages, programs, err := contents(filepath.Join(c.Clone, r.Dir), r.Path())
		if err != nil {
			return err
		}
		for _, program := range programs {
			steps = append(steps, step{"go install " + program + "@" + r.Version, func() error { return c.install(r, program) }})
		}
		if len(packages) > 0 {
			steps = append(steps, step{"go get " + r.Path() + "@" + r.Version + " with go " + oldest(r.File.Go.Version),
				func() error { return c.get(r, packages) }})
		}
	}
	steps = append(steps, step{"the program of README.md", c.readme})
	for _, s := range steps {
		start := time.Now()
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(log, "proved: %s (%.0fs)\n", s.name, time.Since(start).Seconds())
	}
	return nil
}

// contents lists the importable packages and the programs of a module.
func contents(dir, modulePath string) (packages, programs []string, err error) {
	err = filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if base := entry.Name(); name != dir {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			skip := []string{"internal", "testdata", "node_modules", "examples"} // examples run from a clone
			if nested == nil || slices.Contains(skip, base) || base[0] == '.' || base[0] == '_' {
				return filepath.SkipDir
			}
		}
		found, err := build.Default.ImportDir(name, 0)
		var none *build.NoGoError
		if errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return err
		}
		at, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		full := path.Join(modulePath, filepath.ToSlash(at))
		if found.IsCommand() {
			programs = append(programs, full)
		} else {
			packages = append(packages, full)
		}
		return nil
	})
	return packages, programs, err
}

// install installs a program in a new home, reads the version that it was built from, and asks it for help.
func (c *Candidate) install(r Release, program string) error {
	home, env, err := c.home("")
	if err != nil {
		return err
	}
	if _, err := run(home, env, "go", "install", program+"@"+r.Version); err != nil {
		return err
	}
	installed := filepath.Join(home, "go", "bin", path.Base(program))
	built, err := run(home, env, "go", "version", "-m", installed)
	if err != nil {
		return err
	}
	if want := "\tmod\t" + r.Path() + "\t" + r.Version + "\t"; !bytes.Contains(built, []byte(want)) {
		return fmt.Errorf("it was not built from %s: %s", r.Version, built)
	}
	_, err = run(home, env, installed, "--help")
	return err
}

// get makes a module that imports all packages of the release, with the oldest Go that it names, and vets it.
func (c *Candidate) get(r Release, packages []string) error {
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for _, p := range packages {
		fmt.Fprintf(&source, "\t_ %q\n", p)
	}
	source.WriteString(")\n\nfunc main() {}\n")
	_, err := c.program(r, source.String(), packages...)
	return err
}

// readme runs the program of the README with the released root, as the text says except for the replacement.
func (c *Candidate) readme() error {
	for _, r := range c.Plan {
		if r.Path() != tree.Root {
			continue
		}
		text, err := os.ReadFile(filepath.Join(c.Clone, "README.md"))
		if err != nil {
			return err
		}
		source, err := Program(string(text))
		if err != nil {
			return err
		}
		said, err := c.program(r, source)
		if err == nil && len(bytes.TrimSpace(said)) == 0 {
			err = errors.New("it printed nothing")
		}
		return err
	}
	return errors.New("the root is not in the plan")
}

// Program returns the Go program that the README writes to a file main.go.
func Program(readme string) (string, error) {
	_, rest, found := strings.Cut(readme, "/main.go\" <<'GO'\n")
	source, _, ended := strings.Cut(rest, "\nGO\n")
	if !found || !ended {
		return "", errors.New("README.md has no program between <<'GO' and GO")
	}
	return source + "\n", nil
}

// program builds, vets and runs a program in a new module that requires the release and nothing else.
func (c *Candidate) program(r Release, source string, packages ...string) ([]byte, error) {
	home, env, err := c.home(oldest(r.File.Go.Version))
	if err != nil {
		return nil, err
	}
	app := filepath.Join(home, "app")
	if err := os.Mkdir(app, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(app, "main.go"), []byte(source), 0o644); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"mod", "init", "example.com/app"},
		{"get", r.Path() + "@" + r.Version},
		{"mod", "tidy"},
		append([]string{"vet", "."}, packages...),
	} {
		if _, err := run(app, env, "go", args...); err != nil {
			return nil, err
		}
	}
	return run(app, env, "go", "run", ".")
}

// home makes an empty home with an empty module cache, and returns the variables of a process that lives there, with a Go of
// the given version, or this machine's. Builds share the machine's build cache, which keys by content. Checksums of other
// people's modules were compared with go.sum when they were downloaded.
func (c *Candidate) home(goVersion string) (string, []string, error) {
	home, err := os.MkdirTemp(c.work, "home")
	if err != nil {
		return "", nil, err
	}
	toolchain := []string{"GOTOOLCHAIN=local"}
	if goVersion != "" {
		toolchain[0] = "GOTOOLCHAIN=go" + goVersion
	}
	root, err := run(c.work, toolchain, "go", "env", "GOROOT")
	if err != nil {
		return "", nil, err
	}
	built, err := run(c.work, nil, "go", "env", "GOCACHE")
	if err != nil {
		return "", nil, err
	}
	env := append(append([]string{}, c.env...), "HOME="+home, "GOPATH="+filepath.Join(home, "go"),
		"GOMODCACHE="+filepath.Join(home, "go", "pkg", "mod"), "GOCACHE="+strings.TrimSpace(string(built)), "GOENV=off",
		"GOSUMDB=off", "GOROOT=", "PATH="+filepath.Join(strings.TrimSpace(string(root)), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	return home, env, nil
}

// oldest returns the oldest release of Go that a go line names: 1.24 means any 1.24.
func oldest(line string) string {
	if strings.Count(line, ".") == 1 {
		return line + ".0"
	}
	return line
}
