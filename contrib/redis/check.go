package wxredis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrMayEvict means that the server may drop keys when its memory is full, or does not tell whether
// it may. A dropped event is processed again if it is delivered again, and a dropped limit lets
// twice the rate through within a second. Only maxmemory-policy noeviction keeps everything.
var ErrMayEvict = errors.New("the server may evict what has to be kept")

// Check reports whether the server can be used: it claims and releases an event of its own, and
// reads the policy of eviction of each server ([ErrMayEvict]). Call it when the program starts, and
// decide whether to start without the server.
func (s *Store) Check(ctx context.Context) error {
	event, owner := "check "+rand.Text(), rand.Text()
	for _, step := range []string{"claim", "release"} {
		if _, _, err := s.events.event(ctx, step, event, owner, DefaultLease); err != nil {
			return err
		}
	}
	_, err := ask(ctx, s.server.patience, func(ctx context.Context) (any, error) {
		if cluster, ok := s.server.client.(*redis.ClusterClient); ok {
			return nil, cluster.ForEachMaster(ctx, checkEviction)
		}
		return nil, checkEviction(ctx, s.server.client)
	})
	return err
}

func checkEviction[C redis.Cmdable](ctx context.Context, client C) error {
	text, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return fmt.Errorf("%w: it does not tell (INFO memory): %w", ErrMayEvict, err)
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	policy, known := info["maxmemory_policy"]
	switch {
	case !known:
		return fmt.Errorf("%w: INFO memory has no maxmemory_policy", ErrMayEvict)
	case policy != "noeviction" && info["maxmemory"] != "0":
		return fmt.Errorf("%w: its maxmemory-policy is %s, not noeviction", ErrMayEvict, policy)
	}
	return nil
}
