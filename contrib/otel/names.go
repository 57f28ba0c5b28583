package wxotel

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Attributes of the platform and of this package.
const (
	keyOutcome    = attribute.Key("wxpay.outcome")
	keyMoney      = attribute.Key("wxpay.money_may_have_moved")
	keyCode       = attribute.Key("wxpay.error_code")
	keyRequestID  = attribute.Key("wxpay.request_id")
	keyAttempts   = attribute.Key("wxpay.attempts")
	keyVerified   = attribute.Key("wxpay.verified")
	keyProbe      = attribute.Key("wxpay.signature_test")
	keyWait       = attribute.Key("wxpay.limiter.wait")
	keyKind       = attribute.Key("wxpay.key.kind")
	keyIdentity   = attribute.Key("wxpay.identity")
	keyEventType  = attribute.Key("wxpay.event.type")
	keyDelivery   = attribute.Key("wxpay.webhook.result")
	keyQueue      = attribute.Key("wxpay.queue.name")
	messageSystem = "wechat_pay"
)

// Attributes returns the keys of all attributes that the package sets, in order.
func Attributes() []string {
	var names []string
	for _, key := range []attribute.Key{
		semconv.HTTPRequestMethodKey, semconv.URLTemplateKey, semconv.ServerAddressKey, semconv.ServerPortKey,
		semconv.HTTPResponseStatusCodeKey, semconv.HTTPRequestResendCountKey, semconv.ErrorTypeKey,
		semconv.MessagingSystemKey, semconv.MessagingOperationTypeKey, semconv.MessagingMessageIDKey,
		keyOutcome, keyMoney, keyCode, keyRequestID, keyAttempts, keyVerified, keyProbe, keyWait, keyKind, keyIdentity,
		keyEventType, keyDelivery, keyQueue,
	} {
		names = append(names, string(key))
	}
	slices.Sort(names)
	return names
}

// Instrument describes a metric of the package.
type Instrument struct {
	// Name and Unit are those of OpenTelemetry. A unit in braces counts things.
	Name, Unit string
	// Description says in English which quantity it is.
	Description string
}

// Instruments of the package.
var (
	requestDuration = Instrument{"http.client.request.duration", "s",
		"Duration of one attempt that reached the transport, without the wait for the limiter"}
	callDuration = Instrument{"wxpay.client.call.duration", "s",
		"Duration of one logical call with all its attempts"}
	limiterWait = Instrument{"wxpay.client.limiter.wait", "s",
		"Wait of one attempt for the limiter"}
	clockOffset = Instrument{"wxpay.client.clock.offset", "s",
		"This clock minus that of the platform by the last verified response, whose travel counts as ahead; at least"}
	keyExpiry = Instrument{"wxpay.key.expiry", "s",
		"Time to the end of the certificate that ends last, of the platform or of the caller"}
	keyAge = Instrument{"wxpay.key.age", "s",
		"Time since the platform signed the certificate list in use"}
	keyFailures = Instrument{"wxpay.key.refresh.failures", "{failure}",
		"Failed refreshes of the certificate list since the last success"}
	deliveryDuration = Instrument{"wxpay.webhook.duration", "s",
		"Time from the arrival of a notification to the response, or to the end of a late function"}
	queueAge = Instrument{"wxpay.queue.age", "s",
		"Age of the oldest entry that waits in a queue of the caller"}
	queueSize = Instrument{"wxpay.queue.size", "{entry}",
		"Entries that wait in a queue of the caller"}
)

// Instruments returns all metrics that the package records.
func Instruments() []Instrument {
	return []Instrument{
		requestDuration, callDuration, limiterWait, clockOffset, keyExpiry, keyAge, keyFailures,
		deliveryDuration, queueAge, queueSize,
	}
}
