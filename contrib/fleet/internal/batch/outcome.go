package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

// unsaved is the error of results that could not be written. Those that cannot be read keep their own exit code.
func unsaved(err error) error {
	if errors.Is(err, fleet.ErrSealed) || errors.Is(err, fleet.ErrNewer) || errors.Is(err, fleet.ErrNoRun) {
		return err
	}
	return &exitError{exitUnsaved, err}
}

// write writes results in the form that the name of the file tells, and adds them up. A file appears when it is complete; a
// device or a pipe is written to as it is.
func (p *program) write(ctx context.Context, q *fleet.Queue, path string, only fleet.Filter) (all tally, err error) {
	results := func() iter.Seq2[fleet.Result, error] { return q.Results(ctx, only) }
	if path == "-" {
		return writeResults(p.stdout, "ndjson", results)
	}
	if special(path) {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("the results: %w", err)
		}
		all, err = writeResults(file, resultFormat(path), results)
		return all, errors.Join(err, file.Close())
	}
	file, err := atomicfile.Create(path, true)
	if err != nil {
		return nil, fmt.Errorf("the results: %s: %w", path, err)
	}
	defer file.Abandon()
	if all, err = writeResults(file, resultFormat(path), results); err != nil {
		return nil, err
	}
	return all, file.Commit()
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

func described(c fleet.Submission) string {
	corrected := ""
	if c.Corrected > 0 {
		corrected = fmt.Sprintf("%d corrected after a rejection, ", c.Corrected)
	}
	return fmt.Sprintf("Lines: %d queued, %s%d in the queue already, %d done before, %d rejected.", c.Queued, corrected, c.Again, c.Ended, c.Rejected)
}

// finish writes the results and the summary of some jobs, and returns the error that says how they stand.
func (p *program) finish(ctx context.Context, q *fleet.Queue, out string, only fleet.Filter) error {
	var all tally
	var wrong error
	if out != "" {
		if all, wrong = p.write(ctx, q, out, only); wrong != nil {
			wrong = unsaved(wrong)
		}
	}
	summary, err := q.Counts(ctx, only)
	if err != nil {
		return errors.Join(wrong, err)
	}
	if all == nil {
		p.note("%s", table(summary))
	} else {
		p.note("%s", all.text())
	}
	if wrong != nil {
		return wrong
	}
	return verdict(summary)
}

// verdict is the exit code for how jobs stand.
func verdict(summary []fleet.Count) error {
	code, why := exitOK, error(nil)
	for _, c := range summary {
		switch c.State {
		case fleet.Unknown:
			return &exitError{exitUnknown, errors.New(`the outcome of some jobs is unknown: they may have taken effect. "retry" and then "work" find out where the platform can be asked; what you find out elsewhere, "settle" writes down`)}
		case fleet.Waiting, fleet.Begun:
			code, why = exitNotSent, errors.New(`some jobs are not carried out yet. "status" tells how many are queued, and which of unknown outcome hold up others. If none is queued, submitting them broke off: submit their file again, nothing is sent twice`)
		case fleet.Refused, fleet.Failed, fleet.Partial, fleet.Action, fleet.Expired, fleet.Cancelled:
			if code == exitOK {
				code = exitRefused
			}
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code, why}
}
