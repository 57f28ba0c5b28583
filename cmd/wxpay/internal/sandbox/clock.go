package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func clockCommand(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "clock [+DURATION | freeze | unfreeze]",
		Short: "Read or move the clock of the running sandbox",
		Long: `Read the clock of the running sandbox, move it forward, freeze it, or let it run again. Before a jump ends, everything
that is due until then has happened: orders expire, refunds arrive, notifications come again.

Signatures still have the real time, whatever this clock shows.

` + exitCodeHelp,
		Example: `  wxpay sandbox clock
  wxpay sandbox clock +24h
  wxpay sandbox clock freeze`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return printOrder(command.Context(), sh, http.MethodGet, "clock", nil)
			case len(args) > 1:
				return shell.Usage("give one move at a time")
			case args[0] == "freeze" || args[0] == "unfreeze":
				return printOrder(command.Context(), sh, http.MethodPost, "clock/"+args[0], nil)
			}
			text, ahead := strings.CutPrefix(args[0], "+")
			by, err := time.ParseDuration(text)
			if err != nil || !ahead || by < 0 {
				return shell.Usage("%s is neither freeze nor unfreeze nor a jump such as +90s, +30m or +24h",
					shell.Printable(args[0]))
			}
			return printOrder(command.Context(), sh, http.MethodPost, "clock/jump", map[string]string{"by": by.String()})
		},
	}
}
