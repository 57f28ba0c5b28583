package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m096: the private key stands in the source.
// want wxsecret
func m096(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := wxpay.LoadPrivateKey("-----BEGIN PRIVATE" + " KEY-----\nnothing\n-----END")
	return err
}
