package wxredis

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// OnlyMessages makes Wait rely on messages.
func (s *Store) OnlyMessages() { s.events.askAgain = 24 * time.Hour }

// SetPatience bounds questions to the server.
func (s *Store) SetPatience(d time.Duration) { s.server.patience = d }

// Admit is Acquire that returns when it admitted the request.
func (s *Store) Admit(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (time.Time, error) {
	return s.admit(ctx, key, documented)
}

// Keys of an event, a limit and a copy.
func (s *Store) EventKey(key string) string { return s.server.key("event", key) }

func (s *Store) LimitKey(key middleware.LimitKey) string {
	return s.server.key("limit", key.Identity+"\n"+key.Method+"\n"+key.Template)
}

func (s *Store) CopyKey(name string) string { return s.server.prefix + "keys:" + name }

// Channel is that of the messages.
func (s *Store) Channel() string { return s.events.ends.channel }

// ShareWait takes places of a share.
func ShareWait(rate, processes int) func(context.Context) (time.Time, error) {
	return newShare(rate, processes).wait
}
