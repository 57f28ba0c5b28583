package clinic

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Case is a rejected request, with everything that can explain it.
type Case struct {
	Method, Host, Target string
	Header               http.Header
	Body                 []byte // as it arrived
	Signed               []byte // what the signature covers of it
	Template             string // path template of the operation; empty if there is none
	Wired                time.Time

	Scheme   apiv3.Scheme
	Platform *keyring.Platform   // the keys for this caller
	Serial   string              // of the key that Wechatpay-Serial names, once that was accepted
	Own      *rsa.PrivateKey     // of the merchant
	Callers  string              // those who have certificates
	All      []*keyring.Platform // the keys of everyone whom the sandbox knows
	Earlier  func() []journal.Entry

	hidden []string // values that the explanation must not show
}

// holder is someone whose signatures can be recognised.
type holder struct {
	key   *rsa.PublicKey
	whose string
}

// holders returns whose keys a request can have been signed with, the caller that its serial names
// first.
func (c *Case) holders(serial string) []holder {
	var list []holder
	callers := func(p *keyring.Platform) {
		for _, s := range slices.Sorted(maps.Keys(p.Callers)) {
			list = append(list, holder{p.Callers[s], fmt.Sprintf("the certificate %s of %s %s", s, p.Scheme.Identity(), p.CallerID)})
		}
		for _, s := range slices.Sorted(maps.Keys(p.Revoked)) {
			list = append(list, holder{p.Revoked[s], fmt.Sprintf("the revoked certificate %s of %s %s", s, p.Scheme.Identity(), p.CallerID)})
		}
	}
	if key := c.Platform.Callers[serial]; key != nil {
		list = append(list, holder{key, "the certificate " + serial})
	}
	callers(c.Platform)
	for _, p := range c.All {
		if p != c.Platform {
			callers(p)
		}
		for _, s := range slices.Sorted(maps.Keys(p.Keys)) {
			if key := p.Keys[s]; key.Made() {
				list = append(list, holder{&key.Private().PublicKey, "the platform's key " + s})
			}
		}
	}
	return list
}

// Messages are the two sides of a signature that does not verify: the message as the platform built
// it, and as the client signed it. They are empty where they do not matter, and the second also where
// it is not known.
type Messages struct{ Platform, Client string }

// Rejected explains why a request was not authenticated, and returns the likeliest cause too.
func (c *Case) Rejected() (text, cause string, messages Messages) {
	e := new(explanation)
	values := c.Header["Authorization"]
	a, err := apiv3.Authorization{}, error(nil)
	if len(values) == 1 {
		a, err = apiv3.ParseAuthorization(values[0])
	}
	if len(values) != 1 || err != nil || a.Scheme != c.Scheme.Name() || a.Identity != c.Scheme.Identity() {
		c.explainForm(e, values)
	} else {
		c.explainTime(e, a)
		c.explainCaller(e, a)
		c.explainSignature(e, a)
	}
	return e.String(), e.headline(), Messages{e.built, e.signed}
}

// fieldName is the name of a field in the Authorization header, and the quote that opens its value.
var fieldName = regexp.MustCompile(`([A-Za-z_]+)\s*=("?)`)

// explainForm explains what is wrong with the shape of the Authorization header.
func (c *Case) explainForm(e *explanation, values []string) {
	want := []string{c.Scheme.Identity(), "nonce_str", "timestamp", "serial_no", "signature"}
	remedy := fmt.Sprintf(`Send one header, in one line: Authorization: %s %s="…",nonce_str="…",timestamp="…",serial_no="…",signature="…"; the fields may stand in any order, and no blanks around the commas.`,
		c.Scheme.Name(), c.Scheme.Identity())
	e.sure = "certain; this is what the header looks like"
	switch {
	case len(values) == 0:
		e.add("the header Authorization is missing; a client that follows a redirect to another host, and some proxies, drop it", remedy)
		return
	case len(values) > 1:
		e.add(fmt.Sprintf("the header Authorization stands %d times", len(values)), remedy)
		return
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if strings.Contains(scheme, "=") {
		scheme, rest = "", values[0]
	}
	if scheme != c.Scheme.Name() {
		switch {
		case scheme == "":
			e.add("the header does not begin with a scheme and a blank", remedy)
		case strings.EqualFold(scheme, c.Scheme.Name()):
			e.add(fmt.Sprintf("the scheme is written %q; it takes upper-case letters", scheme), remedy)
		case scheme == apiv3.Brand().Name():
			e.add("the scheme is that of brands, which only paths below /brand/ take", remedy)
		case say.IsBrand(c.Target):
			e.add("the path is a brand's, so the brand signs, with a scheme of its own", remedy)
		default:
			e.add(fmt.Sprintf("the scheme is %s instead of %s", quoteAround(scheme, 0), c.Scheme.Name()), remedy)
		}
	}
	counts := make(map[string]int)
	rest = quoted.ReplaceAllString(rest, `""`)
	for _, found := range fieldName.FindAllStringSubmatch(rest, -1) {
		counts[found[1]]++
		if found[2] == "" {
			e.add("the value of the field "+found[1]+" is not in double quotes", remedy)
		}
	}
	if len(e.causes) > 0 && len(counts) == 0 {
		return
	}
	for _, name := range want {
		switch {
		case counts[name] == 0:
			e.add("the field "+name+" is missing", remedy)
		case counts[name] > 1:
			e.add(fmt.Sprintf("the field %s stands %d times", name, counts[name]), remedy)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(want, name) {
			e.add("the field "+name+" does not belong there", remedy)
		}
	}
	if len(e.causes) == 0 {
		e.add("the header has the right fields, written in another form: look for blanks at the commas, empty values, or other quotes", remedy)
	}
}

// quoted is a value in the Authorization header, which may hold what looks like a name.
var quoted = regexp.MustCompile(`"[^"]*"`)

// explainTime explains a timestamp outside of the window.
func (c *Case) explainTime(e *explanation, a apiv3.Authorization) {
	err := (apiv3.Signature{Timestamp: a.Timestamp}).CheckWindow(c.Wired)
	if err == nil {
		return
	}
	remedy := "Send the time in seconds since 1970-01-01 UTC, from a clock that is kept right (NTP)."
	seconds, err := strconv.ParseInt(a.Timestamp, 10, 64)
	if err != nil {
		e.add("the timestamp is not a decimal number of seconds", remedy)
		return
	}
	off := seconds - c.Wired.Unix()
	near := func(seconds int64) bool { return max(seconds, -seconds) <= int64(apiv3.Window.Seconds()) }
	hours := (off + 1800) / 3600
	if off < 0 {
		hours = (off - 1800) / 3600
	}
	switch {
	case near(seconds/1000 - c.Wired.Unix()):
		e.add("the timestamp is in milliseconds", remedy)
	case near(seconds/1_000_000 - c.Wired.Unix()), near(seconds/1_000_000_000 - c.Wired.Unix()):
		e.add("the timestamp is in microseconds or nanoseconds", remedy)
	case hours != 0 && hours >= -14 && hours <= 14 && near(off-hours*3600):
		e.add(fmt.Sprintf("the timestamp is %+d hours from the sandbox's clock: local time was taken for UTC", hours), remedy)
	case off < 0:
		e.add(fmt.Sprintf("the timestamp is %s old: the client's clock is slow, or the request was signed that long before it was sent", time.Duration(-off)*time.Second), remedy)
	default:
		e.add(fmt.Sprintf("the timestamp is %s ahead: the client's clock is fast, or the sandbox's was moved", time.Duration(off)*time.Second), remedy)
	}
}

// explainCaller explains an identity and a serial that do not belong together.
func (c *Case) explainCaller(e *explanation, a apiv3.Authorization) {
	if a.ID != c.Platform.CallerID {
		e.add(fmt.Sprintf("the %s is not one that this sandbox knows; it knows %s", a.Identity, c.Callers),
			"Connect the client with the values that the sandbox prints or gives.")
	}
	if c.Platform.Callers[a.Serial] != nil {
		return
	}
	own := slices.Sorted(maps.Keys(c.Platform.Callers))
	remedy := "Send the serial of the API certificate whose private key signs: " + strings.Join(own, ", ") + "."
	for _, p := range c.All {
		if p.Keys[a.Serial] != nil {
			e.add("the serial in the header is that of a platform key; that one belongs into Wechatpay-Serial", remedy)
			return
		}
	}
	if c.Platform.Revoked[a.Serial] != nil {
		e.add("the certificate "+a.Serial+" was revoked", remedy)
		return
	}
	for _, serial := range own {
		if how := misspelt(serial, a.Serial); how != "" {
			e.add("the serial is "+how, remedy)
			return
		}
	}
	e.add("the serial belongs to no certificate of the caller; the sandbox makes new ones each time it starts", remedy)
}

// misspelt tells how a serial became another text; empty if it did not.
func misspelt(serial, sent string) string {
	bare := strings.NewReplacer(":", "", " ", "", "-", "").Replace(sent)
	switch {
	case strings.EqualFold(serial, sent):
		return "written in lower-case digits; it takes upper-case ones"
	case strings.EqualFold(serial, bare):
		return "written with separators"
	case strings.EqualFold(strings.TrimLeft(serial, "0"), strings.TrimLeft(bare, "0")):
		return "written without its leading zeros; it has 40 digits"
	}
	if number, ok := new(big.Int).SetString(serial, 16); ok && number.String() == sent {
		return "written in decimal digits; it takes 40 hexadecimal ones"
	}
	return ""
}

// explainSignature tells what the client signed, and with whose key.
func (c *Case) explainSignature(e *explanation, a apiv3.Authorization) {
	s := c.suspect(a)
	if c.Scheme != apiv3.RSA() && c.Scheme != apiv3.Brand() { // its signatures cannot be opened, only tried
		c.tryMessages(e, a, s)
		return
	}
	holders := c.holders(a.Serial)
	for _, text := range transcriptions(a.Signature) {
		for _, holder := range holders {
			o := openSignature(holder.key, text.bytes)
			if o == nil {
				continue
			}
			if text.cause != "" {
				e.causes = append(e.causes, text.mistake)
			}
			if named := c.Platform.Callers[a.Serial]; named != nil && named != holder.key {
				e.add("the private key that signed is that of "+holder.whose+", not of the serial in the header",
					"Use the private key and the serial of one and the same API certificate.")
			}
			c.explainOpened(e, s, o, holder.whose)
			return
		}
	}
	c.explainUnopened(e, a, s, holders)
}

// explainOpened explains a signature whose digest is known.
func (c *Case) explainOpened(e *explanation, s *suspect, o *opening, whose string) {
	if o.hash != crypto.SHA256 {
		e.add("the message was hashed with "+o.hash.String(), "Sign with SHA256withRSA (RSASSA-PKCS1-v1_5 with SHA-256).")
	}
	if o.naked {
		e.add("the digest was signed without the name of its hash (DigestInfo)", "Sign with SHA256withRSA as a whole instead of RSA over a digest.")
	}
	signed, made, found := s.diagnose(o.covers)
	built := s.message()
	for _, value := range c.hidden {
		if shown := strings.ReplaceAll(signed, value, `"(plain text)"`); shown != signed {
			signed, built = shown, sealedText.ReplaceAllString(built, `"(encrypted)"`)
		}
	}
	e.causes = append(e.causes, made...)
	e.sure = "certain; the signature opens with the key of " + whose
	if found {
		e.signed = signed
		e.sure += ", and the digest in it is that of the client's lines below"
		if signed == built && len(e.causes) == 1 {
			e.sure += "; apart from this cause the request is signed rightly"
		}
		e.built = built
		return
	}
	e.built = built
	e.add("another message was signed than the platform built, and none of the mistakes that are known makes it",
		fmt.Sprintf("Print the message just before it is signed, and compare it with the lines below. Its %v digest is %s; that of the platform's message is %s.",
			o.hash, hex.EncodeToString(o.digest), digestOf(o.hash, e.built)))
	e.sure = "the key is the right one for certain, " + whose + "; the message is not known"
	if len(e.causes) > 1 {
		e.sure = "certain as to the key, " + whose + "; the message is not known"
	}
}

func digestOf(hash crypto.Hash, message string) string {
	h := hash.New()
	h.Write([]byte(message))
	return hex.EncodeToString(h.Sum(nil))
}

// explainUnopened explains a signature that no known key made.
func (c *Case) explainUnopened(e *explanation, a apiv3.Authorization, s *suspect, holders []holder) {
	e.built = s.message()
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	digest := sha256.Sum256([]byte(e.built))
	for _, holder := range holders {
		if err == nil && rsa.VerifyPSS(holder.key, crypto.SHA256, digest[:], signature, nil) == nil {
			e.add("the signature was made by "+holder.whose+" with the padding PSS", "Sign with SHA256withRSA (RSASSA-PKCS1-v1_5 with SHA-256), not RSASSA-PSS.")
			e.sure, e.signed = "certain", e.built
			return
		}
	}
	e.sure = "not sure; a signature that opens with no known key does not show what was signed"
	switch {
	case err != nil:
		e.add("the signature is not base64", "Write it in standard base64 with padding, in one line.")
	case len(signature) != keyring.KeyBits/8:
		e.add(fmt.Sprintf("the signature has %d bytes; one of a key of %d bits has %d", len(signature), keyring.KeyBits, keyring.KeyBits/8),
			"Sign with the private key of the API certificate and SHA256withRSA, and send the signature whole.")
	default:
		e.add("the private key is none that this sandbox knows, or the signature was changed on its way",
			"Sign with the private key of the certificate that serial_no names. A sandbox makes new keys each time it starts: take them from the one that runs.")
	}
}

// tryMessages looks for the signed message by verifying, where signatures cannot be opened.
func (c *Case) tryMessages(e *explanation, a apiv3.Authorization, s *suspect) {
	e.built = s.message()
	public := c.Platform.Callers[a.Serial]
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	if err == nil && public != nil {
		covers := func(message []byte) bool { return c.Scheme.Verify(public, message, signature) == nil }
		if signed, made, found := s.diagnose(covers); found {
			e.causes = append(e.causes, made...)
			e.signed, e.sure = signed, "certain; the signature verifies over the client's lines below"
			return
		}
	}
	e.add("another message was signed, or another key signed it", "Compare the message with the lines below, and the key with the serial.")
	e.sure = "not sure; a signature of " + c.Scheme.Name() + " does not show what was signed"
}

// earlierRequests is how many requests before are looked at, in case their signature was used
// again.
const earlierRequests = 50

// suspect collects what the client may have signed.
func (c *Case) suspect(a apiv3.Authorization) *suspect {
	body := c.Signed
	s := &suspect{
		draft: draft{method: c.Method, target: c.Target, timestamp: a.Timestamp, nonce: a.Nonce, body: string(body)},
		host:  c.Host, template: c.Template, mchid: a.ID, opened: c.openedBody(string(body)),
	}
	if len(body) != len(c.Body) {
		s.whole = string(c.Body)
	}
	entries := c.Earlier()
	for _, entry := range entries[max(0, len(entries)-earlierRequests):] {
		before, err := apiv3.ParseAuthorization(entry.Header.Get("Authorization"))
		if err != nil || before.ID != a.ID {
			continue
		}
		s.earlier = append(s.earlier, draft{method: entry.Method, target: entry.Target, timestamp: before.Timestamp, nonce: before.Nonce, body: string(entry.Body)})
		s.ids = append(s.ids, entry.ID)
	}
	return s
}

// sealedText is what a field that is encrypted with a key of 2048 bits looks like in JSON.
var sealedText = regexp.MustCompile(`"[A-Za-z0-9+/]{342}=="`)

// openedBody returns the body with its encrypted fields in plain; empty if it has none.
func (c *Case) openedBody(body string) string {
	key := c.Platform.Keys[c.Header.Get(apiv3.HeaderSerial)]
	if key == nil {
		return ""
	}
	found := false
	opened := sealedText.ReplaceAllStringFunc(body, func(text string) string {
		sealed, err := base64.StdEncoding.DecodeString(strings.Trim(text, `"`))
		if err != nil {
			return text
		}
		plain, err := c.Scheme.Decrypt(key.Private(), sealed)
		if err != nil {
			return text
		}
		found = true
		written := string(say.JSON(string(plain)))
		c.hidden = append(c.hidden, written)
		return written
	})
	if !found {
		return ""
	}
	return opened
}
