package fleet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrSealed means that something in a queue cannot be opened: it was sealed under a key that is not
// among the operator's, or it was changed.
var ErrSealed = errors.New("fleet: it was sealed under another key, or changed since")

// Keys are the operator's keys, under which everything about a job is sealed before it leaves the
// process: AES-256-GCM with a random nonce, bound to the place where it is stored. The first key
// encrypts, and all of them decrypt. So a key is replaced in three steps: put the new one behind
// it; put the new one before it; and remove the old one when [Queue.Reseal] has left nothing that
// it encrypted. Each step ends when all processes have taken it. Keep them apart from the data.
type Keys struct{ all []sealingKey }

type sealingKey struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

const (
	keySize   = 32
	keyIDSize = 4
	// sealedForm is the first byte of what is sealed.
	sealedForm = 1
)

// ParseKeys reads keys: one a line, 32 bytes in hex or base64, the one that seals first. Empty
// lines and lines that begin with # say nothing.
func ParseKeys(text string) (*Keys, error) {
	k := new(Keys)
	text = strings.TrimPrefix(text, "\ufeff") // of an editor on Windows
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := hex.DecodeString(line)
		if err != nil || len(raw) != keySize {
			raw, err = base64.StdEncoding.DecodeString(line)
		}
		if err != nil || len(raw) != keySize {
			return nil, fmt.Errorf("fleet: line %d of the keys is not 32 bytes in hex or base64 (openssl rand -hex 32 makes some)%s", i+1, unseen(line))
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		// The id is a digest of the key, so that nobody has to name it, cut so short that it says
		// nothing of it.
		sum := sha256.Sum256(append([]byte("wxpay fleet key id\x00"), raw...))
		k.all = append(k.all, sealingKey{id: [keyIDSize]byte(sum[:keyIDSize]), aead: aead})
	}
	if len(k.all) == 0 {
		return nil, errors.New("fleet: there is no key (openssl rand -hex 32 makes one)")
	}
	return k, nil
}

// unseen tells where a text that is not shown has a character beyond visible ASCII; empty if it has
// none.
func unseen(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return fmt.Sprintf("; its character %d is %U, which cannot be seen or is no ASCII", utf8.RuneCountInString(text[:i])+1, r)
	}
	return ""
}

// String tells how many keys there are, and nothing else of them.
func (k Keys) String() string { return fmt.Sprintf("%d keys, redacted", len(k.all)) }

// Format prints the same under every verb.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, k.String()) }

// Seal encrypts plain for a place. The form is: version, id of the key, then nonce, ciphertext and
// tag.
func (k *Keys) Seal(place string, plain []byte) []byte {
	first := k.all[0]
	sealed := make([]byte, 0, 1+keyIDSize+first.aead.Overhead()+len(plain))
	sealed = append(append(sealed, sealedForm), first.id[:]...)
	return first.aead.Seal(sealed, nil, plain, []byte(place))
}

// Open decrypts what was sealed for a place, and tells whether that was with the first key. It
// returns [ErrSealed] for anything else.
func (k *Keys) Open(place string, sealed []byte) (plain []byte, current bool, err error) {
	if len(sealed) < 1+keyIDSize || sealed[0] != sealedForm {
		return nil, false, ErrSealed
	}
	for i, key := range k.all {
		if key.id != [keyIDSize]byte(sealed[1:1+keyIDSize]) {
			continue
		}
		if plain, err := key.aead.Open(nil, nil, sealed[1+keyIDSize:], []byte(place)); err == nil {
			return plain, i == 0, nil
		}
	}
	return nil, false, ErrSealed
}

// current reports whether something was sealed under the first key, as far as its beginning tells.
func (k *Keys) current(sealed []byte) bool {
	return len(sealed) > keyIDSize && sealed[0] == sealedForm && k.all[0].id == [keyIDSize]byte(sealed[1:1+keyIDSize])
}

// digester makes the names under which a queue keeps things: digests under a secret of the queue,
// so that who reads the store can neither guess numbers nor compare bodies.
type digester struct{ secret []byte }

// digest returns 16 bytes of HMAC-SHA256 in base64url, fit for a subject. The parts are divided by
// zero bytes.
func (d digester) digest(parts ...string) string {
	mac := hmac.New(sha256.New, d.secret)
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(mac.Sum(sum[:0])[:16])
}
