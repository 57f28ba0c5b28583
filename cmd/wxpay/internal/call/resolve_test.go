package call_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// The numbers of a call stand in its query where the catalogue says, the own one among them.
func TestResolveQueriesByTheNumbers(t *testing.T) {
	gateway := clitest.NewGateway(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"own number", []string{"v3/pay/transactions/jsapi", "A-1"}, "/v3/pay/transactions/out-trade-no/A-1?mchid=1900000109"},
		{"service provider", []string{"POST", "/v3/pay/partner/transactions/jsapi", "A-1", "1900000110"},
			"/v3/pay/partner/transactions/out-trade-no/A-1?sp_mchid=1900000109&sub_mchid=1900000110"},
		{"optional numbers are fields", []string{"v3/refund/domestic/refunds", "R-1", "-f", "sub_mchid=1900000110"},
			"/v3/refund/domestic/refunds/R-1?sub_mchid=1900000110"},
		{"overseas merchant", []string{"v3/global/refunds", "R-1"}, "/v3/global/refunds/out-refund-no/R-1?mchid=1900000109"},
		{"overseas provider", []string{"v3/global/refunds", "-f", "sub_mchid=1900000110", "R-1"},
			"/v3/global/refunds/out-refund-no/R-1?sp_mchid=1900000109&sub_mchid=1900000110"},
		{"number in the path", []string{"v3/payscore/serviceorder/{out_order_no}/cancel", "S-1", "500001", "wxd678efh567hg6787"},
			"/v3/payscore/serviceorder?out_order_no=S-1&service_id=500001&appid=wxd678efh567hg6787"},
		{"number in the path by --var", []string{"v3/payscore/serviceorder/{out_order_no}/cancel", "500001", "wxd678efh567hg6787",
			"--var", "out_order_no=S-1"}, "/v3/payscore/serviceorder?out_order_no=S-1&service_id=500001&appid=wxd678efh567hg6787"},
		{"whole body", []string{"v3/refund/domestic/refunds", "-d", `{"out_refund_no":"R-1","amount":{"total":2}}`},
			"/v3/refund/domestic/refunds/R-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(gateway.Requests())
			code, stdout, stderr := gateway.Run(append([]string{"resolve"}, test.args...)...)
			assert.Equal(t, 3, code, stderr) // the response {} shows nothing
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "it is not known how it ended")
			requests := gateway.Requests()[before:]
			if assert.Len(t, requests, 1) {
				assert.Equal(t, "GET", requests[0].Method)
				assert.Equal(t, test.want, requests[0].Target)
			}
		})
	}
}
