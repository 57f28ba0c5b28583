package fact

import (
	"slices"
	"strings"
	"time"
)

// The rules in this file hold without a catalogue. Each stands in a table; to add or correct one,
// change a line there.

// Hosts of the gateway.
const (
	// DefaultHost serves the mainland, and every operation whose facts name no other host.
	DefaultHost = "api.mch.weixin.qq.com"
	// BackupHost serves the same as DefaultHost.
	BackupHost = "api2.mch.weixin.qq.com"
	// OverseasHost serves merchants outside the mainland.
	OverseasHost = "apihk.mch.weixin.qq.com"
)

// platformHosts are the platform's own hosts, which a download_url may name. The platform publishes
// no list: these are the hosts of its documentation (read in November 2026).
var platformHosts = []string{
	DefaultHost, BackupHost, OverseasHost, "apius.mch.weixin.qq.com",
	"api.wechatpay.cn", "api2.wechatpay.cn", "pay.wechatpay.cn",
}

// PlatformHosts returns the platform's own hosts.
func PlatformHosts() []string { return slices.Clone(platformHosts) }

// IsPlatformHost reports whether host, in lower case and without a port, is the platform's own.
func IsPlatformHost(host string) bool { return slices.Contains(platformHosts, host) }

// Upload is the documented limits of an upload's file. A second, equal upload only costs another
// id.
type Upload struct {
	// Path is the path template.
	Path string
	// Suffixes are the permitted suffixes, in lower case and without the dot, divided by blanks;
	// empty if none are documented.
	Suffixes string
	// MaxSize is the largest size of the file in bytes; 0 if none is documented.
	MaxSize int64
	// MaxPDF is the same for a PDF, if it differs; else 0.
	MaxPDF int64
}

// Most returns the largest size of a file with that suffix in bytes; 0 if none is documented.
func (u *Upload) Most(suffix string) int64 {
	if suffix == "pdf" && u.MaxPDF != 0 {
		return u.MaxPDF
	}
	return u.MaxSize
}

// Takes reports whether the operation takes files with that suffix.
func (u *Upload) Takes(suffix string) bool {
	return u.Suffixes == "" || slices.Contains(strings.Fields(u.Suffixes), suffix)
}

const (
	images = "jpg jpeg bmp png"
	videos = "avi wmv mpeg mp4 mov mkv flv f4v m4v rmvb"
)

// uploads are the documented limits. Source: the pages that the catalogue names for each operation,
// read in November 2026. If pages disagree, the larger limit counts, for the platform has the last
// word.
var uploads = []Upload{
	{"/brand/card-member/media/image-upload", images, 2 << 20, 0},
	{"/brand/marketing/product-coupon/media/upload-image", images, 2 << 20, 0},
	{"/v3/ecommerce/account/cancel-applications/media", "", 2 << 20, 0},
	{"/v3/global/merchant-service/images/upload", images, 2 << 20, 0},
	{"/v3/global/merchant-storage/file/upload", images + " pdf", 5 << 20, 0},
	{"/v3/marketing/favor/media/image-upload", images, 2 << 20, 0},
	{"/v3/marketing/partner/product-coupon/media/upload-image", images, 2 << 20, 0},
	{"/v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload", "", 0, 0},
	{"/v3/mch-operation-manage/enhanced-due-diligence/{due_diligence_id}/upload", "", 0, 0},
	{"/v3/merchant-service/images/upload", images, 2 << 20, 0},
	{"/v3/merchant/media/upload", images + " pdf", 5 << 20, 7_500_000},
	{"/v3/merchant/media/video_upload", videos, 5 << 20, 0},
	{"/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file", "pdf ofd", 2 << 20, 0},
	{"/v3/taxi-invoice/cards/upload-file", "", 5 << 20, 0},
}

// Uploads returns the uploads whose limits are documented, by path.
func Uploads() []Upload { return slices.Clone(uploads) }

// UploadAt returns the upload with a path template, nil if it is unknown.
func UploadAt(template string) *Upload {
	for i := range uploads {
		if uploads[i].Path == template {
			upload := uploads[i]
			return &upload
		}
	}
	return nil
}

// Names in the form of an upload. The signed part is always "meta"; the rest differs by operation.
var (
	fileNames       = []string{"filename", "file_name"}
	fileDigests     = []string{"sha256", "digest", "file_digest"}
	digestAlgorithm = []string{"digest_alogrithm", "digest_algorithm"} // the misspelling is the platform's
)

// UploadForm has the names of an upload's parts and fields.
type UploadForm struct {
	Part      string // the part with the file
	Name      string // the field of the meta with the file's name; empty if there is none
	Digest    string // the field of the meta with the file's digest; empty if there is none
	Algorithm string // the field of the meta that names the digest's algorithm, which is SM3 then; empty if there is none
}

// UploadForm returns the names in the documented form, the usual ones for a nil operation.
func (o *Operation) UploadForm() UploadForm {
	if o == nil || len(o.In.Form) == 0 {
		return UploadForm{Part: "file", Name: fileNames[0], Digest: fileDigests[0]}
	}
	form := UploadForm{Part: "file"}
	for _, part := range o.In.Form {
		if part.Type == File {
			form.Part = part.Name
		}
		for _, field := range part.Fields {
			switch {
			case slices.Contains(fileNames, field.Name):
				form.Name = field.Name
			case slices.Contains(fileDigests, field.Name):
				form.Digest = field.Name
			case slices.Contains(digestAlgorithm, field.Name):
				form.Algorithm = field.Name
			}
		}
	}
	return form
}

// Bills and receipts.
var (
	// billDates are the query fields with the day of a bill: YYYY-MM-DD, YYYYMMDD or YYYYMMDDHH.
	billDates = []string{"bill_date", "date"}
	// silentBills are the applications with the code INVALID_REQUEST, instead of a code of their
	// own, while a bill is not ready.
	silentBills = []string{"/v3/profitsharing/bills"}
	// receiptStates are the response fields with the state of a receipt.
	receiptStates = []string{"state", "receipt_state", "signature_status"}
)

// Names of the key of an encrypted bill file, and of the field beside it.
var billKey = struct {
	name   string
	beside []string
}{"encrypt_key", []string{"download_url", "nonce"}}

// billHour is the hour of the next day, Beijing time, at which a bill is due. The platform makes
// bills from 9:00 and recommends 10:00: https://pay.weixin.qq.com/doc/v3/merchant/4012791866, read
// in November 2026.
const billHour = 10

// Beijing is the time zone of bills and of times without one.
var Beijing = time.FixedZone("UTC+8", 8*60*60)

// BillDue returns the time at which a bill is due, by the query of its application.
func BillDue(query func(name string) (string, bool)) (due time.Time, known bool) {
	for _, name := range billDates {
		if text, has := query(name); has {
			digits := strings.ReplaceAll(text, "-", "")
			day, err := time.ParseInLocation("20060102", digits[:min(len(digits), 8)], Beijing)
			return day.AddDate(0, 0, 1).Add(billHour * time.Hour), err == nil
		}
	}
	return time.Time{}, false
}

// IsSilentBill reports whether the application at path gives INVALID_REQUEST while its bill is not
// ready.
func IsSilentBill(path string) bool { return slices.Contains(silentBills, path) }

// IsBillKey reports whether field is the key of an encrypted bill file. It is encrypted like a text
// but is none: the decryption of the file needs it unchanged.
func IsBillKey(field *Field, siblings []Field) bool {
	if field.Name != billKey.name {
		return false
	}
	for _, name := range billKey.beside {
		if !slices.ContainsFunc(siblings, func(f Field) bool { return f.Name == name }) {
			return false
		}
	}
	return true
}

// ReceiptStates returns the response fields with the state of a receipt, in the order of the
// search.
func ReceiptStates() []string { return slices.Clone(receiptStates) }

// ReceiptFailed is the state of a receipt that the platform could not make.
const ReceiptFailed = "FAILED"
