package mcp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

type nothing struct{}

type practising struct {
	requested
	Language string `json:"language,omitempty" jsonschema:"language of messages: zh-CN or en; zh-CN if left out"`
}

type paying struct {
	Number string `json:"number" jsonschema:"out_trade_no or combine_out_trade_no; SUB_MCHID/out_trade_no for a sub-merchant's"`
}

type passing struct {
	Forward string `json:"forward" jsonschema:"how far the clock goes ahead, such as 25h or 90m"`
}

type troubling struct {
	Rules []string `json:"rules,omitempty" jsonschema:"rules to add, such as: reset-after path=/v3/refund/* count=1"`
	Clear bool     `json:"clear,omitempty" jsonschema:"remove the rules that there are, first"`
}

type reading struct {
	Last int `json:"last,omitempty" jsonschema:"how many requests, the newest ones, 1 to 100; 20 if left out"`
}

func (s *server) addSandbox(p *mcp.Server) {
	tool(p, "sandbox_start", "Start a sandbox of the platform on this machine, or start it anew, and return the variables that connect a "+
		"client. It checks every signature and moves no money; its keys are for tests alone.", false, s.start)
	tool(p, "sandbox_stop", "Stop the sandbox. What happened in it is forgotten.", false, s.stop)
	tool(p, "sandbox_call", "Call an operation of the sandbox as its merchant.", false, s.practise)
	tool(p, "sandbox_pay", "Let the user of the sandbox pay an order.", false, s.pay)
	tool(p, "sandbox_clock", "Let time pass in the sandbox: orders expire, refunds end, notifications are repeated.", false, s.pass)
	tool(p, "sandbox_fault", "Let calls of the sandbox go wrong, by rules of one line: a kind, then method, path, p, count, skip, delay, "+
		"status, code as name=value.", false, s.trouble)
	tool(p, "sandbox_journal", "List the last requests of the sandbox, why they were rejected, and what took effect.", true, s.journal)
}

// started returns the sandbox.
func (s *server) started() (*sandbox.Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway == nil {
		return nil, errors.New("no sandbox runs: call sandbox_start first")
	}
	return s.gateway, nil
}

func (s *server) start(context.Context, nothing) (string, error) {
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

func (s *server) stop(context.Context, nothing) (string, error) {
	if _, err := s.started(); err != nil {
		return "", err
	}
	s.close()
	return "the sandbox has stopped", nil
}

func (s *server) practise(ctx context.Context, in practising) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	options := []wxpay.Option{wxpay.WithLogger(nil), wxpay.WithCatalog(s.sh.Facts()), wxpay.WithAttempts(1)}
	switch in.Language {
	case "", "zh-CN", "en":
		options = append(options, wxpay.WithLanguage(in.Language))
	default:
		return "", fmt.Errorf("the language %q is not zh-CN or en", in.Language)
	}
	if in.Language == "" {
		options = options[:len(options)-1]
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, options...)
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := in.complete(); err != nil {
		return "", err
	}
	res, err := in.chain(client).Do(ctx, in.Method, in.body())
	return told(res, err)
}

// told returns what a call brought.
func told(res *wxpay.Response, err error) (string, error) {
	var rejected *wxpay.APIError
	switch {
	case errors.As(err, &rejected):
		own := fmt.Sprintf("status %d, %s\n%s", rejected.Status, wxpay.OutcomeOf(err), rejected.Hint)
		return foreign(strings.TrimSpace(own), string(rejected.Raw)), nil
	case err != nil:
		return "", err // it tells the outcome
	}
	return foreign(fmt.Sprintf("status %d, signature verified: %t", res.Status, res.Verified), string(res.Raw())), nil
}

func (s *server) pay(_ context.Context, in paying) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	id, err := gateway.Users.Pay(in.Number)
	return "paid, transaction_id " + id, err
}

func (s *server) pass(_ context.Context, in passing) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	d, err := time.ParseDuration(in.Forward)
	if err != nil || d < 0 {
		return "", fmt.Errorf("forward is %q: it must be a duration such as 25h", in.Forward)
	}
	if err := gateway.Clock.Jump(d); err != nil {
		return "", err
	}
	return "the clock shows " + gateway.Clock.String(), nil
}

func (s *server) trouble(_ context.Context, in troubling) (string, error) {
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
	fmt.Fprintln(&out, "the rules now:")
	for _, rule := range gateway.Faults.All() {
		fmt.Fprintln(&out, rule)
	}
	counts := gateway.Faults.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&out, "hits of %s so far: %d\n", kind, counts[kind])
	}
	return out.String(), nil
}

func (s *server) journal(_ context.Context, in reading) (string, error) {
	gateway, err := s.started()
	if err != nil {
		return "", err
	}
	const usual, most = 20, 100
	if in.Last < 0 || in.Last > most {
		return "", fmt.Errorf("last is %d: it must be 1 to %d", in.Last, most)
	}
	if in.Last == 0 {
		in.Last = usual
	}
	var requests, effects strings.Builder
	all := gateway.Journal.All()
	for _, e := range all[max(0, len(all)-in.Last):] {
		fmt.Fprintln(&requests, e)
		if e.Explanation != "" {
			fmt.Fprintln(&requests, e.Explanation)
		}
	}
	list := gateway.Ledger.Effects()
	for _, e := range list[max(0, len(list)-in.Last):] {
		fmt.Fprintf(&effects, "%s %s %d fen %s\n", e.Kind, e.Number, e.Amount, e.State)
	}
	return foreign(fmt.Sprintf("%d requests and %d effects in all; the last requests, then the last effects:", len(all), len(list)),
		requests.String()+"\n"+effects.String()), nil
}
