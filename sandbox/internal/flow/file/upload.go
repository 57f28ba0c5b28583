package file

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// mediaID makes up the id of a file.
func mediaID() string {
	var b [60]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID responds with an id in the field of that name.
func newID(field string) func(*gate.Call) any {
	return func(*gate.Call) any { return map[string]any{field: mediaID()} }
}

func newMediaURL(*gate.Call) any {
	return map[string]any{"media_url": "https://wxpaylogo.qpic.cn/wxpaylogo/" + mediaID() + "/0"}
}

// keepImage keeps the image for downloads, and responds with its id.
func (f *Flow) keepImage(c *gate.Call) any {
	id := mediaID()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.images.keep(id, c.Form.File)
	return map[string]any{"media_id": id}
}

// newImport responds that the import of a list of users is under way.
func newImport(c *gate.Call) any {
	return map[string]any{
		"task_id": say.Hex(32), "package_id": c.Path["package_id"], "filename": c.Object["filename"], "bank_type": c.Object["bank_type"],
		"create_time": say.Time(c.Now), "update_time": say.Time(c.Now), "status": "PROCESSING",
	}
}

// newShoppingReceipt responds that a receipt waits for review. It encrypts the telephone number for
// the merchant.
func newShoppingReceipt(c *gate.Call) any {
	receipt := sample.Named(c.Object, "transaction_id", "transaction_mchid", "transaction_sub_mchid", "openid", "sha256", "upload_time")
	if contact, ok := c.Object["merchant_contact_information"].(map[string]any); ok {
		if phone, ok := contact["consultation_phone_number"].(string); ok && phone != "" {
			receipt["merchant_contact_information"] = map[string]any{"consultation_phone_number": c.Encrypt(phone)}
		}
	}
	receipt["receipt_id"], receipt["state"] = say.Hex(32), "WAIT_REVIEW"
	receipt["image_type"] = strings.TrimPrefix(http.DetectContentType(c.Form.File), "image/")
	receipt["create_time"], receipt["modify_time"] = say.Time(c.Now), say.Time(c.Now)
	return map[string]any{"receipt": receipt}
}
