package batch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type resultsOptions struct {
	storeOptions
	out    string
	states []string
}

func resultsCommand(run func(context.Context, resultsOptions) error) *cobra.Command {
	o := new(resultsOptions)
	command := &cobra.Command{
		Use:   "results",
		Short: "Write one line for each job, the unknown first",
		Long: `Write what is known of each job, one JSON object a line: number, state, status, code, request id, the selected members of the
answer, attempts, and times. Those whose outcome is unknown come first. A summary by state and code goes to stderr.

States: unknown, refused, failed, partial, action, expired, waiting, begun, taken, accepted, succeeded.

` + storeHelp + "\n\n" + exitCodeHelp,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().StringVarP(&o.out, "out", "o", "-", "the `FILE` for the results, - for stdout")
	command.Flags().StringArrayVar(&o.states, "state", nil, "only jobs at a `STATE`; may be given several times")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) results(ctx context.Context, o resultsOptions) error {
	for _, state := range o.states {
		if !slices.Contains(states, fleet.State(state)) {
			return usageError("--state %q is not one of those that --help lists", state)
		}
	}
	o.existing = true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	var wanted []fleet.State
	for _, state := range o.states {
		wanted = append(wanted, fleet.State(state))
	}
	if err := p.write(ctx, s.queue, o.out, wanted); err != nil {
		return unsaved(err)
	}
	summary, err := s.queue.Summary(ctx)
	if err != nil {
		return err
	}
	p.note("%s", table(summary))
	return verdict(summary)
}

var states = []fleet.State{
	fleet.Unknown, fleet.Refused, fleet.Failed, fleet.Partial, fleet.Action, fleet.Expired, fleet.Waiting, fleet.Begun, fleet.Taken, fleet.Accepted, fleet.Succeeded,
}

// unsaved is the error of results that could not be written. Those that cannot be read keep their own exit code.
func unsaved(err error) error {
	if errors.Is(err, fleet.ErrSealed) || errors.Is(err, fleet.ErrNewer) {
		return err
	}
	return &exitError{exitUnsaved, err}
}

// write writes results. A file appears when it is complete; a device or a pipe is written to as it is.
func (p *program) write(ctx context.Context, q *fleet.Queue, path string, states []fleet.State) (err error) {
	if path == "-" {
		return writeResults(ctx, q, p.stdout, states)
	}
	if special(path) {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("the results: %w", err)
		}
		return errors.Join(writeResults(ctx, q, file, states), file.Close())
	}
	file, err := beside(path)
	if err != nil {
		return fmt.Errorf("the results: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if err := errors.Join(writeResults(ctx, q, file, states), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// special reports whether something is at path that must not be replaced by a file.
func special(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// beside makes the file that becomes path when it is complete.
func beside(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
}

// writable finds out whether the file that a flag names can be written, before there is anything to write.
func writable(flag, path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return usageError("%s: %s is a directory", flag, path)
	case path == "" || path == "-" || special(path):
		return nil
	}
	file, err := beside(path)
	if err != nil {
		return usageError("%s: %w", flag, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

func writeResults(ctx context.Context, q *fleet.Queue, w io.Writer, states []fleet.State) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for r, err := range q.Results(ctx, states...) {
		if err != nil {
			return err
		}
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("the results: %w", err)
		}
	}
	return out.Flush()
}

// table lays a summary out.
func table(summary []fleet.Count) string {
	if len(summary) == 0 {
		return "no jobs"
	}
	var b strings.Builder
	for i, c := range summary {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%10d  %s", c.Jobs, strings.TrimSpace(string(c.State)+" "+printable(c.Code)))
	}
	return b.String()
}
