package transfer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReceipt(t *testing.T) {
	t.Parallel()
	const base = "/v3/fund-app/mch-transfer/elecsign/"
	b := newBench(t)
	id, _ := b.Do("POST", bills, bill("T1", nil))["transfer_bill_no"].(string)
	apply := map[string]any{"out_bill_no": "T1"}
	assert.Equal(t, "404 NOT_FOUND", b.Rejected("POST", base+"out-bill-no", map[string]any{"out_bill_no": "T2"}))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", base+"out-bill-no", apply), "it has not succeeded yet")
	require.NoError(t, b.Ledger.Settle("transfer", "T1", "SUCCESS"))
	assert.Equal(t, "404 NOT_FOUND", b.Rejected("GET", base+"out-bill-no/T1", nil), "nobody applied")
	assert.Equal(t, "404 NOT_FOUND", b.Rejected("GET", base+"transfer-bill-no/1330", nil), "no such bill")

	generating := map[string]any{"state": "GENERATING", "create_time": "2025-01-01T20:00:00+08:00"}
	assert.Equal(t, generating, b.Do("POST", base+"out-bill-no", apply))
	b.Pass(time.Minute)
	byBill := map[string]any{"transfer_bill_no": id}
	assert.Equal(t, generating, b.Do("POST", base+"transfer-bill-no", byBill), "a repetition gets the same response")
	assert.Equal(t, "GENERATING", b.Do("GET", base+"transfer-bill-no/"+id, nil)["state"])
	b.Reload()
	for target, path := range map[string]string{
		base + "transfer-bill-no/" + id: "/v3/transferdownload/elecvoucherfile?",
		base + "out-bill-no/T1":         "/v3/transferdownload/signfile?",
	} {
		done := b.Do("GET", target, nil)
		assert.Equal(t, "FINISHED", done["state"])
		assert.Equal(t, "2025-01-01T20:01:00+08:00", done["update_time"])
		assert.Contains(t, done["download_url"], path)
		file := b.Follow(done["download_url"])
		require.Equal(t, 200, file.Status, "%s", file.Body)
		assert.Empty(t, file.Header.Get("Wechatpay-Signature"), "files are not signed")
		assert.True(t, bytes.HasPrefix(file.Body, []byte("%PDF-")))
		sum := sha256.Sum256(file.Body)
		assert.Equal(t, "SHA256", done["hash_type"])
		assert.Equal(t, hex.EncodeToString(sum[:]), done["hash_value"])
	}
}
