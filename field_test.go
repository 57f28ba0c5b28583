package wxpay_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// TestFieldOfARecentError: responses of the last years name the wrong field in the message alone.
func TestFieldOfARecentError(t *testing.T) {
	for name, test := range map[string]struct{ body, field string }{
		"in the body":    {`{"code":"PARAM_ERROR","message":"输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1","detail":{"location":"body","value":0}}`, "/amount/total"},
		"in the path":    {`{"code":"PARAM_ERROR","message":"输入源“/uri_template/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败","detail":{"location":"uri_template","value":35}}`, "out_trade_no"},
		"another place":  {`{"code":"PARAM_ERROR","message":"输入源“/body/a”","detail":{"location":"query","value":1}}`, ""},
		"not closed":     {`{"code":"PARAM_ERROR","message":"输入源“/body/a","detail":{"location":"body","value":1}}`, ""},
		"no place":       {`{"code":"PARAM_ERROR","message":"输入源“//a”","detail":{"value":1}}`, ""},
		"as documented":  {`{"code":"PARAM_ERROR","message":"输入源“/body/a”","detail":{"field":"/b","location":"body","value":1}}`, "/b"},
		"without detail": {`{"code":"PARAM_ERROR","message":"输入源“/body/a”"}`, ""},
	} {
		client := newClient(t, wxpay.WithTransport(answer{status: 400, body: test.body, unsigned: true, header: http.Header{}}))
		_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		var rejection *wxpay.APIError
		require.ErrorAs(t, err, &rejection, name)
		if rejection.Detail != nil {
			assert.Equal(t, test.field, rejection.Detail.Field, name)
		}
	}
}
