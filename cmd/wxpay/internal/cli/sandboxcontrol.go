package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/sandbox"
)

const sandboxControlExitCodes = `The sandbox is the one that WXPAY_BASE_URL names.

Exit codes:
  0  it is done
  1  the sandbox refused, and nothing has changed
  2  wrong usage
  3  the sandbox did not tell whether it is done
  4  no sandbox listens there`

func sandboxPayCommand(run func(ctx context.Context, method, order string, body any) error) *cobra.Command {
	openid := ""
	command := &cobra.Command{
		Use:   "pay NUMBER",
		Short: "Pay an order of the running sandbox, as its user",
		Long: `Pay an order of the running sandbox, as its user does, and print the transaction_id. NUMBER is the order's out_trade_no. The
merchant is notified at the order's notify_url.

` + sandboxControlExitCodes,
		Example: `  wxpay sandbox pay ABC-001
  wxpay sandbox pay ABC-001 --openid oUpF8uMuAJO_M2pxb1Q9zNjWeS6o`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError("there are %d numbers, one order is paid at a time", len(args))
			}
			body := map[string]string{"out_trade_no": args[0]}
			if openid == "" {
				return run(command.Context(), http.MethodPost, "pay", body)
			}
			body["openid"] = openid
			return run(command.Context(), http.MethodPost, "pay/as", body)
		},
	}
	command.Flags().StringVar(&openid, "openid", "", "the `USER` who pays, where the order is not for a certain one")
	return command
}

func sandboxClockCommand(run func(ctx context.Context, method, order string, body any) error) *cobra.Command {
	return &cobra.Command{
		Use:   "clock [+DURATION | freeze | unfreeze]",
		Short: "Tell or move the clock of the running sandbox",
		Long: `Tell the clock of the running sandbox, move it forward, make it stand still, or let it run again. Before a jump ends, all
that is due until then has happened: orders have expired, refunds have arrived, notifications have been repeated.

Requests are still signed with the real time, whatever this clock shows.

` + sandboxControlExitCodes,
		Example: `  wxpay sandbox clock
  wxpay sandbox clock +24h
  wxpay sandbox clock freeze`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return run(command.Context(), http.MethodGet, "clock", nil)
			case len(args) > 1:
				return usageError("the clock is moved once at a time")
			case args[0] == "freeze" || args[0] == "unfreeze":
				return run(command.Context(), http.MethodPost, "clock/"+args[0], nil)
			}
			text, ahead := strings.CutPrefix(args[0], "+")
			by, err := time.ParseDuration(text)
			if err != nil || !ahead || by < 0 {
				return usageError("%s is neither freeze nor unfreeze nor a way forward such as +90s, +30m or +24h", printable(args[0]))
			}
			return run(command.Context(), http.MethodPost, "clock/jump", map[string]string{"by": by.String()})
		},
	}
}

func sandboxControlCommand(run func(ctx context.Context, method, order string, body any) error) *cobra.Command {
	method := ""
	command := &cobra.Command{
		Use:   "control [ORDER [JSON]]",
		Short: "Give the running sandbox an order",
		Long: `Give the running sandbox an order, with its parameters as a JSON object, and print the answer. Without JSON the order is sent with
GET, and with JSON with POST, unless -X says otherwise; parameters of a GET stand behind a question mark. Without ORDER all
orders are listed with their parameters; those with a question mark may be left out.

Where the sandbox has several merchants, merchant=NUMBER behind the question mark says who is meant.

` + sandboxControlExitCodes,
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
				return usageError("an order has one JSON object with its parameters; quote it for the shell")
			case len(args) == 2:
				if !json.Valid([]byte(args[1])) {
					return usageError("the parameters are not JSON")
				}
				verb, body = http.MethodPost, json.RawMessage(args[1])
			case len(args) == 0:
				args = []string{""}
			}
			if method != "" {
				verb = strings.ToUpper(method)
			}
			return run(command.Context(), verb, args[0], body)
		},
	}
	command.Flags().StringVarP(&method, "method", "X", "", "`METHOD` of the order: GET, POST or DELETE")
	return command
}

// sandboxControl gives an order and prints the answer.
func (p *program) sandboxControl(ctx context.Context, method, order string, body any) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	answer, err := p.orderSandbox(ctx, method, order, body)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(answer), "", "  "); err != nil {
		return &exitError{exitUnknown, err}
	}
	return p.write(bytes.NewBufferString(printable(out.String()) + "\n"))
}

// orderSandbox gives the sandbox that WXPAY_BASE_URL names an order, and returns its answer.
func (p *program) orderSandbox(ctx context.Context, method, order string, body any) (json.RawMessage, error) {
	base, ok := p.lookup("WXPAY_BASE_URL")
	if !ok || base == "" {
		return nil, usageError("WXPAY_BASE_URL is not set: paste the lines that wxpay sandbox prints into this shell")
	}
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, usageError("%w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+sandbox.ControlPath+order, bytes.NewReader(content))
	if err != nil {
		return nil, usageError("WXPAY_BASE_URL, or the order: %w", withoutURL(err))
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if request.URL.Host == "" || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return nil, usageError("WXPAY_BASE_URL is not an address such as http://127.0.0.1:8080: paste the lines that wxpay sandbox prints")
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return nil, unanswered(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, unanswered(err)
	}
	var trouble struct {
		Message string `json:"message"`
	}
	switch {
	case response.StatusCode == http.StatusOK && json.Valid(answer):
		return answer, nil
	case json.Unmarshal(answer, &trouble) == nil && trouble.Message != "":
		return nil, &exitError{exitRefused, errors.New(printable(trouble.Message))}
	}
	return nil, &exitError{exitNotSent, fmt.Errorf("what listens on %s is no sandbox: it answered %s", base, response.Status)}
}

// withoutURL is the error below that of a URL, which can name what is secret.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// unanswered is the error for an order that the sandbox did not answer. A connection that was never made has done nothing.
func unanswered(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &exitError{exitNotSent, fmt.Errorf("no sandbox listens where WXPAY_BASE_URL says: %w", dial)}
	}
	return &exitError{exitUnknown, fmt.Errorf("the sandbox did not answer, so it may be done: %w", err)}
}
