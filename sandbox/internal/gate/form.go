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
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// takeApart reads the multipart body: the part meta, then the file under the name that the
// operation gives it.
func (c *Call) takeApart() *say.Rejection {
	media, parameters, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err != nil || media != "multipart/form-data" || boundary == "" {
		return say.InvalidRequest(say.Both("Http头Content-Type必须为multipart/form-data", "the HTTP header Content-Type must be multipart/form-data"), "Content-Type is not multipart/form-data with a boundary")
	}
	malformed := func(reason string) *say.Rejection {
		return say.BodyError(say.Both("multipart请求体格式错误："+reason, "the multipart body is malformed: "+reason))
	}
	var want string
	for _, field := range c.Operation.In.Form {
		if field.Type == fact.File {
			want = field.Name
		}
	}
	// mime/multipart takes lines that end with LF alone; what is documented to end with CRLF is
	// asked for here.
	delimiter := []byte("\r\n--" + boundary)
	rest, found := bytes.CutPrefix(c.Body, delimiter[2:])
	if !found || !bytes.HasPrefix(rest, []byte("\r\n")) {
		return malformed("it does not begin with the boundary that Content-Type names and CRLF")
	}
	var f Form
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
			f.name, f.File = fileName, content
		} else {
			f.meta = content
		}
	}
	if end := string(rest); end != "--" && end != "--\r\n" {
		return malformed("there are more than two parts, or the last boundary is missing or not the end")
	}
	c.Form = &f
	return nil
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
	names := map[string]string{"filename of the file's part": f.name}
	if name, sent := c.Object[form.Name].(string); sent {
		names["/"+form.Name] = name
	}
	for place, name := range names {
		if !limits.Takes(suffixOf(name)) {
			return say.FieldError("body", place, name, say.Both("文件后缀应为"+limits.Suffixes, "the file's suffix must be one of "+limits.Suffixes))
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
				return say.FieldError("body", "/"+field.Name, value, say.Both(fmt.Sprintf("应为%v之一", field.Enum), fmt.Sprintf("it must be one of %v", field.Enum)))
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
		return say.FieldError("body", "/"+field, sent, say.Both("应为64位小写十六进制摘要", "it must be a digest of 64 lower-case hex digits"))
	}
	if algorithm == "SM3" {
		c.Form.note = "the SM3 digest was not checked: the sandbox has no SM3"
	} else if sum := sha256.Sum256(c.Form.File); sent != hex.EncodeToString(sum[:]) {
		return say.FieldError("body", "/"+field, sent, say.Both("与文件内容的SHA256摘要不一致", "it is not the SHA-256 of the file, which is "+hex.EncodeToString(sum[:])))
	}
	return nil
}
