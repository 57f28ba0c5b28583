package wxpay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// PreflightMode chooses the effect of the findings of the checks before sending.
type PreflightMode uint8

const (
	// PreflightWarn logs findings at level Warn and still sends the call. It is the default.
	PreflightWarn PreflightMode = iota
	// PreflightStrict fails a call with a finding that is certain enough (not a [Finding].Warning),
	// before anything is sent: the error is a *[PreflightError]. All other findings are logged.
	PreflightStrict
)

// WithPreflight chooses the effect of the findings of the checks before sending, which compare
// every call with the catalogue ([WithCatalog]). The default is PreflightWarn. PreflightStrict
// fails a call for a certain mistake: a call that contradicts itself or a rule of the protocol, a
// JSON type that no source allows, a missing field that two independent sources require. Everything
// else is a warning; [Finding].Kind lists the kinds and their evidence. WithPreflight can silence
// kinds:
//
//	wxpay.WithPreflight(wxpay.PreflightStrict, "unknown field", "superseded operation")
//
// Findings go to the logger of [WithLogger], by default to slog.Default(). Each goes once for its
// operation and place, so that neither the next call nor the next element of an array repeats it.
// After 1000 findings a client logs no more. The error of a call that the platform rejects has all
// its findings, logged or not ([APIError].Hint).
func WithPreflight(mode PreflightMode, silenced ...string) Option {
	return func(c *config) error {
		if mode > PreflightStrict {
			return fmt.Errorf("WithPreflight: the mode %d is not one of PreflightWarn, PreflightStrict", mode)
		}
		for _, kind := range silenced {
			if !slices.Contains(preflight.Kinds, kind) {
				return fmt.Errorf("WithPreflight: %s is not a kind of finding; the kinds are %s", redact.Quote(kind), strings.Join(preflight.Kinds, ", "))
			}
		}
		c.strict, c.silenced, c.told = mode == PreflightStrict, slices.Clone(silenced), nil
		return nil
	}
}
