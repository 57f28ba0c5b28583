package say

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// The internal numbers at the end of Request-ID, as far as they are known.
const (
	NumberSuccess       = 0
	NumberParameter     = 268435461
	NumberRange         = 268435464
	NumberSignature     = 268443699
	NumberTooOften      = 268447840
	NumberAppID         = 268445527
	NumberOrderMissing  = 268512771
	NumberOrderMismatch = 268498688
	NumberOrderPaid     = 268498689
	NumberOnlyReversed  = 268449641
	NumberUnknownField  = 270924358
	NumberUndocumented  = 268435456 // the sandbox's own, where the platform's is not known
)

// Rejection is a response other than success.
type Rejection struct {
	Status  int
	Code    string
	Message Text
	Detail  Detail // nil for none
	Number  int
	Bare    bool   // no body, no Request-ID: the responses of the layer in front
	After   string // Retry-After; empty for none
	Reason  string // for the journal
}

// Style is how a response tells an error.
type Style struct {
	Language
	// Classic is the form that the documentation shows: the detail names the field and the issue.
	// The platform's responses of the last years have less in it, and more in the message.
	Classic bool
	// Label returns the documented name of the field at a place; empty for none.
	Label func(location, place string) string
}

// Detail is the field of the same name.
type Detail interface{ In(Style) any }

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// Body is the rejection in JSON.
func (r *Rejection) Body(style Style) []byte {
	b := errorBody{Code: r.Code, Message: r.Message.In(style.Language)}
	if r.Detail != nil {
		b.Detail = r.Detail.In(style)
	}
	if f, ok := r.Detail.(fieldDetail); ok {
		b.Message = f.message(style)
	}
	return JSON(b)
}

// InPath is the location of placeholders; the others are body, query and header.
const InPath = "uri_template"

// fieldDetail is the detail of PARAM_ERROR about a field.
type fieldDetail struct {
	location string
	place    string // JSON Pointer in a body, else the parameter's name; empty when it is about the whole
	value    any    // as sent; "" when the field is missing
	issue    Issue
}

func (d fieldDetail) In(style Style) any {
	if !style.Classic {
		value := d.value
		if d.issue.Measured {
			value = d.issue.Size
		}
		return struct {
			Location string `json:"location"`
			Value    any    `json:"value"`
		}{d.location, value}
	}
	location := d.location
	if location == InPath {
		location = "url"
	}
	return struct {
		Field    string `json:"field,omitempty"`
		Value    any    `json:"value"`
		Issue    string `json:"issue"`
		Location string `json:"location"`
	}{d.place, d.value, d.issue.In(style.Language), location}
}

// source is the place of the field as messages write it.
func (d fieldDetail) source() string {
	source := "/" + d.location
	if d.place != "" {
		source += "/" + strings.TrimPrefix(d.place, "/")
	}
	return source
}

// message is in the platform's manner: the words around the issue were seen in its responses.
func (d fieldDetail) message(style Style) string {
	source, issue := d.source(), d.issue.In(style.Language)
	if style.Language == English {
		return "the input “" + source + "” was refused: " + issue
	}
	label := ""
	if style.Label != nil {
		label = style.Label(d.location, d.place)
	}
	switch {
	case d.place == "", label == "" && d.issue.Kind == Unfit:
		return "输入源“" + source + "”校验失败：" + issue
	case d.issue.Kind == Missing:
		return "输入源“" + source + "”映射到字段“" + label + "”必填性规则校验失败，" + issue
	case d.issue.Kind == Mistyped && d.location == "body":
		return "无法将 JSON 输入源“" + source + "”映射到目标字段“" + label + "”中，" + issue
	case d.issue.Kind == Mistyped:
		return "无法将输入源“" + source + "”映射到目标字段“" + label + "”中，" + issue
	case d.issue.Kind == OutOfRange:
		return "输入源“" + source + "”映射到数值字段“" + label + "”规则校验失败，" + issue
	}
	return "输入源“" + source + "”映射到值字段“" + label + "”字符串规则校验失败，" + issue
}

// ParameterError is 400 PARAM_ERROR. The detail may be nil.
func ParameterError(message Text, d Detail, reason string) *Rejection {
	return &Rejection{Status: http.StatusBadRequest, Code: "PARAM_ERROR", Message: message, Detail: d, Number: NumberParameter, Reason: reason}
}

// InvalidRequest is 400 INVALID_REQUEST.
func InvalidRequest(message Text, reason string) *Rejection {
	return BadRequest("INVALID_REQUEST", message, reason)
}

// BadRequest is 400 with a code.
func BadRequest(code string, message Text, reason string) *Rejection {
	return &Rejection{Status: http.StatusBadRequest, Code: code, Message: message, Number: NumberUndocumented, Reason: reason}
}

// NotFound is 404 with a code, RESOURCE_NOT_EXISTS mostly.
func NotFound(code string, message Text, reason string) *Rejection {
	return &Rejection{Status: http.StatusNotFound, Code: code, Message: message, Number: NumberUndocumented, Reason: reason}
}

// Forbidden is 403 with a code.
func Forbidden(code string, message Text, reason string) *Rejection {
	return &Rejection{Status: http.StatusForbidden, Code: code, Message: message, Number: NumberUndocumented, Reason: reason}
}

// SignError is 401 SIGN_ERROR.
func SignError(message Text, reason string) *Rejection {
	return &Rejection{Status: http.StatusUnauthorized, Code: "SIGN_ERROR", Message: message, Number: NumberSignature, Reason: reason}
}

// SystemError is 500 SYSTEM_ERROR.
func SystemError(reason string) *Rejection {
	return &Rejection{
		Status: http.StatusInternalServerError, Code: "SYSTEM_ERROR", Number: NumberUndocumented, Reason: reason,
		Message: Text{"系统异常，请稍后重试", "system error, try again later"},
	}
}

// IssueKind is the check that a field does not pass.
type IssueKind int

// Kinds of issues. Unfit is every one that has no words of its own.
const (
	Unfit IssueKind = iota
	Missing
	Mistyped
	OutOfRange
)

// Issue is what is wrong with a field.
type Issue struct {
	Text
	Kind     IssueKind
	Measured bool // Size is what was wrong, and is told in place of the value
	Size     int
}

// Unfitting is an issue in words.
func Unfitting(zh, en string) Issue { return Issue{Text: Text{zh, en}} }

// Issues that several fields share.
var (
	IssueRequired   = Issue{Text: Text{"此字段为必填项", "this field is required"}, Kind: Missing}
	IssueConstant   = Unfitting("不是文档中的取值", "it is none of the documented values")
	IssueCharacters = Unfitting("仅支持一至三个字节的UTF-8字符", "only characters of one to three bytes of UTF-8 are supported")
)

// IssueType is the issue of a value that is not of its field's type.
func IssueType(kind fact.Type) Issue {
	zh := "此字段需要一个 " + string(kind) + " 类型的 Json 值"
	if kind == fact.Integer {
		zh = "此字段需要一个合法的 64 位有符号整数"
	}
	return Issue{Text: Text{zh, "its type must be " + string(kind)}, Kind: Mistyped}
}

// IssueLeast is the issue of a number below the least that is allowed.
func IssueLeast(least int) Issue {
	return Issue{
		Text: Text{fmt.Sprintf("值低于最小值 %d", least), fmt.Sprintf("it is below the minimum of %d", least)},
		Kind: OutOfRange,
	}
}

// IssueMost is the issue of a number above the most that is allowed.
func IssueMost(most int) Issue {
	return Issue{
		Text: Text{fmt.Sprintf("值高于最大值 %d", most), fmt.Sprintf("it is above the maximum of %d", most)},
		Kind: OutOfRange,
	}
}

// BodyError is PARAM_ERROR about the whole body.
func BodyError(issue Text) *Rejection { return FieldError("body", "", "", Issue{Text: issue}) }

// FieldError is PARAM_ERROR about one field. place is a JSON Pointer in a body and a name
// elsewhere.
func FieldError(location, place string, value any, issue Issue) *Rejection {
	detail := fieldDetail{location, place, value, issue}
	return ParameterError(Text{}, detail, detail.source()+": "+issue.EN)
}

// RangeError is FieldError of a number that is out of its range.
func RangeError(location, place string, value any, issue Issue) *Rejection {
	r := FieldError(location, place, value, issue)
	r.Number = NumberRange
	return r
}
