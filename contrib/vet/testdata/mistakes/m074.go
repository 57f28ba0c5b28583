package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m074: a complaint is read by id.
// want wxresponse
func m074(ctx context.Context, client *wxpay.Client, o order) error {
	for complaint, err := range client.Chain("v3/merchant-service/complaints-v2").Query("begin_date", o.Day).Query("end_date", o.Day).Each(ctx, "data") {
		if err != nil {
			return err
		}
		if err := o.set(complaint.Get("complain_id").String()); err != nil {
			return err
		}
	}
	return nil
}
