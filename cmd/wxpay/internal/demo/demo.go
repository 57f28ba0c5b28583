// Package demo runs wxpay demo: one call in six styles against an embedded sandbox.
package demo

import (
	"bytes"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Command returns wxpay demo.
func Command(sh *shell.Shell) *cobra.Command {
	machines := false
	command := &cobra.Command{
		Use:   "demo",
		Short: "Make one call in six styles against a sandbox, and check it",
		Long: `Make one call in the six styles of the client (declarative, attribute and pure chain, each synchronous and
asynchronous) against an embedded sandbox, and show the request, the response, and the checks.

It needs no account, no configuration and no network. The exit code is 0 if every check held, and 1 otherwise.`,
		Args: shell.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), sh, machines) },
	}
	shell.FormatFlag(command, &machines)
	return command
}

func run(ctx context.Context, sh *shell.Shell, machines bool) error {
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	begin := time.Now()
	client, server, err := sh.Connect(shell.Source{})
	if err != nil {
		return err
	}
	defer server.Close()
	// Six calls in a row are one more than the platform takes in a second.
	if err := server.Rules.Relax(sandbox.Rates); err != nil {
		return err
	}

	report := report{OK: true, Gateway: server.URL}
	feed := memberFeed()
	for _, s := range styles {
		report.Calls = append(report.Calls, makeCall(ctx, s, client, server, feed))
	}
	report.check(checks(server, feed["out_request_no"].(string)))
	report.Milliseconds = milliseconds(time.Since(begin))
	if machines {
		err = sh.WriteJSON(report)
	} else {
		var out bytes.Buffer
		report.print(sh, &out)
		err = sh.Write(out.Bytes())
	}
	if err == nil && !report.OK {
		err = shell.Exit(shell.ExitRejected)
	}
	return err
}
