// Package fault says what goes wrong in a sandbox: the kinds of faults of calls and of
// notifications, and rules that say which calls they hit.
//
// Guide: docs/sandbox.md.
package fault

import (
	"slices"
	"strings"
)

// Kind is one way in which a call or a notification goes wrong. Its text is what [Parse] reads.
type Kind string

// Faults of a call before the platform has looked at it. Nothing takes effect.
const (
	// Delay waits for Rule.Delay, then goes on as if nothing had been. A caller that gives up ends
	// the wait; the request is then carried out all the same, as the platform does not see that its
	// caller has gone.
	Delay Kind = "delay"
	// Refuse rejects the connection. A server that has read a request can only reset it: over a
	// network Refuse is ResetBefore, in process the error is a dial error that is [ErrRefused].
	Refuse Kind = "refuse"
	// ResetBefore resets the connection.
	ResetBefore Kind = "reset-before"
)

// Unsigned responses of a layer in front of the platform. Without "after" in the name nothing takes
// effect; with it the layer has sent the request on, and the effect is there. Rule.Status changes
// the status.
const (
	BadGateway      Kind = "502"       // 502 and an HTML page
	BadGatewayAfter Kind = "502-after" // the same
	SignError       Kind = "401"       // 401 SIGN_ERROR, as the platform itself answers whom it does not know; takes Rule.Code
	SignErrorAfter  Kind = "401-after" // the same
	NoBody          Kind = "404"       // 404 without a body, as the platform itself answers for a path that it does not know
	NoBodyAfter     Kind = "404-after" // the same
)

// What the platform answers after its checks. Without "after" in the name nothing takes effect;
// with it the effect is there although the response denies it. Rule.Status and Rule.Code change the
// answer, which is signed.
const (
	Limited          Kind = "429"           // 429 FREQUENCY_LIMITED; with Rule.Delay the response has a Retry-After of so many seconds
	LimitedAfter     Kind = "429-after"     // the same
	ServerError      Kind = "500"           // 500 SYSTEM_ERROR
	ServerErrorAfter Kind = "500-after"     // the same
	RefusedAfter     Kind = "refused-after" // 403 NOT_ENOUGH
)

// What happens to the response. The effect is there.
const (
	// ResetAfter resets the connection in place of the response.
	ResetAfter Kind = "reset-after"
	// Truncate ends the connection behind half of the body; a response without a body is lost, as
	// with ResetAfter.
	Truncate Kind = "truncate"
	// SlowBody sends the body in ten pieces, with Rule.Delay between them.
	SlowBody Kind = "slow-body"
	// FlipByte changes one byte in the middle of the body, behind the signature.
	FlipByte Kind = "flip-byte"
	// ShortFile leaves the second half of the body out, and says nothing of it: a gzip ends in the
	// middle, say.
	ShortFile Kind = "short-file"
	// WrongDigest tells another hash_value than that of the file whose download_url is answered, or
	// another Wechatpay-Statement-Sha1 than that of the statement. The response is signed rightly.
	WrongDigest Kind = "wrong-digest"
	// WrongSignature spoils the signature, in a way that is still base64.
	WrongSignature Kind = "wrong-signature"
	// UnknownSerial names a key that nobody has.
	UnknownSerial Kind = "unknown-serial"
	// StaleTimestamp is signed rightly, a minute too old for the window.
	StaleTimestamp Kind = "stale-timestamp"
	// Probe is the platform's signature test: a wrong signature behind WECHATPAY/SIGNTEST/.
	Probe Kind = "probe"
)

// Faults of a proxy that mixes up requests and responses. Every signature is genuine: nothing in it
// says to which request it belongs. The effect is there, except with Cached and ErrorAs200.
// Crossed, CrossedPath and Cached know the signed responses since a rule of theirs was added, up to
// four minutes old, to the same merchant; while they know none that fits, they hit nothing.
const (
	// Crossed delivers the latest answer to another call of the same operation.
	Crossed Kind = "crossed"
	// CrossedPath delivers the latest answer to a call of another operation.
	CrossedPath Kind = "crossed-path"
	// Cached delivers the first answer to the same method and target again, be it a success or a
	// refusal. The request does not reach the platform.
	Cached Kind = "cached"
	// Late resets the connection in place of the response, and delivers it to the merchant's next
	// request that no fault hits, in place of that one's own. A file is only lost.
	Late Kind = "late"
	// Duplicate sends the request twice, and delivers the second answer.
	Duplicate Kind = "duplicate"
	// ErrorAs200 is a rejection of the platform under the status 200: SYSTEM_ERROR, Rule.Code
	// changes it.
	ErrorAs200 Kind = "error-as-200"
	// SuccessAs403 is the success under the status 403, Rule.Status changes it.
	SuccessAs403 Kind = "success-as-403"
)

// NotFoundFor is a read-after-write delay: a query answers as if the order, refund or bill did not
// exist until it is Rule.Delay old, by the sandbox's clock. It is matched against queries, and
// together with any other fault.
const NotFoundFor Kind = "not-found-for"

// Other faults of a notification; see sandbox.Deliveries.Notify. WrongSignature, UnknownSerial,
// StaleTimestamp and Probe are for notifications, too.
const (
	WrongAPIv3Key       Kind = "wrong-apiv3-key"       // encrypted with another key
	MissingHeaders      Kind = "missing-headers"       // without the five Wechatpay headers, as behind a proxy that drops them
	DuplicateHeaders    Kind = "duplicate-headers"     // each of the five stands twice
	EmptyAssociatedData Kind = "empty-associated-data" // associated_data is "", which is permitted: it must be accepted
)

// traits are what is to be known of a kind of fault.
type traits struct {
	call, notification bool
	needsDelay         bool // Rule.Delay must be set
	takesDelay         bool // Rule.Delay may be set
	takesStatus        bool // Rule.Status may be set
	takesCode          bool // Rule.Code may be set
	keeps              bool // it delivers answers that were kept
}

var all = map[Kind]traits{
	Delay:               {call: true, needsDelay: true},
	Refuse:              {call: true},
	ResetBefore:         {call: true},
	BadGateway:          {call: true, takesStatus: true},
	BadGatewayAfter:     {call: true, takesStatus: true},
	SignError:           {call: true, takesStatus: true, takesCode: true},
	SignErrorAfter:      {call: true, takesStatus: true, takesCode: true},
	NoBody:              {call: true, takesStatus: true},
	NoBodyAfter:         {call: true, takesStatus: true},
	Limited:             {call: true, takesDelay: true, takesStatus: true, takesCode: true},
	LimitedAfter:        {call: true, takesDelay: true, takesStatus: true, takesCode: true},
	ServerError:         {call: true, takesStatus: true, takesCode: true},
	ServerErrorAfter:    {call: true, takesStatus: true, takesCode: true},
	RefusedAfter:        {call: true, takesStatus: true, takesCode: true},
	ResetAfter:          {call: true},
	Truncate:            {call: true},
	SlowBody:            {call: true, needsDelay: true},
	FlipByte:            {call: true},
	ShortFile:           {call: true},
	WrongDigest:         {call: true},
	WrongSignature:      {call: true, notification: true},
	UnknownSerial:       {call: true, notification: true},
	StaleTimestamp:      {call: true, notification: true},
	Probe:               {call: true, notification: true},
	Crossed:             {call: true, keeps: true},
	CrossedPath:         {call: true, keeps: true},
	Cached:              {call: true, keeps: true},
	Late:                {call: true},
	Duplicate:           {call: true},
	ErrorAs200:          {call: true, takesCode: true},
	SuccessAs403:        {call: true, takesStatus: true},
	NotFoundFor:         {call: true, needsDelay: true},
	WrongAPIv3Key:       {notification: true},
	MissingHeaders:      {notification: true},
	DuplicateHeaders:    {notification: true},
	EmptyAssociatedData: {notification: true},
}

// kinds lists the kinds that a choice takes, sorted, for messages.
func kinds(choice func(traits) bool) string {
	var names []string
	for kind, t := range all {
		if choice(t) {
			names = append(names, string(kind))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
