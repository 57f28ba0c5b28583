package sandbox

import (
	"net/http"
	"strings"
)

// language is a value of Content-Language.
type language string

const (
	chinese language = "zh-CN"
	english language = "en"
)

// languageOf reads Accept-Language: the first language counts, and any but en is answered in Chinese.
func languageOf(accept string) language {
	first, _, _ := strings.Cut(accept, ",")
	first, _, _ = strings.Cut(first, ";")
	if strings.EqualFold(strings.TrimSpace(first), string(english)) {
		return english
	}
	return chinese
}

// text is a message in both languages.
type text struct{ zh, en string }

func (t text) in(l language) string {
	if l == english {
		return t.en
	}
	return t.zh
}

// The internal numbers at the end of Request-ID, as far as they are known.
const (
	numberSuccess       = 0
	numberParameter     = 268435461
	numberRange         = 268435464
	numberSignature     = 268443699
	numberTooOften      = 268447840
	numberAppID         = 268445527
	numberOrderMissing  = 268512771
	numberOrderMismatch = 268498688
	numberOrderPaid     = 268498689
	numberUnknownMember = 270924358
	numberUndocumented  = 268435456 // the sandbox's own, where the platform's is not known
)

// refusal is an answer other than success.
type refusal struct {
	status  int
	code    string
	message text
	detail  detail // nil for none
	number  int
	bare    bool   // no body, no Request-ID: the answers of the layer in front
	after   string // Retry-After; empty for none
	reason  string // for the journal
}

// detail is the member of the same name, in the language of the answer.
type detail interface{ in(language) any }

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

func (r *refusal) body(l language) errorBody {
	b := errorBody{Code: r.code, Message: r.message.in(l)}
	if r.detail != nil {
		b.Detail = r.detail.in(l)
	}
	return b
}

// parameterDetail is the documented detail of PARAM_ERROR.
type parameterDetail struct {
	field    string // JSON Pointer in a body, else the parameter's name; empty when it is about the whole
	value    any    // as sent; "" when the member is missing
	issue    text
	location string // body, query or url
}

func (d parameterDetail) in(l language) any {
	return struct {
		Field    string `json:"field,omitempty"`
		Value    any    `json:"value"`
		Issue    string `json:"issue"`
		Location string `json:"location"`
	}{d.field, d.value, d.issue.in(l), d.location}
}

func parameterError(message text, d detail, reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "PARAM_ERROR", message: message, detail: d, number: numberParameter, reason: reason}
}

func invalidRequest(message text, reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "INVALID_REQUEST", message: message, number: numberUndocumented, reason: reason}
}

func signError(message text, reason string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "SIGN_ERROR", message: message, number: numberSignature, reason: reason}
}
