package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type searchOptions struct {
	text string
	most int // 0 is all
	json bool
}

func searchCommand(run func(searchOptions) error) *cobra.Command {
	o := new(searchOptions)
	command := &cobra.Command{
		Use:   "search TEXT...",
		Short: "Find operations by words",
		Long: `Find operations by words, all of which have to be found: in the official name, the path, the product families or the
names of members. What people say instead finds them, too, former names and English words among it. The best come first,
and of equals those that most people look for. A method in capitals stands for itself. Where nothing is found, stdout
stays empty (an empty array with --json) and the exit code is 0.`,
		Example: `  wxpay search 企业付款
  wxpay search GET refund out_refund_no
  wxpay search -n 0 --json profitsharing`,
		RunE: func(_ *cobra.Command, args []string) error {
			if o.text = strings.TrimSpace(strings.Join(args, " ")); o.text == "" {
				return usageError("the words to search for are missing")
			}
			if o.most < 0 {
				return usageError("-n %d: give how many operations to list, or 0 for all", o.most)
			}
			return run(*o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.flags(command.Flags())
	return command
}

func (o *searchOptions) flags(flags *pflag.FlagSet) {
	flags.IntVarP(&o.most, "number", "n", 20, "how many operations to list at most, `N`; 0 is all")
	flags.BoolVar(&o.json, "json", false, "print one JSON array for machines")
}

// found is one operation in the document that --json prints.
type found struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Name   string `json:"name"`
	Status string `json:"status,omitempty"`
}

func (p *program) search(o searchOptions) error {
	operations := p.facts().Search(o.text)
	more := 0
	if o.most > 0 && len(operations) > o.most {
		more = len(operations) - o.most
		operations = operations[:o.most]
	}
	list := make([]found, len(operations))
	width := 0
	for i, operation := range operations {
		list[i] = found{operation.Method, operation.Path, operation.Name, string(operation.Status)}
		width = max(width, len(operation.Path))
	}
	var out bytes.Buffer
	if o.json {
		if err := writeJSON(&out, list); err != nil {
			return err
		}
		return p.write(&out)
	}
	for _, f := range list {
		fmt.Fprintf(&out, "%-6s  %-*s  %s", f.Method, width, f.Path, f.Name)
		if f.Status != "" {
			fmt.Fprintf(&out, " (%s)", f.Status)
		}
		out.WriteByte('\n')
	}
	if err := p.write(&out); err != nil {
		return err
	}
	switch {
	case len(list) == 0:
		p.note("Nothing in the catalogue has all of these words.")
	case more > 0:
		p.note("%d more: -n 0 lists all.", more)
	}
	return nil
}
