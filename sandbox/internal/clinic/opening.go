package clinic

import (
	"bytes"
	"crypto"
	_ "crypto/md5"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

// opening is what a signature of RSASSA-PKCS1-v1_5 shows to whoever has the public key: the digest
// that was signed. It tells for certain whether a message is the one that a client signed.
type opening struct {
	hash   crypto.Hash
	naked  bool // the digest stands without the name of its hash (DigestInfo)
	digest []byte
}

// covers reports whether the message is the signed one.
func (o *opening) covers(message []byte) bool {
	h := o.hash.New()
	h.Write(message)
	return bytes.Equal(h.Sum(nil), o.digest)
}

// digestInfos are the heads of DigestInfo, by hash (RFC 8017, section 9.2, note 1).
var digestInfos = []struct {
	hash crypto.Hash
	head []byte
}{
	{crypto.SHA256, unhex("3031300d060960864801650304020105000420")},
	{crypto.SHA1, unhex("3021300906052b0e03021a05000414")},
	{crypto.SHA512, unhex("3051300d060960864801650304020305000440")},
	{crypto.SHA384, unhex("3041300d060960864801650304020205000430")},
	{crypto.MD5, unhex("3020300c06082a864886f70d020505000410")},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // the texts stand above
	}
	return b
}

// openSignature undoes the padding of a signature with a public key; nil if the signature was not
// made with its private half.
func openSignature(public *rsa.PublicKey, signature []byte) *opening {
	if len(signature) != public.Size() {
		return nil
	}
	s := new(big.Int).SetBytes(signature)
	if s.Cmp(public.N) >= 0 {
		return nil
	}
	padded := s.Exp(s, big.NewInt(int64(public.E)), public.N).FillBytes(make([]byte, public.Size()))
	rest, ok := bytes.CutPrefix(padded, []byte{0, 1})
	info := bytes.TrimLeft(rest, "\xff")
	if !ok || len(rest)-len(info) < 8 || len(info) == 0 || info[0] != 0 {
		return nil
	}
	info = info[1:]
	for _, known := range digestInfos {
		if digest, ok := bytes.CutPrefix(info, known.head); ok && len(digest) == known.hash.Size() {
			return &opening{hash: known.hash, digest: digest}
		}
	}
	if len(info) == crypto.SHA256.Size() {
		return &opening{hash: crypto.SHA256, naked: true, digest: info}
	}
	return nil
}

// transcription is one way in which the signature may have been written into the header.
type transcription struct {
	mistake
	bytes []byte
}

// transcriptions are the ways to read the text of a signature, the right one first.
func transcriptions(text string) []transcription {
	var list []transcription
	add := func(cause string, bytes []byte, err error) {
		if err == nil {
			list = append(list, transcription{mistake{cause, "Write it in standard base64 with padding, without line breaks, and do not escape it for URLs."}, bytes})
		}
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	add("", signature, err)
	if err == nil {
		twice, err := base64.StdEncoding.DecodeString(string(signature))
		add("the signature was written in base64 twice", twice, err)
		hexText, err := hex.DecodeString(string(signature))
		add("the base64 holds the signature in hexadecimal digits", hexText, err)
	}
	if len(text)%2 == 0 {
		signature, err = hex.DecodeString(text)
		add("the signature is written in hexadecimal digits", signature, err)
	}
	signature, err = base64.StdEncoding.DecodeString(text)
	if strings.ContainsAny(text, "\r\n") {
		add("the base64 of the signature has line breaks", signature, err)
	}
	signature, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	add("the base64 of the signature has not the right padding", signature, err)
	signature, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	add("the signature is written in the base64 of URLs, with - and _", signature, err)
	signature, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(text, " ", "+"))
	add("each + in the base64 of the signature became a blank", signature, err)
	signature, err = base64.StdEncoding.DecodeString(escapedBase64.Replace(text))
	add("the base64 of the signature was percent-encoded", signature, err)
	return list
}

var escapedBase64 = strings.NewReplacer("%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=")
