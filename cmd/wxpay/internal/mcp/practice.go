package mcp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

type paying struct {
	Number string `json:"number" jsonschema:"out_trade_no or combine_out_trade_no; SUB_MCHID/out_trade_no for a sub-merchant's"`
	spoken
}

type passing struct {
	Forward string `json:"forward" jsonschema:"how far the clock goes ahead, such as 25h or 90m"`
	spoken
}

type troubling struct {
	Rules []string `json:"rules,omitempty" jsonschema:"rules to add, such as: reset-after path=/v3/refund/* count=1"`
	Clear bool     `json:"clear,omitempty" jsonschema:"remove the rules that there are, first"`
	spoken
}

type reading struct {
	Last int `json:"last,omitempty" jsonschema:"how many requests, the newest ones, 1 to 100; 20 if left out"`
	spoken
}

func (s *server) addSandbox(p *mcp.Server) {
	tool(s, p, "sandbox_start", shell.Text("Start a sandbox of the platform on this machine, or start it anew, and return the variables that connect "+
		"a client. It checks every signature and moves no money; its keys are for tests alone."), false, s.start)
	tool(s, p, "sandbox_stop", shell.Text("Stop the sandbox and forget all that happened in it."), false, s.stop)
	tool(s, p, "sandbox_call", shell.Text("Call an operation of the sandbox as its merchant."), false, s.practise)
	tool(s, p, "sandbox_pay", shell.Text("Let the user of the sandbox pay an order."), false, s.pay)
	tool(s, p, "sandbox_clock", shell.Text("Let time pass in the sandbox: orders expire, refunds end, notifications are repeated."), false, s.pass)
	tool(s, p, "sandbox_fault", shell.Text("Let calls of the sandbox go wrong, by rules of one line: a kind, then method, path, p, count, skip, "+
		"delay, status, code as name=value."), false, s.trouble)
	tool(s, p, "sandbox_journal", shell.Text("List the last requests of the sandbox, why they were rejected, and what took effect."), true, s.journal)
}

// started returns the sandbox.
func (s *server) started() (*sandbox.Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway == nil {
		return nil, shell.Say("no sandbox runs: call sandbox_start first")
	}
	return s.gateway, nil
}

func (s *server) start(context.Context, *shell.Shell, spoken) (string, error) {
	s.close()
	gateway, err := shell.Listen("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway != nil { // another caller was faster
		gateway.Close()
		gateway = s.gateway
	}
	s.gateway = gateway
	variables := make(map[string]string)
	for _, variable := range gateway.Env() {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return asJSON(map[string]any{"variables": variables})
}

func (s *server) stop(_ context.Context, sh *shell.Shell, _ spoken) (string, error) {
	if _, err := s.started(); err != nil {
		return "", err
	}
	s.close()
	return sh.Words("the sandbox has stopped"), nil
}

// platformLanguage is the language of the platform's messages, by the language of an answer.
var platformLanguage = map[language.Language]string{language.English: "en", language.Chinese: "zh-CN"}

func (s *server) practise(ctx context.Context, sh *shell.Shell, in requested) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithLogger(nil), wxpay.WithCatalog(s.sh.Facts()), wxpay.WithAttempts(1),
		wxpay.WithLanguage(platformLanguage[languageOf(sh)]))
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := in.complete(); err != nil {
		return "", err
	}
	res, err := in.chain(client).Do(ctx, in.Method, in.body())
	return told(sh, in.Method, res, err)
}

// told returns what a call brought.
func told(sh *shell.Shell, method string, res *wxpay.Response, err error) (string, error) {
	outcome := outcomes[wxpay.OutcomeOf(err)]
	if method == http.MethodGet && wxpay.OutcomeOf(err) == wxpay.Unknown {
		outcome = shell.Text("there is no result, and nothing was changed: it was a read")
	}
	outcome = sh.Words(outcome)
	var rejected *wxpay.APIError
	switch {
	case errors.As(err, &rejected):
		own := sh.Words("status %d: %s", rejected.Status, outcome)
		hints, _, found := strings.Cut(rejected.Hint, "the checks before sending found ")
		for hint := range strings.SplitSeq(strings.TrimSuffix(hints, "; "), "; ") {
			own += "\n" + ofClient(sh, hint)
		}
		if found {
			own += "\n" + sh.Words("the documentation has objections to this request: check_request tells them")
		}
		return foreign(sh, strings.TrimSpace(own), string(rejected.Raw)), nil
	case err != nil:
		return "", shell.Say("%s: %w", outcome, err)
	case res.Verified:
		return foreign(sh, sh.Words("status %d, the signature is verified", res.Status), string(res.Raw())), nil
	}
	return foreign(sh, sh.Words("status %d, the signature is not verified", res.Status), string(res.Raw())), nil
}

// outcomes say of each outcome whether the call had an effect.
var outcomes = map[wxpay.Outcome]string{
	wxpay.NotSent:   shell.Text("nothing was sent, so the call may be repeated"),
	wxpay.Rejected:  shell.Text("the platform rejected the call, and this request had no effect"),
	wxpay.Unknown:   shell.Text("the outcome is unknown, and it may have taken effect: query by the number before anything is repeated"),
	wxpay.Confirmed: shell.Text("the platform confirmed the call, so it must not be repeated"),
}

func (s *server) pay(_ context.Context, sh *shell.Shell, in paying) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	id, err := gateway.Users.Pay(in.Number)
	return sh.Words("paid, transaction_id %s", id), err
}

func (s *server) pass(_ context.Context, sh *shell.Shell, in passing) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	d, err := time.ParseDuration(in.Forward)
	if err != nil || d < 0 {
		return "", shell.Say("forward is %q: it must be a duration such as 25h", in.Forward)
	}
	if err := gateway.Clock.Jump(d); err != nil {
		return "", err
	}
	return sh.Words("the clock shows %s", gateway.Clock), nil
}

func (s *server) trouble(_ context.Context, sh *shell.Shell, in troubling) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	rules := make([]fault.Rule, len(in.Rules))
	for i, line := range in.Rules {
		if rules[i], err = fault.Parse(line); err != nil {
			return "", err
		}
	}
	if in.Clear {
		gateway.Faults.Clear()
	}
	if err := gateway.Faults.Inject(rules...); err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintln(&out, sh.Words("the rules now:"))
	for _, rule := range gateway.Faults.All() {
		fmt.Fprintln(&out, rule)
	}
	counts := gateway.Faults.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintln(&out, sh.Words("hits of %s so far: %d", kind, counts[kind]))
	}
	return out.String(), nil
}

func (s *server) journal(_ context.Context, sh *shell.Shell, in reading) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	const usual, most = 20, 100
	if in.Last < 0 || in.Last > most {
		return "", shell.Say("last is %d: it must be 1 to %d", in.Last, most)
	}
	if in.Last == 0 {
		in.Last = usual
	}
	var requests, effects strings.Builder
	all := gateway.Journal.All()
	for _, e := range all[max(0, len(all)-in.Last):] {
		fmt.Fprintln(&requests, sh.Rejection(e))
		if e.Explanation != "" {
			fmt.Fprintln(&requests, sh.Explanation(e.Explanation))
		}
	}
	list := gateway.Ledger.Effects()
	for _, e := range list[max(0, len(list)-in.Last):] {
		fmt.Fprintln(&effects, sh.Words("%s %s %d fen %s", e.Kind, e.Number, e.Amount, e.State))
	}
	return foreign(sh, sh.Words("%d requests and %d effects in all; the last requests, then the last effects:", len(all), len(list)),
		requests.String()+"\n"+effects.String()), nil
}
