package sandbox

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// form is the multipart body of an upload, taken apart.
type form struct {
	meta []byte // as it was sent, which is what the signature covers
	name string // filename of the file's part
	file []byte
	note string // for the journal: what could not be checked
}

// uploadRule is what the documentation says of one upload, and what it answers.
type uploadRule struct {
	suffixes string           // permitted, divided by blanks; empty permits all
	most     map[string]int64 // bytes, by suffix; "" is for all others, 0 is no documented bound
	answer   func(*call) any
}

const (
	pictureSuffixes = "jpg jpeg bmp png"
	videoSuffixes   = "avi wmv mpeg mp4 mov mkv flv f4v m4v rmvb"
)

func upTo(bytes int64) map[string]int64 { return map[string]int64{"": bytes} }

// uploadRules are the limits and answers, by path template. Where pages disagree on a limit the larger one stands.
var uploadRules = map[string]uploadRule{
	"/v3/merchant/media/upload":                                                 {pictureSuffixes + " pdf", map[string]int64{"": 5 << 20, "pdf": 7_500_000}, newID("media_id")},
	"/v3/merchant/media/video_upload":                                           {videoSuffixes, upTo(5 << 20), newID("media_id")},
	"/v3/marketing/favor/media/image-upload":                                    {pictureSuffixes, upTo(2 << 20), newMediaURL},
	"/v3/marketing/partner/product-coupon/media/upload-image":                   {pictureSuffixes, upTo(2 << 20), newMediaURL},
	"/brand/marketing/product-coupon/media/upload-image":                        {pictureSuffixes, upTo(2 << 20), newMediaURL},
	"/brand/card-member/media/image-upload":                                     {pictureSuffixes, upTo(2 << 20), newMediaURL},
	"/v3/merchant-service/images/upload":                                        {pictureSuffixes, upTo(2 << 20), (*call).keepImage},
	"/v3/global/merchant-service/images/upload":                                 {pictureSuffixes, upTo(2 << 20), (*call).keepImage},
	"/v3/global/merchant-storage/file/upload":                                   {pictureSuffixes + " pdf", upTo(5 << 20), newID("file_id")},
	"/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file":         {"pdf ofd", upTo(2 << 20), newID("fapiao_media_id")},
	"/v3/taxi-invoice/cards/upload-file":                                        {"", upTo(5 << 20), newID("fapiao_media_id")},
	"/v3/ecommerce/account/cancel-applications/media":                           {"", upTo(2 << 20), newID("media_id")},
	"/v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload":              {"", nil, newID("file_id")},
	"/v3/mch-operation-manage/enhanced-due-diligence/{due_diligence_id}/upload": {"", nil, newID("file_id")},
	"/v3/marketing/bank/packages/{package_id}/tasks":                            {"", nil, (*call).newImport},
	"/v3/marketing/shopping-receipt/shoppingreceipts":                           {"", nil, (*call).newShoppingReceipt},
}

// uploadOperations are all that take a multipart body.
func uploadOperations() []operation {
	var list []operation
	for template, rule := range uploadRules {
		list = append(list, operation{Operation: documented("POST", template), do: func(c *call) (any, *refusal) { return rule.answer(c), nil }})
	}
	return list
}

// signedBody is the part of the body that the request's signature covers.
func (c *call) signedBody() []byte {
	if c.form != nil {
		return c.form.meta
	}
	return c.body
}

// takeApart reads the multipart body: the part meta, then the file under the name that the operation gives it.
func (c *call) takeApart() *refusal {
	media, parameters, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err != nil || media != "multipart/form-data" || boundary == "" {
		return invalidRequest(text{"Http头Content-Type必须为multipart/form-data", "the HTTP header Content-Type must be multipart/form-data"}, "Content-Type is not multipart/form-data with a boundary")
	}
	malformed := func(reason string) *refusal {
		return bodyError(text{"multipart请求体格式错误：" + reason, "the multipart body is malformed: " + reason})
	}
	var want string
	for _, field := range c.operation.In.Form {
		if field.Type == fact.File {
			want = field.Name
		}
	}
	// mime/multipart takes lines that end with LF alone; what is documented to end with CRLF is asked for here.
	delimiter := []byte("\r\n--" + boundary)
	rest, found := bytes.CutPrefix(c.body, delimiter[2:])
	if !found || !bytes.HasPrefix(rest, []byte("\r\n")) {
		return malformed("it does not begin with the boundary that Content-Type names and CRLF")
	}
	var f form
	for _, name := range []string{"meta", want} {
		if rest, found = bytes.CutPrefix(rest, []byte("\r\n")); !found {
			return malformed("the part " + name + " is missing")
		}
		head, behind, ends := bytes.Cut(rest, []byte("\r\n\r\n"))
		if !ends || bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) {
			return malformed("the headers of the part " + name + " do not end with CRLF, each, and with an empty line")
		}
		headers, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest[:len(head)+4]))).ReadMIMEHeader()
		if err != nil {
			return malformed("the headers of the part " + name + " cannot be read")
		}
		kind, disposition, err := mime.ParseMediaType(headers.Get("Content-Disposition"))
		fileName, isFile := disposition["filename"]
		switch {
		case err != nil || kind != "form-data":
			return malformed("a part has no Content-Disposition: form-data")
		case disposition["name"] != name:
			return malformed(fmt.Sprintf("the part %q stands where %q is expected; there are %q and %q, in this order", disposition["name"], name, "meta", want))
		case isFile != (name == want), isFile && fileName == "":
			return malformed("the part of the file has a filename, meta has none")
		}
		var content []byte
		if content, rest, found = bytes.Cut(behind, delimiter); !found {
			return malformed("the part " + name + " does not end with CRLF and the boundary")
		}
		if name == want {
			f.name, f.file = fileName, content
		} else {
			f.meta = content
		}
	}
	if end := string(rest); end != "--" && end != "--\r\n" {
		return malformed("there are more than two parts, or the last boundary is missing or not the end")
	}
	c.form = &f
	return nil
}

// metaField is the member meta of the operation's form.
func (o *operation) metaField() *fact.Field {
	for i := range o.In.Form {
		if o.In.Form[i].Name == "meta" {
			return &o.In.Form[i]
		}
	}
	panic("sandbox: the upload " + o.Path + " has no meta") // found by any test
}

// checkForm checks the meta against the facts, and the file against the meta and the documented limits.
func (c *call) checkForm() *refusal {
	meta, f := c.operation.metaField(), c.form
	if refused := c.parseObject(f.meta); refused != nil {
		return refused
	}
	if refused := c.checkObject("", meta.Fields, c.object); refused != nil {
		return refused
	}
	rule := uploadRules[c.operation.Path]
	names := map[string]string{"filename of the file's part": f.name}
	for _, member := range []string{"filename", "file_name"} {
		if name, sent := c.object[member].(string); sent {
			names["/"+member] = name
		}
	}
	for place, name := range names {
		if suffix := suffixOf(name); rule.suffixes != "" && !slices.Contains(strings.Fields(rule.suffixes), suffix) {
			return memberError("body", place, name, text{"文件后缀应为" + rule.suffixes, "the file's suffix must be one of " + rule.suffixes})
		}
	}
	most, special := rule.most[suffixOf(f.name)]
	if !special {
		most = rule.most[""]
	}
	switch size := int64(len(f.file)); {
	case size == 0:
		return bodyError(text{"文件为空", "the file has no bytes"})
	case most > 0 && size > most:
		return bodyError(text{fmt.Sprintf("文件大小 %d 字节，大于最大值 %d", size, most), fmt.Sprintf("the file has %d bytes, at most %d are allowed", size, most)})
	}
	return c.checkDigest(meta)
}

func suffixOf(name string) string { return strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) }

// checkDigest compares the digest that the meta tells with the file. Of SM3, which the standard library lacks, the form
// is all that can be checked.
func (c *call) checkDigest(meta *fact.Field) *refusal {
	algorithm := "SHA256"
	for i := range meta.Fields {
		field := &meta.Fields[i]
		if strings.HasPrefix(field.Name, "digest_al") || field.Name == "file_type" {
			if value, sent := c.object[field.Name]; sent && !slices.Contains(field.Enum, value) {
				return memberError("body", "/"+field.Name, value, text{fmt.Sprintf("应为%v之一", field.Enum), fmt.Sprintf("it must be one of %v", field.Enum)})
			}
			if field.Name != "file_type" {
				algorithm = "SM3"
			}
		}
	}
	for _, member := range []string{"sha256", "digest", "file_digest"} {
		sent, ok := c.object[member].(string)
		if !ok {
			continue
		}
		if len(sent) != 64 || strings.Trim(sent, "0123456789abcdef") != "" {
			return memberError("body", "/"+member, sent, text{"应为64位小写十六进制摘要", "it must be a digest of 64 lower-case hex digits"})
		}
		if algorithm == "SM3" {
			c.form.note = "the SM3 digest was not checked: the sandbox has no SM3"
		} else if sum := sha256.Sum256(c.form.file); sent != hex.EncodeToString(sum[:]) {
			return memberError("body", "/"+member, sent, text{"与文件内容的SHA256摘要不一致", "it is not the SHA-256 of the file, which is " + hex.EncodeToString(sum[:])})
		}
	}
	return nil
}

// mediaID makes an id of a file.
func mediaID() string {
	var b [60]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID answers with an id under that name.
func newID(member string) func(*call) any {
	return func(*call) any { return map[string]any{member: mediaID()} }
}

func newMediaURL(*call) any {
	return map[string]any{"media_url": "https://wxpaylogo.qpic.cn/wxpaylogo/" + mediaID() + "/0"}
}

// keepImage answers with an id under which the image can be downloaded.
func (c *call) keepImage() any {
	id := mediaID()
	c.files.mu.Lock()
	defer c.files.mu.Unlock()
	c.files.images.keep(id, c.form.file)
	return map[string]any{"media_id": id}
}

// newImport answers that a list of users is being imported.
func (c *call) newImport() any {
	return map[string]any{
		"task_id": hexText(32), "package_id": c.path["package_id"], "filename": c.object["filename"], "bank_type": c.object["bank_type"],
		"create_time": platformTime(c.now), "update_time": platformTime(c.now), "status": "PROCESSING",
	}
}

// newShoppingReceipt answers that a receipt waits for review. What came encrypted goes back encrypted to the merchant.
func (c *call) newShoppingReceipt() any {
	receipt := pickMembers(c.object, "transaction_id", "transaction_mchid", "transaction_sub_mchid", "openid", "sha256", "upload_time")
	if contact, ok := c.object["merchant_contact_information"].(map[string]any); ok {
		if phone, ok := contact["consultation_phone_number"].(string); ok && phone != "" {
			receipt["merchant_contact_information"] = map[string]any{"consultation_phone_number": c.seal(phone)}
		}
	}
	receipt["receipt_id"], receipt["state"], receipt["image_type"] = hexText(32), "WAIT_REVIEW", strings.TrimPrefix(http.DetectContentType(c.form.file), "image/")
	receipt["create_time"], receipt["modify_time"] = platformTime(c.now), platformTime(c.now)
	return map[string]any{"receipt": receipt}
}
