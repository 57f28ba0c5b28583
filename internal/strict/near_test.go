package strict_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/strict"
)

func TestUndocumented(t *testing.T) {
	fields := []fact.Field{
		{Name: "amount", Type: fact.Object, Fields: []fact.Field{{Name: "total", Type: fact.Integer}, {Name: "payer_total", Type: fact.Integer}}},
		{Name: "promotion_detail", Alt: []string{"promotions"}, Type: fact.Type("object[]"), Fields: []fact.Field{{Name: "coupon_id", Type: fact.String}}},
		{Name: "extra", Type: fact.Object}, {Name: "state", Type: fact.String},
	}
	for path, want := range map[string]struct {
		near         string
		undocumented bool
	}{
		"amount":                       {},
		"amount.total":                 {},
		"promotions.0.coupon_id":       {},
		"promotion_detail.#.coupon_id": {},
		"promotion_detail.#":           {},
		"extra.anything":               {},
		"state.deeper":                 {},
		"@this":                        {},
		`amount\.totl`:                 {},
		"#(state==1).totl":             {},
		"":                             {},
		"amount.totl":                  {"amount.total", true},
		"amout.total":                  {"amount", true},
		"Amount":                       {"amount", true},
		"payerTotal":                   {"", true},
		"promotion_detail.0.couponid":  {"promotion_detail.0.coupon_id", true},
		"total":                        {"amount.total", true},
		"coupon_id":                    {"promotion_detail.#.coupon_id", true},
		"nonsense":                     {"", true},
	} {
		near, undocumented := strict.Undocumented(fields, path)
		assert.Equal(t, want.near, near, path)
		assert.Equal(t, want.undocumented, undocumented, path)
	}
	_, undocumented := strict.Undocumented(nil, "x")
	assert.False(t, undocumented)
}
