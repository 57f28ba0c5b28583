//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Every kind of bill that the sandbox has comes through one call, is verified, and has its rows.
func TestEveryBill(t *testing.T) {
	noTemporaryFiles(t)
	const rows = 500
	gateway, err := sandbox.New(sandbox.WithBillRows(rows))
	require.NoError(t, err)
	require.NoError(t, gateway.Rules.Relax(sandbox.Rates))
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	require.NoError(t, err)
	day := time.Now().AddDate(0, 0, -3)
	date, plain := day.Format(time.DateOnly), day.Format("20060102")
	for name, tt := range map[string]struct {
		chain  wxpay.Chain
		zips   bool
		sealed bool
	}{
		"trade":          {client.Chain("v3/bill/tradebill").Query("bill_date", date), true, false},
		"fund flow":      {client.Chain("v3/bill/fundflowbill").Query("bill_date", date), true, false},
		"profit sharing": {client.Chain("v3/profitsharing/bills").Query("bill_date", date), true, false},
		"withdraw":       {client.Chain("v3/merchant/fund/withdraw/bill-type/{bill_type}").Var("bill_type", "NO_SUCC").Query("bill_date", date), true, false},
		"sub-merchant": {client.Chain("v3/bill/sub-merchant-fundflowbill").Query("bill_date", date).Query("sub_mchid", "1900000110").
			Query("account_type", "BASIC").Query("algorithm", "AEAD_AES_256_GCM"), true, true},
		"e-commerce": {client.Chain("v3/ecommerce/bill/fundflowbill").Query("bill_date", date).Query("account_type", "ALL").
			Query("algorithm", "AEAD_AES_256_GCM"), true, true},
		"pay score": {client.Chain("v3/payscore/merchant-bill").Query("bill_date", date).
			Query("service_id", "2002000000000558128851361561536").Query("encryption_algorithm", "AEAD_AES_256_GCM"), true, true},
		"statement": {client.Chain("v3/global/statements").Query("date", plain).Query("mchid", gateway.Merchant().ID), false, false},
	} {
		for _, zip := range []bool{false, true} {
			if zip && !tt.zips {
				continue
			}
			t.Run(fmt.Sprint(name, ", compressed ", zip), func(t *testing.T) {
				chain := tt.chain
				if zip {
					chain = chain.Query("tar_type", "GZIP")
				}
				bill, err := chain.Bill(context.Background())
				require.NoError(t, err)
				defer bill.Close()
				assert.True(t, bill.Verified)
				if zip && !tt.sealed {
					assert.Less(t, bill.Received, bill.Size/2)
				}
				count := 0
				for row, err := range bill.Rows() {
					require.NoError(t, err)
					require.NotEmpty(t, row.Values()[0])
					count++
				}
				assert.Equal(t, rows, count)
				var out bytes.Buffer
				got, err := chain.BillTo(context.Background(), &out)
				require.NoError(t, err)
				assert.Equal(t, bill.Size, got.Size)
				assert.Equal(t, bill.Size, int64(out.Len()))
			})
		}
	}
}

// The clock of the sandbox decides when a bill is there.
func TestBillOfTheSandboxInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway, err := sandbox.New()
		require.NoError(t, err)
		defer gateway.Close()
		client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
		require.NoError(t, err)
		// Bubbles begin at midnight UTC, which is 8:00 in Beijing.
		time.Sleep(90 * time.Minute) // 9:30, the bill of the day before is being made
		yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err = client.Chain("v3/bill/tradebill").Query("bill_date", yesterday).Bill(ctx)
		require.ErrorIs(t, err, wxpay.ErrNotReady)
		bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", yesterday).Bill(context.Background())
		require.NoError(t, err)
		assert.True(t, bill.Empty || bill.Size > 0)
		require.NoError(t, bill.Close())
	})
}

// Trouble that the sandbox makes: each time the file is right or not there.
func TestDownloadThroughTrouble(t *testing.T) {
	noTemporaryFiles(t)
	for _, rule := range []fault.Rule{
		{Kind: fault.Refuse}, {Kind: fault.ResetBefore}, {Kind: fault.BadGateway}, {Kind: fault.Limited}, {Kind: fault.ServerError}, {Kind: fault.ResetAfter},
		{Kind: fault.Truncate}, {Kind: fault.FlipByte}, {Kind: fault.ShortFile}, {Kind: fault.SlowBody, Delay: 20 * time.Second},
		{Kind: fault.SlowBody, Delay: time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway, err := sandbox.New(sandbox.WithBillRows(2000))
			require.NoError(t, err)
			defer gateway.Close()
			client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
			require.NoError(t, err)
			rule.Path, rule.Count = "/v3/billdownload/file", 1
			require.NoError(t, gateway.Faults.Inject(rule))
			w, content := destinations()[1].to(t)
			got, err := client.Chain("v3/bill/tradebill").Query("bill_date", time.Now().AddDate(0, 0, -3).Format(time.DateOnly)).BillTo(context.Background(), w)
			require.NoError(t, err, rule)
			text, _ := content()
			assert.Equal(t, got.Size, int64(len(text)))
		})
	}
}
