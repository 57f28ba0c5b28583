package manual

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

type searchOptions struct {
	text string
	most int // 0 is all
	json bool
}

// Search returns wxpay search.
func Search(sh *shell.Shell) *cobra.Command {
	o := new(searchOptions)
	command := &cobra.Command{
		Use:   "search TEXT...",
		Short: "Find operations by words",
		Long: `Find operations by words. An operation has to contain all of them: in its official name, its path, its product families or
the names of its fields. Common synonyms find it too, such as former names and English words. The best matches come first,
and of equal ones the most popular. A method in capitals stands for itself. If nothing is found, stdout stays empty (an
empty array with --format json) and the exit code is 0.`,
		Example: `  wxpay search 企业付款
  wxpay search GET refund out_refund_no
  wxpay search -n 0 --format json profitsharing`,
		RunE: func(_ *cobra.Command, args []string) error {
			if o.text = strings.TrimSpace(strings.Join(args, " ")); o.text == "" {
				return shell.Usage("the words to search for are missing: for example wxpay search 退款")
			}
			if o.most < 0 {
				return shell.Usage("-n %d: give how many operations to list, or 0 for all", o.most)
			}
			return o.run(sh)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	command.Flags().IntVarP(&o.most, "number", "n", 20, "how many operations to list at most, `N`; 0 is all")
	shell.FormatFlag(command, &o.json)
	return command
}

// statuses are the words for those of operations.
var statuses = map[fact.Status]string{
	fact.Offline: shell.Text("offline"), fact.Superseded: shell.Text("superseded"), fact.Beta: shell.Text("beta"),
	fact.Restricted: shell.Text("restricted"), fact.Linked: shell.Text("linked"),
}

// found is one operation in the document that --format json prints.
type found struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Name   string `json:"name"`
	Status string `json:"status,omitempty"`
}

func (o *searchOptions) run(sh *shell.Shell) error {
	operations := sh.Facts().Search(o.text)
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
	if o.json {
		return sh.WriteJSON(list)
	}
	var out bytes.Buffer
	for _, f := range list {
		fmt.Fprintf(&out, "%-6s  %-*s  %s", f.Method, width, f.Path, f.Name)
		if f.Status != "" {
			fmt.Fprintf(&out, " (%s)", sh.Words(statuses[fact.Status(f.Status)]))
		}
		out.WriteByte('\n')
	}
	if err := sh.Write(out.Bytes()); err != nil {
		return err
	}
	switch {
	case len(list) == 0:
		sh.Note("No operation of the catalogue contains all of these words.")
	case more > 0:
		sh.Note("%d more: -n 0 lists all.", more)
	}
	return nil
}
