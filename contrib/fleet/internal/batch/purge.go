package batch

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/fact"
)

type purgeOptions struct {
	storeOptions
	run   string
	older string
	yes   bool
}

func purgeCommand(run func(context.Context, purgeOptions) error) *cobra.Command {
	o := new(purgeOptions)
	command := &cobra.Command{
		Use:   "purge",
		Short: "Forget old jobs and submissions",
		Long: `Forget the jobs of a submission (--run), or those that ended long ago (--older-than), with all that is kept of them. Without --yes
nothing is forgotten: it tells what would be.

A number that is forgotten can be sent again, by a list that comes back. Then only the platform keeps it from taking effect twice, and
it does not say for how long it knows a number. So forget what no list can bring back, and submit nothing meanwhile. Jobs stay that
have not ended, whose outcome is unknown, or that were also given to a submission that stays.

` + storeHelp,
		Example: `  wxpay-batch purge --older-than 400d
  wxpay-batch purge --older-than 400d --yes`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().StringVar(&o.run, "run", "", "forget a submission and its jobs: its `ID`, which \"status\" lists")
	command.Flags().StringVar(&o.older, "older-than", "", "forget the jobs that ended so many days ago or more, and the submissions from before: `DAYS`, such as 400d")
	command.Flags().BoolVar(&o.yes, "yes", false, "forget them")
	o.storeOptions.flags(command.Flags())
	return command
}

// days reads a number of days, such as 400d.
func days(text string) (int, error) {
	digits, ok := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(digits, 10, 16)
	if !ok || err != nil || n == 0 {
		return 0, usageError("--older-than takes a number of days, such as 400d, not %q", text)
	}
	return int(n), nil
}

func (p *program) purge(ctx context.Context, o purgeOptions) error {
	what := fleet.Purge{Run: o.run, Dry: !o.yes}
	switch {
	case (o.run == "") == (o.older == ""):
		return usageError("purge takes either --run or --older-than")
	case o.older != "":
		n, err := days(o.older)
		if err != nil {
			return err
		}
		what.Before = time.Now().AddDate(0, 0, -n)
	}
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	purged, err := s.queue.Purge(ctx, what)
	if printed := p.print(purgeReport(purged, o.yes)); err == nil {
		err = printed
	}
	if err == nil && !o.yes {
		p.note("%s", "Nothing is forgotten yet: --yes forgets that. Their numbers can be sent again then, by a list that comes back. Refunds\n"+
			"are refused from 365 days after the payment (https://pay.weixin.qq.com/doc/v3/merchant/4012556457).")
	}
	return err
}

// purgeReport tells what was forgotten, or would be.
func purgeReport(purged fleet.Purged, done bool) string {
	var out strings.Builder
	verb := map[bool]string{true: "forgotten", false: "to forget"}[done]
	fmt.Fprintf(&out, "%s: %d submissions\n", verb, purged.Runs)
	for _, f := range purged.Forgotten {
		fmt.Fprintf(&out, "%10d  %s  %s %s%s\n", f.Jobs, f.State, f.Method, printable(f.Path), reach(f))
	}
	if purged.Unfinished > 0 {
		fmt.Fprintf(&out, "%d jobs stay: they have not ended, or nobody knows their outcome\n", purged.Unfinished)
	}
	if purged.Shared > 0 {
		fmt.Fprintf(&out, "%d jobs stay: they were also given to a submission that stays\n", purged.Shared)
	}
	return out.String()
}

// reach tells how far the platform's query of an operation reaches back, as far as that is documented.
func reach(f fleet.Forgotten) string {
	known := catalog.V3()
	operation, _ := known.Lookup(f.Method, "/"+strings.TrimPrefix(f.Path, "/"))
	if operation == nil || operation.Link == nil {
		return " (no query tells of it)"
	}
	if operation.Link.LookBack == 0 {
		return " (its query has no documented end)"
	}
	page := ""
	if query, _ := known.Lookup(http.MethodGet, operation.Link.Query); query != nil && len(query.Docs) > 0 {
		page = ", " + fact.DocURL(query.Docs[0])
	}
	return fmt.Sprintf(" (its query reaches back %d days%s)", operation.Link.LookBack, page)
}
