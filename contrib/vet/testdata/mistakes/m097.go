package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m097: a picture is posted as JSON.
// want wxupload
func m097(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/merchant/media/upload").Post(ctx, wxpay.JSON{"file": o.Title})
	return err
}
