package artifact_test

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

	"github.com/wxpay-go/wxpay/tools/internal/artifact"
)

const root = "../../.."

// Every program is static, stripped and free of the paths of the machine that builds it, for six systems.
func TestPrograms(t *testing.T) {
	programs, err := artifact.Programs(root)
	require.NoError(t, err)
	var names []string
	for _, p := range programs {
		names = append(names, p.Name)
		assert.DirExists(t, filepath.Join(root, p.Dir, p.Main))
		assert.Contains(t, p.Env, "CGO_ENABLED=0")
		assert.Contains(t, p.Env, "GOWORK=off", "users of the module have no workspace")
		assert.Contains(t, p.Flags, "-trimpath")
		assert.Contains(t, strings.Join(p.LDFlags, " "), "-s -w")
		assert.ElementsMatch(t, []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"}, p.Targets)
	}
	assert.Equal(t, []string{"wxpay", "wxpay-mcp", "wxpay-batch"}, names)
	_, err = artifact.Find(root, "wxpay-other")
	require.ErrorContains(t, err, "wxpay, wxpay-mcp, wxpay-batch")
}

// small is a repository with one program in the form of ours, built with these flags besides the others.
func small(t *testing.T, main, flags string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		artifact.Config: "builds:\n  - {id: small, dir: cmd/small, main: ., env: [CGO_ENABLED=0, GOWORK=off, GOFLAGS=], " +
			"flags: [-buildvcs=true" + flags + "], ldflags: [-s -w], targets: [linux_amd64]}\n",
		"cmd/small/go.mod":  "module example.com/small\n\ngo " + strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go") + "\n",
		"cmd/small/main.go": main,
	} {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "."},
		{"-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "All"},
	} {
		command := exec.Command("git", args...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dir
}

func TestCheck(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("with -trimpath it compiles the runtime once more: set WXPAY_TEST_LONG=1 to run it")
	}
	var log bytes.Buffer
	require.NoError(t, artifact.Check(&log, small(t, "package main\n\nfunc main() {}\n", ", -trimpath"), false))
	assert.Regexp(t, `^small: [0-9.]+ MB for linux/amd64, at most 20.0\n$`, log.String())
}

// Without -trimpath the folder is in the program, and the check finds it.
func TestCheckFinds(t *testing.T) {
	dir := small(t, "package main\n\nfunc main() { panic(1) }\n", "")
	require.ErrorContains(t, artifact.Check(&bytes.Buffer{}, dir, false), "differ")
}

// speaks has a version, help, completions and a command.
const speaks = `package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	switch strings.Join(os.Args[1:], " ") {
	case "--version":
		fmt.Println("small version v1")
	case "completion bash", "completion zsh", "completion fish":
		fmt.Println("# for", os.Args[2])
	case "help":
		fmt.Print("It speaks.\nMore of it: 支.\n\n  a \\ b\n.c\n\nUsage:\n  small [command]\n\nAvailable Commands:\n  say  Say\n  help Help\n")
	case "__complete ":
		fmt.Print("say\tSay it\nhelp\tHelp\n:4\n")
	case "help say":
		fmt.Print("Say it.\n\nFlags:\n      --it 'x'\n")
	case "__complete say ":
		fmt.Print("file\tno command\n:4\n")
	default:
		os.Exit(1)
	}
}
`

func TestPages(t *testing.T) {
	dir, out := small(t, speaks, ""), t.TempDir()
	program, err := artifact.Find(dir, "small")
	require.NoError(t, err)
	require.NoError(t, artifact.Pages(dir, program, out))
	var written []string
	for _, pattern := range []string{"completions/*", "man/*"} {
		files, err := filepath.Glob(filepath.Join(out, pattern))
		require.NoError(t, err)
		for _, file := range files {
			written = append(written, filepath.Base(file))
		}
	}
	assert.Equal(t, []string{"_small", "small.bash", "small.fish", "small-say.1", "small.1"}, written)
	page, err := os.ReadFile(filepath.Join(out, "man/small.1"))
	require.NoError(t, err)
	assert.Equal(t, `.TH SMALL 1 "" "small version v1"
.SH NAME
small \- calls WeChat Pay APIv3
.SH DESCRIPTION
It speaks.
More of it: \[u652F].
.PP
.nf
  a \e b
.fi
\&.c
.PP
.SH USAGE
.nf
  small [command]
.fi
.PP
.SH AVAILABLE COMMANDS
.nf
  say  Say
  help Help
.fi
.SH SEE ALSO
.BR small\-say (1)
`, string(page))
	page, err = os.ReadFile(filepath.Join(out, "man/small-say.1"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "small\\-say \\- Say it\n")
	assert.Contains(t, string(page), ".SH FLAGS\n.nf\n      \\-\\-it \\(aqx\\(aq\n.fi\n.SH SEE ALSO\n.BR small (1)\n")
}
