package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

// A Candidate is a prepared release: a commit with its tags in a scratch clone, and a proxy that serves its modules.
type Candidate struct {
	Plan   []Release
	Clone  string // the scratch clone
	Commit string
	Parent string // the commit that it releases
	Proxy  Proxy
	env    []string // of every go command
	work   string
	closed []string // the changelogs that the commit closes
}

// ErrNothing says that no module changed since its last version.
var ErrNothing = errors.New("nothing changed since the last release")

// Prepare makes the release commit of the head of the repository in dir, and its tags, in a clone below work. The commit gives
// the modules of this repository versions instead of replacements; nobody merges it.
func Prepare(dir, work string) (*Candidate, error) {
	if changed, err := git(dir, "status", "--porcelain"); err != nil || changed != "" {
		return nil, errors.Join(err, errors.New("commit the changes of the tree first: a release is made of a commit"))
	}
	plan, err := Plan(dir)
	if err != nil {
		return nil, err
	}
	c := &Candidate{Plan: plan, Clone: filepath.Join(work, "clone"), Proxy: Proxy(filepath.Join(work, "proxy")), work: work}
	if !anyNew(plan) {
		return nil, ErrNothing
	}
	// Dependencies of others come from the machine's proxy, by way of the module cache, before anything has a version: with
	// replacements no go command can ask for a module of ours.
	for _, r := range plan {
		if _, err := run(filepath.Join(dir, r.Dir), []string{"GOWORK=off", "GOFLAGS=-mod=mod"}, "go", "mod", "download"); err != nil {
			return nil, err
		}
	}
	cache, err := run(dir, nil, "go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	c.env = []string{
		"GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=-trimpath -modcacherw",
		"GOPATH=" + filepath.Join(work, "gopath"), "GOMODCACHE=" + filepath.Join(work, "gopath", "pkg", "mod"), "GOBIN=",
		"GOPROXY=" + c.Proxy.URL() + ",file://" + filepath.ToSlash(strings.TrimSpace(string(cache))) + "/cache/download,off",
		"GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=" + tree.Root, "GOINSECURE=", "GOVCS=*:off",
	}
	if _, err := git(dir, "clone", "--quiet", dir, c.Clone); err != nil {
		return nil, err
	}
	if c.Parent, err = git(c.Clone, "rev-parse", "HEAD"); err != nil {
		return nil, err
	}
	if err := c.write(); err != nil {
		return nil, err
	}
	return c, c.commit()
}

func anyNew(plan []Release) bool {
	for _, r := range plan {
		if r.New() {
			return true
		}
	}
	return false
}

// write gives each module its requirements, in the order of the plan, and puts it into the proxy: the checksums of a module
// are those of what it requires.
func (c *Candidate) write() error {
	versions := make(map[string]string)
	for _, r := range c.Plan {
		versions[r.Path()] = r.Version
	}
	modules, err := tree.Read(c.Clone)
	if err != nil {
		return err
	}
	for _, m := range modules { // the unreleased, too, which keep their replacements
		if err := require(filepath.Join(c.Clone, m.Dir, "go.mod"), versions, m.Released()); err != nil {
			return err
		}
	}
	for _, r := range c.Plan {
		if !r.New() {
			if err := c.Proxy.Add(c.Clone, r.Tag(r.Version), r.Module, r.Version); err != nil {
				return err
			}
			if _, err := git(c.Clone, "checkout", "--quiet", r.Tag(r.Version), "--", r.Dir+"/go.mod"); err != nil {
				return err
			}
			continue
		}
		if r.Dir == "." {
			if err := setVersion(filepath.Join(c.Clone, "version.go"), strings.TrimPrefix(r.Version, "v")); err != nil {
				return err
			}
		}
		closed, err := release(c.Clone, r)
		if err != nil {
			return err
		}
		c.closed = append(c.closed, closed...)
		if _, err := run(filepath.Join(c.Clone, r.Dir), append(c.env, "GOFLAGS=-mod=mod -modcacherw"), "go", "mod", "tidy"); err != nil {
			return err
		}
		if _, err := git(c.Clone, "add", "--all"); err != nil {
			return err
		}
		state, err := git(c.Clone, "write-tree")
		if err != nil {
			return err
		}
		if err := c.Proxy.Add(c.Clone, state, r.Module, r.Version); err != nil {
			return err
		}
	}
	return nil
}

// require rewrites a go.mod: the given version of each module of ours, and no replacement if the module is released.
func require(name string, versions map[string]string, released bool) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(name, text, nil)
	if err != nil {
		return err
	}
	for _, r := range mod.Require {
		if !tree.Owns(r.Mod.Path) {
			continue
		}
		version, ok := versions[r.Mod.Path]
		if !ok {
			return fmt.Errorf("%s requires %s, which is not released", name, r.Mod.Path)
		}
		if err := mod.AddRequire(r.Mod.Path, version); err != nil {
			return err
		}
	}
	if released {
		for _, r := range mod.Replace {
			if !tree.Owns(r.Old.Path) {
				return fmt.Errorf("%s replaces %s: users of a released module would not", name, r.Old.Path)
			}
			if err := mod.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return err
			}
		}
	}
	mod.Cleanup()
	text, err = mod.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

var versionLine = regexp.MustCompile(`(?m)^const Version = "[^"]*"$`)

// setVersion writes the version into the constant of the client, which the platform sees as the user agent.
func setVersion(name, version string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if len(versionLine.FindAll(text, -1)) != 1 {
		return fmt.Errorf("%s: want one line like %s", name, versionLine)
	}
	return os.WriteFile(name, versionLine.ReplaceAll(text, fmt.Appendf(nil, "const Version = %q", version)), 0o644)
}

// commit commits and tags, and checks that the go command makes the same modules of the tags as the proxy has: their
// checksums stand in the go.sum of the dependent ones and could not be mended later.
func (c *Candidate) commit() error {
	var subject []string
	for _, r := range c.Plan {
		if r.New() {
			subject = append(subject, r.Tag(r.Version))
		}
	}
	message := "Release " + subject[0]
	if len(subject) > 1 {
		message += "\n\n" + strings.Join(subject, "\n")
	}
	if _, err := git(c.Clone, "commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return err
	}
	var err error
	if c.Commit, err = git(c.Clone, "rev-parse", "HEAD"); err != nil {
		return err
	}
	for _, tag := range subject {
		if _, err := git(c.Clone, "tag", "--no-sign", tag, c.Commit); err != nil {
			return err
		}
	}
	for _, r := range c.Plan {
		if err := c.same(r); err != nil {
			return err
		}
	}
	return nil
}

// same compares the module in the proxy with the one that the go command reads from the tag. The address of the repository
// leads to the clone, and git may read files only.
func (c *Candidate) same(r Release) error {
	sums := make([]string, 0, 2)
	for name, env := range map[string][]string{
		"proxy": nil,
		"tags": {"GOPROXY=direct", "GOVCS=*:git", "GIT_ALLOW_PROTOCOL=file", "GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=url.file://" + filepath.ToSlash(c.Clone) + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + tree.Root},
	} {
		cache := "GOMODCACHE=" + filepath.Join(c.work, "same", name)
		out, err := run(c.work, append(append(c.env, cache), env...), "go", "mod", "download", "-json", r.Path()+"@"+r.Version)
		if err != nil {
			return err
		}
		sum := regexp.MustCompile(`"(Go)?(Mod)?Sum": "([^"]+)"`).FindAll(out, -1)
		sums = append(sums, string(bytes.Join(sum, []byte(" "))))
	}
	if sums[0] == "" || sums[0] != sums[1] {
		return fmt.Errorf("%s: the tag has %s, the proxy %s, in any order", r.Path(), sums[0], sums[1])
	}
	return nil
}

// Instructions prints the commit, the tags, and the commands that a maintainer gives in their order.
func (c *Candidate) Instructions(out io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\ncommit %s on %s\n", c.Commit, c.Parent)
	var tags []string
	for _, r := range c.Plan {
		if r.New() {
			tags = append(tags, r.Tag(r.Version))
			fmt.Fprintf(&text, "tag    %s\n", r.Tag(r.Version))
		}
	}
	fmt.Fprintf(&text, "\nTo publish, in this order (a module before those that require it):\n\n")
	fmt.Fprintf(&text, "git fetch --no-tags %s %s\n", c.Clone, c.Commit)
	for _, tag := range tags {
		fmt.Fprintf(&text, "git tag --sign --message %[1]s %[1]s %[2]s && git push origin %[1]s\n", tag, c.Commit)
	}
	if len(c.closed) > 0 {
		fmt.Fprintf(&text, "\nThen, on the branch, close what the changelogs call unreleased:\n\ngit checkout %s -- %s\n",
			c.Commit, strings.Join(c.closed, " "))
	}
	_, err := io.WriteString(out, text.String())
	return err
}
