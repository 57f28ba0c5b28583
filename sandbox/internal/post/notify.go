package post

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// Show registers the resource of events that the sandbox sends by itself, by the beginning of their
// types.
func (b *Box) Show(prefix string, make func(event string, now time.Time) map[string]any) {
	b.samples = append(b.samples, shown{prefix, make})
}

// Sample returns a resource of an event, with every documented field in the clear. Events that the
// sandbox sends itself look like those.
func (b *Box) Sample(event string) (map[string]any, error) {
	eventType, _, _ := strings.Cut(event, "/")
	facts, known := catalog.V3().Event(eventType)
	if !known {
		return nil, fmt.Errorf("sandbox: the catalogue does not know the event %q, so it has no sample", eventType)
	}
	return PlainObject(b.sample(facts))
}

func (b *Box) sample(e *fact.Event) map[string]any {
	now := b.clock.Now()
	for _, s := range b.samples {
		if strings.HasPrefix(e.Type, s.prefix) {
			return s.make(e.Type, now)
		}
	}
	m := sample.Maker{Now: now, MerchantID: b.ring.Merchant().ID, Random: sample.Random(b.seed, e.Type), Whole: true}
	return m.Object(e.Resource, nil)
}

// Notify builds the request by which the platform notifies the merchant of an event: the envelope,
// the resource encrypted with the APIv3 key, and the signature. Hand it to a handler, or set its
// URL, which is a placeholder and no part of the signature. The body can be read again with
// GetBody.
//
// event is an event_type such as TRANSACTION.SUCCESS. If an event has several original types, name
// one other than the first behind a slash: TRANSACTION.SUCCESS/profitsharing. Events that the
// catalogue does not know are built alike.
//
// resource is what is encrypted: []byte, string and json.RawMessage as they are, anything else as
// JSON, in which the members that the catalogue marks as encrypted are encrypted to the merchant.
// nil stands for a sample made from the catalogue.
//
// faults are those of notifications, several at once if wanted; others are an error.
func (b *Box) Notify(event string, resource any, faults ...fault.Kind) (*http.Request, error) {
	if err := fault.CheckNotification(faults); err != nil {
		return nil, err
	}
	n, err := b.compose(event, resource, faults)
	if err != nil {
		return nil, err
	}
	return b.address(n, "https://merchant.example/notify", faults)
}

// notification is what stays the same in every attempt to deliver it.
type notification struct {
	id     string
	event  string // event_type
	body   []byte
	sealed string // serial of the certificate of those for whom the body is encrypted
}

// recipient is whom a notification is for: the merchant, or the brand.
type recipient struct {
	keys   *keyring.Platform // that sign for it
	key    string            // under which the resource is encrypted
	serial string            // of its certificate
	public *rsa.PublicKey
}

// recipientOf returns whom events of a type are for.
func (b *Box) recipientOf(facts *fact.Event) (recipient, error) {
	if facts.Scheme != fact.BrandScheme {
		m := b.ring.Merchant()
		return recipient{b.ring.Platform(), m.APIv3Key, m.Serial, &m.PrivateKey.PublicKey}, nil
	}
	brand, err := b.brand.Brand(b.ring.Platform().Authority, b.clock.Now())
	if err != nil {
		return recipient{}, err
	}
	return recipient{b.brand.Platform(), brand.Key, brand.Serial, &brand.PrivateKey.PublicKey}, nil
}

// canDecrypt reports whether a delivery was encrypted for keys that are still there.
func (b *Box) canDecrypt(d delivery) bool {
	if factsOf(d.Event).Scheme == fact.BrandScheme {
		p := b.brand.Platform()
		return p != nil && p.Callers[d.Sealed] != nil
	}
	return b.ring.Merchant().Serial == d.Sealed
}

// factsOf returns what is documented of an event, or little of one that is not.
func factsOf(eventType string) *fact.Event {
	facts, known := catalog.V3().Event(eventType)
	if !known {
		facts = &fact.Event{Type: eventType, Name: eventType}
	}
	return facts
}

// envelope is the body of a notification.
type envelope struct {
	ID           string            `json:"id"`
	CreateTime   string            `json:"create_time"`
	ResourceType string            `json:"resource_type"`
	EventType    string            `json:"event_type"`
	Summary      string            `json:"summary"`
	Resource     encryptedResource `json:"resource"`
}

type encryptedResource struct {
	OriginalType   string `json:"original_type,omitempty"`
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
}

// compose makes the body of a notification.
func (b *Box) compose(event string, resource any, faults []fault.Kind) (notification, error) {
	eventType, original, named := strings.Cut(event, "/")
	if eventType == "" || (named && original == "") {
		return notification{}, fmt.Errorf("sandbox: %q is not an event type, with or without /original_type", event)
	}
	facts := factsOf(eventType)
	to, err := b.recipientOf(facts)
	if err != nil {
		return notification{}, err
	}
	if !named && len(facts.OriginalTypes) > 0 {
		original = facts.OriginalTypes[0]
	}
	resourceType := "encrypt-resource"
	if len(facts.ResourceTypes) > 0 {
		resourceType = facts.ResourceTypes[0]
	}
	plaintext, err := b.plaintext(facts, to, resource)
	if err != nil {
		return notification{}, fmt.Errorf("sandbox: %s: %w", eventType, err)
	}

	key, associated, nonce := to.key, original, rand.Text()[:12]
	if slices.Contains(faults, fault.WrongAPIv3Key) {
		key = say.Hex(apiv3.KeySize)
	}
	if slices.Contains(faults, fault.EmptyAssociatedData) {
		associated = ""
	}
	ciphertext, err := apiv3.SealAESGCM([]byte(key), []byte(nonce), []byte(associated), plaintext)
	if err != nil {
		return notification{}, fmt.Errorf("sandbox: %s: %w", eventType, err)
	}
	n := notification{id: say.UUID(), event: eventType, sealed: to.serial}
	n.body = say.JSON(envelope{
		ID: n.id, CreateTime: say.Time(b.clock.Now()), ResourceType: resourceType, EventType: eventType, Summary: strings.TrimSuffix(facts.Name, "通知"),
		Resource: encryptedResource{
			OriginalType: original, Algorithm: apiv3.AlgorithmAESGCM, Ciphertext: base64.StdEncoding.EncodeToString(ciphertext),
			AssociatedData: associated, Nonce: nonce,
		},
	})
	return n, nil
}

// plaintext returns what is encrypted.
func (b *Box) plaintext(facts *fact.Event, to recipient, resource any) ([]byte, error) {
	switch r := resource.(type) {
	case []byte:
		return r, nil
	case json.RawMessage:
		return r, nil
	case string:
		return []byte(r), nil
	case nil:
		if facts.Resource == nil {
			return nil, errors.New("the catalogue does not know the event, so it has no sample; give a resource")
		}
		resource = b.sample(facts)
	}
	object, err := PlainObject(resource)
	if err != nil {
		return nil, err
	}
	to.encryptFields(facts.Resource, object)
	return say.JSON(object), nil
}

// PlainObject returns a value as the JSON object that it marshals to, with numbers as json.Number.
func PlainObject(value any) (map[string]any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, errors.New("the resource is not a JSON object")
	}
	return object, nil
}

// encryptFields encrypts the members of object that fields mark, in place.
func (r recipient) encryptFields(fields []fact.Field, object map[string]any) {
	for i := range fields {
		field := &fields[i]
		for _, name := range append([]string{field.Name}, field.Alt...) {
			if value, sent := object[name]; sent {
				object[name] = r.encryptValue(field, value)
			}
		}
	}
}

func (r recipient) encryptValue(field *fact.Field, value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = r.encryptValue(field, value[i])
		}
	case map[string]any:
		r.encryptFields(field.Fields, value)
	case string:
		if field.Cipher == fact.RSA && value != "" && len(value) <= r.keys.Scheme.MaxPlaintext(r.public) {
			return keyring.Encrypt(r.keys.Scheme, r.public, value)
		}
	}
	return value
}

// address makes a request of a notification: signed now, with faults.
func (b *Box) address(n notification, url string, faults []fault.Kind) (*http.Request, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(n.body))
	if err != nil {
		return nil, fmt.Errorf("sandbox: the address of a notification: %w", err)
	}
	header := request.Header
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", "Mozilla/4.0")
	header.Set(apiv3.HeaderRequestID, fmt.Sprintf("%s-%d", say.Hex(32), say.NumberSuccess))
	now := b.clock.Wire()
	for _, kind := range faults {
		now = trouble.SignedAt(kind, now)
	}
	facts := factsOf(n.event)
	to, err := b.recipientOf(facts)
	switch {
	case err != nil:
		return nil, err
	case facts.Scheme == fact.BrandScheme && to.serial != n.sealed: // a brand's, which end with the process
		return nil, errors.New("sandbox: the notification was encrypted for a brand's keys that are no more")
	}
	to.keys.Sign(header, b.ring.Notifier(to.keys), now, n.body)
	for _, kind := range faults {
		trouble.Spoil(kind, header)
	}
	for _, name := range [...]string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSerial, apiv3.HeaderSignatureType, apiv3.HeaderSignature} {
		if slices.Contains(faults, fault.DuplicateHeaders) {
			header[name] = append(header[name], header[name]...)
		}
		if slices.Contains(faults, fault.MissingHeaders) {
			delete(header, name)
		}
	}
	return request, nil
}
