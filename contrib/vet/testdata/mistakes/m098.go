package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m098: a film is uploaded as a picture.
// want wxupload
func m098(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt("shop.mp4"))
	return err
}
