// Package fact has the types of facts about WeChat Pay APIv3: operations, their fields, and
// notification events.
//
// Several packages share it: catalog fills these types, middleware and the root read them, and
// sandbox obeys them. It also has the few rules that hold without a catalogue (hosts of the
// platform, limits of uploads, due times of bills: see rule.go). It imports only the standard
// library. Package catalog looks up all other facts.
//
// Values of a catalogue are shared: do not change them.
package fact

import (
	"net/url"
	"slices"
	"strings"
)

// Operation is one documented operation: a method and a path template.
type Operation struct {
	// Method is the HTTP method in upper case.
	Method string
	// Path is the template exactly as sent and signed, with a leading slash and {name} placeholders
	// for whole segments, for example /v3/pay/transactions/id/{transaction_id}.
	Path string
	// Name is the official name of the operation, in Chinese.
	Name string

	// Host is the documented host if it is not [DefaultHost], else empty.
	Host string
	// HostRequired says that only Host serves the operation; otherwise Host is a recommendation.
	HostRequired bool
	// Unsigned says that requests carry no Authorization.
	Unsigned bool
	// Scheme says whose key signs the request.
	Scheme Scheme
	// Status is the life-cycle state.
	Status Status
	// ReplacedBy lists the operations ("METHOD /path") that replace an offline or superseded one.
	ReplacedBy []string

	// Tags are product families, levels divided by "/".
	Tags []string
	// Roles are the kinds of merchant that may call the operation, in the official wording.
	Roles []string
	// Joined says that one description serves direct and partner callers: it lists the identity
	// fields of both and marks none of them as required.
	Joined bool
	// Inferred says that no official source shows the fields: they come from a similar operation
	// and a public library.
	Inferred bool

	// In lists the request fields by place.
	In Request

	// Response is the kind of the successful response.
	Response ResponseKind
	// Success is the HTTP status of success: 200, 202 or 204.
	Success int
	// Content is the content of a stream: "data", "pdf" or "image"; empty for other responses.
	Content string
	// Signature says how a stream is signed.
	Signature Signature
	// Out lists the fields of a JSON response.
	Out []Field

	// Paging says how a long list is divided into pages; nil if unknown.
	Paging *Paging
	// NotCaller lists required fields with a name like the caller's (mchid, appid …) that name
	// another party, or an unknown one.
	NotCaller []string

	// Codes lists the documented error codes of the operation, as far as a list was readable; nil
	// says nothing.
	Codes []OperationCode

	// Docs are documentation ids; see DocURL.
	Docs []string
	// Also lists operations of the same method with a template of the same shape, which no path
	// distinguishes. They name this one in their own Also: do not walk it in depth.
	Also []*Operation
	// ByHand says that a person added the operation because the documentation lacks it.
	ByHand bool
	// Overlay says that a user's overlay adds or corrects the operation: see catalog.Catalog.With.
	Overlay bool

	// Conduct is the reviewed facts about sending the operation again.
	Conduct
}

// Request lists the fields of a request by place.
type Request struct {
	// Path has one field per placeholder, in the order of the template.
	Path []Field
	// Query lists query string fields.
	Query []Field
	// Header lists headers besides those of every request.
	Header []Field
	// JSON lists the fields of a JSON body.
	JSON []Field
	// Form lists the parts of a multipart body: one of type File, and the JSON text "meta", the
	// only signed part.
	Form []Field
}

// Status is the life-cycle state of an operation.
type Status string

// States of an operation. Current is the zero value.
const (
	Current    Status = ""
	Offline    Status = "offline"    // shut down
	Superseded Status = "superseded" // a newer operation replaces it
	Beta       Status = "beta"       // not open to everyone yet
	Restricted Status = "restricted" // only after individual approval
	Linked     Status = "linked"     // host, path and query come ready-made from an earlier response and may change
)

// Scheme says whose key signs a request, and who receives a notification.
type Scheme string

// Schemes. MerchantScheme is the zero value.
const (
	MerchantScheme Scheme = ""      // WECHATPAY2-SHA256-RSA2048, or the one with SM2: a merchant
	BrandScheme    Scheme = "brand" // WECHATPAY-BRAND-SHA256-RSA2048: a brand, which the request names in Authorization only
)

// ResponseKind is the kind of a successful response.
type ResponseKind string

// Kinds of responses.
const (
	JSONResponse   ResponseKind = "json"
	EmptyResponse  ResponseKind = "empty"
	StreamResponse ResponseKind = "stream"
)

// Signature says how a response is signed.
type Signature string

// Kinds of response signatures. OverBody is the zero value and the rule.
const (
	OverBody    Signature = ""       // over the raw body
	NoSignature Signature = "none"   // the response carries no signature
	OverDigest  Signature = "digest" // over {"sha1":"…"} with the value of the header Wechatpay-Statement-Sha1
)

// Field is one field of a request, a response or a notification's resource.
type Field struct {
	// Name is the field's name.
	Name string
	// Type is the JSON type, or File.
	Type Type
	// Required says that the documentation requires the field within its parent. That is only a
	// hint: the field may be conditional in reality.
	Required bool
	// Confirmed says that a second, independent source also requires the field, and that none
	// contradicts. It implies Required and occurs only in requests. Only it justifies rejecting a
	// call without the field.
	Confirmed bool
	// JSONText says that the value is a JSON text in a string; Fields lists the known fields of
	// that text.
	JSONText bool
	// Reviewed says that a person checked Enum and that it is complete.
	Reviewed bool
	// ByHand says that a person added the row because the documentation's tables lack it.
	ByHand bool
	// Overlay says that a user's overlay states the row.
	Overlay bool
	// Format refines a string: "rfc3339", "date", "media" or "url"; empty says nothing.
	Format string
	// Unit is the unit of a number if a source states it. Amounts without one are most likely fen.
	Unit Unit
	// Min and Max are the least and greatest length of a string in characters (of each element of
	// an array), or the least and greatest value of a number; 0 says nothing. They are hints, never
	// a reason to reject.
	Min, Max int64
	// Enum lists the documented constants in the JSON type of the value, or of the elements of an
	// array: string, int64 (also for a whole number of type Number), float64 or bool. Such lists
	// become outdated: an unknown value is a reason to warn, not to reject, unless Reviewed is set.
	Enum []any
	// Cipher says how the value is encrypted.
	Cipher Cipher
	// Fields lists the fields of an object, or of each element of an array of objects.
	Fields []Field
	// Alt lists other documented names of the same field. A check must accept each.
	Alt []string

	// Label is the short name of the field, in Chinese, such as 商户订单号. Like the other texts for
	// people, it is empty unless the row comes from catalog.Catalog.Described.
	Label string
	// EnumLabels are the short names of the constants in Enum, one for each, possibly empty; nil if
	// no constant has one.
	EnumLabels []string
	// Sample is a sample value in the JSON type of the field, or of an element of an array, as in
	// Enum; nil without one, as for every encrypted field.
	Sample any
}

// Sure reports whether a request certainly needs the field: a second source confirms it, or the
// user's overlay requires it.
func (f *Field) Sure() bool { return f.Required && (f.Confirmed || f.Overlay) }

// Named reports whether the field has this name, its own or one of Alt.
func (f *Field) Named(name string) bool { return f.Name == name || slices.Contains(f.Alt, name) }

// Unit is the unit of a number.
type Unit string

// Units of numbers.
const (
	Fen       Unit = "fen"       // a hundredth of a yuan
	Microfen  Unit = "microfen"  // a millionth of a fen
	Minor     Unit = "minor"     // the smallest unit of the currency that a neighbour names
	Percent   Unit = "percent"   // a hundredth
	Permyriad Unit = "permyriad" // a ten-thousandth
	Second    Unit = "second"
	Minute    Unit = "minute"
	Day       Unit = "day"
)

// Type is the JSON type of a field; an array is written with a trailing "[]".
type Type string

// Types of fields.
const (
	String   Type = "string"
	Integer  Type = "integer"
	Number   Type = "number"
	Boolean  Type = "boolean"
	Object   Type = "object"
	File     Type = "file"
	Strings  Type = "string[]"
	Integers Type = "integer[]"
	Numbers  Type = "number[]"
	Booleans Type = "boolean[]"
	Objects  Type = "object[]"
)

// Element returns the type of an array's elements, and any other type unchanged.
func (t Type) Element() Type { return Type(strings.TrimSuffix(string(t), "[]")) }

// Cipher says how a field's value is encrypted.
type Cipher string

// Ciphers of fields. Plain is the zero value.
const (
	Plain Cipher = ""
	// RSA is RSA-OAEP with SHA-1: for the platform's key in a request, for the merchant's in a
	// response. In an array of strings it applies to each element.
	RSA Cipher = "rsa"
	// AES is AEAD_AES_256_GCM with the APIv3 key; nonce and associated_data are the neighbouring
	// fields.
	AES Cipher = "aes"
)

// Event is one documented notification type.
type Event struct {
	// Type is the event_type.
	Type string
	// Aliases are other event types under which the same resource may arrive.
	Aliases []string
	// Name is the official name, in Chinese.
	Name string
	// Scheme says who receives the notification.
	Scheme Scheme
	// ResourceTypes are the documented values of resource_type.
	ResourceTypes []string
	// OriginalTypes are the documented values of resource.original_type.
	OriginalTypes []string
	// Algorithm is the documented resource.algorithm.
	Algorithm string
	// Variants names the kinds of payload in Resource; Required then applies within a kind.
	Variants []string
	// Joined says that Resource unites several payloads; Required then means that all of them
	// require the field.
	Joined bool
	// Inferred says that no official source shows the whole resource.
	Inferred bool
	// Resource lists the fields of the decrypted resource.
	Resource []Field
	// Reply is the receiver's response if it is more than code and message, else nil.
	Reply *Reply
	// Docs are documentation ids; see DocURL.
	Docs []string
	// ByHand says that a person added the event because the documentation lacks it.
	ByHand bool
	// Overlay says that a user's overlay adds or corrects the event.
	Overlay bool
}

// OperationCode is a documented error code of one operation.
type OperationCode struct {
	// Name is the code, such as NOT_ENOUGH.
	Name string
	// Status is the HTTP status; 0 if the list omits it.
	Status int
	// Doc is the documentation id of the page with the code; empty if a facts file lists it.
	Doc string
	// Meaning says in English what the operation means by the code, and what to do about it, as far
	// as that page says more than the code; else empty.
	Meaning string
}

// Code is an error code that the platform's usual lists lack or spell differently.
type Code struct {
	// Name is the code, such as USERPAYING.
	Name string
	// Status is the documented HTTP status. It may be a success: USERPAYING comes with 202.
	Status int
	// Label is the official meaning, in Chinese.
	Label string
	// Same is the code of which this is another spelling, else empty.
	Same string
}

// Reply lists the fields of the receiver's response to a notification.
type Reply struct {
	// Body lists the fields of the JSON response.
	Body []Field
	// Header lists the headers; Authorization means that the response must be signed.
	Header []Field
}

// DocURL returns the address of a documentation id, percent-encoded.
func DocURL(id string) string {
	address := "https://" + id
	switch root, _, _ := strings.Cut(id, "/"); root {
	case "v2", "v3", "global", "brand":
		address = "https://pay.weixin.qq.com/doc/" + id
	case "docs", "wiki":
		address = "https://pay.weixin.qq.com/" + id
	}
	if parsed, err := url.Parse(address); err == nil {
		return parsed.String()
	}
	return address
}
