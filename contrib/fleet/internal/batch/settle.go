package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type settleOptions struct {
	storeOptions
	number, state, path, file string
}

func settleCommand(run func(context.Context, settleOptions) error) *cobra.Command {
	o := new(settleOptions)
	command := &cobra.Command{
		Use:   "settle NUMBER succeeded|failed",
		Short: "End unknown jobs by what you know of them",
		Long: `End the job with a NUMBER, whose outcome is unknown, by what somebody has found out elsewhere, such as on the platform's pages for
merchants: it succeeded, or it failed and nothing of it took effect. Nothing is sent. What stands behind it in its order goes on.

--file settles many: each line has a number and its outcome, divided by a comma, a semicolon, a tab or blanks. If any line cannot be
settled, none is, and the lines are told. A number that was settled so before is left as it is.

Where the platform can be asked "retry" finds out by itself, and is never wrong.

` + storeHelp,
		Example: `  wxpay-batch settle 1000023220190901 succeeded
  wxpay-batch settle --file found-out.csv`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.file != "" && len(args) == 0:
			case o.file == "" && len(args) == 2:
				o.number, o.state = args[0], args[1]
			default:
				return usageError("the number of the job and its outcome are expected: settle NUMBER succeeded|failed, or settle --file FILE")
			}
			return run(c.Context(), *o)
		},
	}
	command.Flags().SortFlags = false
	command.Flags().StringVar(&o.file, "file", "", "a `FILE` with numbers and outcomes, - for stdin")
	command.Flags().StringVar(&o.path, "path", "", "the `PATH` of the jobs, where several have a number")
	o.storeOptions.flags(command.Flags())
	return command
}

// finding is what somebody has found out about a number.
type finding struct {
	line   int // 0 outside a file
	number string
	state  fleet.State
	jobs   []fleet.Result // with the number
}

func (f *finding) wrong(format string, a ...any) error {
	err := fmt.Errorf(format, a...)
	if f.line > 0 {
		return fmt.Errorf("line %d: %w", f.line, err)
	}
	return err
}

// check reports why a finding cannot be settled.
func (f *finding) check() error {
	unknown := slices.DeleteFunc(slices.Clone(f.jobs), func(r fleet.Result) bool { return r.State != fleet.Unknown })
	switch {
	case f.state != fleet.Succeeded && f.state != fleet.Failed:
		return f.wrong("a job is settled as succeeded or failed, not as %q", f.state)
	case len(unknown) > 1:
		return f.wrong("%d jobs of unknown outcome have this number: name the one with --path", len(unknown))
	case len(unknown) == 0 && !(f.line > 0 && len(f.jobs) == 1 && f.jobs[0].State == f.state):
		return f.wrong("no job with this number is of unknown outcome; \"results --run all --state unknown\" lists those that are")
	}
	f.jobs = unknown
	return nil
}

// findings reads a file of them.
func findings(r io.Reader) (list []*finding, err error) {
	lines := bufio.NewScanner(r)
	at := make(map[string]*finding)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimPrefix(lines.Text(), "\ufeff")
		fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;\t \"\r", r) })
		if len(fields) == 0 {
			continue
		}
		f := &finding{line: n, number: fields[0]}
		if len(fields) != 2 {
			return nil, f.wrong("a number and succeeded or failed are expected")
		}
		f.state = fleet.State(fields[1])
		switch before := at[f.number]; {
		case before == nil:
			at[f.number] = f
			list = append(list, f)
		case before.state != f.state:
			return nil, f.wrong("line %d has another outcome for its number", before.line)
		}
	}
	return list, lines.Err()
}

// shownFindings is how many lines are told that cannot be settled.
const shownFindings = 20

func (p *program) settle(ctx context.Context, o settleOptions) error {
	list := []*finding{{number: o.number, state: fleet.State(o.state)}}
	if o.file == "" && list[0].state != fleet.Succeeded && list[0].state != fleet.Failed {
		return usageError("%w", list[0].check())
	}
	if o.file != "" {
		in := p.stdin
		if o.file != "-" {
			file, err := os.Open(o.file)
			if err != nil {
				return usageError("%w", err)
			}
			defer file.Close()
			in = file
		}
		var err error
		if list, err = findings(in); err != nil {
			return usageError("--file: %w", err)
		}
	}
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	wanted := make(map[string]*finding, len(list))
	for _, f := range list {
		wanted[f.number] = f
	}
	for r, err := range s.queue.Results(ctx, fleet.Filter{States: []fleet.State{fleet.Unknown, fleet.Succeeded, fleet.Failed}}) {
		if err != nil {
			return err
		}
		f := wanted[r.Number]
		if f != nil && (r.State == fleet.Unknown || r.Settled) && (o.path == "" || strings.Trim(r.Path, "/") == strings.Trim(o.path, "/")) {
			f.jobs = append(f.jobs, r)
		}
	}
	var wrong []error
	for _, f := range list {
		if err := f.check(); err != nil {
			wrong = append(wrong, err)
		}
	}
	if o.file == "" && len(wrong) > 0 {
		return usageError("%w", wrong[0])
	}
	if len(wrong) > 0 {
		for _, err := range wrong[:min(len(wrong), shownFindings)] {
			p.note("%s", printable(err.Error()))
		}
		return usageError("%d of %d lines cannot be settled, so none is", len(wrong), len(list))
	}
	settled := 0
	for _, f := range list {
		for _, job := range f.jobs {
			if err := s.queue.Settle(ctx, job, f.state); errors.Is(err, fleet.ErrMoved) && f.line > 0 {
				p.note("%s", printable(f.wrong("its job has moved on meanwhile, and is left as it is").Error()))
				continue
			} else if err != nil {
				return err
			}
			if settled++; o.file == "" {
				return p.print(fmt.Sprintf("%s %s is settled: %s\n", job.Method, job.Path, f.state))
			}
		}
	}
	return p.print(fmt.Sprintf("%d of %d are settled now; the others were before, or have moved on.\n", settled, len(list)))
}
