package sandbox

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// limit bounds a string member: its length in characters, and the characters themselves.
type limit struct {
	min, max int
	charset  string // every character permitted; empty permits all
}

// Character sets of the merchant's own numbers.
const (
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	requestChars = alphanumeric + "_-"
	orderChars   = alphanumeric + "_-|*"
)

// checkParameters checks path, query, headers and body against the facts of the operation.
func (c *call) checkParameters(rawQuery string) *refusal {
	for i := range c.operation.In.Path {
		field := &c.operation.In.Path[i]
		if _, refused := c.checkText("url", field, c.path[field.Name]); refused != nil {
			return refused
		}
	}
	var err error
	if c.query, err = url.ParseQuery(rawQuery); err != nil {
		return memberError("query", "", rawQuery, text{"查询串格式错误", "the query string is malformed"})
	}
	for i := range c.operation.In.Query {
		field := &c.operation.In.Query[i]
		values := c.query[field.Name]
		if c.query.Get(field.Name) == "" {
			if field.Required {
				return memberError("query", field.Name, "", issueRequired)
			}
			continue
		}
		for i, value := range values {
			checked, refused := c.checkText("query", field, value)
			if refused != nil {
				return refused
			}
			values[i] = checked
		}
	}
	for _, field := range c.operation.In.Header {
		// Whether the key of encrypted members is named is seen where one is opened; and answers are never compressed.
		if field.Required && field.Name != apiv3.HeaderSerial && field.Name != "Accept-Encoding" && c.request.Header.Get(field.Name) == "" {
			return memberError("header", field.Name, "", issueRequired)
		}
	}
	if c.form != nil {
		return c.checkForm()
	}
	fields := c.operation.In.JSON
	required := func(field fact.Field) bool { return field.Required }
	if len(fields) == 0 || len(c.body) == 0 && !slices.ContainsFunc(fields, required) {
		return nil
	}
	if refused := c.parse(); refused != nil {
		return refused
	}
	return c.checkObject("", fields, c.object)
}

// checkText checks a value of path or query, and returns it opened if it was encrypted.
func (c *call) checkText(location string, field *fact.Field, value string) (string, *refusal) {
	if issue := c.operation.limits[field.Name].check(value); issue != nil {
		return "", memberError(location, field.Name, value, *issue)
	}
	if field.Cipher == fact.RSA {
		return c.open(value)
	}
	var err error
	switch field.Type.Element() {
	case fact.Integer:
		_, err = strconv.ParseInt(value, 10, 64)
	case fact.Number:
		_, err = strconv.ParseFloat(value, 64)
	case fact.Boolean:
		_, err = strconv.ParseBool(value)
	}
	if err != nil {
		return "", memberError(location, field.Name, value, issueType(field.Type.Element()))
	}
	if !constant(field, value) {
		return "", memberError(location, field.Name, value, issueConstant)
	}
	return value, nil
}

// parse reads the JSON body.
func (c *call) parse() *refusal {
	media, parameters, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if charset := parameters["charset"]; err != nil || media != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return invalidRequest(text{"Http头Content-Type必须为application/json", "the HTTP header Content-Type must be application/json"}, "Content-Type is not application/json")
	}
	return c.parseObject(c.body)
}

// parseObject reads a JSON object.
func (c *call) parseObject(body []byte) *refusal {
	if !utf8.Valid(body) {
		return bodyError(text{"请求体不是UTF-8编码", "the body is not UTF-8"})
	}
	if !inBasicPlane(string(body)) {
		return bodyError(issueCharacters)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&c.object); err != nil || c.object == nil {
		return bodyError(text{"请求体不是JSON对象", "the body is not a JSON object"})
	}
	if _, err := decoder.Token(); err != io.EOF {
		return bodyError(text{"请求体在JSON对象之后还有内容", "something follows the JSON object of the body"})
	}
	return nil
}

// inBasicPlane reports whether s keeps to the Basic Multilingual Plane, the documented range of characters.
func inBasicPlane(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0xFFFF })
}

// checkObject checks the members of an object, at the place that pointer names, and opens the encrypted ones.
func (c *call) checkObject(pointer string, fields []fact.Field, object map[string]any) *refusal {
	known := make(map[string]bool, len(fields))
	for i := range fields {
		field := &fields[i]
		name, refused := sentName(pointer, field, object)
		if refused != nil {
			return refused
		}
		known[name] = true
		place := pointer + "/" + name
		value, sent := object[name]
		if !sent {
			if field.Required {
				return memberError("body", place, "", issueRequired)
			}
			continue
		}
		checked, refused := c.checkValue(place, field, field.Type, value)
		if refused != nil {
			return refused
		}
		object[name] = checked
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !known[name] {
			r := memberError("body", pointer+"/"+pointerEscape.Replace(name), object[name], text{"未知的参数", "the parameter is not known"})
			r.number = numberUnknownMember
			return r
		}
	}
	return nil
}

// sentName returns the name under which the object has the field, which may be documented under several. Nulls are
// removed from the object on the way: a null counts as absent.
func sentName(pointer string, field *fact.Field, object map[string]any) (string, *refusal) {
	dropNull(object, field.Name)
	name := field.Name
	_, sent := object[name]
	for _, alt := range field.Alt {
		dropNull(object, alt)
		if _, ok := object[alt]; !ok {
			continue
		}
		if sent {
			r := memberError("body", pointer+"/"+alt, object[alt], text{"与" + name + "重复", "it repeats " + name})
			r.number = numberUnknownMember
			return "", r
		}
		name, sent = alt, true
	}
	return name, nil
}

func dropNull(object map[string]any, name string) {
	if value, ok := object[name]; ok && value == nil {
		delete(object, name)
	}
}

// pointerEscape writes a name as a segment of a JSON Pointer (RFC 6901).
var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// checkValue checks one value and returns it, opened if it was encrypted.
func (c *call) checkValue(place string, field *fact.Field, kind fact.Type, value any) (any, *refusal) {
	if element, ok := strings.CutSuffix(string(kind), "[]"); ok {
		list, ok := value.([]any)
		if !ok {
			return nil, memberError("body", place, value, issueType(kind))
		}
		for i := range list {
			checked, refused := c.checkValue(place+"/"+strconv.Itoa(i), field, fact.Type(element), list[i])
			if refused != nil {
				return nil, refused
			}
			list[i] = checked
		}
		return list, nil
	}
	wrong := func() *refusal { return memberError("body", place, value, issueType(kind)) }
	if !constant(field, value) {
		return nil, memberError("body", place, value, issueConstant)
	}
	switch kind {
	case fact.String:
		s, ok := value.(string)
		if !ok {
			return nil, wrong()
		}
		return c.checkString(place, field, s)
	case fact.Integer:
		n, ok := value.(json.Number)
		if _, err := n.Int64(); !ok || err != nil {
			return nil, wrong()
		}
	case fact.Number:
		if _, ok := value.(json.Number); !ok {
			return nil, wrong()
		}
	case fact.Boolean:
		if _, ok := value.(bool); !ok {
			return nil, wrong()
		}
	case fact.Object:
		object, ok := value.(map[string]any)
		if !ok {
			return nil, wrong()
		}
		if refused := c.checkObject(place, field.Fields, object); refused != nil {
			return nil, refused
		}
	}
	return value, nil
}

func (c *call) checkString(place string, field *fact.Field, s string) (any, *refusal) {
	if !inBasicPlane(s) {
		return nil, memberError("body", place, s, issueCharacters)
	}
	if field.Required && s == "" {
		return nil, memberError("body", place, s, issueRequired)
	}
	if field.Cipher == fact.RSA && s != "" {
		opened, refused := c.open(s)
		if refused != nil {
			return nil, refused
		}
		s = opened
	}
	if issue := c.operation.limits[place].check(s); issue != nil {
		return nil, memberError("body", place, s, *issue)
	}
	if field.Format == "rfc3339" && s != "" {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return nil, memberError("body", place, s, text{"不是RFC 3339格式的时间", "it is not a time in the form of RFC 3339"})
		}
	}
	if field.JSONText && s != "" && !json.Valid([]byte(s)) {
		return nil, memberError("body", place, s, text{"不是JSON文本", "it is not a JSON text"})
	}
	return s, nil
}

// constant reports whether the value may be one of the field's constants: only where they were reviewed is another one wrong.
func constant(field *fact.Field, value any) bool {
	return !field.Reviewed || slices.ContainsFunc(field.Enum, func(constant any) bool { return fmt.Sprint(constant) == fmt.Sprint(value) })
}

// open decrypts an encrypted member with the platform key that the request names.
func (c *call) open(sealed string) (string, *refusal) {
	if len(c.request.Header[apiv3.HeaderSerial]) == 0 {
		c.explainPlatformSerial(nil)
		return "", parameterError(text{"HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)", "the HTTP header lacks the platform serial (Wechatpay-Serial)"}, nil,
			"the body has an encrypted member, so Wechatpay-Serial must name the key")
	}
	ciphertext, err := base64.StdEncoding.Strict().DecodeString(sealed)
	if err == nil {
		var plaintext []byte
		if plaintext, err = c.scheme.Decrypt(c.platform.keys[c.serial].(crypto.Decrypter), ciphertext); err == nil {
			return string(plaintext), nil
		}
	}
	c.explainSealed(sealed)
	return "", parameterError(text{"平台私钥解密失败", "decryption with the platform's private key failed"}, nil,
		"a member that must be encrypted cannot be opened with the key that Wechatpay-Serial names: it is plain text, was made for another key, or with another hash than SHA-1")
}

// check reports why s is outside the limit. An empty text is outside only if there is a minimum.
func (l limit) check(s string) *text {
	n := utf8.RuneCountInString(s)
	switch {
	case n < l.min:
		return &text{fmt.Sprintf("字符数 %d，小于最小值 %d", n, l.min), fmt.Sprintf("it has %d characters, at least %d are needed", n, l.min)}
	case l.max > 0 && n > l.max:
		return &text{fmt.Sprintf("字符数 %d，大于最大值 %d", n, l.max), fmt.Sprintf("it has %d characters, at most %d are allowed", n, l.max)}
	case l.charset != "" && strings.Trim(s, l.charset) != "":
		return &text{"含有不允许的字符", "it has a character that is not allowed"}
	}
	return nil
}

// Issues that several members share.
var (
	issueRequired   = text{"此字段为必填项", "this field is required"}
	issueConstant   = text{"不是文档中的取值", "it is none of the documented values"}
	issueCharacters = text{"仅支持一至三个字节的UTF-8字符", "only characters of one to three bytes of UTF-8 are supported"}
)

func issueType(kind fact.Type) text {
	return text{"类型应为" + string(kind), "its type must be " + string(kind)}
}

func bodyError(issue text) *refusal { return memberError("body", "", "", issue) }

// memberError is PARAM_ERROR about one member. place is a JSON Pointer in a body and a name elsewhere.
func memberError(location, place string, value any, issue text) *refusal {
	source := "/" + location
	if place != "" {
		source += "/" + strings.TrimPrefix(place, "/")
	}
	return parameterError(
		text{"输入源“" + source + "”校验失败：" + issue.zh, "the input " + source + " was refused: " + issue.en},
		parameterDetail{field: place, value: value, issue: issue, location: location},
		source+": "+issue.en)
}
