package gate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// checkText checks a value of path or query, and returns it decrypted if it was encrypted.
func (c *Call) checkText(location string, field *fact.Field, value string) (string, *say.Rejection) {
	if issue := c.Operation.Limits[field.Name].Check(value); issue != nil {
		return "", say.FieldError(location, field.Name, value, *issue)
	}
	if field.Cipher == fact.RSA {
		return c.decrypt(value)
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
		return "", say.FieldError(location, field.Name, value, say.IssueType(field.Type.Element()))
	}
	if !constant(field, value) {
		return "", say.FieldError(location, field.Name, value, say.IssueConstant)
	}
	return value, nil
}

// parse reads the JSON body.
func (c *Call) parse() *say.Rejection {
	media, parameters, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if charset := parameters["charset"]; err != nil || media != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return say.InvalidRequest(say.Both("Http头Content-Type必须为application/json", "the HTTP header Content-Type must be application/json"), "Content-Type is not application/json")
	}
	return c.parseObject(c.Body)
}

// parseObject reads a JSON object.
func (c *Call) parseObject(body []byte) *say.Rejection {
	if !utf8.Valid(body) {
		return say.BodyError(say.Both("请求体不是UTF-8编码", "the body is not UTF-8"))
	}
	if !inBasicPlane(string(body)) {
		return say.BodyError(say.IssueCharacters.Text)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&c.Object); err != nil || c.Object == nil {
		return say.BodyError(say.Both("请求体不是JSON对象", "the body is not a JSON object"))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return say.BodyError(say.Both("请求体在JSON对象之后还有内容", "something follows the JSON object of the body"))
	}
	return nil
}

// inBasicPlane reports whether s keeps to the Basic Multilingual Plane, the documented range of
// characters.
func inBasicPlane(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0xFFFF })
}

// checkObject checks the fields of an object, at the place that pointer names, and decrypts the
// encrypted ones.
func (c *Call) checkObject(pointer string, fields []fact.Field, object map[string]any) *say.Rejection {
	known := make(map[string]bool, len(fields))
	for i := range fields {
		field := &fields[i]
		name, rejected := sentName(pointer, field, object)
		if rejected != nil {
			return rejected
		}
		known[name] = true
		place := pointer + "/" + name
		value, sent := object[name]
		if !sent {
			if field.Required {
				return say.FieldError("body", place, "", say.IssueRequired)
			}
			continue
		}
		checked, rejected := c.checkValue(place, field, field.Type, value)
		if rejected != nil {
			return rejected
		}
		object[name] = checked
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !known[name] {
			r := say.FieldError("body", pointer+"/"+pointerEscape.Replace(name), object[name], say.Unfitting("未知的参数", "the parameter is not known"))
			r.Number = say.NumberUnknownField
			return r
		}
	}
	return nil
}

// sentName returns the name under which the object has the field, which may be documented under
// several. Nulls are removed from the object on the way: a null counts as absent.
func sentName(pointer string, field *fact.Field, object map[string]any) (string, *say.Rejection) {
	dropNull(object, field.Name)
	name := field.Name
	_, sent := object[name]
	for _, alt := range field.Alt {
		dropNull(object, alt)
		if _, ok := object[alt]; !ok {
			continue
		}
		if sent {
			r := say.FieldError("body", pointer+"/"+alt, object[alt], say.Unfitting("与"+name+"重复", "it repeats "+name))
			r.Number = say.NumberUnknownField
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

// checkValue checks one value and returns it, decrypted if it was encrypted.
func (c *Call) checkValue(place string, field *fact.Field, kind fact.Type, value any) (any, *say.Rejection) {
	if element, ok := strings.CutSuffix(string(kind), "[]"); ok {
		list, ok := value.([]any)
		if !ok {
			return nil, say.FieldError("body", place, value, say.IssueType(kind))
		}
		for i := range list {
			checked, rejected := c.checkValue(place+"/"+strconv.Itoa(i), field, fact.Type(element), list[i])
			if rejected != nil {
				return nil, rejected
			}
			list[i] = checked
		}
		return list, nil
	}
	wrong := func() *say.Rejection { return say.FieldError("body", place, value, say.IssueType(kind)) }
	if !constant(field, value) {
		return nil, say.FieldError("body", place, value, say.IssueConstant)
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
		if rejected := c.checkObject(place, field.Fields, object); rejected != nil {
			return nil, rejected
		}
	}
	return value, nil
}

func (c *Call) checkString(place string, field *fact.Field, s string) (any, *say.Rejection) {
	if !inBasicPlane(s) {
		return nil, say.FieldError("body", place, s, say.IssueCharacters)
	}
	limit := c.Operation.limitAt(place)
	if field.Required && s == "" && limit.Min == 0 {
		return nil, say.FieldError("body", place, s, say.IssueRequired)
	}
	if field.Cipher == fact.RSA && s != "" {
		decrypted, rejected := c.decrypt(s)
		if rejected != nil {
			return nil, rejected
		}
		s = decrypted
	}
	if issue := limit.Check(s); issue != nil {
		return nil, say.FieldError("body", place, s, *issue)
	}
	if field.Format == "rfc3339" && s != "" {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return nil, say.FieldError("body", place, s, say.Unfitting("不是RFC 3339格式的时间", "it is not a time in the form of RFC 3339"))
		}
	}
	if field.JSONText && s != "" && !json.Valid([]byte(s)) {
		return nil, say.FieldError("body", place, s, say.Unfitting("不是JSON文本", "it is not a JSON text"))
	}
	return s, nil
}

// constant reports whether the value may be one of the field's constants: only where they were
// reviewed is another one wrong.
func constant(field *fact.Field, value any) bool {
	return !field.Reviewed || slices.ContainsFunc(field.Enum, func(constant any) bool { return fmt.Sprint(constant) == fmt.Sprint(value) })
}

// decrypt decrypts an encrypted field with the platform key that the request names.
func (c *Call) decrypt(encrypted string) (string, *say.Rejection) {
	if rejected := c.NeedSerial(); rejected != nil {
		return "", rejected
	}
	ciphertext, err := base64.StdEncoding.Strict().DecodeString(encrypted)
	if err == nil {
		var plaintext []byte
		if plaintext, err = c.Platform.Scheme.Decrypt(c.Platform.Keys[c.Serial].Private(), ciphertext); err == nil {
			return string(plaintext), nil
		}
	}
	c.explanation = c.clinic().Encrypted(encrypted)
	return "", say.ParameterError(say.Both("平台私钥解密失败", "decryption with the platform's private key failed"), nil,
		"a field that must be encrypted cannot be decrypted with the key that Wechatpay-Serial names: it is plain text, was made for another key, or with another hash than SHA-1")
}
