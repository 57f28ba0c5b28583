package wxredis

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/wxpay-go/wxpay"
)

func init() {
	wxpay.RegisterStore("redis", open)
	wxpay.RegisterStore("rediss", open)
}

// open opens the store of a URL for wxpay.Config. It makes no connection yet.
func open(_ context.Context, url string) (wxpay.Store, error) {
	options, err := redis.ParseURL(url)
	if err != nil { // it may repeat the password
		return wxpay.Store{}, errors.New("wxredis: it is not a URL such as redis://user:password@host:6379/0 (rediss for TLS) with the options of go-redis")
	}
	client := redis.NewClient(options)
	store, err := New(client)
	if err != nil {
		return wxpay.Store{}, errors.Join(err, client.Close())
	}
	return wxpay.Store{Keys: store, Limiter: store, Close: client.Close}, nil
}
