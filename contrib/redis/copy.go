package wxredis

import (
	"context"
	_ "embed"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed copy.lua
var copyText string

var copyScript = redis.NewScript(copyText)

// copyMark begins every copy, so that the values of others are recognized.
const copyMark = "wxpay 1\n"

// copies are those of certificate lists.
type copies struct{ server *server }

// Load is part of [wxpay.KeyStore]. If the server cannot be used it fails: the client then goes on
// with the certificates that it has, or fetches the list from the platform.
func (c *copies) Load(ctx context.Context, name string) ([]byte, error) {
	key := c.server.prefix + "keys:" + name
	text, err := ask(ctx, c.server.patience, func(ctx context.Context) (string, error) { return c.server.client.Get(ctx, key).Result() })
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, c.server.foreign(key)
	case err != nil:
		return nil, err
	}
	copied, ours := strings.CutPrefix(text, copyMark)
	if !ours {
		return nil, c.server.foreign(key)
	}
	return []byte(copied), nil
}

// Save is part of [wxpay.KeyStore]. The copy has no expiry.
func (c *copies) Save(ctx context.Context, name string, copied []byte) error {
	_, err := c.server.run(ctx, copyScript, c.server.prefix+"keys:"+name, copyMark, copied)
	return err
}
