package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

const boundary = "TestOnlyBoundary7MA4YWxkTrZu0gW"

// multipart writes an upload as the documentation shows it.
func multipart(meta, part, name string, file []byte) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n" + meta +
		"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + part + "\"; filename=\"" + name + "\"\r\nContent-Type: image/png\r\n\r\n" +
		string(file) + "\r\n--" + boundary + "--\r\n"
}

func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// upload signs meta and sends body.
func upload(t testing.TB, s *sandbox.Sandbox, path, meta, body string) answer {
	t.Helper()
	c := newCall(s, time.Now(), "POST", path, body)
	c.header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	signed := []byte(meta)
	c.body2 = &signed
	return c.sign(s).send(t, s.Transport(), inProcess)
}

func TestUploads(t *testing.T) {
	s := newSandbox(t)
	file := []byte("\x89PNG\r\n\x1a\nand more")
	sum := digestOf(file)
	phone := sealed(t, s, "13800000000")
	noSM3 := strings.Repeat("0", 64)
	for path, test := range map[string]struct {
		meta             map[string]any
		part, name, want string
	}{
		"/v3/merchant/media/upload":                               {map[string]any{"filename": "a.PNG", "sha256": sum}, "file", "a.PNG", "media_id"},
		"/v3/merchant/media/video_upload":                         {map[string]any{"filename": "视频.mp4", "sha256": sum}, "file", "视频.mp4", "media_id"},
		"/v3/marketing/favor/media/image-upload":                  {map[string]any{"filename": "a.bmp", "sha256": sum}, "file", "a.bmp", "media_url"},
		"/v3/marketing/partner/product-coupon/media/upload-image": {map[string]any{"filename": "a.jpg", "sha256": sum}, "file", "a.jpg", "media_url"},
		"/v3/merchant-service/images/upload":                      {map[string]any{"filename": "a.png", "sha256": sum}, "file", "a.png", "media_id"},
		"/v3/global/merchant-service/images/upload":               {map[string]any{}, "file", "a.png", "media_id"},
		"/v3/global/merchant-storage/file/upload":                 {map[string]any{"filename": "a.pdf", "digest": sum}, "file", "a.pdf", "file_id"},
		"/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file": {
			map[string]any{"file_type": "PDF", "digest_alogrithm": "SM3", "digest": noSM3}, "file", "a.pdf", "fapiao_media_id",
		},
		"/v3/taxi-invoice/cards/upload-file": {
			map[string]any{"company_mchid": "1900000110", "region_id": 4, "digest": noSM3,
				"digest_algorithm": "DIGEST_ALGORITHM_SM3"}, "file", "a.ofd", "fapiao_media_id",
		},
		"/v3/ecommerce/account/cancel-applications/media": {map[string]any{"file_name": "a.png", "file_digest": sum}, "file", "a.png", "media_id"},
		"/v3/mch-manage/submission-files/sub-mchid/1900000110/upload": {map[string]any{"file_name": "a.png", "file_digest": sum,
			"item_id": 7}, "submission_file", "a.png", "file_id"},
		"/v3/mch-operation-manage/enhanced-due-diligence/D-1/upload": {map[string]any{"file_name": "a.png", "file_digest": sum,
			"item_id": 7, "sub_mchid": "1900000110"}, "due_diligence_file", "a.png", "file_id"},
		"/v3/marketing/bank/packages/P-1/tasks": {map[string]any{"bank_type": "CMB", "filename": "users.csv",
			"sha256": sum}, "file", "users.csv", "task_id"},
		"/v3/marketing/shopping-receipt/shoppingreceipts": {map[string]any{"transaction_id": "4200001", "openid": "o1",
			"sha256": sum, "merchant_contact_information": map[string]any{"consultation_phone_number": phone}}, "file", "a.png", "receipt"},
	} {
		t.Run(path, func(t *testing.T) {
			meta := mustJSON(t, test.meta)
			a := upload(t, s, path, meta, multipart(meta, test.part, test.name, file))
			require.Equal(t, 200, a.StatusCode, "%s", a.body)
			verify(t, s, time.Now(), a)
			assert.NotEmpty(t, a.json(t)[test.want])
			entry := lastEntry(t, s)
			if test.meta["digest"] == noSM3 {
				assert.Contains(t, entry.Reason, "SM3 digest was not checked")
			} else {
				assert.Empty(t, entry.Reason)
			}
			if contact, ok := a.json(t)["receipt"].(map[string]any); ok {
				back := contact["merchant_contact_information"].(map[string]any)["consultation_phone_number"].(string)
				ciphertext, err := base64.StdEncoding.DecodeString(back)
				require.NoError(t, err)
				plain, err := apiv3.RSA().Decrypt(s.Merchant().PrivateKey, ciphertext)
				require.NoError(t, err)
				assert.Equal(t, "13800000000", string(plain))
			}

			wrong := multipart(meta, "another", test.name, file)
			assert.Equal(t, 400, upload(t, s, path, meta, wrong).StatusCode, "under another part name")
		})
	}
}

func TestUploadsRefused(t *testing.T) {
	s := newSandbox(t)
	const path = "/v3/merchant/media/upload"
	file := []byte("\x89PNG\r\n\x1a\nand more")
	meta := func(name string, file []byte) string {
		return mustJSON(t, map[string]any{"filename": name, "sha256": digestOf(file)})
	}
	good := meta("a.png", file)
	body := multipart(good, "file", "a.png", file)
	require.Equal(t, 200, upload(t, s, path, good, body).StatusCode)
	big := bytes.Repeat([]byte{1}, 5<<20+1)
	pdf := bytes.Repeat([]byte{1}, 7_500_000)

	for name, test := range map[string]struct {
		meta, body string
		status     int
		code       string
		reason     string
	}{
		"another digest":            {meta("a.png", nil), multipart(meta("a.png", nil), "file", "a.png", file), 400, "PARAM_ERROR", digestOf(file)},
		"digest in upper case":      {strings.Replace(good, digestOf(file), strings.ToUpper(digestOf(file)), 1), "", 400, "PARAM_ERROR", "lower-case"},
		"suffix of the meta":        {meta("a.gif", file), "", 400, "PARAM_ERROR", "suffix"},
		"suffix of the part":        {good, multipart(good, "file", "a.gif", file), 400, "PARAM_ERROR", "suffix"},
		"no suffix":                 {good, multipart(good, "file", "png", file), 400, "PARAM_ERROR", "suffix"},
		"too large":                 {meta("a.png", big), multipart(meta("a.png", big), "file", "a.png", big), 400, "PARAM_ERROR", "at most 5242880"},
		"a large pdf":               {meta("a.pdf", pdf), multipart(meta("a.pdf", pdf), "file", "a.pdf", pdf), 200, "", ""},
		"empty":                     {meta("a.png", nil), multipart(meta("a.png", nil), "file", "a.png", nil), 400, "PARAM_ERROR", "no bytes"},
		"no digest":                 {`{"filename":"a.png"}`, "", 400, "PARAM_ERROR", "/body/sha256"},
		"unknown member":            {`{"filename":"a.png","sha256":"` + digestOf(file) + `","x":1}`, "", 400, "PARAM_ERROR", "/body/x"},
		"meta is no JSON":           {"x", "", 400, "PARAM_ERROR", "not a JSON object"},
		"whole body signed":         {body, body, 401, "SIGN_ERROR", "does not verify"},
		"another boundary":          {good, strings.ReplaceAll(body, boundary, "X"), 400, "PARAM_ERROR", "boundary"},
		"line feeds":                {good, strings.ReplaceAll(body, "\r\n", "\n"), 400, "PARAM_ERROR", "CRLF"},
		"an empty line of LF alone": {good, strings.Replace(body, "\r\n\r\n"+string(file), "\r\n\n"+string(file), 1), 400, "PARAM_ERROR", "CRLF"},
		"LF between two headers":    {good, strings.Replace(body, "\r\nContent-Type", "\nContent-Type", 1), 400, "PARAM_ERROR", "CRLF"},
		"no file": {good, body[:strings.LastIndex(body[:len(body)-40],
			"--"+boundary)] + "--" + boundary + "--\r\n", 400, "PARAM_ERROR", "part file is missing"},
		"more behind the end": {good, body + "x", 400, "PARAM_ERROR", "not the end"},
		"no CRLF at the end":  {good, strings.TrimSuffix(body, "\r\n"), 200, "", ""},
		"cut":                 {good, body[:len(body)-8], 400, "PARAM_ERROR", "boundary"},
		"no meta":             {good, body[strings.LastIndex(body[:len(body)-40], "--"+boundary):], 400, "PARAM_ERROR", "part meta is missing"},
		"file first":          {good, swapped(body), 200, "", ""}, // no page fixes an order
		"three parts": {good, strings.TrimSuffix(body,
			"--\r\n") + "\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--" + boundary + "--\r\n", 400, "PARAM_ERROR", "more parts than"},
		"file without name":         {good, strings.Replace(body, `; filename="a.png"`, "", 1), 400, "PARAM_ERROR", "filename"},
		"trailing semicolon":        {good, strings.Replace(body, `name="meta"`, `name="meta";`, 1), 200, "", ""},
		"meta without content type": {good, strings.Replace(body, "Content-Type: application/json\r\n", "", 1), 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.body == "" {
				test.body = multipart(test.meta, "file", "a.png", file)
			}
			a := upload(t, s, path, test.meta, test.body)
			require.Equal(t, test.status, a.StatusCode, "%s", a.body)
			if test.code != "" {
				assert.Equal(t, test.code, a.json(t)["code"])
				assert.Contains(t, lastEntry(t, s).Reason, test.reason)
			}
		})
	}

	c := newCall(s, time.Now(), "POST", path, body)
	a := c.sign(s).send(t, s.Transport(), inProcess)
	assert.Equal(t, "INVALID_REQUEST", a.json(t)["code"], "JSON is no upload")
	unsigned(t, a)
}

// swapped puts the file's part before the meta.
func swapped(body string) string {
	parts := strings.SplitN(body, "--"+boundary+"\r\n", 3)
	last := strings.TrimSuffix(parts[2], "--"+boundary+"--\r\n")
	return "--" + boundary + "\r\n" + last + "--" + boundary + "\r\n" + parts[1] + "--" + boundary + "--\r\n"
}

func mustJSON(t testing.TB, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	require.NoError(t, err)
	return string(b)
}

func lastEntry(t testing.TB, s *sandbox.Sandbox) sandbox.Entry {
	t.Helper()
	journal := s.Journal.All()
	require.NotEmpty(t, journal)
	return journal[len(journal)-1]
}
