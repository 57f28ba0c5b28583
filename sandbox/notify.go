package sandbox

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

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Notify builds the request by which the platform notifies the merchant of an event: the envelope, the resource
// encrypted with the APIv3 key, and the signature. Hand it to a handler, or set its URL, which
// is a placeholder and no part of the signature. The body can be read again with GetBody.
//
// event is an event_type such as TRANSACTION.SUCCESS. Where an event has several original types, one other than the first
// can be named behind a slash: TRANSACTION.SUCCESS/profitsharing. Events that the catalogue does not know are built alike.
//
// resource is what is encrypted: []byte, string and json.RawMessage as they are, anything else as JSON, in which the members
// that the catalogue marks as encrypted are encrypted to the merchant. nil stands for a sample made from the catalogue.
//
// faults are those of notifications, several at once if wanted; others are an error.
func (s *Sandbox) Notify(event string, resource any, faults ...FaultKind) (*http.Request, error) {
	if err := checkNotificationFaults(faults); err != nil {
		return nil, err
	}
	n, err := s.compose(event, resource, faults)
	if err != nil {
		return nil, err
	}
	return s.address(n, "https://merchant.example/notify", faults)
}

func checkNotificationFaults(faults []FaultKind) error {
	for _, kind := range faults {
		if !faultKinds[kind].notification {
			return fmt.Errorf("sandbox: a notification cannot have the fault %q; there are %s", string(kind), kindsFor(func(t traits) bool { return t.notification }))
		}
	}
	return nil
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
	keys   *platform // that sign for it
	key    string    // under which the resource is encrypted
	serial string    // of its certificate
	public *rsa.PublicKey
}

// recipientOf returns whom events of a type are for.
func (s *Sandbox) recipientOf(facts *fact.Event) (recipient, error) {
	if facts.Scheme != fact.BrandScheme {
		return recipient{s.platform.Load(), s.merchant.APIv3Key, s.merchant.Serial, &s.merchant.PrivateKey.PublicKey}, nil
	}
	brand, err := s.Brand()
	return recipient{s.brand.platform.Load(), brand.Key, brand.Serial, &brand.PrivateKey.PublicKey}, err
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
func (s *Sandbox) compose(event string, resource any, faults []FaultKind) (notification, error) {
	eventType, original, named := strings.Cut(event, "/")
	if eventType == "" || (named && original == "") {
		return notification{}, fmt.Errorf("sandbox: %q is not an event type, with or without /original_type", event)
	}
	facts := factsOf(eventType)
	to, err := s.recipientOf(facts)
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
	plaintext, err := s.plaintext(facts, to, resource)
	if err != nil {
		return notification{}, fmt.Errorf("sandbox: %s: %w", eventType, err)
	}

	key, associated, nonce := to.key, original, rand.Text()[:12]
	if slices.Contains(faults, WrongAPIv3Key) {
		key = hexText(apiv3.KeySize)
	}
	if slices.Contains(faults, EmptyAssociatedData) {
		associated = ""
	}
	ciphertext, err := apiv3.SealAESGCM([]byte(key), []byte(nonce), []byte(associated), plaintext)
	if err != nil {
		return notification{}, fmt.Errorf("sandbox: %s: %w", eventType, err)
	}
	n := notification{id: uuid(), event: eventType, sealed: to.serial}
	n.body = marshal(envelope{
		ID: n.id, CreateTime: platformTime(s.clock()), ResourceType: resourceType, EventType: eventType, Summary: strings.TrimSuffix(facts.Name, "通知"),
		Resource: encryptedResource{
			OriginalType: original, Algorithm: apiv3.AlgorithmAESGCM, Ciphertext: base64.StdEncoding.EncodeToString(ciphertext),
			AssociatedData: associated, Nonce: nonce,
		},
	})
	return n, nil
}

// uuid returns a random id of 36 characters.
func uuid() string {
	x := strings.ToLower(hexText(32))
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-")
}

// plaintext returns what is encrypted.
func (s *Sandbox) plaintext(facts *fact.Event, to recipient, resource any) ([]byte, error) {
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
		resource = s.sampleResource(facts)
	}
	object, err := plainObject(resource)
	if err != nil {
		return nil, err
	}
	to.sealMembers(facts.Resource, object)
	return marshal(object), nil
}

// plainObject returns a value as the JSON object that it marshals to, with numbers as json.Number.
func plainObject(value any) (map[string]any, error) {
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

// sealMembers encrypts the members of object that fields mark, in place.
func (r recipient) sealMembers(fields []fact.Field, object map[string]any) {
	for i := range fields {
		field := &fields[i]
		for _, name := range append([]string{field.Name}, field.Alt...) {
			if value, sent := object[name]; sent {
				object[name] = r.sealValue(field, value)
			}
		}
	}
}

func (r recipient) sealValue(field *fact.Field, value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = r.sealValue(field, value[i])
		}
	case map[string]any:
		r.sealMembers(field.Fields, value)
	case string:
		if field.Cipher == fact.RSA && value != "" && len(value) <= r.keys.scheme.MaxPlaintext(r.public) {
			return sealFor(r.keys.scheme, r.public, value)
		}
	}
	return value
}

// address makes a request of a notification: signed now, with faults.
func (s *Sandbox) address(n notification, url string, faults []FaultKind) (*http.Request, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(n.body))
	if err != nil {
		return nil, fmt.Errorf("sandbox: the address of a notification: %w", err)
	}
	header := request.Header
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", "Mozilla/4.0")
	header.Set(apiv3.HeaderRequestID, fmt.Sprintf("%s-%d", hexText(32), numberSuccess))
	now := s.wire()
	for _, kind := range faults {
		now = kind.signedAt(now)
	}
	facts := factsOf(n.event)
	to, err := s.recipientOf(facts)
	switch {
	case err != nil:
		return nil, err
	case facts.Scheme == fact.BrandScheme && to.serial != n.sealed: // a brand's, which end with the process
		return nil, errors.New("sandbox: the notification was encrypted for a brand's keys that are no more")
	}
	to.keys.sign(header, s.notifies(to.keys), now, n.body)
	for _, kind := range faults {
		kind.spoil(header)
	}
	for _, name := range [...]string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSerial, apiv3.HeaderSignatureType, apiv3.HeaderSignature} {
		if slices.Contains(faults, DuplicateHeaders) {
			header[name] = append(header[name], header[name]...)
		}
		if slices.Contains(faults, MissingHeaders) {
			delete(header, name)
		}
	}
	return request, nil
}
