// Package query has queries with mistakes and without.
package query

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay"
)

func right(ctx context.Context, client *wxpay.Client, day time.Time, some map[string]any) {
	client.Chain("v3/bill/tradebill").Query("bill_date", day).Bill(ctx)
	client.Chain("v3/bill/tradebill").Queries(wxpay.JSON{"bill_date": "2026-11-22", "bill_type": "ALL"}).Bill(ctx)
	client.Chain("v3/bill/tradebill").Queries(some).Bill(ctx)
	client.Chain("v3/bill/tradebill").Query("bill_date", day.Format(time.DateOnly)).Bill(ctx)
	client.Chain("v3/pay/transactions/id/{transaction_id}", "42").Query("mchid", "1900000109").Get(ctx)
	client.Chain("v3/pay/transactions/id/{transaction_id}", "42").Get(ctx) // WithDefaults may fill mchid in
	for range client.Chain("v3/merchant-service/complaints-v2").Query("begin_date", day).Query("end_date", day).Each(ctx, "data") {
	}
}

func wrong(ctx context.Context, client *wxpay.Client, day time.Time) {
	client.Chain("v3/bill/tradebill").Bill(ctx)                                                             // want `query of GET /v3/bill/tradebill lacks the required field bill_date \(账单日期\)`
	client.Chain("v3/bill/tradebill").Query("bill_dates", day).Query("bill_date", day).Bill(ctx)            // want `no documented field bill_dates`
	client.Chain("v3/bill/tradebill").Query("bill_date", day).Query("bill_type", "REFUNDS").Bill(ctx)       // want `bill_type is none of the documented constants .*; did you mean REFUND\?`
	client.Chain("v3/bill/tradebill").Query("bill_date", day).Query("tartype", "GZIP").Bill(ctx)            // want `no documented field tartype; did you mean tar_type\?`
	for range client.Chain("v3/merchant-service/complaints-v2").Query("begin_dat", day).Each(ctx, "data") { // want `no documented field begin_dat; did you mean begin_date\?`
	}
}
