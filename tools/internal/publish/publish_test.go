package publish_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/publish"
	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

const root = "../../.."

// repository is a small one of the same form: a root, an addition, a program that uses both, and a module without releases.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	for _, name := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+name+"_NAME", "Test")
		t.Setenv("GIT_"+name+"_EMAIL", "test@example.com")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GOWORK", "off")
	goLine := "\n\ngo " + strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go") + "\n"
	const module, pin = "module github.com/wxpay-go/wxpay", "replace github.com/wxpay-go/wxpay => ../..\n"
	r := &repository{t, t.TempDir()}
	r.write(map[string]string{
		"LICENSE":    "of the root\n",
		"version.go": "package wxpay\n\nconst Version = \"0.1.0-dev\"\n",
		"go.mod":     module + goLine,
		"README.md": "cat >\"$app/main.go\" <<'GO'\npackage main\n\nimport (\n\t\"fmt\"\n\n\t\"github.com/wxpay-go/wxpay\"\n)\n\n" +
			"func main() { fmt.Println(wxpay.Version) }\nGO\n",
		"docs/exported/wxpay.txt": "const Version\n",

		"contrib/x/go.mod":                  module + "/contrib/x" + goLine + "\nrequire github.com/wxpay-go/wxpay v0.0.0\n\n" + pin,
		"contrib/x/x.go":                    "package x\n\nimport \"github.com/wxpay-go/wxpay\"\n\nvar X = wxpay.Version\n",
		"docs/exported/contrib-x.txt":       "var X\n",
		"contrib/x/internal/inner/inner.go": "package inner\n",

		"cmd/p/go.mod": module + "/cmd/p" + goLine + "\nrequire (\n\tgithub.com/wxpay-go/wxpay v0.0.0 // indirect\n" +
			"\tgithub.com/wxpay-go/wxpay/contrib/x v0.0.0\n)\n\n" + pin + "\nreplace github.com/wxpay-go/wxpay/contrib/x => ../../contrib/x\n",
		"cmd/p/main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"runtime/debug\"\n\n\t\"github.com/wxpay-go/wxpay/contrib/x\"\n)\n\n" +
			"func main() {\n\tinfo, _ := debug.ReadBuildInfo()\n\tfmt.Println(info.Main.Version, x.X)\n}\n",

		"bench/b/go.mod": module + "/bench/b" + goLine + "\nrequire github.com/wxpay-go/wxpay v0.0.0\n\n" + pin,
		"bench/b/b.go":   "package b\n\nimport _ \"github.com/wxpay-go/wxpay\"\n",
	})
	for _, dir := range []string{"", "contrib/x/", "cmd/p/"} {
		r.write(map[string]string{
			dir + "CHANGELOG.md":       "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All of " + dir + "\n",
			dir + "CHANGELOG.zh-CN.md": "# 更新记录\n\n## [Unreleased]\n\n### 新增\n\n- 全部 " + dir + "\n",
		})
	}
	r.git("init", "--quiet")
	r.commit()
	return r
}

func (r *repository) write(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		name = filepath.Join(r.dir, name)
		require.NoError(r.t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(r.t, os.WriteFile(name, []byte(text), 0o644))
	}
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s: %s", args, out)
	return strings.TrimSpace(string(out))
}

func (r *repository) commit() {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", "Change")
}

// release takes over what Prepare has made, as a maintainer does.
func (r *repository) release(c *publish.Candidate) {
	r.t.Helper()
	r.git("fetch", "--quiet", c.Clone, "refs/tags/*:refs/tags/*")
}

func (r *repository) plan() map[string]string {
	r.t.Helper()
	plan, err := publish.Plan(r.dir)
	require.NoError(r.t, err)
	versions := make(map[string]string)
	for _, p := range plan {
		versions[p.Dir] = p.Version
	}
	return versions
}

func long(t *testing.T) {
	t.Helper()
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("with -trimpath it compiles the standard library once more: set WXPAY_TEST_LONG=1 to run it")
	}
}

// A first release is made, proved and taken over; a second one of one module alone keeps the versions of the others.
func TestRelease(t *testing.T) {
	long(t)
	r := newRepository(t)
	assert.Equal(t, map[string]string{".": "v0.1.0", "contrib/x": "v0.1.0", "cmd/p": "v0.1.0"}, r.plan())
	first, err := publish.Prepare(r.dir, t.TempDir())
	require.NoError(t, err)
	var log bytes.Buffer
	require.NoError(t, first.Prove(&log), log.String())
	for _, step := range []string{"go install github.com/wxpay-go/wxpay/cmd/p@v0.1.0", "go get github.com/wxpay-go/wxpay@v0.1.0",
		"go get github.com/wxpay-go/wxpay/contrib/x@v0.1.0", "the program of README.md"} {
		assert.Contains(t, log.String(), "proved: "+step)
	}
	var said strings.Builder
	require.NoError(t, first.Instructions(&said))
	assert.Regexp(t, `(?s)commit `+first.Commit+`.*push origin v0.1.0\n.*push origin contrib/x/v0.1.0\n.*push origin cmd/p/v0.1.0\n`, said.String())

	r.release(first)
	show := func(file string) string { return r.git("show", "cmd/p/v0.1.0:"+file) }
	assert.Equal(t, r.git("rev-parse", "HEAD"), r.git("rev-parse", "v0.1.0^"), "the release stands beside the branch")
	assert.Contains(t, show("version.go"), `"0.1.0"`)
	assert.NotContains(t, show("cmd/p/go.mod"), "replace")
	assert.Contains(t, show("cmd/p/go.sum"), "github.com/wxpay-go/wxpay/contrib/x v0.1.0 h1:")
	assert.Contains(t, show("bench/b/go.mod"), "replace", "no user requires it")
	require.ErrorIs(t, func() error { _, err := publish.Prepare(r.dir, t.TempDir()); return err }(), publish.ErrNothing)

	assert.Regexp(t, `## \[Unreleased\]\n\n## \[0\.1\.0\] - \d{4}-\d{2}-\d{2}\n\n### Added\n\n- All of cmd/p/$`, show("cmd/p/CHANGELOG.md"))
	assert.Contains(t, said.String(), "git checkout "+first.Commit+" -- CHANGELOG.md CHANGELOG.zh-CN.md contrib/x/CHANGELOG.md")
	r.git("checkout", "--quiet", first.Commit, "--", "CHANGELOG.md", "CHANGELOG.zh-CN.md", "cmd/p/CHANGELOG.md", "cmd/p/CHANGELOG.zh-CN.md")
	r.commit()
	assert.Equal(t, map[string]string{".": "v0.1.0", "contrib/x": "v0.1.0", "cmd/p": "v0.1.0"}, r.plan(), "a closed changelog is no change")
	notes, err := publish.Notes(r.dir, "cmd/p/v0.1.0")
	require.NoError(t, err)
	assert.Equal(t, "### Added\n\n- All of cmd/p/\n\n---\n\n### 新增\n\n- 全部 cmd/p/\n", notes)
	for _, tag := range []string{"v0.2.0", "contrib/x/v0.1.0", "bench/b/v0.1.0", "other/v0.1.0"} {
		_, err = publish.Notes(r.dir, tag) // the second is not taken over
		require.Error(t, err, tag)
	}

	r.write(map[string]string{"contrib/x/x.go": "package x\n\nimport \"github.com/wxpay-go/wxpay\"\n\nvar X = wxpay.Version + \"!\"\n"})
	r.commit()
	assert.Equal(t, map[string]string{".": "v0.1.0", "contrib/x": "v0.1.1", "cmd/p": "v0.1.1"}, r.plan())
	second, err := publish.Prepare(r.dir, t.TempDir())
	require.NoError(t, err)
	require.NoError(t, second.Prove(&log), log.String())
	assert.Contains(t, log.String(), "proved: go install github.com/wxpay-go/wxpay/cmd/p@v0.1.1")
	r.release(second)
	assert.Contains(t, r.git("show", "contrib/x/v0.1.1:contrib/x/go.mod"), "/wxpay v0.1.0")
	assert.NotContains(t, r.git("tag", "--points-at", second.Commit), "\nv0.1", "the root has no new version")
}

// The weight of a change follows from the recorded names.
func TestPlan(t *testing.T) {
	tests := []struct {
		name   string
		at     string // the version before, of all
		change map[string]string
		want   map[string]string
		fails  string
	}{
		{"nothing", "v0.1.0", map[string]string{"bench/b/b.go": "package b\n"},
			map[string]string{".": "v0.1.0", "contrib/x": "v0.1.0", "cmd/p": "v0.1.0"}, ""},
		{"inside of the root", "v0.1.0", map[string]string{"inner.go": "package wxpay\n"},
			map[string]string{".": "v0.1.1", "contrib/x": "v0.1.1", "cmd/p": "v0.1.1"}, ""},
		{"a new name", "v1.4.2", map[string]string{"docs/exported/wxpay.txt": "const Version\nfunc New()\n"},
			map[string]string{".": "v1.5.0", "contrib/x": "v1.4.3", "cmd/p": "v1.4.3"}, ""},
		{"a name less before v1", "v0.4.2", map[string]string{"docs/exported/wxpay.txt": "func New()\n"},
			map[string]string{".": "v0.5.0", "contrib/x": "v0.4.3", "cmd/p": "v0.4.3"}, ""},
		{"a name less from v1 on", "v1.4.2", map[string]string{"docs/exported/wxpay.txt": "func New()\n"}, nil, "major"},
		{"a program, whose flags nobody records", "v0.1.0", map[string]string{"cmd/p/more.go": "package main\n"},
			map[string]string{".": "v0.1.0", "contrib/x": "v0.1.0", "cmd/p": "v0.2.0"}, ""},
		{"an addition whose names change", "v0.1.0",
			map[string]string{"docs/exported/contrib-x.txt": "var X\nvar Y\n", "contrib/x/y.go": "package x\n\nvar Y int\n"},
			map[string]string{".": "v0.1.1", "contrib/x": "v0.2.0", "cmd/p": "v0.1.1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository(t)
			r.git("commit", "--quiet", "--allow-empty", "--message", "Release")
			for _, dir := range []string{"", "contrib/x/", "cmd/p/"} {
				r.git("tag", dir+"v0.0.9") // tags are compared as versions
				r.git("tag", dir+tt.at)
				r.git("tag", dir+"v9")
			}
			r.write(tt.change)
			r.commit()
			if tt.fails != "" {
				_, err := publish.Plan(r.dir)
				require.ErrorContains(t, err, tt.fails)
				return
			}
			assert.Equal(t, tt.want, r.plan())
		})
	}
}

// What would make a release that users cannot get ends it, with a sentence that says so.
func TestPrepareRejects(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *repository)
		want   string
	}{
		{"changes without a commit", func(r *repository) { r.write(map[string]string{"x.go": "package wxpay\n"}) }, "commit the changes"},
		{"no licence", func(r *repository) { r.git("rm", "--quiet", "LICENSE"); r.commit() }, "LICENSE"},
		{"no version", func(r *repository) { r.write(map[string]string{"version.go": "package wxpay\n"}); r.commit() }, "const Version"},
		{"a module that requires one without releases", func(r *repository) {
			text := r.git("show", "HEAD:contrib/x/go.mod")
			r.write(map[string]string{
				"contrib/x/go.mod": text + "\n\nrequire github.com/wxpay-go/wxpay/bench/b v0.0.0\n\nreplace github.com/wxpay-go/wxpay/bench/b => ../../bench/b\n",
				"contrib/x/b.go":   "package x\n\nimport _ \"github.com/wxpay-go/wxpay/bench/b\"\n",
			})
			r.commit()
		}, "is not released"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository(t)
			tt.change(r)
			_, err := publish.Prepare(r.dir, t.TempDir())
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// The proof finds a package that only a clone can build: it embeds a file that the module does not have.
func TestProveFinds(t *testing.T) {
	long(t)
	r := newRepository(t)
	r.write(map[string]string{
		"contrib/x/embed.go":         "package x\n\nimport _ \"embed\"\n\n//go:embed inside/notes.txt\nvar Notes string\n",
		"contrib/x/inside/notes.txt": "hello\n",
		"contrib/x/inside/go.mod":    "module github.com/wxpay-go/wxpay/contrib/x/inside\n\ngo 1.24\n",
	})
	r.commit()
	c, err := publish.Prepare(r.dir, t.TempDir())
	if err == nil {
		err = c.Prove(&bytes.Buffer{})
	}
	require.ErrorContains(t, err, "inside")
}

func TestProgram(t *testing.T) {
	source, err := publish.Program("x\ncat >\"$app/main.go\" <<'GO'\npackage main\nGO\ny")
	require.NoError(t, err)
	assert.Equal(t, "package main\n", source)
	_, err = publish.Program("nothing")
	require.Error(t, err)
}

// A release has to say the same in both languages, in the form of Keep a Changelog.
func TestCheckNotes(t *testing.T) {
	tests := []struct {
		name   string
		change map[string]string
		want   string // of the error; empty for none
	}{
		{"as they should be", nil, ""},
		{"an entry less in Chinese", map[string]string{
			"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- One\n- Two\n\n### Fixed\n\n- Three\n"},
			"English has 2 Added, 1 Fixed, Chinese has 1 Added"},
		{"nothing unreleased", map[string]string{"cmd/p/CHANGELOG.md": "# Changelog\n"}, "## [Unreleased]"},
		{"another heading", map[string]string{"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### News\n"}, `"News" is not one of Added`},
		{"a version without its date", map[string]string{"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n"}, "2026-11-30"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository(t)
			r.write(tt.change)
			plan, err := publish.Plan(r.dir)
			require.NoError(t, err)
			if err = publish.CheckNotes(r.dir, plan); tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
	r := newRepository(t)
	require.NoError(t, os.Remove(filepath.Join(r.dir, "contrib/x/CHANGELOG.zh-CN.md")))
	plan, err := publish.Plan(r.dir)
	require.NoError(t, err)
	require.ErrorIs(t, publish.CheckNotes(r.dir, plan), os.ErrNotExist)
}

// The changelogs of this repository have the form that a release needs. They need not say the same while nobody releases, so
// that a change comes in one language first.
func TestChangelogs(t *testing.T) {
	modules, err := tree.Read(root)
	require.NoError(t, err)
	for _, m := range modules {
		if m.Released() {
			assert.NoError(t, publish.CheckForm(filepath.Join(root, m.Dir)))
		}
	}
}
