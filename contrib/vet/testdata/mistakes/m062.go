package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m062: the paging field of complaints is misspelt.
// want wxquery
func m062(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/merchant-service/complaints-v2").Query("begin_date", o.Day).Query("end_date", o.Day).Query("ofset", 10).Get(ctx)
	return err
}
