package say

import (
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

// Detail is the field of the same name, in the language of the response.
type Detail interface{ In(Language) any }

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// Body is the rejection in JSON.
func (r *Rejection) Body(l Language) []byte {
	b := errorBody{Code: r.Code, Message: r.Message.In(l)}
	if r.Detail != nil {
		b.Detail = r.Detail.In(l)
	}
	return JSON(b)
}

// parameterDetail is the documented detail of PARAM_ERROR.
type parameterDetail struct {
	field    string // JSON Pointer in a body, else the parameter's name; empty when it is about the whole
	value    any    // as sent; "" when the field is missing
	issue    Text
	location string // body, query or url
}

func (d parameterDetail) In(l Language) any {
	return struct {
		Field    string `json:"field,omitempty"`
		Value    any    `json:"value"`
		Issue    string `json:"issue"`
		Location string `json:"location"`
	}{d.field, d.value, d.issue.In(l), d.location}
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

// Issues that several fields share.
var (
	IssueRequired   = Text{"此字段为必填项", "this field is required"}
	IssueConstant   = Text{"不是文档中的取值", "it is none of the documented values"}
	IssueCharacters = Text{"仅支持一至三个字节的UTF-8字符", "only characters of one to three bytes of UTF-8 are supported"}
)

// IssueType is the issue of a value that is not of its field's type.
func IssueType(kind fact.Type) Text {
	return Text{"类型应为" + string(kind), "its type must be " + string(kind)}
}

// BodyError is PARAM_ERROR about the whole body.
func BodyError(issue Text) *Rejection { return FieldError("body", "", "", issue) }

// FieldError is PARAM_ERROR about one field. place is a JSON Pointer in a body and a name
// elsewhere.
func FieldError(location, place string, value any, issue Text) *Rejection {
	source := "/" + location
	if place != "" {
		source += "/" + strings.TrimPrefix(place, "/")
	}
	return ParameterError(
		Text{"输入源“" + source + "”校验失败：" + issue.ZH, "the input " + source + " was refused: " + issue.EN},
		parameterDetail{field: place, value: value, issue: issue, location: location},
		source+": "+issue.EN)
}

// RangeError is FieldError of a number that is out of its range.
func RangeError(location, place string, value any, issue Text) *Rejection {
	r := FieldError(location, place, value, issue)
	r.Number = NumberRange
	return r
}
