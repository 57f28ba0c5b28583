package webhook

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/webhook"
)

// verifier verifies one notification, and keeps the steps.
type verifier struct {
	facts    *catalog.Catalog
	at       time.Time
	keys     *apiv3.KeySet
	apiv3Key string
	private  crypto.Signer // nil if there is none
	steps    []step
	named    func(error) error // puts the names of a profile in place of those of variables
}

// Names of the steps.
var (
	nameFile       = shell.Text("file")
	nameHeaders    = shell.Text("headers")
	nameWindow     = shell.Text("window")
	nameKey        = shell.Text("key")
	nameSignature  = shell.Text("signature")
	nameEnvelope   = shell.Text("envelope")
	nameDecryption = shell.Text("decryption")
	nameType       = shell.Text("type")
	nameFields     = shell.Text("fields")
)

// step is one check.
type step struct {
	name  string
	state stepState
	text  error
}

type stepState int

const (
	matches  stepState = iota
	fails              // it makes the notification invalid
	remarked           // for information, or not possible
)

// newVerifier returns a verifier with the keys of the environment and of certificate files. It verifies as of at; zero is now.
func newVerifier(sh *shell.Shell, at time.Time, certificates []string) (*verifier, error) {
	c, err := sh.Credentials(new(shell.CredentialFlags))
	if err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, shell.Usage("%w", c.Explain(err))
	}
	v, err := verifierOf(sh, c, at, certificates)
	if err != nil {
		return nil, shell.Usage("%w", c.Named(err))
	}
	return v, nil
}

func verifierOf(sh *shell.Shell, c *shell.Credentials, at time.Time, certificates []string) (v *verifier, err error) {
	v = &verifier{named: c.Named, facts: sh.Facts(), at: at, apiv3Key: c.Get("WXPAY_APIV3_KEY")}
	if v.at.IsZero() {
		v.at = time.Now()
	}
	var keys []apiv3.PlatformKey
	id, text := c.Get("WXPAY_PUBLIC_KEY_ID"), c.Get("WXPAY_PUBLIC_KEY")
	switch {
	case id != "" && text != "":
		key, err := wxpay.LoadPublicKey(text)
		if err != nil {
			return nil, shell.Say("WXPAY_PUBLIC_KEY: %w", err)
		}
		keys = append(keys, apiv3.PlatformKey{Serial: id, Key: key})
	case id != "" || text != "":
		return nil, shell.Say("WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY belong together, one of them is not set")
	}
	for _, name := range certificates {
		certificate, err := wxpay.LoadCertificate(name)
		if err != nil {
			return nil, shell.Say("--certificate %s: %w", shell.Printable(name), err)
		}
		keys = append(keys, apiv3.CertificateKey(certificate))
	}
	if len(keys) == 0 {
		return nil, shell.Say("no platform key is given: set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY, or name a " +
			"platform certificate with --certificate")
	}
	if v.apiv3Key == "" {
		return nil, shell.Say("WXPAY_APIV3_KEY is not set: it is the 32-byte key set in the merchant platform under " +
			"API security")
	}
	if err := apiv3.CheckKey([]byte(v.apiv3Key)); err != nil {
		return nil, shell.Say("WXPAY_APIV3_KEY: %w", err)
	}
	for _, key := range keys {
		if err := apiv3.RSA().CheckPublicKey(key.Key); err != nil {
			return nil, shell.Say("the platform key %s: %w", key.Serial, err)
		}
	}
	if v.keys, err = apiv3.NewKeySet(keys...); err != nil {
		return nil, shell.Say("the platform keys: %w", err)
	}
	if key := c.Get("WXPAY_PRIVATE_KEY"); key != "" {
		if v.private, err = wxpay.LoadPrivateKey(key); err != nil {
			return nil, shell.Say("WXPAY_PRIVATE_KEY: %w", err)
		}
		if err := apiv3.RSA().CheckPublicKey(v.private.Public()); err != nil {
			return nil, shell.Say("WXPAY_PRIVATE_KEY: %w", err)
		}
	}
	return v, nil
}

func (v *verifier) add(name string, state stepState, format string, a ...any) {
	v.steps = append(v.steps, step{name, state, v.named(shell.Say(format, a...))})
}

// valid reports whether no step failed.
func (v *verifier) valid() bool {
	for _, s := range v.steps {
		if s.state == fails {
			return false
		}
	}
	return true
}

// write writes the steps and the result.
func (v *verifier) write(sh *shell.Shell, out *bytes.Buffer, c shell.Paint) {
	for _, s := range v.steps {
		mark := c.Dash()
		if s.state != remarked {
			mark = c.Mark(s.state == matches)
		}
		fmt.Fprintf(out, "%s %s %s\n", mark, shell.Pad(sh.Words(s.name), 10), shell.Printable(sh.ErrorText(s.text)))
	}
	if v.valid() {
		out.WriteString(sh.Words("valid") + "\n")
	} else {
		out.WriteString(sh.Words("not valid") + "\n")
	}
}

// check makes every step that is possible, also after one that failed, and returns the event if none failed.
func (v *verifier) check(n *savedNotification) *webhook.Event {
	if !apiv3.HasSignature(n.header) && bytes.HasPrefix(bytes.TrimSpace(n.body), []byte("<")) {
		v.add(nameHeaders, fails, "%v", webhook.ErrV2Notification)
		return nil
	}
	if n.remark != nil {
		v.add(nameFile, remarked, "%s", n.remark)
	}
	signature, ok := v.headers(n.header)
	if ok {
		v.signature(n, signature)
	} else {
		for _, name := range [...]string{nameWindow, nameKey, nameSignature} {
			v.add(name, remarked, "not checked")
		}
	}
	event := v.contents(n.body)
	if !v.valid() {
		return nil
	}
	return event
}

// headers finds headers that are missing or that occur several times.
func (v *verifier) headers(header http.Header) (apiv3.Signature, bool) {
	var problems error
	found := func(problem error) {
		if problems != nil {
			problem = shell.Say("%w, %w", problems, problem)
		}
		problems = problem
	}
	for _, name := range [...]string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSerial, apiv3.HeaderSignature} {
		switch values := header[name]; {
		case len(values) == 0:
			found(shell.Say("%s is missing", name))
		case len(values) > 1:
			found(shell.Say("%s occurs %d times", name, len(values)))
		}
	}
	signature, err := apiv3.ReadSignature(header)
	if err != nil && problems == nil {
		problems = err
	}
	if problems != nil {
		v.add(nameHeaders, fails, "%v", problems)
		return signature, false
	}
	v.add(nameHeaders, matches, "the four Wechatpay headers are there, each once")
	return signature, true
}

// signature checks the window, the key and the signature.
func (v *verifier) signature(n *savedNotification, s apiv3.Signature) {
	at := v.at
	var skew *apiv3.ClockError
	switch err := s.CheckWindow(at); {
	case errors.As(err, &skew):
		at = v.at.Add(skew.Skew).Truncate(time.Second)
		distance := shell.Say("%s after the clock", skew.Skew.Abs().Round(time.Second))
		if skew.Skew < 0 {
			distance = shell.Say("%s before the clock", skew.Skew.Abs().Round(time.Second))
		}
		v.add(nameWindow, fails, "it was signed at %s, %s, %s are allowed; --at %[1]s verifies it as of then",
			inChina(at), distance, apiv3.Window)
	case err != nil:
		v.add(nameWindow, fails, "%v", err)
	default:
		seconds, _ := strconv.ParseInt(s.Timestamp, 10, 64) // CheckWindow has read it
		signed := time.Unix(seconds, 0)
		v.add(nameWindow, matches, "it was signed at %s, %s off the clock, %s are allowed", inChina(signed),
			signed.Sub(at).Abs().Round(time.Second), apiv3.Window)
	}

	key, err := v.keys.Find(s.Serial, at)
	switch {
	case errors.Is(err, apiv3.ErrUnknownSerial):
		v.add(nameKey, fails, "%s is not among the keys that were given: %s", shell.Bounded(s.Serial), v.serials())
		v.add(nameSignature, remarked, "not checked without the key")
		return
	case err != nil:
		// The signature can still be checked with it.
		v.add(nameKey, fails, "%s: %v (%s)", s.Serial, err, v.validity(s.Serial))
		for _, other := range v.keys.All() {
			if other.Serial == s.Serial {
				key = other
			}
		}
	case key.IsCertificate():
		v.add(nameKey, matches, "%s, a platform certificate (%s)", s.Serial, v.validity(s.Serial))
	default:
		v.add(nameKey, matches, "%s, the WeChat Pay public key", s.Serial)
	}
	v.body(n, s, key.Key)
}

func inChina(t time.Time) string { return t.In(shell.China).Format(time.RFC3339) }

func (v *verifier) serials() string {
	var serials []string
	for _, key := range v.keys.All() {
		serials = append(serials, key.Serial)
	}
	return strings.Join(serials, ", ")
}

func (v *verifier) validity(serial string) error {
	for _, key := range v.keys.All() {
		if key.Serial == serial {
			return shell.Say("good from %s to %s", inChina(key.NotBefore), inChina(key.NotAfter))
		}
	}
	return nil
}

// body checks the signature over the body. If it does not match, body tries how the body may have been changed.
func (v *verifier) body(n *savedNotification, s apiv3.Signature, key crypto.PublicKey) {
	scheme := apiv3.RSA()
	if s.Type == apiv3.Brand().SignatureType() {
		scheme = apiv3.Brand()
	}
	err := s.Verify(scheme, key, n.body)
	if err == nil {
		v.add(nameSignature, matches, "%s over the %d bytes of the body", scheme.SignatureType(), len(n.body))
		return
	}
	if s.IsProbe() {
		v.add(nameSignature, fails, "it is a signature test of the platform, which has to be rejected; the same "+
			"notification comes again with a right signature")
		return
	}
	for _, other := range variants(n.body) {
		if s.Verify(scheme, key, other.body) != nil {
			continue
		}
		if n.open && other.ofFile {
			n.body = other.body
			v.add(nameSignature, matches, "%s over the %d bytes of the body, %s", scheme.SignatureType(), len(n.body), other.what)
			return
		}
		v.add(nameSignature, fails, "it does not match the saved body, but does %s", other.what)
		return
	}
	if errors.Is(err, apiv3.ErrSignature) {
		err = shell.Say("it does not match: the body was changed, or the key of this serial is another one")
	}
	for _, other := range v.keys.All() {
		if s.Verify(scheme, other.Key, n.body) == nil {
			err = shell.Say("it does not match the key of its serial, but that of %s: were keys or serials mixed up?", other.Serial)
		}
	}
	v.add(nameSignature, fails, "%v", err)
}

// variant is a possible body before it was saved.
type variant struct {
	what   error
	body   []byte
	ofFile bool // writing a text into a file makes this difference
}

func variants(body []byte) []variant {
	list := []variant{
		{shell.Say("without the line break at the end of the file"), bytes.TrimSuffix(bytes.TrimSuffix(body, []byte("\n")),
			[]byte("\r")), true},
		{shell.Say("without the line breaks at the end of the file"), bytes.TrimRight(body, "\r\n"), true},
		{shell.Say("with LF instead of CRLF"), bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), false},
		{shell.Say("with CRLF instead of LF"), bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), false},
		{shell.Say("with a line break at its end"), append(bytes.Clone(body), '\n'), false},
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		list = append(list, variant{shell.Say("without the blanks between fields: the JSON was indented when it was saved"),
			compact.Bytes(), false})
	}
	return list
}

// contents reads and decrypts the body as a handler does, whether the signature matches or not. It returns the event, or
// nil if it cannot be read.
func (v *verifier) contents(body []byte) *webhook.Event {
	if len(body) == 0 {
		v.add(nameEnvelope, fails, "the body is empty")
		return nil
	}
	event, err := v.parse(body, nil)
	var about struct {
		ID   string `json:"id"`
		Type string `json:"event_type"`
		Made string `json:"create_time"`
	}
	_ = json.Unmarshal(body, &about) // for the text alone
	envelope := shell.Say("%s, id %s, made at %s", shell.Bounded(about.Type), shell.Bounded(about.ID),
		shell.Bounded(about.Made))
	switch {
	case errors.Is(err, apiv3.ErrDecrypt):
		v.add(nameEnvelope, matches, "%s", envelope)
		v.add(nameDecryption, fails, "the resource cannot be decrypted with WXPAY_APIV3_KEY: was the key changed in the "+
			"merchant platform, or is it another merchant's?")
		v.add(nameType, remarked, "not checked")
		return nil
	case err != nil:
		v.add(nameEnvelope, fails, "%s", strings.TrimPrefix(err.Error(), "webhook: "))
		v.add(nameDecryption, remarked, "not checked")
		v.add(nameType, remarked, "not checked")
		return nil
	}
	v.add(nameEnvelope, matches, "%s", envelope)
	v.add(nameDecryption, matches, "the resource is %d bytes of JSON, decrypted with WXPAY_APIV3_KEY", len(event.Resource()))
	if !json.Valid(event.Resource()) {
		v.steps[len(v.steps)-1].text = v.named(shell.Say("the resource is %d bytes, decrypted with WXPAY_APIV3_KEY, and not JSON",
			len(event.Resource())))
	}
	v.eventType(event)
	if v.private == nil {
		return event
	}
	decrypted, err := v.parse(body, v.private)
	switch {
	case err != nil:
		v.add(nameFields, fails, "%s", shell.InFlags(strings.TrimPrefix(err.Error(), "webhook: ")))
		return nil
	case !bytes.Equal(decrypted.Resource(), event.Resource()):
		v.add(nameFields, matches, "those encrypted for the merchant are decrypted with WXPAY_PRIVATE_KEY")
	}
	return decrypted
}

// eventType compares the event with its documentation.
func (v *verifier) eventType(e *webhook.Event) {
	original := shell.Say("%s", shell.Bounded(e.OriginalType))
	if e.OriginalType == "" {
		original = shell.Say("none")
	}
	facts, known := v.facts.Event(e.Type)
	if !known {
		v.add(nameType, remarked, "original type %s; the catalogue does not know %s, which is no mistake if it is new",
			original, shell.Bounded(e.Type))
		return
	}
	if len(facts.OriginalTypes) == 0 {
		v.add(nameType, matches, "original type %s; %s", original, facts.Name)
		return
	}
	for _, documented := range facts.OriginalTypes {
		if documented == e.OriginalType {
			v.add(nameType, matches, "original type %s, as documented; %s", original, facts.Name)
			return
		}
	}
	v.add(nameType, remarked, "original type %s; documented is %s; %s", original, strings.Join(facts.OriginalTypes, ", "),
		facts.Name)
}

// parse reads the body with the handler of package webhook, without its check of the signature.
func (v *verifier) parse(body []byte, private crypto.Signer) (*webhook.Event, error) {
	const serial = "PUB_KEY_ID_0"
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: serial, Key: v.keys.All()[0].Key})
	if err != nil {
		return nil, err
	}
	h, err := webhook.New(webhook.Merchant{
		APIv3Key: v.apiv3Key, Keys: webhook.Static(keys), PrivateKey: private, Scheme: unchecked{apiv3.RSA()},
	}, webhook.WithCatalog(v.facts), webhook.WithMaxBody(int64(len(body))+1), webhook.WithClock(func() time.Time { return v.at }))
	if err != nil {
		return nil, err
	}
	return h.Parse(context.Background(), http.Header{
		apiv3.HeaderTimestamp: {strconv.FormatInt(v.at.Unix(), 10)}, apiv3.HeaderNonce: {"none"},
		apiv3.HeaderSerial: {serial}, apiv3.HeaderSignature: {"AAAA"},
	}, body)
}

// unchecked accepts every signature, to read a notification whose signature was checked before.
type unchecked struct{ apiv3.Scheme }

func (unchecked) Verify(crypto.PublicKey, []byte, []byte) error { return nil }
