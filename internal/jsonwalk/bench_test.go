package jsonwalk_test

import (
	"encoding/json"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// order is a response as a query of an order brings it.
const order = `{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":100,"total":100},"appid":"wxd678efh567hg6787",` +
	`"attach":"一桶金龙鱼油","bank_type":"OTHERS","mchid":"1230000109","out_trade_no":"1217752501201407033233368018","payer":{"openid":` +
	`"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"promotion_detail":[],"success_time":"2018-06-08T10:34:56+08:00","trade_state":"SUCCESS",` +
	`"trade_state_desc":"支付成功","trade_type":"JSAPI","transaction_id":"1217752501201407033233368018"}`

// BenchmarkRead compares the check with those that it takes the place of.
func BenchmarkRead(b *testing.B) {
	text := []byte(order)
	check := func(name string, ok func() bool) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if !ok() {
					b.Fatal("it is not taken")
				}
			}
		})
	}
	check("jsonwalk", func() bool { _, err := jsonwalk.Read(text); return err == nil })
	check("gjson.Valid", func() bool { return gjson.ValidBytes(text) })
	check("json.Valid", func() bool { return json.Valid(text) })
}
