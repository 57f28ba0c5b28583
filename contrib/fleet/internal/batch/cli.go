// Package batch is the program wxpay-batch, without the process around it: [Main] takes arguments and streams and returns
// an exit code. Each command has a file. It uses package fleet as any program could, and is no library.
package batch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// Main runs the program and returns its exit code. args are those after the program's name; environ is as from os.Environ.
// The first SIGINT, SIGTERM or SIGHUP finishes what is in hand, the second ends the process.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ, terminal: isTerminal(stderr), meter: newMeter()}
	root := p.command()
	root.SetArgs(append([]string{}, args...)) // never nil, which would stand for os.Args
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	var silent *exitError
	if err != nil && !(errors.As(err, &silent) && silent.err == nil) {
		p.tell(slog.LevelError, "wxpay-batch: %s", inFlags(err.Error()))
		if errors.As(err, new(*fleet.PausedError)) {
			p.note("When that is mended, \"resume\" lets workers go on.")
		}
		if errors.Is(err, fleet.ErrColumns) && strings.Contains(err.Error(), "column") { // else none can be told
			p.note("--map FIELD=COLUMN (:yuan, :fen) says where a column goes, --skip COLUMN leaves it out.")
		}
		if code == exitUsage {
			p.note("See %q.", command.CommandPath()+" --help")
		}
	}
	return code
}

func (p *program) command() *cobra.Command {
	root := runCommand(p.run)
	root.Version = version()
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(flagError)
	log := root.PersistentFlags().String("log", "text", "what is told on stderr: `text`, or json with time and level, an object a line")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return p.logs(*log) }
	root.SilenceErrors, root.SilenceUsage = true, true
	root.AddCommand(
		submitCommand(p.submit), workCommand(p.work), statusCommand(p.status), resultsCommand(p.results),
		retryCommand(p.retry), settleCommand(p.settle), pauseCommand(p.pause), resumeCommand(p.resume), cancelCommand(p.cancel), drainCommand(p.drain),
		purgeCommand(p.purge), resealCommand(p.reseal),
	)
	root.CompletionOptions.HiddenDefaultCmd = true // packages ask for it; a person has files called so
	return root
}

// logs sets how people are told what is no result.
func (p *program) logs(form string) error {
	switch form {
	case "text":
	case "json":
		p.terminal = false // no bar
		p.logger = slog.New(slog.NewJSONHandler(p.stderr, nil))
	default:
		return usageError("--log takes text or json, not %q", form)
	}
	return nil
}

// version returns the version of the program's module; of a program built in a clone, what Go knows of the commit.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
