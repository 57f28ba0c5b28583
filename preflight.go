package wxpay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// PreflightMode says what happens to the findings of the checks before sending.
type PreflightMode uint8

const (
	// PreflightWarn logs findings at level Warn and sends all the same. It is the default.
	PreflightWarn PreflightMode = iota
	// PreflightStrict fails a call with a finding that is certain enough ([Finding].Warning tells),
	// before anything is sent: its error is a *[PreflightError]. All other findings are logged.
	PreflightStrict
)

// WithPreflight sets what happens to the findings of the checks before sending, which compare every
// call with the catalogue ([WithCatalog]). The default is PreflightWarn. PreflightStrict fails a
// call for a certain mistake: a call that contradicts itself or a rule of the protocol, a JSON type
// that no source allows, a missing field that two independent sources require. Everything else is a
// warning; [Finding].Kind lists the kinds and their grounds. It can silence the kinds that get in
// your way:
//
//	wxpay.WithPreflight(wxpay.PreflightStrict, "unknown field", "superseded operation")
//
// Findings go to the logger of [WithLogger], and nowhere without one: each once for its operation
// and place, so that neither the next call nor the next element of an array says it again; after
// 1000 a client logs no more. Logged or not, the findings of a call that the platform rejects stand
// in its error ([APIError].Hint).
func WithPreflight(mode PreflightMode, silenced ...string) Option {
	return func(c *config) error {
		if mode > PreflightStrict {
			return fmt.Errorf("WithPreflight: the mode %d is not one of PreflightWarn, PreflightStrict", mode)
		}
		for _, kind := range silenced {
			if !slices.Contains(preflight.Kinds, kind) {
				return fmt.Errorf("WithPreflight: %s is no kind of finding; the kinds are %s", redact.Quote(kind), strings.Join(preflight.Kinds, ", "))
			}
		}
		c.strict, c.silenced, c.told = mode == PreflightStrict, slices.Clone(silenced), nil
		return nil
	}
}
