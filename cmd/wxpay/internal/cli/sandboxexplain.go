package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/sandbox"
)

func sandboxExplainCommand(run func(ctx context.Context, id string) error) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ID]",
		Short: "Tell why the running sandbox refused a request",
		Long: `Tell why the running sandbox refused a request: the likely cause, what to do about it, and how sure that is. Where a
signature does not fit, the five lines that the platform signed stand beside those that the client signed, with the first byte
that differs: a signature opens with the public key, so it shows for certain which of the known mistakes was made.

ID is the Request-ID of the answer; without it, the last refused request is meant. The sandbox is the one that
WXPAY_BASE_URL names; it remembers the last 1,000 requests.

Exit codes:
  0  it is told
  1  the sandbox has no such request, or did not refuse it
  2  wrong usage
  4  no sandbox listens there`,
		Example: `  wxpay sandbox explain
  wxpay sandbox explain 2F0D9E52E0B1465D8B6D4E7E0C1F3A5B-268443699`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usageError("there are %d ids, one is explained at a time", len(args))
			case len(args) == 0:
				args = []string{""}
			}
			return run(command.Context(), args[0])
		},
	}
}

// explainTimeout bounds the question to a sandbox on this machine.
const explainTimeout = 10 * time.Second

func (p *program) sandboxExplain(ctx context.Context, id string) error {
	base, ok := p.lookup("WXPAY_BASE_URL")
	if !ok || base == "" {
		return usageError("WXPAY_BASE_URL is not set: paste the lines that wxpay sandbox prints into this shell")
	}
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	target := strings.TrimSuffix(base, "/") + sandbox.ControlPath + "journal/explain"
	if id != "" {
		target += "?id=" + url.QueryEscape(id)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return usageError("WXPAY_BASE_URL: %w", err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return &exitError{exitNotSent, err}
	}
	defer answer.Body.Close()
	var told struct {
		Explanation string `json:"explanation"`
		Message     string `json:"message"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	switch {
	case err != nil || answer.StatusCode != http.StatusOK && told.Message == "":
		return &exitError{exitNotSent, fmt.Errorf("what listens on %s is no sandbox: it answered %s", base, answer.Status)}
	case answer.StatusCode != http.StatusOK:
		return &exitError{exitRefused, errors.New(told.Message)}
	}
	return p.write(bytes.NewBufferString(printable(told.Explanation) + "\n"))
}
