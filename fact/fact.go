// Package fact holds the types in which facts about WeChat Pay APIv3 are written down: operations, their members, and
// notification events.
//
// It is the vocabulary that several rooms share: catalog fills these types, middleware and the root read them, sandbox
// answers by them. Beyond that it holds the few rules that must hold without a catalogue (hosts of the
// platform, limits of uploads, when a bill is ready: see rule.go), and imports the standard library only. To look any other
// fact up, use package catalog.
//
// Values reached through a catalogue are shared and must not be changed.
package fact

import (
	"slices"
	"strings"
)

// Operation is one documented call: a method and a path template.
type Operation struct {
	// Method is the HTTP method in upper case.
	Method string
	// Path is the template exactly as it is sent and signed, with a leading slash and {name} placeholders that each
	// fill a whole segment, for example /v3/pay/transactions/id/{transaction_id}.
	Path string
	// Name is the official name of the operation, in Chinese.
	Name string

	// Host is the documented host where it is not api.mch.weixin.qq.com; empty otherwise.
	Host string
	// HostRequired says that Host is the only one that serves the operation; otherwise Host is a recommendation.
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
	// Roles are the kinds of merchant that may call it, in the official wording.
	Roles []string
	// Joined says that one description serves direct and partner callers: the identity members of both are listed and
	// none of them is marked as required.
	Joined bool
	// Inferred says that no official source shows the members: they follow a sister operation and a public library.
	Inferred bool

	// In lists the request members by place.
	In Request

	// Response is the kind of the successful answer.
	Response ResponseKind
	// Success is the HTTP status of success: 200, 202 or 204.
	Success int
	// Content says what a stream carries: "data", "pdf" or "image"; empty for other answers.
	Content string
	// Signature says how a stream answer is signed.
	Signature Signature
	// Out lists the members of a JSON answer.
	Out []Field

	// Paging says how a long list is divided into pages; nil when that is not known.
	Paging *Paging
	// NotCaller lists required fields that are named like the caller's own (mchid, appid and their like) and name somebody else,
	// or nobody knows whom.
	NotCaller []string

	// Codes lists error codes that it is documented to answer, as far as a list could be read; nil says nothing.
	Codes []OperationCode

	// Docs are documentation ids; see DocURL.
	Docs []string
	// Also lists operations of the same method whose template has the same shape and so cannot be told apart by path.
	// They name this one in their own Also: do not walk it in depth.
	Also []*Operation
	// ByHand says that the operation was added by hand because the documentation lacks it.
	ByHand bool
	// Overlay says that an overlay of the user's adds or corrects the operation: see catalog.Catalog.With.
	Overlay bool

	// Conduct is what was reviewed by hand about repeating the operation.
	Conduct
}

// Request lists the members of a request by the place they travel in.
type Request struct {
	// Path has one field per placeholder, in the order of the template.
	Path []Field
	// Query lists query string members.
	Query []Field
	// Header lists headers beyond those that every request carries.
	Header []Field
	// JSON lists the members of a JSON body.
	JSON []Field
	// Form lists the parts of a multipart body: one of type File, and the JSON text "meta", the only part that is signed.
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
	Linked     Status = "linked"     // host, path and query come ready-made from an earlier answer and may change
)

// Scheme says whose key signs a request, and for whom a notification is signed and encrypted.
type Scheme string

// Schemes. MerchantScheme is the zero value.
const (
	MerchantScheme Scheme = ""      // WECHATPAY2-SHA256-RSA2048, or the one with SM2: a merchant
	BrandScheme    Scheme = "brand" // WECHATPAY-BRAND-SHA256-RSA2048: a brand, which the request names in Authorization only
)

// ResponseKind is the kind of a successful answer.
type ResponseKind string

// Kinds of answers.
const (
	JSONResponse   ResponseKind = "json"
	EmptyResponse  ResponseKind = "empty"
	StreamResponse ResponseKind = "stream"
)

// Signature says how an answer is signed.
type Signature string

// Kinds of answer signatures. OverBody is the zero value and the rule.
const (
	OverBody    Signature = ""       // over the raw body
	NoSignature Signature = "none"   // the answer carries no signature
	OverDigest  Signature = "digest" // over {"sha1":"…"} with the value of the header Wechatpay-Statement-Sha1
)

// Field is one member of a request, an answer or a notification resource.
type Field struct {
	// Name is the member's name.
	Name string
	// Type is the JSON type, or File.
	Type Type
	// Required says that the documentation calls the member required, within its parent. That alone is a hint: such a
	// member may be conditional in reality.
	Required bool
	// Confirmed says that a second, independent source requires the member, too, and that none contradicts. It stands
	// beside Required only, and in requests only. Nothing less justifies to refuse a call that lacks the member.
	Confirmed bool
	// JSONText says that the value is a JSON text in a string; Fields then lists the members of that text, if known.
	JSONText bool
	// Reviewed says that Enum was checked by hand and is complete.
	Reviewed bool
	// ByHand says that the row was added by hand because the documentation's tables lack it.
	ByHand bool
	// Overlay says that an overlay of the user's states the row.
	Overlay bool
	// Format refines a string: "rfc3339", "date", "media" or "url"; empty says nothing.
	Format string
	// Unit is the unit of a number, where a source states it. Amounts without one are fen most likely.
	Unit Unit
	// Min and Max are the least and greatest length of a string in characters (of each element of an array), or the least
	// and greatest value of a number; 0 says nothing. They are hints, never a reason to refuse.
	Min, Max int64
	// Enum lists the documented constants in the JSON type of the value, or of the elements of an array: string, int64
	// (also for a whole number of type Number), float64 or bool. Such lists go stale: an unknown value is a reason to
	// warn, never to refuse, unless Reviewed is set.
	Enum []any
	// Cipher says how the value is encrypted.
	Cipher Cipher
	// Fields lists the members of an object, or of each element of an array of objects.
	Fields []Field
	// Alt lists other names under which the same member is documented. A check must accept either.
	Alt []string

	// Label is the short name of the member, in Chinese, such as 商户订单号. Like the rest of what is meant for people, it
	// is empty unless the row comes from a catalogue that has it loaded: see catalog.Catalog.Described.
	Label string
	// EnumLabels are the short names of the constants in Enum, one for each and empty where there is none; nil when no
	// constant has one.
	EnumLabels []string
	// Sample is a sample value in the JSON type of the member, or of an element of an array, as in Enum; nil when there
	// is none, as for every encrypted member.
	Sample any
}

// Sure reports whether a request certainly has to have the member: a second source confirms that, or the user's overlay says
// so.
func (f *Field) Sure() bool { return f.Required && (f.Confirmed || f.Overlay) }

// Named reports whether the field goes by this name, its own or one of Alt.
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

// Type is the JSON type of a member; an array is written with a trailing "[]".
type Type string

// Types of members.
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

// Element returns the type of an array's elements, and any other type as it is.
func (t Type) Element() Type { return Type(strings.TrimSuffix(string(t), "[]")) }

// Cipher says how a member's value is encrypted.
type Cipher string

// Ciphers of members. Plain is the zero value.
const (
	Plain Cipher = ""
	// RSA is RSA-OAEP with SHA-1: to the platform's key in a request, to the merchant's in an answer. In an array of
	// strings it holds for each element.
	RSA Cipher = "rsa"
	// AES is AEAD_AES_256_GCM with the APIv3 key; nonce and associated_data are the neighbouring members.
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
	// Scheme says for whom the notification is signed and encrypted.
	Scheme Scheme
	// ResourceTypes are the documented values of resource_type.
	ResourceTypes []string
	// OriginalTypes are the documented values of resource.original_type.
	OriginalTypes []string
	// Algorithm is the documented resource.algorithm.
	Algorithm string
	// Variants names the kinds of payload whose members Resource unites; Required then holds within a kind only.
	Variants []string
	// Joined says that Resource unites several payloads and Required is kept only where all of them require the member.
	Joined bool
	// Inferred says that no official source shows the whole resource.
	Inferred bool
	// Resource lists the members of the decrypted resource.
	Resource []Field
	// Reply is what the receiver answers when that is more than code and message; nil otherwise.
	Reply *Reply
	// Docs are documentation ids; see DocURL.
	Docs []string
	// ByHand says that the event was added by hand because the documentation lacks it.
	ByHand bool
	// Overlay says that an overlay of the user's adds or corrects the event.
	Overlay bool
}

// OperationCode is an error code that one operation is documented to answer.
type OperationCode struct {
	// Name is the code, such as NOT_ENOUGH.
	Name string
	// Status is the HTTP status; 0 when the list does not tell.
	Status int
	// Doc is the documentation id of the page that lists it; empty when a facts file does.
	Doc string
}

// Code is an error code of the platform that its usual lists lack, or that has another spelling there.
type Code struct {
	// Name is the code, such as USERPAYING.
	Name string
	// Status is the documented HTTP status. Not every one is of a refusal: USERPAYING comes with 202.
	Status int
	// Label is the official meaning, in Chinese.
	Label string
	// Same is the code that means the same, where this is another spelling of it; empty otherwise.
	Same string
}

// Reply lists what the receiver of a notification answers.
type Reply struct {
	// Body lists the members of the JSON answer.
	Body []Field
	// Header lists the headers; Authorization means that the answer has to be signed.
	Header []Field
}

// DocURL returns the address of a documentation id.
func DocURL(id string) string {
	switch root, _, _ := strings.Cut(id, "/"); root {
	case "v2", "v3", "global", "brand":
		return "https://pay.weixin.qq.com/doc/" + id
	case "docs", "wiki":
		return "https://pay.weixin.qq.com/" + id
	}
	return "https://" + id
}
