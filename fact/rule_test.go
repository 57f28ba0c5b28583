package fact_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

func TestUploadsAgreeWithTheCatalogue(t *testing.T) {
	uploads := fact.Uploads()
	require.NotEmpty(t, uploads)
	assert.True(t, slices.IsSortedFunc(uploads, func(a, b fact.Upload) int { return strings.Compare(a.Path, b.Path) }))
	for _, upload := range uploads {
		operation, ok := catalog.V3().Lookup("POST", upload.Path)
		require.True(t, ok, upload.Path)
		assert.Equal(t, upload.Path, operation.Path)
		assert.NotEmpty(t, operation.In.Form, upload.Path)
		assert.Equal(t, upload, *fact.UploadAt(upload.Path))
	}
	assert.Nil(t, fact.UploadAt("/v3/merchant/media"))
}

func TestUploadLimits(t *testing.T) {
	picture := fact.UploadAt("/v3/merchant/media/upload")
	for suffix, most := range map[string]int64{"png": 5 << 20, "pdf": 7_500_000} {
		assert.True(t, picture.Takes(suffix))
		assert.Equal(t, most, picture.Most(suffix), suffix)
	}
	assert.False(t, picture.Takes("gif"))
	papers := fact.UploadAt("/v3/global/merchant-storage/file/upload")
	assert.EqualValues(t, 5<<20, papers.Most("pdf"), "as for other files")
	all := fact.UploadAt("/v3/taxi-invoice/cards/upload-file")
	assert.True(t, all.Takes("zip") && all.Takes(""))
}

func TestUploadForm(t *testing.T) {
	assert.Equal(t, fact.UploadForm{Part: "file", Name: "filename", Digest: "sha256"}, (*fact.Operation)(nil).UploadForm())
	seen := 0
	for operation := range catalog.V3().All() {
		if len(operation.In.Form) == 0 {
			continue
		}
		seen++
		form := operation.UploadForm()
		assert.NotEmpty(t, form.Digest, operation.Path)
		for _, part := range operation.In.Form {
			if part.Type == fact.File {
				assert.Equal(t, part.Name, form.Part, operation.Path)
			}
		}
	}
	assert.Greater(t, seen, 10)
}

func TestPlatformHosts(t *testing.T) {
	for host, want := range map[string]bool{"api.mch.weixin.qq.com": true, "api.wechatpay.cn": true, "mch.weixin.qq.com": false, "": false} {
		assert.Equal(t, want, fact.IsPlatformHost(host), host)
	}
	for operation := range catalog.V3().All() {
		if strings.HasSuffix(operation.Host, "mch.weixin.qq.com") {
			assert.True(t, fact.IsPlatformHost(operation.Host), operation.Host)
		}
	}
}

func TestBillDue(t *testing.T) {
	ready := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC) // 10:00 in Beijing
	for _, tt := range []struct {
		name, value string
		known       bool
	}{
		{"bill_date", "2026-11-22", true}, {"date", "20261122", true}, {"date", "2026112207", true},
		{"bill_date", "yesterday", false}, {"day", "2026-11-22", false}, {"bill_date", "", false},
	} {
		due, known := fact.BillDue(func(name string) (string, bool) { return tt.value, name == tt.name })
		assert.Equal(t, tt.known, known, tt)
		if known {
			assert.True(t, ready.Equal(due), tt)
		}
	}
}

// The catalogue has every encrypted bill's key in one shape, and nothing else in it.
func TestBillKeys(t *testing.T) {
	keys := 0
	var walk func(path string, fields []fact.Field)
	walk = func(path string, fields []fact.Field) {
		for i := range fields {
			if fact.IsBillKey(&fields[i], fields) {
				keys++
				assert.Equal(t, fact.RSA, fields[i].Cipher, path)
			} else {
				assert.NotEqual(t, "encrypt_key", fields[i].Name, path)
			}
			walk(path, fields[i].Fields)
		}
	}
	for operation := range catalog.V3().All() {
		walk(operation.Path, operation.Out)
	}
	assert.Greater(t, keys, 1)
}

// Every receipt of the catalogue names its state in one of the known ways.
func TestReceiptStates(t *testing.T) {
	require.NotEmpty(t, fact.ReceiptStates())
	for _, path := range []string{
		"/v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", "/v3/transfer/bill-receipt/{out_batch_no}",
		"/v3/transfer-detail/electronic-receipts",
	} {
		operation, ok := catalog.V3().Lookup("GET", path)
		require.True(t, ok, path)
		known := func(f fact.Field) bool { return slices.Contains(fact.ReceiptStates(), f.Name) }
		assert.True(t, slices.ContainsFunc(operation.Out, known), path)
	}
	assert.True(t, fact.IsSilentBill("/v3/profitsharing/bills"))
	assert.False(t, fact.IsSilentBill("/v3/bill/tradebill"))
}
