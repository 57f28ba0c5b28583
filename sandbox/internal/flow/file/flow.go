// Package file simulates uploads, images and the addresses that serve files.
package file

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant) {
	f := &Flow{Merchant: m}
	for _, path := range []string{
		"/v3/billdownload/file", "/v3/transferdownload/signfile", "/v3/transferdownload/elecvoucherfile",
		"/invoicing/fapiao/fapiao-file",
		gate.EncryptedBills, gate.PayScoreBills, gate.FapiaoFiles,
	} {
		m.Serve(gate.Operation{Operation: gate.Documented("GET", path), Do: (*gate.Call).Download})
	}
	const fapiao = "/v3/new-tax-control-fapiao/fapiao-applications/"
	m.Serve(
		gate.Operation{Operation: gate.Documented("GET", fapiao+"{fapiao_apply_id}/fapiao-files"), Do: listFapiaoFiles},
		gate.Operation{Operation: gate.Documented("GET", "/v3/merchant-service/images/{media_id}"), Do: f.showImage},
		gate.Operation{Operation: gate.Documented("GET", "/v3/global/merchant-service/images/{media_id}"), Do: f.showImage},
	)
	for _, u := range f.uploads() {
		m.Serve(gate.Operation{
			Operation: gate.Documented("POST", u.path),
			Do:        func(c *gate.Call) (any, *say.Rejection) { return u.respond(c), nil },
		})
	}
}

// upload is an operation with a multipart body.
type upload struct {
	path    string
	respond func(*gate.Call) any
}

// uploads returns all of them. Their limits are facts.
func (f *Flow) uploads() []upload {
	return []upload{
		{"/v3/merchant/media/upload", newID("media_id")},
		{"/v3/merchant/media/video_upload", newID("media_id")},
		{"/v3/marketing/favor/media/image-upload", newMediaURL},
		{"/v3/marketing/partner/product-coupon/media/upload-image", newMediaURL},
		{"/brand/marketing/product-coupon/media/upload-image", newMediaURL},
		{"/brand/card-member/media/image-upload", newMediaURL},
		{"/v3/merchant-service/images/upload", f.keepImage},
		{"/v3/global/merchant-service/images/upload", f.keepImage},
		{"/v3/global/merchant-storage/file/upload", newID("file_id")},
		{"/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file", newID("fapiao_media_id")},
		{"/v3/taxi-invoice/cards/upload-file", newID("fapiao_media_id")},
		{"/v3/ecommerce/account/cancel-applications/media", newID("media_id")},
		{"/v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload", newID("file_id")},
		{"/v3/mch-operation-manage/enhanced-due-diligence/{due_diligence_id}/upload", newID("file_id")},
		{"/v3/marketing/bank/packages/{package_id}/tasks", newImport},
		{"/v3/marketing/shopping-receipt/shoppingreceipts", newShoppingReceipt},
	}
}
