package gosource_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/internal/gosource"
)

func TestExported(t *testing.T) {
	for name, want := range map[string]string{
		"out_trade_no": "OutTradeNo", "user-feeds": "UserFeeds", "h5": "H5", "sub_mchid": "SubMchid", "transaction_id": "TransactionID", "": "",
	} {
		assert.Equal(t, want, gosource.Exported(name), name)
	}
	assert.Equal(t, []string{"Out", "Trade", "No"}, gosource.Words("out_trade_no"))
}

func TestFill(t *testing.T) {
	long := strings.Repeat("长", 8)
	assert.Equal(t, []string{"- a bc", "  " + long, "  d"}, gosource.Fill("- ", "  ", "a  bc\n"+long+" d", 6))
	assert.Equal(t, []string{"- a bc d"}, gosource.Fill("- ", "  ", "a bc d", 8), "as wide as it may be")
	assert.Equal(t, []string{""}, gosource.Fill("- ", "  ", " ", 8))
}
