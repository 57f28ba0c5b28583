package cli

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"

	"github.com/wxpay-go/wxpay"
)

// checking returns the options of a client that checks calls in the way that is asked for.
func (p *program) checking(o callOptions) []wxpay.Option {
	if o.noCheck {
		return nil
	}
	mode := wxpay.PreflightWarn
	if o.strict {
		mode = wxpay.PreflightStrict
	}
	return []wxpay.Option{wxpay.WithPreflight(mode), wxpay.WithLogger(slog.New(findings{p}))}
}

// findings is a log handler that shows findings of the checks on stderr, one line each, and nothing else: what else the
// client logs about a call the person sees anyway.
type findings struct{ p *program }

func (findings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (f findings) Handle(_ context.Context, record slog.Record) error {
	attrs := make(map[string]string)
	record.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.String()
		return true
	})
	text, found := attrs["finding"]
	if !found {
		return nil
	}
	if place := attrs["place"]; place != "" {
		if pointer := attrs["pointer"]; pointer != "" {
			place += " " + pointer
		}
		if label := attrs["label"]; label != "" {
			place += " (" + label + ")"
		}
		text = place + ": " + text
	}
	if certainty := attrs["certainty"]; certainty != "" {
		text += " (" + certainty + ")"
	}
	f.p.note("warning: %s", printable(inFlags(text)))
	return nil
}

// WithAttrs and WithGroup return the handler itself: nothing that is shown comes by them.
func (f findings) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f findings) WithGroup(string) slog.Handler      { return f }

// goRemedy is a remedy in the words of Go, as findings have it.
var goRemedy = regexp.MustCompile(`call (Query|Header)\("([^"]*)", …\)`)

// inFlags puts the remedies of a finding into the words of flags.
func inFlags(text string) string {
	text = goRemedy.ReplaceAllStringFunc(text, func(remedy string) string {
		parts := goRemedy.FindStringSubmatch(remedy)
		if parts[1] == "Query" {
			return "give -q " + parts[2] + "=…"
		}
		return "give -H '" + parts[2] + ": …'"
	})
	return strings.ReplaceAll(text, "make a client with WithBaseURL", "set WXPAY_BASE_URL")
}

// refusedByChecks returns what to tell of a call that --strict refused: every finding on a line of its own.
func refusedByChecks(err error) (text string, ok bool) {
	var refused *wxpay.PreflightError
	if !errors.As(err, &refused) {
		return "", false
	}
	var b strings.Builder
	b.WriteString("the checks before sending found:")
	for _, finding := range refused.Findings {
		b.WriteString("\n  ")
		if finding.Warning {
			b.WriteString("warning: ")
		}
		b.WriteString(inFlags(finding.String()))
	}
	b.WriteString("\nNothing was sent. Without --strict these are warnings.")
	return b.String(), true
}
