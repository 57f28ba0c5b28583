package manual

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog/edition"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Catalog returns wxpay catalog.
func Catalog(sh *shell.Shell) *cobra.Command {
	command := &cobra.Command{
		Use:   "catalog",
		Short: "Maintain the catalogue",
		Long:  "Maintain the catalogue of operations, their fields, and notifications.",
		RunE:  shell.Group("wxpay catalog diff FILE..."),
	}
	command.AddCommand(&cobra.Command{
		Use:   "diff FILE...",
		Short: "Compare newer facts with the catalogue",
		Long: `Compare newer facts files with the built-in catalogue, and print the differences as Markdown: operations and events that
are new, gone or changed, with every field and mark. A facts file has a JSON object a line, for all operations or for all
events. Facts that were added by hand survive an import, so they are no difference. The exit code is 0 with or without
differences.`,
		Example: `  wxpay catalog diff endpoints.jsonl events.jsonl > changes.md`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return shell.Usage("name at least one facts file")
			}
			var out bytes.Buffer
			if _, err := edition.Diff(&out, args...); err != nil {
				return shell.Usage("%w", err)
			}
			return sh.Write(out.Bytes())
		},
	})
	return command
}
