package cli

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog/edition"
)

func catalogCommand(diff func(files []string) error) *cobra.Command {
	command := &cobra.Command{
		Use:   "catalog",
		Short: "Look after what is documented",
		Long:  "Look after the catalogue of what is documented: operations, their members, and notifications.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("there is no catalog %s: write wxpay catalog diff FILE", args[0])
			}
			return usageError("say what to do: wxpay catalog diff FILE...")
		},
	}
	command.AddCommand(&cobra.Command{
		Use:   "diff FILE...",
		Short: "Tell what a newer facts file changes",
		Long: `Tell, as Markdown, what newer facts files say differently from the catalogue that is built in: operations and events
that are new, gone or changed, with every member and mark. A facts file has a JSON object a line, all of the operations or
all of the events. What the catalogue has by hand is kept by an import, and so no difference. The exit code is 0 whatever
they say.`,
		Example: `  wxpay catalog diff endpoints.jsonl events.jsonl > changes.md`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("name at least one facts file")
			}
			return diff(args)
		},
	})
	return command
}

func (p *program) catalogDiff(files []string) error {
	var out bytes.Buffer
	if _, err := edition.Diff(&out, files...); err != nil {
		return usageError("%w", err)
	}
	return p.write(&out)
}
