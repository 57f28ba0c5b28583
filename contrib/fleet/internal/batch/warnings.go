package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/middleware"
)

// shownWarnings is how many different warnings of the checks before sending are shown.
const shownWarnings = 20

// unanswered tells of calls that had no response, each reason once a minute: what becomes of them may take long to be known.
func (p *program) unanswered() func(context.Context, middleware.Observation) {
	told := &troubles{p: p}
	return func(ctx context.Context, o middleware.Observation) {
		if o.Err == nil || ctx.Err() != nil || errors.Is(o.Err, middleware.ErrLimited) || errors.Is(o.Err, fleet.ErrKeptBack) {
			return
		}
		reason := o.Err
		var network *net.OpError
		if errors.As(reason, &network) { // what stands around it may not be unwrapped
			reason = network
		}
		for next := reason; next != nil; next = errors.Unwrap(next) {
			reason = next // the innermost names no port, which is another one each time
		}
		told.tell(fmt.Errorf("a call had no response: %w; going on", reason))
	}
}

// warnings is a slog.Handler that tells each warning of the checks once, rather than for each of a million lines.
type warnings struct {
	p    *program
	mu   sync.Mutex
	told map[string]bool
}

func (*warnings) Enabled(_ context.Context, level slog.Level) bool { return level == slog.LevelWarn }

func (w *warnings) Handle(_ context.Context, record slog.Record) error {
	if record.Message != "wxpay preflight" { // what a call met is in its result
		return nil
	}
	said := make(map[string]string)
	record.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.String()
		return true
	})
	text := said["place"] + " " + said["pointer"]
	if said["label"] != "" {
		text += " (" + said["label"] + ")"
	}
	text += ": " + said["finding"]
	if said["certainty"] != "" {
		text += " (" + said["certainty"] + ")"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.told[text] || len(w.told) > shownWarnings || said["finding"] == "":
		return nil
	case w.told == nil:
		w.told = make(map[string]bool)
	}
	if w.told[text] = true; len(w.told) > shownWarnings {
		text = "more than that is not as documented"
	}
	w.p.warn("Warning, told once: %s", printable(text))
	return nil
}

func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

func (w *warnings) WithGroup(string) slog.Handler { return w }
