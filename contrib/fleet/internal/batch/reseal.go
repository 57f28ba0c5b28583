package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func resealCommand(run func(context.Context, storeOptions) error) *cobra.Command {
	return storeCommand(&cobra.Command{
		Use:   "reseal",
		Short: "Seal what is stored under the first key",
		Long: `Seal what is stored under the first of the keys, so that the others can be thrown away. First put the new key behind the old one,
everywhere; then before it, everywhere; then say "reseal". It tells whether anything is left under another key: jobs that wait or run
stay as they are, so say it again when they have ended.

` + storeHelp,
	}, run)
}

func (p *program) reseal(ctx context.Context, o storeOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	done, err := s.queue.Reseal(ctx)
	if printed := p.print(fmt.Sprintf("sealed anew: %d records, %d jobs kept for a retry, %d entries about runs and the queue\n", done.Records, done.Kept, done.Settings)); err == nil {
		err = printed
	}
	if err != nil {
		return err
	}
	if len(done.Behind) > 0 {
		p.warn("These workers still seal under another key: %s. Start them again with the new key first.", printable(strings.Join(done.Behind, ", ")))
	}
	if done.Left > 0 {
		p.warn("%d jobs that wait or run, or orders that stand, are sealed under another key.", done.Left)
	}
	if !done.Done() {
		return &exitError{exitNotSent, errors.New(`the other keys are still needed: say "reseal" again when that is over`)}
	}
	return p.print("nothing of this queue is sealed under another key; copies from before still are\n")
}
