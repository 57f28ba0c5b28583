package wxpay

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/middleware"
)

// APICertificate is an API certificate of the caller's own with its private key. It prints redacted.
type APICertificate struct {
	// Serial is the certificate's serial: 40 upper-case hex digits, leading zeros kept. It may be left empty when
	// Certificate is given.
	Serial string
	// PrivateKey belongs to the certificate; see [Merchant].
	PrivateKey crypto.Signer `json:"-"`
	// Certificate is apiclient_cert.pem ([LoadCertificate]). It is optional: the serial is read from it, and that it
	// belongs to PrivateKey is checked.
	Certificate *x509.Certificate `json:"-"`
}

// Format prints the serial under every verb.
func (c APICertificate) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText gives encodings what Format prints.
func (c APICertificate) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c APICertificate) text() string {
	return fmt.Sprintf("wxpay.APICertificate{Serial %s, key redacted}", c.serial())
}

// LogValue gives slog the serial.
func (c APICertificate) LogValue() slog.Value {
	return slog.GroupValue(slog.String("serial", c.serial()))
}

func (c APICertificate) serial() string {
	if c.Serial == "" && c.Certificate != nil {
		return apiv3.Serial(c.Certificate)
	}
	return c.Serial
}

// checked returns c with its serial filled in, and what is wrong with it. what names it in errors, such as Merchant.
func (c APICertificate) checked(what string) (APICertificate, []error) {
	var problems []error
	problem := func(format string, a ...any) { problems = append(problems, fmt.Errorf(what+"."+format, a...)) }
	if c.PrivateKey == nil {
		problem("PrivateKey is missing: LoadPrivateKey reads apiclient_key.pem")
	}
	hidden := visible.Word(c.serial())
	switch {
	case c.serial() == "":
		problem("Serial is missing: give Certificate (LoadCertificate reads apiclient_cert.pem), or what openssl x509 -in apiclient_cert.pem -noout -serial prints")
	case hidden != nil:
		problem("Serial is %s: %w", redact.Quote(c.serial()), hidden)
	case apiv3.IsSerial(strings.ToUpper(c.serial())) && !apiv3.IsSerial(c.serial()):
		problem("Serial has lower-case digits: write it in upper case")
	case apiv3.IsPublicKeyID(c.Serial):
		problem("Serial is the id of the WeChat Pay public key: it belongs into WithPublicKey; the serial is that of apiclient_cert.pem")
	case !apiv3.IsSerial(c.serial()):
		problem("Serial is %s, not 40 hex digits (keep leading zeros): openssl x509 -in apiclient_cert.pem -noout -serial prints it", redact.Quote(c.serial()))
	}
	if c.Certificate != nil {
		if serial := apiv3.Serial(c.Certificate); c.Serial != "" && apiv3.IsSerial(c.Serial) && c.Serial != serial {
			problem("Serial is %s, but Certificate (apiclient_cert.pem) has the serial %s: leave Serial empty, or load the certificate that it names", c.Serial, serial)
		}
		if c.PrivateKey != nil && !equalKeys(c.PrivateKey.Public(), c.Certificate.PublicKey) {
			problem("PrivateKey (apiclient_key.pem) does not belong to Certificate (apiclient_cert.pem), whose subject is %s: load both from one download of the merchant platform", redact.Quote(c.Certificate.Subject.CommonName))
		}
	}
	c.Serial = c.serial()
	return c, problems
}

// KeyRing holds the API certificates that a merchant has at the same time while one takes over from another. Requests
// are signed with the current one; encrypted members of answers are opened whichever of them they were made for.
//
//	ring, err := wxpay.NewKeyRing(old)
//	client, err := wxpay.New(wxpay.Merchant{ID: "1900000109", KeyRing: ring}, …)
//	…
//	err = ring.Add(new)               // ready to open what is encrypted for it
//	err = ring.Switch(new.Serial)     // from the next request on it signs; no restart, no failed call
//	…
//	err = ring.Remove(old.Serial)     // when nothing encrypted for the old one is awaited any more
//
// A ring may serve several clients of one merchant. It is safe for concurrent use and prints redacted.
type KeyRing struct {
	state atomic.Pointer[ringState]

	mu     sync.Mutex   // serialises changes
	scheme apiv3.Scheme // of the clients that use the ring; nil until there is one
	id     string       // their merchant number or brand id
}

// ringState is what a ring holds at one moment; it is never changed. The current certificate is the first.
type ringState []APICertificate

var _ middleware.Identity = (*KeyRing)(nil)

// NewKeyRing returns a ring whose current certificate is current.
func NewKeyRing(current APICertificate, others ...APICertificate) (*KeyRing, error) {
	ring := new(KeyRing)
	for _, certificate := range append([]APICertificate{current}, others...) {
		if err := ring.Add(certificate); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// Add puts a certificate into the ring, without signing with it yet. One that is in the ring already stays as it is.
func (r *KeyRing) Add(certificate APICertificate) error {
	certificate, problems := certificate.checked("APICertificate")
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("wxpay: the certificate is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scheme != nil {
		if err := certificate.fits(r.scheme, r.id); err != nil {
			return fmt.Errorf("wxpay: the certificate %s is not usable: %w", certificate.Serial, err)
		}
	}
	var state ringState
	if now := r.state.Load(); now != nil {
		state = *now
	}
	if i := state.find(certificate.Serial); i >= 0 {
		if !equalKeys(state[i].PrivateKey.Public(), certificate.PrivateKey.Public()) {
			return fmt.Errorf("wxpay: the ring holds another private key for the certificate %s", certificate.Serial)
		}
		return nil
	}
	state = append(slices.Clip(state), certificate)
	r.state.Store(&state)
	return nil
}

// Switch makes the certificate that serial names the current one. Requests under way keep the one they were signed with.
func (r *KeyRing) Switch(serial string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := slices.Clone(*r.state.Load())
	i := state.find(serial)
	if i < 0 {
		return fmt.Errorf("wxpay: the ring holds no certificate %s: Add it first", redact.Quote(serial))
	}
	state[0], state[i] = state[i], state[0]
	r.state.Store(&state)
	return nil
}

// Remove takes a certificate out of the ring. The current one cannot be removed.
func (r *KeyRing) Remove(serial string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := slices.Clone(*r.state.Load())
	switch i := state.find(serial); {
	case i < 0:
		return fmt.Errorf("wxpay: the ring holds no certificate %s", redact.Quote(serial))
	case i == 0:
		return fmt.Errorf("wxpay: the certificate %s signs: Switch to another before removing it", serial)
	default:
		state = slices.Delete(state, i, i+1)
	}
	r.state.Store(&state)
	return nil
}

// Serials returns the serials in the ring, the current one first.
func (r *KeyRing) Serials() []string {
	state := r.state.Load()
	if state == nil { // the zero value, which is of no use
		return nil
	}
	serials := make([]string, len(*state))
	for i := range *state {
		serials[i] = (*state)[i].Serial
	}
	return serials
}

// SigningKey returns the current certificate's serial and key.
func (r *KeyRing) SigningKey() (serial string, key crypto.Signer) {
	current := (*r.state.Load())[0]
	return current.Serial, current.PrivateKey
}

// String returns the serials.
func (r *KeyRing) String() string {
	return fmt.Sprintf("wxpay.KeyRing{serials %s, keys redacted}", strings.Join(r.Serials(), ", "))
}

// Format prints what String returns under every verb.
func (r *KeyRing) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.String()) }

// MarshalText gives encodings what String returns.
func (r *KeyRing) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// LogValue gives slog the serials.
func (r *KeyRing) LogValue() slog.Value { return slog.GroupValue(slog.Any("serials", r.Serials())) }

func (s ringState) find(serial string) int {
	return slices.IndexFunc(s, func(c APICertificate) bool { return c.Serial == serial })
}

// serve ties the ring to a caller and its scheme, and checks what it holds against them. Certificates added later are
// checked as well.
func (r *KeyRing) serve(scheme apiv3.Scheme, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scheme != nil && (r.id != id || r.scheme.Name() != scheme.Name()) {
		return fmt.Errorf("the ring is in use for another caller, %s %s: make one for each", r.scheme.Identity(), redact.Quote(r.id))
	}
	var problems []error
	for _, certificate := range *r.state.Load() {
		problems = append(problems, certificate.fits(scheme, id))
	}
	err := errors.Join(problems...)
	if err == nil {
		r.scheme, r.id = scheme, id
	}
	return err
}

// decrypt opens one ciphertext in base64 that was made for one of the certificates: the one that serial names is tried
// first. (Which one the platform takes when there are several is not documented; that of the request is the natural one.)
func (r *KeyRing) decrypt(scheme apiv3.Scheme, serial string, ciphertext []byte) ([]byte, error) {
	sealed, err := base64.StdEncoding.Strict().AppendDecode(nil, ciphertext)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	state := *r.state.Load()
	first := max(0, state.find(serial))
	fail := func(failure error) {
		if err == nil {
			err = failure
		}
	}
	for i := range state {
		certificate := state[(first+i)%len(state)]
		decrypter, ok := certificate.PrivateKey.(crypto.Decrypter)
		if !ok {
			fail(fmt.Errorf("the private key of certificate %s is a %T, which signs and does not decrypt: bring one that is a crypto.Decrypter", certificate.Serial, certificate.PrivateKey))
			continue
		}
		plain, failure := scheme.Decrypt(decrypter, sealed)
		if failure == nil {
			return plain, nil
		}
		fail(failure)
	}
	return nil, err
}

// merchantOrganization is what stands in the subject of every merchant API certificate.
const merchantOrganization = "微信商户系统"

// fits reports a certificate that cannot serve a scheme, or that was issued to another merchant.
func (c APICertificate) fits(scheme apiv3.Scheme, id string) error {
	if err := scheme.CheckPublicKey(c.PrivateKey.Public()); err != nil {
		return fmt.Errorf("PrivateKey: %w", err)
	}
	if c.Certificate == nil {
		return nil
	}
	subject := c.Certificate.Subject
	if slices.Contains(subject.Organization, merchantOrganization) && scheme.Identity() == "mchid" && subject.CommonName != id {
		return fmt.Errorf("%s of apiclient_cert.pem names merchant %s, not %s: load the certificate of this merchant", "Certificate.Subject", redact.Quote(subject.CommonName), redact.Quote(id))
	}
	return nil
}
