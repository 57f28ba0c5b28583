package bill

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// invention makes up the rows of a day.
type invention struct {
	day      string
	rows     int64
	seed     uint64
	merchant string
}

// invention makes the rows of a day up.
func (f *Flow) invention(day time.Time) *invention {
	seed := uint64(0)
	for _, b := range []byte(f.ID + day.Format(time.DateOnly)) {
		seed = seed*31 + uint64(b)
	}
	return &invention{day: day.Format(time.DateOnly), rows: max(f.rows, 1), seed: seed ^ f.Seed, merchant: f.ID}
}

// at is when a row happened: the day passes evenly.
func (v *invention) at(i int64) string {
	second := i % v.rows * (24 * 60 * 60) / v.rows
	b := append(make([]byte, 0, len(time.DateTime)), v.day...)
	for i, n := range [...]int64{second / 3600, second / 60 % 60, second % 60} {
		b = append(b, " ::"[i], byte('0'+n/10), byte('0'+n%10))
	}
	return string(b)
}

// number is a number of the row, size characters long.
func (v *invention) number(prefix string, size int, i int64) string {
	b := append(make([]byte, 0, size), prefix...)
	b = append(append(append(b, v.day[:4]...), v.day[5:7]...), v.day[8:]...)
	digits := len(decimal(i))
	for len(b)+digits < size {
		b = append(b, '0')
	}
	return string(append(b, decimal(i)...))
}

// draw is a number that looks like chance (SplitMix64).
func (v *invention) draw(i int64) uint64 {
	x := v.seed + uint64(i+1)*0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (v *invention) amount(i int64) int64 { return int64(v.draw(i)%100_000) + 1 }

// trade is a payment, and a refund in every tenth row of a bill of both.
func (v *invention) trade(i int64, kind string) trade {
	t := trade{
		at: v.at(i), appid: say.SampleAppID, mchid: v.merchant, transaction: v.number("4200001234", 28, i), number: v.number("T", 24, i), openid: say.AnyPayer, way: "JSAPI",
		goods: "商品 " + decimal(i), total: v.amount(i),
	}
	if kind == "REFUND" || kind == "ALL" && v.draw(i)>>32%10 == 0 {
		t.refund = t.total
		t.refundID, t.refundNumber, t.refundState, t.asked, t.refundedAt = v.number("5030", 29, i), v.number("R", 24, i), "SUCCESS", t.at, t.at
	}
	return t
}

// flow is what came in; an invented account only grows, by the same sum.
func (v *invention) movement(i int64) movement {
	const sum = 100
	return movement{
		at: v.at(i), business: v.number("4200001234", 28, i), serial: v.number("F", 28, i), name: "交易", kind: "交易", by: "system", voucher: v.number("T", 24, i),
		amount: sum, balance: openingBalance + sum*(i+1),
	}
}

func (v *invention) shareRow(i int64) shareRow {
	return shareRow{
		at: v.at(i), by: v.merchant, payer: v.merchant, transaction: v.number("4200001234", 28, i), order: v.number("3008450740", 28, i), detail: v.number("3601", 28, i),
		number: v.number("P", 24, i), receiver: "1900000110", kind: "分账", state: "处理成功", description: "分给商户", total: v.amount(i) * 2, amount: v.amount(i),
	}
}

func (v *invention) withdrawal(i int64) withdrawal {
	return withdrawal{at: v.at(i), id: v.number("1201", 28, i), number: v.number("W", 24, i), reason: "银行卡信息有误", amount: v.amount(i)}
}
