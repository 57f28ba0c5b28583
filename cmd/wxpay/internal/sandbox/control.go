package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func controlCommand(sh *shell.Shell) *cobra.Command {
	method := ""
	command := &cobra.Command{
		Use:   "control [ORDER [JSON]]",
		Short: "Give the running sandbox an order",
		Long: `Give the running sandbox an order, with its parameters as a JSON object, and print the response. The method is GET without
JSON, and POST with JSON, unless -X gives another; parameters of a GET follow a question mark. Without ORDER the command
lists all orders with their parameters; those with a question mark are optional.

If the sandbox has several merchants, merchant=NUMBER after the question mark chooses one.

` + exitCodeHelp,
		Example: `  wxpay sandbox control
  wxpay sandbox control ledger?kind=refund
  wxpay sandbox control settle '{"kind":"refund","number":"R1","state":"ABNORMAL"}'
  wxpay sandbox control faults '{"rules":["429 path=/v3/refund/* count=2"]}'
  wxpay sandbox control reset -X POST
  wxpay sandbox control snapshot > before.json && wxpay sandbox control restore "$(cat before.json)"`,
		RunE: func(command *cobra.Command, args []string) error {
			var body any
			verb := http.MethodGet
			switch {
			case len(args) > 2:
				return shell.Usage("an order has one JSON object with its parameters; quote it for the shell")
			case len(args) == 2:
				if !json.Valid([]byte(args[1])) {
					return shell.Usage("the parameters are not JSON")
				}
				verb, body = http.MethodPost, json.RawMessage(args[1])
			case len(args) == 0:
				args = []string{""}
			}
			if method != "" {
				verb = strings.ToUpper(method)
			}
			return printOrder(command.Context(), sh, verb, args[0], body)
		},
	}
	command.Flags().StringVarP(&method, "method", "X", "", "`METHOD` of the order: GET, POST or DELETE")
	return command
}
