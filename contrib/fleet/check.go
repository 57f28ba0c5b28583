package fleet

import (
	"context"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/fact"
)

// Check makes the checks of [Queue.Submit] that need no queue, and fills in Method and Number.
// Nothing is sent.
func (j *Job) Check(ctx context.Context, client *wxpay.Client) error {
	err := j.complete()
	if err == nil {
		return j.check(ctx, client)
	}
	if j.facts() == nil && j.Path != "" && j.Number == "" { // that nobody knows the operation is the better reason
		if wrong := j.check(ctx, client); wrong != nil {
			return wrong
		}
	}
	return err
}

// Amounts returns the amounts of the request in fen, by the names of their fields, such as
// amount.refund. The amounts of a list are added (receivers.amount). It has those that the
// catalogue documents as fen.
func (j *Job) Amounts() map[string]int64 {
	operation := j.facts()
	if operation == nil || len(j.Body) == 0 {
		return nil
	}
	sums := make(map[string]int64)
	addAmounts(sums, "", operation.In.JSON, gjson.ParseBytes(j.Body))
	if len(sums) == 0 {
		return nil
	}
	return sums
}

func addAmounts(sums map[string]int64, within string, fields []fact.Field, object gjson.Result) {
	object.ForEach(func(key, value gjson.Result) bool {
		for i := range fields {
			f := &fields[i]
			if !f.Named(key.String()) {
				continue
			}
			switch {
			case f.Unit == fact.Fen && value.Type == gjson.Number:
				sums[within+f.Name] += value.Int()
			case f.Type == fact.Object:
				addAmounts(sums, within+f.Name+".", f.Fields, value)
			case f.Type == fact.Objects && value.IsArray():
				value.ForEach(func(_, element gjson.Result) bool {
					addAmounts(sums, within+f.Name+".", f.Fields, element)
					return true
				})
			}
		}
		return true
	})
}
