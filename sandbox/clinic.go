package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
)

// explanation is what the journal tells at length about a refusal: likely causes, what to do, how sure that is, and the
// message of the signature. It never shows keys, signatures, or what stands in encrypted values.
type explanation struct {
	causes []mistake
	sure   string // how sure that is
	built  string // the message as the platform built it; empty where it does not matter
	signed string // the message as the client signed it; empty if that is not known
}

func (e *explanation) add(cause, remedy string) {
	e.causes = append(e.causes, mistake{cause, remedy})
}

// headline is the likeliest cause.
func (e *explanation) headline() string {
	if len(e.causes) == 0 {
		return ""
	}
	return e.causes[0].cause
}

func (e *explanation) String() string {
	var out strings.Builder
	line := func(label, text string) {
		if text != "" {
			out.WriteString(label + ": " + text + "\n")
		}
	}
	told := make(map[string]bool)
	for _, m := range e.causes {
		line("likely cause", m.cause)
		if !told[m.remedy] {
			line("what to do", m.remedy)
			told[m.remedy] = true
		}
	}
	line("how sure", e.sure)
	if e.built != "" {
		e.table(&out)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// messageLines names the lines of a message.
var messageLines = [...]string{"1 method", "2 target", "3 timestamp", "4 nonce", "5 body"}

// table writes the five lines of the platform beside those of the client.
func (e *explanation) table(out *strings.Builder) {
	out.WriteByte('\n')
	if e.signed == "" {
		for i, text := range fiveLines(e.built) {
			fmt.Fprintf(out, "%-12s platform  %s\n", messageLines[i], quoteAround(text, 0))
		}
		return
	}
	at := firstDifference(e.built, e.signed)
	row, column := place(e.built, at)
	platform, client := fiveLines(e.built), fiveLines(e.signed)
	for i, name := range messageLines {
		from := 0
		if i == row {
			from = column
		}
		if platform[i] == client[i] {
			fmt.Fprintf(out, "%-12s both      %s\n", name, quoteAround(platform[i], from))
			continue
		}
		fmt.Fprintf(out, "%-12s platform  %s\n%-12s client    %s\n", name, quoteAround(platform[i], from), "", quoteAround(client[i], from))
	}
	if e.built != e.signed {
		fmt.Fprintf(out, "first difference: line %d, byte %d: the platform has %s, the client signed %s\n",
			row+1, column+1, byteAt(e.built, at), byteAt(e.signed, at))
	}
}

// fiveLines cuts a message into its lines with their ends. The body may hold further line feeds.
func fiveLines(message string) (lines [5]string) {
	copy(lines[:], strings.SplitAfterN(message, "\n", len(lines)))
	return lines
}

func firstDifference(a, b string) int {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at
}

// place returns the line and the byte in it, both from 0, where a byte of a message stands.
func place(message string, at int) (row, column int) {
	lines := fiveLines(message)
	for row = range lines {
		if at < len(lines[row]) || row == len(lines)-1 {
			break
		}
		at -= len(lines[row])
	}
	return row, at
}

func byteAt(message string, at int) string {
	switch {
	case at >= len(message):
		return "nothing more"
	case message[at] < utf8.RuneSelf:
		return strconv.Quote(message[at : at+1])
	}
	return fmt.Sprintf("the byte 0x%02x", message[at])
}

// shownText is how many bytes of a line are shown.
const shownText = 160

// quoteAround quotes the part of a text around a byte.
func quoteAround(text string, at int) string {
	if text == "" {
		return "nothing"
	}
	start := max(0, min(at-shownText/2, len(text)-shownText))
	end := min(len(text), start+shownText)
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	quoted := strconv.Quote(text[start:end])
	if start > 0 {
		quoted = fmt.Sprintf("(%d bytes before) %s", start, quoted)
	}
	if end < len(text) {
		quoted = fmt.Sprintf("%s (%d bytes after)", quoted, len(text)-end)
	}
	return quoted
}

// holder is someone whose signatures can be recognised.
type holder struct {
	key   *rsa.PublicKey
	whose string
}

// holders returns whose keys a request can have been signed with, the caller that its serial names first.
func (c *call) holders(serial string) []holder {
	var list []holder
	callers := func(p *platform) {
		for _, s := range slices.Sorted(maps.Keys(p.callers)) {
			list = append(list, holder{p.callers[s], fmt.Sprintf("the certificate %s of %s %s", s, p.scheme.Identity(), p.callerID)})
		}
		for _, s := range slices.Sorted(maps.Keys(p.revoked)) {
			list = append(list, holder{p.revoked[s], fmt.Sprintf("the revoked certificate %s of %s %s", s, p.scheme.Identity(), p.callerID)})
		}
	}
	if key := c.platform.callers[serial]; key != nil {
		list = append(list, holder{key, "the certificate " + serial})
	}
	callers(c.platform)
	for _, p := range c.allPlatforms() {
		if p != c.platform {
			callers(p)
		}
		for _, s := range slices.Sorted(maps.Keys(p.keys)) {
			if public, ok := p.keys[s].Public().(*rsa.PublicKey); ok {
				list = append(list, holder{public, "the platform's key " + s})
			}
		}
	}
	return list
}

// allPlatforms returns the keys of everyone whom the sandbox knows.
func (c *call) allPlatforms() []*platform {
	var list []*platform
	for _, merchant := range c.Merchants() {
		list = append(list, merchant.platform.Load())
	}
	if p := c.brand.platform.Load(); p != nil {
		list = append(list, p)
	}
	return list
}

// explainRefused explains why a request was not authenticated, and ends the reason with the likeliest cause.
func (c *call) explainRefused(refused *refusal) {
	e := new(explanation)
	values := c.request.Header["Authorization"]
	a, err := apiv3.Authorization{}, error(nil)
	if len(values) == 1 {
		a, err = apiv3.ParseAuthorization(values[0])
	}
	if len(values) != 1 || err != nil || a.Scheme != c.scheme.Name() || a.Identity != c.scheme.Identity() {
		c.explainForm(e, values)
	} else {
		c.explainTime(e, a)
		c.explainCaller(e, a)
		c.explainSignature(e, a)
	}
	c.explanation = e.String()
	if cause := e.headline(); !strings.Contains(refused.reason, cause) && refused.message != textNoCertificate {
		refused.reason += ": " + cause
	}
}

// memberName is the name of a member in the Authorization header, and the quote that opens its value.
var memberName = regexp.MustCompile(`([A-Za-z_]+)\s*=("?)`)

// explainForm explains what is wrong with the shape of the Authorization header.
func (c *call) explainForm(e *explanation, values []string) {
	want := []string{c.scheme.Identity(), "nonce_str", "timestamp", "serial_no", "signature"}
	remedy := fmt.Sprintf(`Send one header, in one line: Authorization: %s %s="…",nonce_str="…",timestamp="…",serial_no="…",signature="…"; the members may stand in any order, and no blanks around the commas.`,
		c.scheme.Name(), c.scheme.Identity())
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
	if scheme != c.scheme.Name() {
		switch {
		case scheme == "":
			e.add("the header does not begin with a scheme and a blank", remedy)
		case strings.EqualFold(scheme, c.scheme.Name()):
			e.add(fmt.Sprintf("the scheme is written %q; it takes upper-case letters", scheme), remedy)
		case scheme == apiv3.Brand().Name():
			e.add("the scheme is that of brands, which only paths below /brand/ take", remedy)
		case isBrandPath(c.target):
			e.add("the path is a brand's, so the brand signs, with a scheme of its own", remedy)
		default:
			e.add(fmt.Sprintf("the scheme is %s instead of %s", quoteAround(scheme, 0), c.scheme.Name()), remedy)
		}
	}
	counts := make(map[string]int)
	rest = quoted.ReplaceAllString(rest, `""`)
	for _, found := range memberName.FindAllStringSubmatch(rest, -1) {
		counts[found[1]]++
		if found[2] == "" {
			e.add("the value of the member "+found[1]+" is not in double quotes", remedy)
		}
	}
	if len(e.causes) > 0 && len(counts) == 0 {
		return
	}
	for _, name := range want {
		switch {
		case counts[name] == 0:
			e.add("the member "+name+" is missing", remedy)
		case counts[name] > 1:
			e.add(fmt.Sprintf("the member %s stands %d times", name, counts[name]), remedy)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(want, name) {
			e.add("the member "+name+" does not belong there", remedy)
		}
	}
	if len(e.causes) == 0 {
		e.add("the header has the right members, written in another form: look for blanks at the commas, empty values, or other quotes", remedy)
	}
}

// quoted is a value in the Authorization header, which may hold what looks like a name.
var quoted = regexp.MustCompile(`"[^"]*"`)

// explainTime explains a timestamp outside of the window.
func (c *call) explainTime(e *explanation, a apiv3.Authorization) {
	err := (apiv3.Signature{Timestamp: a.Timestamp}).CheckWindow(c.wired)
	if err == nil {
		return
	}
	remedy := "Send the time in seconds since 1970-01-01 UTC, from a clock that is kept right (NTP)."
	seconds, err := strconv.ParseInt(a.Timestamp, 10, 64)
	if err != nil {
		e.add("the timestamp is not a decimal number of seconds", remedy)
		return
	}
	off := seconds - c.wired.Unix()
	near := func(seconds int64) bool { return max(seconds, -seconds) <= int64(apiv3.Window.Seconds()) }
	hours := (off + 1800) / 3600
	if off < 0 {
		hours = (off - 1800) / 3600
	}
	switch {
	case near(seconds/1000 - c.wired.Unix()):
		e.add("the timestamp is in milliseconds", remedy)
	case near(seconds/1_000_000 - c.wired.Unix()), near(seconds/1_000_000_000 - c.wired.Unix()):
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
func (c *call) explainCaller(e *explanation, a apiv3.Authorization) {
	if a.ID != c.platform.callerID {
		e.add(fmt.Sprintf("the %s is not one that this sandbox knows; it knows %s", a.Identity, c.callers()),
			"Connect the client with the values that the sandbox prints or gives.")
	}
	if c.platform.callers[a.Serial] != nil {
		return
	}
	own := slices.Sorted(maps.Keys(c.platform.callers))
	remedy := "Send the serial of the API certificate whose private key signs: " + strings.Join(own, ", ") + "."
	for _, p := range c.allPlatforms() {
		if p.keys[a.Serial] != nil {
			e.add("the serial in the header is that of a platform key; that one belongs into Wechatpay-Serial", remedy)
			return
		}
	}
	if c.platform.revoked[a.Serial] != nil {
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
func (c *call) explainSignature(e *explanation, a apiv3.Authorization) {
	s := c.suspect(a)
	if c.scheme != apiv3.RSA() && c.scheme != apiv3.Brand() { // its signatures cannot be opened, only tried
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
			if named := c.platform.callers[a.Serial]; named != nil && named != holder.key {
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
func (c *call) explainOpened(e *explanation, s *suspect, o *opening, whose string) {
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
func (c *call) explainUnopened(e *explanation, a apiv3.Authorization, s *suspect, holders []holder) {
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
	case len(signature) != keyBits/8:
		e.add(fmt.Sprintf("the signature has %d bytes; one of a key of %d bits has %d", len(signature), keyBits, keyBits/8),
			"Sign with the private key of the API certificate and SHA256withRSA, and send the signature whole.")
	default:
		e.add("the private key is none that this sandbox knows, or the signature was changed on its way",
			"Sign with the private key of the certificate that serial_no names. A sandbox makes new keys each time it starts: take them from the one that runs.")
	}
}

// tryMessages looks for the signed message by verifying, where signatures cannot be opened.
func (c *call) tryMessages(e *explanation, a apiv3.Authorization, s *suspect) {
	e.built = s.message()
	public := c.platform.callers[a.Serial]
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	if err == nil && public != nil {
		covers := func(message []byte) bool { return c.scheme.Verify(public, message, signature) == nil }
		if signed, made, found := s.diagnose(covers); found {
			e.causes = append(e.causes, made...)
			e.signed, e.sure = signed, "certain; the signature verifies over the client's lines below"
			return
		}
	}
	e.add("another message was signed, or another key signed it", "Compare the message with the lines below, and the key with the serial.")
	e.sure = "not sure; a signature of " + c.scheme.Name() + " does not show what was signed"
}

// earlierRequests is how many requests before are looked at, in case their signature was used again.
const earlierRequests = 50

// suspect collects what the client may have signed.
func (c *call) suspect(a apiv3.Authorization) *suspect {
	body := c.signedBody()
	s := &suspect{
		draft: draft{method: c.request.Method, target: c.target, timestamp: a.Timestamp, nonce: a.Nonce, body: string(body)},
		host:  c.request.Host, mchid: a.ID, opened: c.openedBody(string(body)),
	}
	if c.operation != nil {
		s.template = c.operation.Path
	}
	if len(body) != len(c.body) {
		s.whole = string(c.body)
	}
	entries := c.Journal()
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

// sealedText is what a member that is encrypted with a key of 2048 bits looks like in JSON.
var sealedText = regexp.MustCompile(`"[A-Za-z0-9+/]{342}=="`)

// openedBody returns the body with its encrypted members in plain; empty if it has none.
func (c *call) openedBody(body string) string {
	key, ok := c.platform.keys[c.request.Header.Get(apiv3.HeaderSerial)].(crypto.Decrypter)
	if !ok {
		return ""
	}
	found := false
	opened := sealedText.ReplaceAllStringFunc(body, func(text string) string {
		sealed, err := base64.StdEncoding.DecodeString(strings.Trim(text, `"`))
		if err != nil {
			return text
		}
		plain, err := c.scheme.Decrypt(key, sealed)
		if err != nil {
			return text
		}
		found = true
		written := string(marshal(string(plain)))
		c.hidden = append(c.hidden, written)
		return written
	})
	if !found {
		return ""
	}
	return opened
}

// explainPlatformSerial explains a Wechatpay-Serial that names no key of the platform.
func (c *call) explainPlatformSerial(named []string) {
	e := &explanation{sure: "certain"}
	var known []string
	for serial := range c.platform.keys {
		if c.platform.named(serial) {
			known = append(known, serial)
		}
	}
	slices.Sort(known)
	remedy := "Name the key that sensitive members are encrypted with and that you verify answers with: " + strings.Join(known, ", ") + "."
	sent := strings.Join(named, ", ")
	switch {
	case len(named) == 0:
		e.add("Wechatpay-Serial is missing", remedy)
	case len(named) > 1:
		e.add(fmt.Sprintf("Wechatpay-Serial stands %d times", len(named)), remedy)
	case sent == "":
		e.add("Wechatpay-Serial is empty", remedy)
	case c.platform.callers[sent] != nil || c.platform.revoked[sent] != nil:
		e.add("Wechatpay-Serial has the serial of the caller's own certificate, which belongs into the header Authorization", remedy)
	case sent == c.platform.publicKeyID:
		e.add("the merchant has certificates only, and Wechatpay-Serial names the public key", remedy)
	case c.platform.mode == PublicKeyOnly && c.platform.keys[sent] != nil:
		e.add("the merchant has the public key only, and Wechatpay-Serial names a certificate", remedy)
	case c.platform.keys[sent] != nil:
		e.add("Wechatpay-Serial names a certificate that is no longer in the list; it was replaced", remedy+" Fetch the list of certificates again.")
	default:
		for _, serial := range known {
			if how := misspelt(serial, sent); how != "" {
				e.add("Wechatpay-Serial is "+how, remedy)
			}
		}
		if len(e.causes) == 0 {
			e.add("Wechatpay-Serial names a key that this sandbox does not have; it makes new ones each time it starts", remedy)
		}
	}
	c.explanation = e.String()
}

// explainSealed explains an encrypted member that cannot be opened. The value is never shown.
func (c *call) explainSealed(sealed string) {
	e := &explanation{sure: "certain"}
	remedy := "Encrypt the value with RSAES-OAEP (SHA-1, MGF1 with SHA-1) for the key that Wechatpay-Serial names, and write it in standard base64."
	ciphertext, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		ciphertext, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(sealed, "="))
		if err == nil && len(ciphertext) == keyBits/8 {
			e.add("the value is written in the base64 of URLs, with - and _", remedy)
		}
	}
	switch {
	case len(e.causes) > 0:
	case err != nil || len(ciphertext) != keyBits/8:
		e.add("the value is plain text, or not an RSA ciphertext of 256 bytes in base64", remedy)
	default:
		c.explainCiphertext(e, ciphertext, remedy)
	}
	c.explanation = e.String()
}

func (c *call) explainCiphertext(e *explanation, ciphertext []byte, remedy string) {
	type lock struct {
		key   crypto.Decrypter
		whose string
	}
	var locks []lock
	named, _ := c.platform.keys[c.serial].(crypto.Decrypter)
	if named != nil {
		locks = append(locks, lock{named, ""})
	}
	for _, p := range c.allPlatforms() {
		for _, serial := range slices.Sorted(maps.Keys(p.keys)) {
			if key, ok := p.keys[serial].(crypto.Decrypter); ok && key != named {
				locks = append(locks, lock{key, "the platform's key " + serial})
			}
		}
	}
	locks = append(locks, lock{c.merchant.PrivateKey, "the merchant's own certificate"})
	paddings := []struct {
		name    string
		options crypto.DecrypterOpts
	}{
		{"", &rsa.OAEPOptions{Hash: crypto.SHA1}},
		{"OAEP with SHA-256", &rsa.OAEPOptions{Hash: crypto.SHA256}},
		{"OAEP with SHA-256 and MGF1 with SHA-1", &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}},
		{"PKCS #1 v1.5", &rsa.PKCS1v15DecryptOptions{}},
	}
	for _, padding := range paddings {
		for _, lock := range locks {
			if _, err := lock.key.Decrypt(nil, ciphertext, padding.options); err != nil {
				continue
			}
			if lock.whose != "" {
				e.add("the value is encrypted for "+lock.whose+", and Wechatpay-Serial names "+c.serial, remedy)
			}
			if padding.name != "" {
				e.add("the value is encrypted with the padding "+padding.name, remedy)
			}
			return
		}
	}
	e.sure = "not sure"
	e.add("the value was encrypted for a key that this sandbox does not have, or it was changed on its way", remedy)
}
