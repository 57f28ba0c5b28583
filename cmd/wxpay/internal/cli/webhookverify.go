package cli

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

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/webhook"
)

type webhookVerifyOptions struct {
	file         string // - for stdin
	at           time.Time
	certificates []string
	show         bool
}

func webhookVerifyCommand(run func(webhookVerifyOptions) error) *cobra.Command {
	o, at := new(webhookVerifyOptions), ""
	command := &cobra.Command{
		Use:   "verify FILE",
		Short: "Tell whether a saved notification is valid, step by step",
		Long: `Tell whether a saved notification is valid, step by step: the headers, the window of five minutes, the key that it
names, the signature, the envelope, the decryption, and what kind of event it is. FILE is - for stdin.

FILE holds one of
  an HTTP request   as dumped: a request line (may be missing), headers, an empty line, the body. The body ends where
                    Content-Length says; without that header line breaks at the end of the file are tried both ways.
  JSON              {"headers": {"Wechatpay-Serial": "…", …}, "body": "…"}; a value may be an array of texts. The body is
                    the text that was received. If it was saved as an object, its bytes are taken as they stand.
The signature covers every byte of the body. One that was parsed and printed again, re-encoded, or cut does not match.

Keys come from the environment:
  WXPAY_APIV3_KEY                           APIv3 key
  WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY  the WeChat Pay public key: a file's path or the PEM text
  WXPAY_PRIVATE_KEY                         opens members that are encrypted for the merchant (optional)
Platform certificates are given by --certificate, with or in place of the public key.

A notification that was saved is nearly always too old for the window: --at judges it as of its day. Only names, numbers
of bytes, serials and the event's id are printed; --show prints the decrypted resource of a valid notification to
stdout, and the steps go to stderr then.

Exit codes:
  0  it is valid
  1  it is not valid
  2  nothing was checked: wrong usage, an unreadable file, or keys that are missing or unusable
  5  it is valid, but the result could not be written out`,
		Example: `  wxpay webhook verify notification.http
  wxpay webhook verify notification.json --at 2026-11-23T10:00:00+08:00 --certificate wechatpay_4D2A.pem
  wxpay webhook verify --show - < notification.http | jq .amount`,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case len(args) == 0:
				return usageError("the file is missing: give the one in which headers and body were saved, or -")
			case len(args) > 1:
				return usageError("there are %d files, one is checked at a time", len(args))
			}
			o.file = args[0]
			if at != "" {
				if o.at, err = parseTime(at); err != nil {
					return err
				}
			}
			return run(*o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&at, "at", "", "judge as of `TIME`, such as 2026-11-23T10:00:00+08:00, or seconds since 1970")
	flags.StringArrayVar(&o.certificates, "certificate", nil, "`FILE` of a platform certificate, PEM or DER; may stand several times")
	flags.BoolVar(&o.show, "show", false, "print the decrypted resource")
	return command
}

// parseTime reads a time as RFC 3339, or as seconds since 1970.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usageError("--at is neither of the form 2026-11-23T10:00:00+08:00 nor seconds since 1970")
	}
	return t, nil
}

func (p *program) webhookVerify(o webhookVerifyOptions) error {
	v, err := p.verifier(o)
	if err != nil {
		return err
	}
	data, err := (&input{stdin: p.stdin}).open(o.file)
	if err != nil {
		return usageError("the notification: %w", err)
	}
	saved, err := readNotification(data)
	if err != nil {
		return usageError("the notification: %w. See the two forms in the help.", err)
	}
	event := v.check(saved)

	var report, resource bytes.Buffer
	v.write(&report, p.colours())
	if o.show {
		p.note("%s", strings.TrimSuffix(report.String(), "\n"))
		if event != nil {
			p.writeBody(&resource, event.Resource())
			report = resource
		} else {
			report.Reset()
		}
	}
	if err := p.write(&report); err != nil {
		return err
	}
	if event == nil {
		return &exitError{code: exitRefused}
	}
	return nil
}

// verifier checks one notification, and keeps what it found.
type verifier struct {
	facts    *catalog.Catalog
	at       time.Time
	keys     *apiv3.KeySet
	apiv3Key string
	private  crypto.Signer // nil if there is none
	steps    []step
}

// step is one thing that was looked at.
type step struct {
	name  string
	state stepState
	text  string
}

type stepState int

const (
	matches  stepState = iota
	fails              // it makes the notification invalid
	remarked           // something to know, or something that could not be looked at
)

// verifier makes a verifier with the keys of the environment.
func (p *program) verifier(o webhookVerifyOptions) (*verifier, error) {
	get := func(name string) string {
		value, _ := p.lookup(name)
		return value
	}
	v := &verifier{facts: p.facts(), at: o.at, apiv3Key: get("WXPAY_APIV3_KEY")}
	if v.at.IsZero() {
		v.at = time.Now()
	}
	var keys []apiv3.PlatformKey
	id, text := get("WXPAY_PUBLIC_KEY_ID"), get("WXPAY_PUBLIC_KEY")
	switch {
	case id != "" && text != "":
		key, err := wxpay.LoadPublicKey(text)
		if err != nil {
			return nil, usageError("WXPAY_PUBLIC_KEY: %w", err)
		}
		keys = append(keys, apiv3.PlatformKey{Serial: id, Key: key})
	case id != "" || text != "":
		return nil, usageError("WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY belong together, one of them is not set")
	}
	for _, name := range o.certificates {
		certificate, err := wxpay.LoadCertificate(name)
		if err != nil {
			return nil, usageError("--certificate %s: %w", printable(name), err)
		}
		keys = append(keys, apiv3.CertificateKey(certificate))
	}
	if len(keys) == 0 {
		return nil, usageError("no platform key is given: set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY, or name a platform certificate with --certificate")
	}
	if v.apiv3Key == "" {
		return nil, usageError("WXPAY_APIV3_KEY is not set: it is the 32-byte key set in the merchant platform under API security")
	}
	if err := apiv3.CheckKey([]byte(v.apiv3Key)); err != nil {
		return nil, usageError("WXPAY_APIV3_KEY: %w", err)
	}
	for _, key := range keys {
		if err := apiv3.RSA().CheckPublicKey(key.Key); err != nil {
			return nil, usageError("the platform key %s: %w", key.Serial, err)
		}
	}
	var err error
	if v.keys, err = apiv3.NewKeySet(keys...); err != nil {
		return nil, usageError("the platform keys: %w", err)
	}
	if key := get("WXPAY_PRIVATE_KEY"); key != "" {
		if v.private, err = wxpay.LoadPrivateKey(key); err != nil {
			return nil, usageError("WXPAY_PRIVATE_KEY: %w", err)
		}
		if err := apiv3.RSA().CheckPublicKey(v.private.Public()); err != nil {
			return nil, usageError("WXPAY_PRIVATE_KEY: %w", err)
		}
	}
	return v, nil
}

func (v *verifier) add(name string, state stepState, format string, a ...any) {
	v.steps = append(v.steps, step{name, state, fmt.Sprintf(format, a...)})
}

// valid reports whether no step has failed.
func (v *verifier) valid() bool {
	for _, s := range v.steps {
		if s.state == fails {
			return false
		}
	}
	return true
}

// write writes the steps and the result.
func (v *verifier) write(out *bytes.Buffer, c paint) {
	for _, s := range v.steps {
		mark := c.faint("–")
		if s.state != remarked {
			mark = c.mark(s.state == matches)
		}
		fmt.Fprintf(out, "%s %-10s %s\n", mark, s.name, printable(s.text))
	}
	if v.valid() {
		out.WriteString("valid\n")
	} else {
		out.WriteString("not valid\n")
	}
}

// check looks at everything that can be looked at, also behind a step that has failed, and returns the event if all of
// it matches.
func (v *verifier) check(n *savedNotification) *webhook.Event {
	if !apiv3.HasSignature(n.header) && bytes.HasPrefix(bytes.TrimSpace(n.body), []byte("<")) {
		v.add("headers", fails, "%v", webhook.ErrV2Notification)
		return nil
	}
	if n.remark != "" {
		v.add("file", remarked, "%s", n.remark)
	}
	signature, ok := v.headers(n.header)
	if ok {
		v.signature(n, signature)
	} else {
		for _, name := range [...]string{"window", "key", "signature"} {
			v.add(name, remarked, "not checked")
		}
	}
	event := v.contents(n.body)
	if !v.valid() {
		return nil
	}
	return event
}

// headers tells which headers are missing or stand several times.
func (v *verifier) headers(header http.Header) (apiv3.Signature, bool) {
	var problems []string
	for _, name := range [...]string{apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSerial, apiv3.HeaderSignature} {
		switch values := header[name]; {
		case len(values) == 0:
			problems = append(problems, name+" is missing")
		case len(values) > 1:
			problems = append(problems, fmt.Sprintf("%s stands %d times", name, len(values)))
		}
	}
	signature, err := apiv3.ReadSignature(header)
	if err != nil && len(problems) == 0 {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		v.add("headers", fails, "%s", strings.Join(problems, ", "))
		return signature, false
	}
	v.add("headers", matches, "the four Wechatpay headers are there, each once")
	return signature, true
}

// signature looks at the window, the key and the signature.
func (v *verifier) signature(n *savedNotification, s apiv3.Signature) {
	at := v.at
	var skew *apiv3.ClockError
	switch err := s.CheckWindow(at); {
	case errors.As(err, &skew):
		at = v.at.Add(skew.Skew).Truncate(time.Second)
		direction := "after"
		if skew.Skew < 0 {
			direction = "before"
		}
		v.add("window", fails, "it was signed at %s, %s %s the clock, %s are allowed; --at %s judges it as of then",
			inChina(at), skew.Skew.Abs().Round(time.Second), direction, apiv3.Window, inChina(at))
	case err != nil:
		v.add("window", fails, "%v", err)
	default:
		seconds, _ := strconv.ParseInt(s.Timestamp, 10, 64) // CheckWindow has read it
		signed := time.Unix(seconds, 0)
		v.add("window", matches, "it was signed at %s, %s off the clock, %s are allowed", inChina(signed), signed.Sub(at).Abs().Round(time.Second), apiv3.Window)
	}

	key, err := v.keys.Find(s.Serial, at)
	switch {
	case errors.Is(err, apiv3.ErrUnknownSerial):
		v.add("key", fails, "%s is not among the keys that were given: %s", bounded(s.Serial), v.serials())
		v.add("signature", remarked, "not checked, for want of the key")
		return
	case err != nil:
		// The key itself is of use still.
		v.add("key", fails, "%s: %v (%s)", s.Serial, err, v.validity(s.Serial))
		for _, other := range v.keys.All() {
			if other.Serial == s.Serial {
				key = other
			}
		}
	case key.IsCertificate():
		v.add("key", matches, "%s, a platform certificate (%s)", s.Serial, v.validity(s.Serial))
	default:
		v.add("key", matches, "%s, the WeChat Pay public key", s.Serial)
	}
	v.body(n, s, key.Key)
}

// china is the time zone of the platform.
var china = time.FixedZone("", 8*60*60)

func inChina(t time.Time) string { return t.In(china).Format(time.RFC3339) }

func (v *verifier) serials() string {
	var serials []string
	for _, key := range v.keys.All() {
		serials = append(serials, key.Serial)
	}
	return strings.Join(serials, ", ")
}

func (v *verifier) validity(serial string) string {
	for _, key := range v.keys.All() {
		if key.Serial == serial {
			return "good from " + inChina(key.NotBefore) + " to " + inChina(key.NotAfter)
		}
	}
	return ""
}

// body checks the signature over the body. Where it does not match, it looks for what was done to the body.
func (v *verifier) body(n *savedNotification, s apiv3.Signature, key crypto.PublicKey) {
	scheme := apiv3.RSA()
	if s.Type == apiv3.Brand().SignatureType() {
		scheme = apiv3.Brand()
	}
	err := s.Verify(scheme, key, n.body)
	if err == nil {
		v.add("signature", matches, "%s over the %d bytes of the body", scheme.SignatureType(), len(n.body))
		return
	}
	if s.IsProbe() {
		v.add("signature", fails, "it is one of the platform's signature tests, which have to be refused; the same notification comes again, signed rightly")
		return
	}
	for _, other := range variants(n.body) {
		if s.Verify(scheme, key, other.body) != nil {
			continue
		}
		if n.open && other.ofFile {
			n.body = other.body
			v.add("signature", matches, "%s over the %d bytes of the body, %s", scheme.SignatureType(), len(n.body), other.what)
			return
		}
		v.add("signature", fails, "it does not match the body as saved; it does %s", other.what)
		return
	}
	text := err.Error()
	if errors.Is(err, apiv3.ErrSignature) {
		text = "it does not match: the body was changed, or another key is kept under this serial"
	}
	for _, other := range v.keys.All() {
		if s.Verify(scheme, other.Key, n.body) == nil {
			text = "it does not match the key of its serial, but that of " + other.Serial + ": were keys or serials mixed up?"
		}
	}
	v.add("signature", fails, "%s", text)
}

// variant is a body as it may have been before it was saved.
type variant struct {
	what   string
	body   []byte
	ofFile bool // the difference comes with writing a text into a file
}

func variants(body []byte) []variant {
	list := []variant{
		{"without the line break at the end of the file", bytes.TrimSuffix(bytes.TrimSuffix(body, []byte("\n")), []byte("\r")), true},
		{"without the line breaks at the end of the file", bytes.TrimRight(body, "\r\n"), true},
		{"with LF in place of CRLF", bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), false},
		{"with CRLF in place of LF", bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), false},
		{"with a line break at its end", append(bytes.Clone(body), '\n'), false},
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		list = append(list, variant{"without the blanks between members: the JSON was laid out when it was saved", compact.Bytes(), false})
	}
	return list
}

// contents reads and decrypts the body as a handler would, whatever the signature says of it. It returns the event, nil
// if it cannot be read.
func (v *verifier) contents(body []byte) *webhook.Event {
	if len(body) == 0 {
		v.add("envelope", fails, "the body is empty")
		return nil
	}
	event, err := v.parse(body, nil)
	var about struct {
		ID   string `json:"id"`
		Type string `json:"event_type"`
		Made string `json:"create_time"`
	}
	_ = json.Unmarshal(body, &about) // for the text alone
	envelope := fmt.Sprintf("%s, id %s, made at %s", bounded(about.Type), bounded(about.ID), bounded(about.Made))
	switch {
	case errors.Is(err, apiv3.ErrDecrypt):
		v.add("envelope", matches, "%s", envelope)
		v.add("decryption", fails, "the resource cannot be opened with WXPAY_APIV3_KEY: was the key changed in the merchant platform, or is it another merchant's?")
		v.add("type", remarked, "not checked")
		return nil
	case err != nil:
		v.add("envelope", fails, "%s", strings.TrimPrefix(err.Error(), "webhook: "))
		v.add("decryption", remarked, "not checked")
		v.add("type", remarked, "not checked")
		return nil
	}
	v.add("envelope", matches, "%s", envelope)
	v.add("decryption", matches, "the resource is %d bytes of JSON, opened with WXPAY_APIV3_KEY", len(event.Resource()))
	if !json.Valid(event.Resource()) {
		v.steps[len(v.steps)-1].text = fmt.Sprintf("the resource is %d bytes, opened with WXPAY_APIV3_KEY, and no JSON", len(event.Resource()))
	}
	v.eventType(event)
	if v.private == nil {
		return event
	}
	opened, err := v.parse(body, v.private)
	switch {
	case err != nil:
		v.add("members", fails, "%s", strings.TrimPrefix(err.Error(), "webhook: "))
		return nil
	case !bytes.Equal(opened.Resource(), event.Resource()):
		v.add("members", matches, "those encrypted for the merchant are opened with WXPAY_PRIVATE_KEY")
	}
	return opened
}

// eventType tells what is documented of the event.
func (v *verifier) eventType(e *webhook.Event) {
	original := bounded(e.OriginalType)
	if original == "" {
		original = "none"
	}
	facts, known := v.facts.Event(e.Type)
	if !known {
		v.add("type", remarked, "original type %s; the catalogue does not know %s, which is no mistake if it is new", original, bounded(e.Type))
		return
	}
	if len(facts.OriginalTypes) == 0 {
		v.add("type", matches, "original type %s; %s", original, facts.Name)
		return
	}
	for _, documented := range facts.OriginalTypes {
		if documented == e.OriginalType {
			v.add("type", matches, "original type %s, as documented; %s", original, facts.Name)
			return
		}
	}
	v.add("type", remarked, "original type %s; documented is %s; %s", original, strings.Join(facts.OriginalTypes, ", "), facts.Name)
}

// parse reads the body with the handler of package webhook, behind its check of the signature.
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

// unchecked accepts every signature, so that a notification can be read whose signature was looked at before.
type unchecked struct{ apiv3.Scheme }

func (unchecked) Verify(crypto.PublicKey, []byte, []byte) error { return nil }
