package file_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/complaint"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/file"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	images      = "/v3/merchant-service/images/"
	imageUpload = images + "upload"
)

// picture is a file that begins as a PNG does.
var picture = []byte("\x89PNG\r\n\x1a\nand more")

func newBench(t *testing.T) *sandboxtest.Bench {
	t.Helper()
	b := sandboxtest.New(t)
	file.Open(b.Merchant)
	return b
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestUploads(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sum, sm3 := digestOf(picture), strings.Repeat("0", 64)
	phone := b.EncryptForPlatform("13800000000")
	for path, test := range map[string]struct {
		meta             map[string]any
		part, name, want string
	}{
		"/v3/merchant/media/upload":              {map[string]any{"filename": "a.PNG", "sha256": sum}, "file", "a.PNG", "media_id"},
		"/v3/merchant/media/video_upload":        {map[string]any{"filename": "视频.mp4", "sha256": sum}, "file", "视频.mp4", "media_id"},
		"/v3/marketing/favor/media/image-upload": {map[string]any{"filename": "a.bmp", "sha256": sum}, "file", "a.bmp", "media_url"},
		"/v3/marketing/partner/product-coupon/media/upload-image": {
			map[string]any{"filename": "a.jpg", "sha256": sum}, "file", "a.jpg", "media_url",
		},
		imageUpload: {map[string]any{"filename": "a.png", "sha256": sum}, "file", "a.png", "media_id"},
		"/v3/global/merchant-service/images/upload": {map[string]any{}, "file", "a.png", "media_id"},
		"/v3/global/merchant-storage/file/upload":   {map[string]any{"filename": "a.pdf", "digest": sum}, "file", "a.pdf", "file_id"},
		"/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file": {
			map[string]any{"file_type": "PDF", "digest_alogrithm": "SM3", "digest": sm3}, "file", "a.pdf", "fapiao_media_id",
		},
		"/v3/taxi-invoice/cards/upload-file": {
			map[string]any{"company_mchid": "1900000110", "region_id": 4, "digest": sm3, "digest_algorithm": "DIGEST_ALGORITHM_SM3"},
			"file", "a.ofd", "fapiao_media_id",
		},
		"/v3/ecommerce/account/cancel-applications/media": {
			map[string]any{"file_name": "a.png", "file_digest": sum}, "file", "a.png", "media_id",
		},
		"/v3/mch-manage/submission-files/sub-mchid/1900000110/upload": {
			map[string]any{"file_name": "a.png", "file_digest": sum, "item_id": 7}, "submission_file", "a.png", "file_id",
		},
		"/v3/mch-operation-manage/enhanced-due-diligence/D-1/upload": {
			map[string]any{"file_name": "a.png", "file_digest": sum, "item_id": 7, "sub_mchid": "1900000110"},
			"due_diligence_file", "a.png", "file_id",
		},
		"/v3/marketing/bank/packages/P-1/tasks": {
			map[string]any{"bank_type": "CMB", "filename": "users.csv", "sha256": sum}, "file", "users.csv", "task_id",
		},
		"/v3/marketing/shopping-receipt/shoppingreceipts": {
			map[string]any{
				"transaction_id": "4200001", "openid": "o1", "sha256": sum,
				"merchant_contact_information": map[string]any{"consultation_phone_number": phone},
			},
			"file", "a.png", "receipt",
		},
	} {
		t.Run(path, func(t *testing.T) {
			r := b.Upload(path, test.meta, test.part, test.name, picture)
			require.Equal(t, 200, r.Status, "%s", r.Body)
			assert.Equal(t, "stateful", r.Header.Get(gate.Header))
			told := b.Object(r)
			assert.NotEmpty(t, told[test.want])
			if strings.Contains(path, "fapiao") || strings.Contains(path, "taxi") {
				assert.Contains(t, b.Reason(), "SM3 digest was not checked")
			} else {
				assert.Empty(t, b.Reason(), "nothing is left unchecked")
			}
			if receipt, ok := told["receipt"].(map[string]any); ok {
				contact, _ := receipt["merchant_contact_information"].(map[string]any)
				assert.Equal(t, "13800000000", b.Decrypt(contact["consultation_phone_number"]))
				assert.Equal(t, "png", receipt["image_type"])
				assert.Equal(t, "WAIT_REVIEW", receipt["state"])
			}
			assert.Equal(t, 400, b.Upload(path, test.meta, "another", test.name, picture).Status, "under another part name")
		})
	}
}

// TestLimits uploads files of the largest size, and of one byte more.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const (
		media  = "/v3/merchant/media/upload"
		video  = "/v3/merchant/media/video_upload"
		coupon = "/v3/marketing/favor/media/image-upload"
	)
	for name, test := range map[string]struct {
		path, name string
		size       int
		reason     string
	}{
		"picture of 5 MiB":           {media, "a.png", 5 << 20, ""},
		"picture above 5 MiB":        {media, "a.png", 5<<20 + 1, "at most 5242880"},
		"PDF of 7,500,000 bytes":     {media, "a.pdf", 7_500_000, ""},
		"PDF above 7,500,000 bytes":  {media, "a.pdf", 7_500_001, "at most 7500000"},
		"video above 5 MiB":          {video, "a.mp4", 5<<20 + 1, "at most 5242880"},
		"image of a coupon, 2 MiB":   {coupon, "a.png", 2 << 20, ""},
		"image of a coupon, above":   {coupon, "a.png", 2<<20 + 1, "at most 2097152"},
		"no bytes":                   {media, "a.png", 0, "no bytes"},
		"suffix of another kind":     {media, "a.gif", 1, "suffix"},
		"no suffix":                  {media, "png", 1, "suffix"},
		"picture instead of a video": {video, "a.png", 1, "suffix"},
	} {
		content := bytes.Repeat([]byte{1}, test.size)
		r := b.Upload(test.path, map[string]any{"filename": test.name, "sha256": digestOf(content)}, "file", test.name, content)
		if test.reason == "" {
			assert.Equal(t, 200, r.Status, "%s: %s", name, r.Body)
			continue
		}
		assert.Equal(t, 400, r.Status, name)
		assert.Equal(t, "PARAM_ERROR", b.Object(r)["code"], name)
		assert.Contains(t, b.Reason(), test.reason, name)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	meta := map[string]any{"filename": "a.png", "sha256": digestOf(picture)}
	id, _ := b.Object(b.Upload(imageUpload, meta, "file", "a.png", picture))["media_id"].(string)
	for _, target := range []string{images + id, "/v3/global/merchant-service/images/" + id + "?complaint_id=1"} {
		r := b.Call("GET", target, nil)
		require.Equal(t, 200, r.Status, "%s", r.Body)
		assert.Equal(t, picture, r.Body)
		assert.Equal(t, "image/png", r.Header.Get("Content-Type"))
		assert.Empty(t, r.Header.Get("Wechatpay-Signature"), "files are not signed")
	}
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", images+"another", nil))
}

// TestOldImagesGiveWay uploads more than the sandbox keeps, which is 16 MiB.
func TestOldImagesGiveWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	content := bytes.Repeat([]byte{1}, 2<<20)
	meta := map[string]any{"filename": "a.png", "sha256": digestOf(content)}
	var ids []string
	for range 9 {
		id, _ := b.Object(b.Upload(imageUpload, meta, "file", "a.png", content))["media_id"].(string)
		ids = append(ids, id)
	}
	for i, id := range ids {
		want := 200
		if i == 0 {
			want = 404
		}
		assert.Equal(t, want, b.Call("GET", images+id, nil).Status, "image %d", i)
	}
}

// TestImageOfAComplaint asks for the image that a user sent: its id is percent-encoded in the address.
func TestImageOfAComplaint(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	orders := order.Open(b.Merchant)
	complaints := complaint.Open(b.Merchant, orders)
	_, err := orders.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	id, err := complaints.Complain(complaint.Complaint{OutTradeNo: "ORDER-0001"})
	require.NoError(t, err)
	media, _ := b.Do("GET", "/v3/merchant-service/complaints-v2/"+id, nil)["complaint_media_list"].([]any)
	require.Len(t, media, 1)
	links, _ := media[0].(map[string]any)["media_url"].([]any)
	require.Len(t, links, 1)
	escaped, ok := strings.CutPrefix(links[0].(string), sandboxtest.Host+images)
	require.True(t, ok, links[0])
	assert.True(t, strings.HasPrefix(escaped, "%2F%2F%2F%2Fsandbox%2F"), escaped)

	first, second := b.Follow(links[0]), b.Follow(links[0])
	require.Equal(t, 200, first.Status)
	assert.Equal(t, first.Body, second.Body, "the same id is the same image")
	_, err = png.Decode(bytes.NewReader(first.Body))
	require.NoError(t, err)
	twice := strings.ReplaceAll(escaped, "%", "%25")
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", images+twice, nil))
	assert.Contains(t, b.Reason(), "must not be encoded again")
}

func TestFapiaoFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const target = "/v3/new-tax-control-fapiao/fapiao-applications/A-1/fapiao-files?sub_mchid=1900000110&fapiao_id=F-1"
	list, _ := b.Do("GET", target, nil)["fapiao_download_info_list"].([]any)
	require.Len(t, list, 1)
	info, _ := list[0].(map[string]any)
	assert.Equal(t, "F-1", info["fapiao_id"])
	u, err := url.Parse(info["download_url"].(string))
	require.NoError(t, err)
	assert.Equal(t, gate.FapiaoFiles, u.Path)
	b.Pass(30 * time.Second)
	r := b.Follow(info["download_url"])
	require.Equal(t, 200, r.Status, "%s", r.Body)
	assert.True(t, bytes.HasPrefix(r.Body, []byte("%PDF-")))
	b.Pass(1)
	assert.Equal(t, 400, b.Follow(info["download_url"]).Status, "a link lives for 30 seconds")
	assert.Contains(t, b.Reason(), "older than 30s")
}
