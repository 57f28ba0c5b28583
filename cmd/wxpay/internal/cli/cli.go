// Package cli is the program wxpay: it puts the commands together. Each family of commands is a package beside this one,
// with a file for each command: wxpay keys check is in keys/check.go. A command is a function that takes a [shell.Shell]
// and returns a cobra command.
//
// The program uses nothing of github.com/wxpay-go/wxpay that its users cannot. Several runs may go on at once, except that
// an interrupt reaches all of them.
package cli

import (
	"context"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/batch"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/checkup"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/demo"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/file"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/keys"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/manual"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/profile"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/sandbox"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/smoke"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/vet"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/webhook"
)

// Main runs the program and returns its exit code. args are those after the program's name; environ is as from
// os.Environ. SIGINT and SIGTERM end the run.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	return Run(ctx, shell.New(stdin, stdout, stderr, environ), args)
}

// Run is [Main] in a given shell.
func Run(ctx context.Context, sh *shell.Shell, args []string) int {
	if err := sh.LoadOverlay(); err != nil {
		return sh.Report("wxpay", err)
	}
	root := command(sh)
	if sh.Chinese {
		InChinese(root)
	}
	root.SetArgs(append([]string{}, args...)) // never nil, which would stand for os.Args
	root.SetIn(sh.Stdin)
	root.SetOut(sh.Stdout)
	root.SetErr(sh.Stderr)
	ran, err := root.ExecuteContextC(ctx)
	return sh.Report(ran.CommandPath(), err)
}

func command(sh *shell.Shell) *cobra.Command {
	root := &cobra.Command{
		Use:   "wxpay",
		Short: "Call WeChat Pay APIv3 from a shell, look it up, and practise on a sandbox",
		Long: `wxpay calls any operation of WeChat Pay APIv3 by its path, signs the request, and verifies the response. It contains the
documentation of every operation: it shows it, checks calls against it, and writes Go and OpenAPI from it.

Responses go to stdout, everything else to stderr. With WXPAY_DEBUG=1 stderr shows each call: the request in the form of a
curl command, and the response, both without values that identify anybody.

WXPAY_LANG=zh, or else a Chinese locale, makes the help and the messages Chinese.

` + shell.ExitCodeHelp,
		Example: `  wxpay demo
  wxpay call v3/certificates --sandbox --get 'data.#.serial_no'
  wxpay search 商家转账
  wxpay docs v3/pay/transactions/native
  wxpay sandbox -- go test ./...`,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error { return shell.CheckFlags(command.Flags()) },
		Args:              cobra.ArbitraryArgs, // so that RunE can name the command that was meant
		RunE: func(root *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			return shell.NoCommand(root, args[0])
		},

		Version:       programVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(shell.FlagError)
	root.AddCommand(
		demo.Command(sh),
		call.Command(sh),
		call.Resolve(sh),
		call.QR(sh),
		file.Upload(sh),
		file.Download(sh),
		file.Bill(sh),
		batch.Command(sh),
		manual.Docs(sh),
		manual.Search(sh),
		manual.Gen(sh),
		manual.Catalog(sh),
		manual.OpenAPI(sh),
		vet.Command(sh),
		mcpCommand(sh),
		sandbox.Command(sh),
		checkup.Command(sh),
		keys.Command(sh),
		smoke.Command(sh),
		profile.Init(sh),
		profile.Profiles(sh),
		webhook.Command(sh),
		versionCommand(sh),
	)
	root.InitDefaultCompletionCmd()
	completeProfiles(sh, root)
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			command.Args, command.RunE = cobra.ArbitraryArgs, shell.Group("wxpay completion bash, zsh, fish or powershell")
		}
	}
	return root
}

// completeProfiles completes --profile in a command and those beneath it.
func completeProfiles(sh *shell.Shell, command *cobra.Command) {
	if command.Flags().Lookup("profile") != nil {
		_ = command.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			profiles, _ := sh.Profiles() // an unreadable file has nothing to offer
			return slices.Sorted(maps.Keys(profiles)), cobra.ShellCompDirectiveNoFileComp
		})
	}
	for _, below := range command.Commands() {
		completeProfiles(sh, below)
	}
}
