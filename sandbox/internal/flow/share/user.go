package share

import (
	"fmt"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// NotifySharesAt sets where the merchant is notified of every share that arrived and every return:
// PROFITSHARING.SUCCESS and PROFITSHARING.RETURN. In reality the address is set in the merchant
// platform, for no request carries it. Empty, the default, is for nobody.
func (f *Flow) NotifySharesAt(address string) error {
	if err := visible.Word(address); err != nil {
		return fmt.Errorf("sandbox: NotifySharesAt: of the address %s, %w", redact.Quote(address), err)
	}
	b, _ := f.Begin()
	f.url.Put("", address)
	return b.End()
}

// SetBalance sets what a merchant who receives shares has to return them from, fen. Shares that
// arrive later add to it. Until it is set a merchant can return everything; a negative sum makes it
// so again.
func (f *Flow) SetBalance(merchantID string, fen int64) error {
	if err := say.CheckMerchantNumber("SetBalance", merchantID); err != nil {
		return err
	}
	b, _ := f.Begin()
	if fen < 0 {
		f.balances.Delete(merchantID)
	} else {
		f.balances.Put(merchantID, fen)
	}
	return b.End()
}
