package clinic

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// PlatformSerial explains a Wechatpay-Serial that names no key of the platform.
func (c *Case) PlatformSerial(named []string) string {
	e := &explanation{sure: "certain"}
	var known []string
	for serial := range c.Platform.Keys {
		if c.Platform.Named(serial) {
			known = append(known, serial)
		}
	}
	slices.Sort(known)
	remedy := "Name the key that sensitive fields are encrypted with and that you verify answers with: " + strings.Join(known, ", ") + "."
	sent := strings.Join(named, ", ")
	switch {
	case len(named) == 0:
		e.add("Wechatpay-Serial is missing", remedy)
	case len(named) > 1:
		e.add(fmt.Sprintf("Wechatpay-Serial stands %d times", len(named)), remedy)
	case sent == "":
		e.add("Wechatpay-Serial is empty", remedy)
	case c.Platform.Callers[sent] != nil || c.Platform.Revoked[sent] != nil:
		e.add("Wechatpay-Serial has the serial of the caller's own certificate, which belongs into the header Authorization", remedy)
	case sent == c.Platform.PublicKeyID:
		e.add("the merchant has certificates only, and Wechatpay-Serial names the public key", remedy)
	case c.Platform.Mode == keyring.PublicKeyOnly && c.Platform.Keys[sent] != nil:
		e.add("the merchant has the public key only, and Wechatpay-Serial names a certificate", remedy)
	case c.Platform.Keys[sent] != nil:
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
	return e.String()
}

// Encrypted explains an encrypted fields that cannot be opened. The value is never shown.
func (c *Case) Encrypted(sealed string) string {
	e := &explanation{sure: "certain"}
	remedy := "Encrypt the value with RSAES-OAEP (SHA-1, MGF1 with SHA-1) for the key that Wechatpay-Serial names, and write it in standard base64."
	ciphertext, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		ciphertext, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(sealed, "="))
		if err == nil && len(ciphertext) == keyring.KeyBits/8 {
			e.add("the value is written in the base64 of URLs, with - and _", remedy)
		}
	}
	switch {
	case len(e.causes) > 0:
	case err != nil || len(ciphertext) != keyring.KeyBits/8:
		e.add("the value is plain text, or not an RSA ciphertext of 256 bytes in base64", remedy)
	default:
		c.explainCiphertext(e, ciphertext, remedy)
	}
	return e.String()
}

const pkcs1 = "PKCS #1 v1.5"

// isText reports whether plaintext is what somebody would encrypt. PKCS #1 v1.5 has no checksum: a
// wrong key opens about one ciphertext in 100,000, and gives garbage.
func isText(plaintext []byte) bool {
	return len(plaintext) > 0 && utf8.Valid(plaintext) && !bytes.ContainsFunc(plaintext, unicode.IsControl)
}

func (c *Case) explainCiphertext(e *explanation, ciphertext []byte, remedy string) {
	type lock struct {
		key   crypto.Decrypter
		whose string
	}
	var locks []lock
	named := c.Platform.Keys[c.Serial]
	if named != nil {
		locks = append(locks, lock{named.Private(), ""})
	}
	for _, p := range c.All {
		for _, serial := range slices.Sorted(maps.Keys(p.Keys)) {
			if key := p.Keys[serial]; key.Made() && key != named {
				locks = append(locks, lock{key.Private(), "the platform's key " + serial})
			}
		}
	}
	locks = append(locks, lock{c.Own, "the merchant's own certificate"})
	paddings := []struct {
		name    string
		options crypto.DecrypterOpts
	}{
		{"", &rsa.OAEPOptions{Hash: crypto.SHA1}},
		{"OAEP with SHA-256", &rsa.OAEPOptions{Hash: crypto.SHA256}},
		{"OAEP with SHA-256 and MGF1 with SHA-1", &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}},
		{pkcs1, &rsa.PKCS1v15DecryptOptions{}},
	}
	for _, padding := range paddings {
		for _, lock := range locks {
			plaintext, err := lock.key.Decrypt(nil, ciphertext, padding.options)
			if err != nil || padding.name == pkcs1 && !isText(plaintext) {
				continue
			}
			if lock.whose != "" {
				e.add("the value is encrypted for "+lock.whose+", and Wechatpay-Serial names "+c.Serial, remedy)
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
