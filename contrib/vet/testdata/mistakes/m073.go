package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m073: the list of complaints is called list.
// want wxresponse
func m073(ctx context.Context, client *wxpay.Client, o order) error {
	for complaint, err := range client.Chain("v3/merchant-service/complaints-v2").Query("begin_date", o.Day).Query("end_date", o.Day).Each(ctx, "complaints") {
		if err != nil {
			return err
		}
		if err := o.set(complaint.Get("complaint_id").String()); err != nil {
			return err
		}
	}
	return nil
}
