package request

import (
	"context"
	"log/slog"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// findings is a log handler that shows the findings of the checks on stderr, one line each. It shows nothing else, for the
// command itself prints errors.
type findings struct{ sh *shell.Shell }

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
	f.sh.Note("warning: %s", f.sh.Finding(attrs["place"], attrs["pointer"], attrs["label"], text, attrs["certainty"]))
	return nil
}

// WithAttrs and WithGroup return the handler itself: findings come without either.
func (f findings) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f findings) WithGroup(string) slog.Handler      { return f }
