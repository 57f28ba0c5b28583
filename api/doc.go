// Package api is the pure chain: every documented operation of WeChat Pay APIv3 with one method per path segment,
// completed by the editor and checked by the compiler.
//
//	res, err := api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("ABC-001").Query("mchid", "1900000109").Get(ctx)
package api

//go:generate go run ./internal/gen
