package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func versionCommand(sh *shell.Shell) *cobra.Command {
	var long bool
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program, its client and Go",
		Long: `Print the version of this program, of its client, and of Go, with operating system and architecture.

--diagnose adds what a report of a bug needs: the catalogue, the names of the variables that are set, and whether they
make a client. It makes no call, and prints no value of a variable and no content of a file.`,
		Args: shell.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := fmt.Appendf(nil, "wxpay   %s\nclient  %s\ngo      %s %s/%s\n",
				programVersion(), wxpay.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if long {
				text = append(text, diagnosis(sh)...)
			}
			return sh.Write(text)
		},
	}
	command.Flags().BoolVar(&long, "diagnose", false, "add what a report of a bug needs; no secret is in it")
	return command
}

// beside are the variables of others that change how a call goes.
var beside = []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE",
	"SSL_CERT_DIR", "GODEBUG"}

// diagnosis returns what is known of the surroundings without a call. Of variables it has the names, never the values:
// even the text of an error may quote a number.
func diagnosis(sh *shell.Shell) []byte {
	var out bytes.Buffer
	line := func(name, text string) { fmt.Fprintf(&out, "%-7s %s\n", name, text) }

	operations, events := 0, 0
	for range sh.Facts().All() {
		operations++
	}
	for range sh.Facts().Events() {
		events++
	}
	line("facts", sh.Words("%d operations, %d events", operations, events))
	if _, err := exec.LookPath("wxpay-batch"); err == nil {
		line("batch", sh.Words("wxpay-batch is installed"))
	} else {
		line("batch", sh.Words("wxpay-batch is not installed"))
	}
	if _, leave, err := sh.Client(shell.Source{}); err == nil {
		leave()
		line("keys", sh.Words("the variables make a client"))
	} else {
		line("keys", sh.Words(`the variables make no client: "wxpay keys check" says why`))
	}

	set := make(map[string]string)
	for _, variable := range sh.Environ {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "WXPAY_") || slices.Contains(beside, name) {
			set[name] = sh.Words(kindOf(value))
		}
	}
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, name := range names {
		fmt.Fprintf(table, "%s\t%s\n", shell.Printable(name), set[name])
	}
	table.Flush()
	return out.Bytes()
}

// kindOf says what kind of value a variable has.
func kindOf(value string) string {
	switch info, err := os.Stat(value); {
	case value == "":
		return shell.Text("empty")
	case strings.Contains(value, "-----BEGIN "):
		return shell.Text("PEM text")
	case err == nil && info.IsDir():
		return shell.Text("a directory")
	case err == nil:
		return shell.Text("a file")
	}
	return shell.Text("a text")
}

// programVersion returns the version of the main module, with the commit if the module is a working copy.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "(devel)"
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				version += " " + setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				version += " modified"
			}
		}
	}
	return version
}
