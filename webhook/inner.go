package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// Lookup is what a Handler asks a catalogue of events, such as catalog.V3().
type Lookup interface {
	Event(eventType string) (*fact.Event, bool)
}

// Decrypt opens one value that the platform encrypted for the merchant (RSA-OAEP, base64) and that no catalogue marks,
// such as encrypt_echo_message of SECURITY_ECHO.SUCCESS. Marked members are opened already when the Handler has a
// private key, and was not told to do without a catalogue.
func (e *Event) Decrypt(ciphertext string) (string, error) {
	if e.owner == nil || e.owner().decrypter() == nil {
		return "", fmt.Errorf("webhook: %w: there is no private key to decrypt with (Merchant.PrivateKey)", apiv3.ErrKey)
	}
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return "", fmt.Errorf("webhook: %w: the value is not base64", apiv3.ErrDecrypt)
	}
	plaintext, err := e.owner().scheme().Decrypt(e.owner().decrypter(), raw)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	return string(plaintext), nil
}

// openMembers decrypts the members that facts mark. A value that does not look encrypted stays as it is: the
// documentation may be behind, and a plain text is what the function wants.
func (e *Event) openMembers(facts *fact.Event) error {
	if e.json == nil || e.owner().decrypter() == nil || !marked(facts.Resource) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(e.json))
	decoder.UseNumber() // an amount must come out as it went in
	var resource any
	if err := decoder.Decode(&resource); err != nil {
		return fmt.Errorf("%w: its resource is not JSON", ErrMalformed)
	}
	o := opener{event: e}
	if public, ok := e.owner().decrypter().Public().(interface{ Size() int }); ok {
		o.size = public.Size()
	}
	if err := o.object(resource, facts.Resource); err != nil || !o.changed {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(resource); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	e.resource = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	e.json = e.resource
	return nil
}

// marked reports whether any of the members, at any depth, is encrypted for the merchant.
func marked(fields []fact.Field) bool {
	for i := range fields {
		if fields[i].Cipher == fact.RSA || marked(fields[i].Fields) {
			return true
		}
	}
	return false
}

type opener struct {
	event   *Event
	size    int // length of a ciphertext in bytes; 0 when the key does not tell
	changed bool
}

// object opens the marked members of an object, or of each object in an array.
func (o *opener) object(value any, fields []fact.Field) error {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if err := o.object(element, fields); err != nil {
				return err
			}
		}
	case map[string]any:
		for i := range fields {
			if err := o.member(value, fields[i].Name, &fields[i]); err != nil {
				return err
			}
			for _, name := range fields[i].Alt {
				if err := o.member(value, name, &fields[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (o *opener) member(object map[string]any, name string, field *fact.Field) error {
	if field.Cipher != fact.RSA {
		return o.object(object[name], field.Fields)
	}
	switch value := object[name].(type) {
	case string:
		plaintext, err := o.text(name, value)
		if err != nil {
			return err
		}
		object[name] = plaintext
	case []any:
		for i, element := range value {
			text, ok := element.(string)
			if !ok {
				continue
			}
			plaintext, err := o.text(name, text)
			if err != nil {
				return err
			}
			value[i] = plaintext
		}
	}
	return nil
}

func (o *opener) text(name, text string) (string, error) {
	// The shortest ciphertext of any scheme is longer than this; an empty text is never encrypted.
	const shortest = 64
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < shortest || o.size != 0 && len(raw) != o.size {
		return text, nil
	}
	plaintext, err := o.event.owner().scheme().Decrypt(o.event.owner().decrypter(), raw)
	if err != nil {
		return "", fmt.Errorf("the member %s: %w: it is encrypted for the merchant API certificate, is Merchant.PrivateKey the key of the current one?", name, err)
	}
	o.changed = true
	return string(plaintext), nil
}
