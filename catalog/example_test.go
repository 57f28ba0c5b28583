package catalog_test

import (
	"fmt"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

func ExampleCatalog_Lookup() {
	operation, ok := catalog.V3().Lookup("GET", "/v3/pay/transactions/out-trade-no/ORDER%2F1")
	fmt.Println(ok, operation.Path)
	for _, member := range operation.In.Query {
		fmt.Println(member.Name, member.Type, member.Required)
	}
	// Output:
	// true /v3/pay/transactions/out-trade-no/{out_trade_no}
	// mchid string true
}

func ExampleCatalog_Methods() {
	fmt.Println(catalog.V3().Methods("/v3/global/customs/orders"))
	// Output: [GET POST PATCH]
}

func ExampleCatalog_Search() {
	for _, operation := range catalog.V3().Search("native下单 v3/pay") {
		fmt.Println(operation.Method, operation.Path, operation.Name)
	}
	// Output:
	// POST /v3/pay/transactions/native Native下单
	// POST /v3/pay/partner/transactions/native Native下单
}

func ExampleCatalog_Nearest() {
	fmt.Println(catalog.V3().Nearest("/v3/pay/transaction/natvie", 1))
	// Output: [/v3/pay/transactions/native]
}

func ExampleCatalog_Event() {
	event, ok := catalog.V3().Event("REFUND.SUCCESS")
	fmt.Println(ok, event.OriginalTypes, event.Algorithm)
	fmt.Println(fact.DocURL(event.Docs[0]))
	// Output:
	// true [refund] AEAD_AES_256_GCM
	// https://pay.weixin.qq.com/doc/v3/merchant/4012791865
}

func ExampleCatalog_All() {
	brands := 0
	for operation := range catalog.V3().All() {
		if operation.Scheme == fact.BrandScheme {
			brands++
		}
	}
	fmt.Println(brands, "operations are for brands")
	// Output: 58 operations are for brands
}
