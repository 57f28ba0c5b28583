package wxredis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is where everything is kept.
type server struct {
	client   redis.UniversalClient
	prefix   string
	patience time.Duration
}

// patience bounds one question to the server. It leaves a delivery time for a response.
const patience = 2 * time.Second

// errForeign means that a key holds the value of another program.
var errForeign = errors.New("holds a value of another program: nothing was changed; choose another prefix (WithPrefix)")

func (s *server) foreign(key string) error {
	return fmt.Errorf("wxredis: the key %q %w", key, errForeign)
}

// key is the key of what name identifies. It is a digest: a name may be long, and may contain
// numbers of orders, which do not belong into other people's lists of keys.
func (s *server) key(kind, name string) string { return s.prefix + kind + ":" + digest(name) }

func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// run runs a script on its one key. Every script returns -1 first if the key is not of its form.
func (s *server) run(ctx context.Context, script *redis.Script, key string, args ...any) ([]int64, error) {
	reply, err := ask(ctx, s.patience, func(ctx context.Context) ([]int64, error) {
		return script.Run(ctx, s.client, []string{key}, args...).Int64Slice()
	})
	switch {
	case err != nil:
		return nil, err
	case len(reply) != 2:
		return nil, fmt.Errorf("wxredis: the server returned %d values, not 2", len(reply))
	case reply[0] < 0:
		return nil, s.foreign(key)
	}
	return reply, nil
}

// ask asks the server, and stops waiting after patience or at the end of ctx. A client without
// ContextTimeoutEnabled does not look at ctx while it waits for a reply; such a question ends in
// the background by the timeouts of the client.
func ask[T any](ctx context.Context, patience time.Duration, question func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no reply within %s", patience))
	defer cancel()
	type reply struct {
		value T
		err   error
	}
	replies := make(chan reply, 1)
	go func() {
		r := reply{err: errors.New("the client ended its goroutine")}
		defer func() {
			if cause := recover(); cause != nil { // a hook of the user's
				r.err = fmt.Errorf("the client panicked with a %T", cause)
			}
			replies <- r
		}()
		r.value, r.err = question(bounded)
	}()
	var r reply
	select {
	case r = <-replies:
	case <-bounded.Done():
		r.err = context.Cause(bounded)
	}
	if r.err != nil {
		return r.value, fmt.Errorf("wxredis: asking the server: %w", r.err)
	}
	return r.value, nil
}
