package sandbox_test

import (
	"bytes"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestReceipts(t *testing.T) {
	const base = "/v3/fund-app/mch-transfer/elecsign/"
	s := newShop(t, "2026-11-22 12:00:00")
	a := s.ask(t, "POST", "/v3/fund-app/mch-transfer/transfer-bills", map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": "o1", "transfer_amount": 77, "transfer_remark": "奖金",
		"transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "x"}},
	})
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	id := a.json(t)["transfer_bill_no"].(string)

	a = s.ask(t, "POST", base+"out-bill-no", map[string]any{"out_bill_no": "T2"})
	assert.Equal(t, 404, a.StatusCode)
	a = s.ask(t, "POST", base+"out-bill-no", map[string]any{"out_bill_no": "T1"})
	assert.Equal(t, "INVALID_REQUEST", a.json(t)["code"], "it has not succeeded yet")
	require.NoError(t, s.Ledger.Settle(sandbox.TransferEffect, "T1", "SUCCESS"))
	a = s.ask(t, "GET", base+"out-bill-no/T1", nil)
	assert.Equal(t, "NOT_FOUND", a.json(t)["code"], "nobody applied")

	for range 2 {
		a = s.ask(t, "POST", base+"transfer-bill-no", map[string]any{"transfer_bill_no": id})
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		assert.Equal(t, map[string]any{"state": "GENERATING", "create_time": "2026-11-22T12:00:00+08:00"}, a.json(t))
	}
	assert.Equal(t, "GENERATING", s.get(t, base+"transfer-bill-no/"+id)["state"])
	s.pass(time.Second)
	for target, path := range map[string]string{base + "transfer-bill-no/" + id: "/v3/transferdownload/elecvoucherfile?",
		base + "out-bill-no/T1": "/v3/transferdownload/signfile?"} {
		done := s.get(t, target)
		assert.Equal(t, "FINISHED", done["state"])
		assert.Equal(t, "SHA256", done["hash_type"])
		assert.Contains(t, done["download_url"], path)
		file := s.follow(t, done["download_url"])
		require.Equal(t, 200, file.StatusCode)
		unsigned(t, file)
		assert.Equal(t, done["hash_value"], digestOf(file.body))
		assert.True(t, bytes.HasPrefix(file.body, []byte("%PDF-")))
	}
}

func TestFapiaoFiles(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	list := s.get(t, "/v3/new-tax-control-fapiao/fapiao-applications/A-1/fapiao-files?sub_mchid=1900000110&fapiao_id=F-1")
	link := list["fapiao_download_info_list"].([]any)[0].(map[string]any)["download_url"].(string)
	u, err := url.Parse(link)
	require.NoError(t, err)
	for _, authorization := range []string{"", "not one"} {
		c := newCall(s.Sandbox, s.now(), "GET", u.RequestURI(), nil)
		c.header.Set("Authorization", authorization)
		a := c.send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		unsigned(t, a)
		assert.True(t, bytes.HasPrefix(a.body, []byte("%PDF-")))
	}
	s.pass(time.Minute)
	a := newCall(s.Sandbox, s.now(), "GET", u.RequestURI(), nil).send(t, s.Transport(), inProcess)
	assert.Equal(t, 400, a.StatusCode)
	unsigned(t, a)
}

func TestImages(t *testing.T) {
	s := newSandbox(t)
	file := []byte("\x89PNG\r\n\x1a\nand more")
	meta := mustJSON(t, map[string]any{"filename": "a.png", "sha256": digestOf(file)})
	id := upload(t, s, "/v3/merchant-service/images/upload", meta, multipart(meta, "file", "a.png", file)).json(t)["media_id"].(string)
	a := ask(t, s, "GET", "/v3/merchant-service/images/"+id, nil)
	require.Equal(t, 200, a.StatusCode)
	unsigned(t, a)
	assert.Equal(t, file, a.body)
	assert.Equal(t, "image/png", a.Header.Get("Content-Type"))

	// The image of a complaint: its id is percent-encoded when it comes.
	_, err := s.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	complaint, err := s.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001", Detail: "坏", Problem: "坏了"})
	require.NoError(t, err)
	told := ask(t, s, "GET", "/v3/merchant-service/complaints-v2/"+complaint, nil).json(t)
	link := told["complaint_media_list"].([]any)[0].(map[string]any)["media_url"].([]any)[0].(string)
	escaped, ok := strings.CutPrefix(link, inProcess+"/v3/merchant-service/images/")
	require.True(t, ok, link)
	require.True(t, strings.HasPrefix(escaped, "%2F%2F%2F%2Fsandbox%2F"), escaped)
	a = ask(t, s, "GET", "/v3/merchant-service/images/"+escaped, nil)
	require.Equal(t, 200, a.StatusCode)
	_, err = png.Decode(bytes.NewReader(a.body))
	require.NoError(t, err)
	a = ask(t, s, "GET", "/v3/merchant-service/images/"+strings.ReplaceAll(escaped, "%", "%25"), nil)
	assert.Equal(t, 404, a.StatusCode, "encoded twice")
	assert.Contains(t, lastEntry(t, s).Reason, "must not be encoded again")
}
