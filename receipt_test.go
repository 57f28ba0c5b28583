//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// A receipt is asked for until it is made, and checked against its digest.
func TestReceipt(t *testing.T) {
	pdf := randomText(50_000)
	finished := func(algorithm, value, token string) answer {
		return answer{body: fmt.Sprintf(
			`{"state":"FINISHED","hash_type":%q,"hash_value":%q,`+
				`"download_url":"https://api.mch.weixin.qq.com/v3/transferdownload/elecvoucherfile?token=%s&source=x"}`, algorithm, value, token)}
	}
	good := finished("SHA256", hexSHA256(pdf), "a")
	making := answer{body: `{"state":"GENERATING"}`}
	for name, tt := range map[string]struct {
		answers []answer
		files   map[string]answer
		options []wxpay.DownloadOption
		limit   time.Duration
		is      error
		says    string
		takes   time.Duration
	}{
		"there at once":      {answers: []answer{good}},
		"made soon":          {answers: []answer{making, making, making, good}, takes: 7 * time.Second},
		"under another name": {answers: []answer{{body: `{"receipt_state":"ACCEPTED"}`}, {body: `{"signature_status":"ACCEPTED"}`}, good}, takes: 3 * time.Second},
		"made later": {answers: []answer{making}, limit: time.Hour, is: wxpay.ErrNotReady,
			says: "the receipt is still being made (GENERATING)", takes: 59*time.Minute + 31*time.Second},
		"asked once": {answers: []answer{making}, options: []wxpay.DownloadOption{wxpay.WaitAtMost(0)}, is: wxpay.ErrNotReady},
		"it failed": {answers: []answer{making, {body: `{"state":"FAILED","fail_reason":"SYSTEM_ERROR"}`}}, is: wxpay.StageDecode,
			says: "could not make the receipt (SYSTEM_ERROR): apply for it again", takes: time.Second},
		"no receipt":     {answers: []answer{{body: `{}`}}, is: wxpay.StageDecode, says: "neither a state nor a download_url"},
		"refused":        {answers: []answer{billError(404, "NOT_FOUND")}, is: wxpay.StageResponse},
		"another digest": {answers: []answer{finished("SHA256", hexSHA256(nil), "a")}, is: wxpay.ErrDigest, takes: -1},
		"an algorithm of a friend": {answers: []answer{finished("MD5", hexMD5(pdf), "a")},
			options: []wxpay.DownloadOption{wxpay.DigestAlgorithm("MD5", md5.New)}},
		"an unknown algorithm": {answers: []answer{finished("SM3", strings.Repeat("0", 64), "a")}, is: wxpay.StageDecode, says: "contrib/sm"},
		"a foreign link":       {answers: []answer{{body: `{"state":"FINISHED","download_url":"https://evil.example/v3/x"}`}}, is: wxpay.StageBuild, says: "gateway"},
		"the link got old":     {answers: []answer{finished("SHA256", hexSHA256(pdf), "old"), good}},
		"links always are old": {answers: []answer{finished("SHA256", hexSHA256(pdf), "old")}, is: wxpay.StageResponse, says: "half a minute"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := &billing{t: t, applied: tt.answers, files: map[string]answer{"a": file(pdf), "old": billError(400, "INVALID_REQUEST")}}
				client := newClient(t, wxpay.WithTransport(gateway))
				ctx := context.Background()
				if tt.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				w, content := destinations()[1].to(t)
				began := time.Now()
				chain := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}").Var("out_bill_no", "A1")
				var waited time.Duration
				waiting := wxpay.Waiting(func(pause time.Duration) { waited += pause })
				got, err := chain.Receipt(ctx, w, append(tt.options, waiting)...)
				if tt.takes >= 0 {
					assert.Equal(t, tt.takes, time.Since(began))
					assert.Equal(t, tt.takes, waited)
				}
				text, there := content()
				if tt.is != nil {
					require.ErrorIs(t, err, tt.is)
					assert.ErrorContains(t, err, tt.says)
					assert.False(t, there)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, string(pdf), text)
				assert.True(t, got.Verified)
			})
		})
	}
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	_, err := wxpay.Chain{}.Chain("v3/x").Receipt(context.Background(), io.Discard)
	assert.ErrorContains(t, err, "the chain has no client")
	_, err = client.Chain("v3/x").Receipt(context.Background(), nil)
	assert.ErrorContains(t, err, "the destination is nil")
	_, err = client.Chain("v3/x").Receipt(context.Background(), io.Discard, wxpay.MaxSize(-1))
	assert.ErrorContains(t, err, "MaxSize")
	_, err = client.Chain("v3//x").Receipt(context.Background(), io.Discard)
	assert.ErrorContains(t, err, "two slashes")
}
