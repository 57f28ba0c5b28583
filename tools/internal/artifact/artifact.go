// Package artifact builds the programs that a release has for download, from the lines of .goreleaser.yaml, and writes the
// pages that come with them.
package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is the file that says how the programs are built.
const Config = ".goreleaser.yaml"

// A Program is one entry of builds in the configuration, in the members that a build needs.
type Program struct {
	Name    string   `yaml:"id"`
	Dir     string   // of its module, from the root of the repository
	Main    string   // its package, from Dir
	Env     []string // added to the environment
	Flags   []string
	LDFlags []string `yaml:"ldflags"`
	Targets []string // system_architecture
}

// Limit returns the largest size in bytes that the program may have on any system. A dependency that makes it larger shows when
// it comes, and not when users wait for the download.
func (p Program) Limit() int64 {
	const megabyte = 1000 * 1000
	switch p.Name {
	case "wxpay-batch":
		return 28 * megabyte // it has a message queue inside, and the client library of Prometheus
	case "wxpay-mcp":
		return 24 * megabyte // all of wxpay, and the protocol of assistants
	}
	return 20 * megabyte // the sandbox with its console, the manual, and the keyring of three systems
}

// Programs reads the configuration of the repository in dir.
func Programs(dir string) ([]Program, error) {
	text, err := os.ReadFile(filepath.Join(dir, Config))
	if err != nil {
		return nil, err
	}
	var config struct{ Builds []Program }
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", Config, err)
	}
	for _, p := range config.Builds {
		if p.Name == "" || p.Dir == "" || p.Main == "" || len(p.Flags) == 0 || len(p.LDFlags) == 0 || len(p.Targets) == 0 {
			return nil, fmt.Errorf("%s: the build %q lacks a member", Config, p.Name)
		}
	}
	if len(config.Builds) == 0 {
		return nil, fmt.Errorf("%s has no builds", Config)
	}
	return config.Builds, nil
}

// Find returns the program of a name.
func Find(dir, name string) (Program, error) {
	all, err := Programs(dir)
	if err != nil {
		return Program{}, err
	}
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Program{}, fmt.Errorf("there is no program %q, but %s", name, strings.Join(names, ", "))
}

// Build builds the program of the clone in dir into a file, for this machine or, if target is not empty, for system_architecture.
func (p Program) Build(dir, target, file string) error {
	args := append([]string{"build"}, p.Flags...)
	args = append(args, "-ldflags="+strings.Join(p.LDFlags, " "), "-o", file, p.Main)
	env := p.Env
	if target != "" {
		system, architecture, ok := strings.Cut(target, "_")
		if !ok {
			return fmt.Errorf("the target %q is not system_architecture", target)
		}
		env = append([]string{"GOOS=" + system, "GOARCH=" + architecture}, env...)
	}
	_, err := run(filepath.Join(dir, p.Dir), env, "go", args...)
	return err
}

// Check builds every program twice, for Linux on amd64, from two clones of the repository in dir in folders of different names,
// and compares the bytes. It tells log the sizes. With fresh, the second build compiles everything anew, which takes minutes.
func Check(log io.Writer, dir string, fresh bool) (err error) {
	programs, err := Programs(dir)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "wxpay-artifacts-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	clones := []string{filepath.Join(work, "a"), filepath.Join(work, "another", "place")}
	for _, clone := range clones {
		if _, err := run(dir, nil, "git", "clone", "--quiet", "--local", ".", clone); err != nil {
			return err
		}
	}
	for _, p := range programs {
		var built [][]byte
		for i, clone := range clones {
			if fresh && i > 0 {
				p.Flags = append([]string{"-a"}, p.Flags...)
			}
			file := filepath.Join(work, fmt.Sprint(p.Name, i))
			if err := p.Build(clone, "linux_amd64", file); err != nil {
				return err
			}
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			built = append(built, content)
		}
		size := int64(len(built[0]))
		fmt.Fprintf(log, "%s: %.1f MB for linux/amd64, at most %.1f\n", p.Name, float64(size)/1e6, float64(p.Limit())/1e6)
		if !bytes.Equal(built[0], built[1]) {
			return fmt.Errorf("%s: two builds of one commit in two folders differ", p.Name)
		}
		if bytes.Contains(built[0], []byte(work)) {
			return fmt.Errorf("%s names the folder that it was built in", p.Name)
		}
		if size > p.Limit() {
			return fmt.Errorf("%s has %d bytes, more than %d: say what made it so large, or raise the limit", p.Name, size, p.Limit())
		}
	}
	return nil
}

// run runs a command in dir, with variables added to those of this process. An error has the command's output.
func run(dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, &stderr)
	}
	return out, nil
}
