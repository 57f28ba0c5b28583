package gate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/textproto"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// takeApart reads the multipart body: the part meta, and the file under the name that the operation
// gives it. No page fixes their order.
func (c *Call) takeApart() *say.Rejection {
	media, parameters, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err != nil || media != "multipart/form-data" || boundary == "" {
		return say.InvalidRequest(say.Both("Http头Content-Type必须为multipart/form-data", "the HTTP header Content-Type must be multipart/form-data"), "Content-Type is not multipart/form-data with a boundary")
	}
	parts, rejected := c.parts(boundary)
	if rejected != nil {
		return rejected
	}
	file := c.Operation.fileField().Name
	var f Form
	for _, name := range []string{"meta", file} {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return malformed("缺少"+name, "the part "+name+" is missing")
		}
		p := parts[i]
		switch {
		case len(parts) > 2:
			return malformed("只能有meta和"+file+"两个部分", "there are more parts than meta and "+file)
		case p.isFile != (name == file), p.isFile && p.fileName == "":
			return malformed("文件部分需有filename，meta不能有", "the part of the file has a filename, meta has none")
		case name == file:
			f.name, f.File = p.fileName, p.content
		default:
			f.meta = p.content
		}
	}
	c.Form = &f
	return nil
}

func malformed(zh, en string) *say.Rejection {
	return say.BodyError(say.Both("multipart请求体格式错误："+zh, "the multipart body is malformed: "+en))
}

// part is a part of a multipart body.
type part struct {
	name, fileName string
	isFile         bool
	content        []byte
}

// parts divides the body at the boundary. mime/multipart takes lines that end with LF alone; what is
// documented to end with CRLF is asked for here.
func (c *Call) parts(boundary string) (list []part, rejected *say.Rejection) {
	delimiter := []byte("\r\n--" + boundary)
	rest, found := bytes.CutPrefix(c.Body, delimiter[2:])
	if !found || !bytes.HasPrefix(rest, []byte("\r\n")) {
		return nil, malformed("开头不是Content-Type中的boundary和CRLF", "it does not begin with the boundary that Content-Type names and CRLF")
	}
	for bytes.HasPrefix(rest, []byte("\r\n")) && !bytes.Equal(rest, []byte("\r\n")) {
		head, behind, ends := bytes.Cut(rest[2:], []byte("\r\n\r\n"))
		if !ends || bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) {
			return nil, malformed("头部各行未以CRLF和空行结束", "the headers of a part do not end with CRLF, each, and with an empty line")
		}
		headers, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest[2 : len(head)+6]))).ReadMIMEHeader()
		if err != nil {
			return nil, malformed("头部无法解析", "the headers of a part cannot be read")
		}
		kind, disposition, err := mime.ParseMediaType(headers.Get("Content-Disposition"))
		if err != nil || kind != "form-data" {
			return nil, malformed("缺少Content-Disposition: form-data", "a part has no Content-Disposition: form-data")
		}
		p := part{name: disposition["name"]}
		p.fileName, p.isFile = disposition["filename"]
		if p.content, rest, found = bytes.Cut(behind, delimiter); !found {
			return nil, malformed("未以CRLF和boundary结束", "the part "+strconv.Quote(p.name)+" does not end with CRLF and the boundary")
		}
		list = append(list, p)
	}
	if end := string(rest); end != "--" && end != "--\r\n" {
		return nil, malformed("最后的boundary缺失或其后还有内容", "the last boundary is missing or not the end")
	}
	return list, nil
}

// fileField is the field of the operation's form that is the file.
func (o *Operation) fileField() *fact.Field {
	for i := range o.In.Form {
		if o.In.Form[i].Type == fact.File {
			return &o.In.Form[i]
		}
	}
	panic("sandbox: the upload " + o.Path + " has no file") // found by any test
}

// metaField is the field meta of the operation's form.
func (o *Operation) metaField() *fact.Field {
	for i := range o.In.Form {
		if o.In.Form[i].Name == "meta" {
			return &o.In.Form[i]
		}
	}
	panic("sandbox: the upload " + o.Path + " has no meta") // found by any test
}

// checkForm checks the meta against the facts, and the file against the meta and the documented
// limits.
func (c *Call) checkForm() *say.Rejection {
	meta, f := c.Operation.metaField(), c.Form
	if rejected := c.parseObject(f.meta); rejected != nil {
		return rejected
	}
	if rejected := c.checkObject("", meta.Fields, c.Object); rejected != nil {
		return rejected
	}
	form, limits := c.Operation.UploadForm(), fact.UploadAt(c.Operation.Path)
	if limits == nil {
		limits = &fact.Upload{}
	}
	names := map[string]string{"/" + c.Operation.fileField().Name: f.name}
	if name, sent := c.Object[form.Name].(string); sent {
		names["/"+form.Name] = name
	}
	for place, name := range names {
		if !limits.Takes(suffixOf(name)) {
			return say.FieldError("body", place, name, say.Unfitting("文件后缀应为"+limits.Suffixes, "the file's suffix must be one of "+limits.Suffixes))
		}
	}
	most := limits.Most(suffixOf(f.name))
	switch size := int64(len(f.File)); {
	case size == 0:
		return say.BodyError(say.Both("文件为空", "the file has no bytes"))
	case most > 0 && size > most:
		return say.BodyError(say.Both(fmt.Sprintf("文件大小 %d 字节，大于最大值 %d", size, most), fmt.Sprintf("the file has %d bytes, at most %d are allowed", size, most)))
	}
	return c.checkDigest(meta)
}

func suffixOf(name string) string { return strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) }

// checkDigest compares the digest that the meta tells with the file. Of SM3, which the standard
// library lacks, the form is all that can be checked.
func (c *Call) checkDigest(meta *fact.Field) *say.Rejection {
	algorithm := "SHA256"
	for i := range meta.Fields {
		field := &meta.Fields[i]
		if strings.HasPrefix(field.Name, "digest_al") || field.Name == "file_type" {
			if value, sent := c.Object[field.Name]; sent && !slices.Contains(field.Enum, value) {
				return say.FieldError("body", "/"+field.Name, value, say.Unfitting(fmt.Sprintf("应为%v之一", field.Enum), fmt.Sprintf("it must be one of %v", field.Enum)))
			}
			if field.Name != "file_type" {
				algorithm = "SM3"
			}
		}
	}
	field := c.Operation.UploadForm().Digest
	sent, ok := c.Object[field].(string)
	if !ok {
		return nil
	}
	if len(sent) != 64 || strings.Trim(sent, "0123456789abcdef") != "" {
		return say.FieldError("body", "/"+field, sent, say.Unfitting("应为64位小写十六进制摘要", "it must be a digest of 64 lower-case hex digits"))
	}
	if algorithm == "SM3" {
		c.Form.note = "the SM3 digest was not checked: the sandbox has no SM3"
	} else if sum := sha256.Sum256(c.Form.File); sent != hex.EncodeToString(sum[:]) {
		return say.FieldError("body", "/"+field, sent, say.Unfitting("与文件内容的SHA256摘要不一致", "it is not the SHA-256 of the file, which is "+hex.EncodeToString(sum[:])))
	}
	return nil
}
