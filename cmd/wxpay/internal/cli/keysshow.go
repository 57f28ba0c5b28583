package cli

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

type keysShowOptions struct {
	files    []string // - for stdin
	password string   // file of it
	json     bool
}

func keysShowCommand(run func(keysShowOptions) error) *cobra.Command {
	o := new(keysShowOptions)
	command := &cobra.Command{
		Use:   "show FILE...",
		Short: "Tell what files of keys and certificates hold",
		Long: `Tell what files of keys and certificates hold: the kind, the serial and the validity of a certificate, to whom it was
issued, the size of the key, and a fingerprint. FILE is PEM, DER or .p12, or - for stdin. A key itself is never printed.

The fingerprint is the SHA-256 of the public key (SubjectPublicKeyInfo) in hex: a private key, its certificate and its
public key have the same one, so files that belong together can be told by it.

A .p12 file and an encrypted private key are opened with the content of --password-file, else with WXPAY_KEY_PASSWORD,
else with WXPAY_MCHID, for the password of apiclient_cert.p12 is the merchant number.

Exit codes:
  0  everything is shown
  1  a file is encrypted and could not be opened, is damaged, or holds no key or certificate
  2  wrong usage, or a file that cannot be read; nothing is shown
  5  the result could not be written out`,
		Example: `  wxpay keys show apiclient_key.pem apiclient_cert.pem
  WXPAY_MCHID=1900000109 wxpay keys show apiclient_cert.p12
  wxpay keys show pub_key.pem --json | jq -r '.[].keys[].fingerprint'`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("the file is missing: give one or several, such as apiclient_cert.pem, or -")
			}
			o.files = args
			return run(*o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.password, "password-file", "", "`FILE` that holds the password and nothing else")
	flags.BoolVar(&o.json, "json", false, "print one JSON document for machines")
	return command
}

// keyFile is what a file holds.
type keyFile struct {
	File string     `json:"file"`
	Keys []keyFacts `json:"keys"`
}

// keyFacts is what can be told of a key or a certificate without giving it away.
type keyFacts struct {
	Kind        string     `json:"kind"`
	Serial      string     `json:"serial,omitempty"`
	Owner       string     `json:"issued_to,omitempty"`
	Merchant    string     `json:"mchid,omitempty"`
	NotBefore   *time.Time `json:"not_before,omitempty"`
	NotAfter    *time.Time `json:"not_after,omitempty"`
	Algorithm   string     `json:"algorithm,omitempty"`
	Bits        int        `json:"bits,omitempty"`
	Fingerprint string     `json:"fingerprint,omitempty"`
	Error       string     `json:"error,omitempty"` // why there is not more
}

// The kinds.
const (
	kindPrivate   = "private key"
	kindCert      = "certificate"
	kindPublic    = "public key"
	kindP12       = "PKCS#12"
	kindEncrypted = "encrypted private key"
	kindUnknown   = "unknown"
)

func (p *program) keysShow(o keysShowOptions) error {
	in := &input{stdin: p.stdin}
	usual, _ := p.lookup("WXPAY_MCHID")
	password, err := p.password(in, o.password, usual)
	if err != nil {
		return err
	}
	files, complete := make([]keyFile, len(o.files)), true
	for i, name := range o.files {
		data, err := in.open(name)
		if err != nil {
			return usageError("%w", err)
		}
		files[i] = keyFile{File: name, Keys: describe(data, password)}
		for _, key := range files[i].Keys {
			complete = complete && key.Error == ""
		}
	}
	var out bytes.Buffer
	if o.json {
		if err := writeIndented(&out, files); err != nil {
			return err
		}
	} else {
		for _, file := range files {
			file.print(&out, p.colours(), time.Now())
		}
	}
	if err := p.write(&out); err != nil {
		return err
	}
	if !complete {
		return &exitError{code: exitRefused}
	}
	return nil
}

func writeIndented(out *bytes.Buffer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// describe tells what a file holds: one thing, or one for each block of PEM text.
func describe(data []byte, password string) []keyFacts {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return []keyFacts{{Kind: kindUnknown, Error: "it is empty"}}
	case !bytes.Contains(data, []byte("-----BEGIN")):
		return []keyFacts{describeDER(data, password)}
	}
	var all []keyFacts
	text := bytes.ReplaceAll(bytes.ReplaceAll(data, []byte(`\r`), nil), []byte(`\n`), []byte("\n"))
	for {
		block, rest := pem.Decode(text)
		// A block that cannot be read is passed over by the decoder, so what it passed over is looked at.
		passed := bytes.Count(text[:len(text)-len(rest)], []byte("-----BEGIN"))
		if block == nil && bytes.Contains(rest, []byte("-----BEGIN")) || passed > 1 {
			all = append(all, keyFacts{Kind: kindUnknown, Error: "the PEM text is damaged: line breaks are lost, or a part of it is missing; copy the file again as a whole"})
		}
		if block == nil {
			return all
		}
		all = append(all, describeBlock(block, password))
		text = rest
	}
}

func describeBlock(block *pem.Block, password string) keyFacts {
	switch kind := block.Type; {
	case strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return keyFacts{Kind: kindEncrypted, Error: "it is encrypted in the old way of PEM, which cannot be opened here: openssl pkey -in FILE -out apiclient_key.pem decrypts it"}
	case kind == "ENCRYPTED PRIVATE KEY":
		return describeEncrypted(block.Bytes, password)
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		key, err := apiv3.ParsePrivateKey(block.Bytes)
		return privateFacts(key, err)
	case strings.HasSuffix(kind, "CERTIFICATE"):
		certificate, err := apiv3.ParseCertificate(block.Bytes)
		return certificateFacts(certificate, err)
	case strings.HasSuffix(kind, "PUBLIC KEY"):
		key, err := apiv3.ParsePublicKey(block.Bytes)
		return publicFacts(key, err)
	default:
		return keyFacts{Kind: kindUnknown, Error: fmt.Sprintf("the PEM block %q is neither a key nor a certificate", bounded(kind))}
	}
}

// describeDER tells what binary data is, by trying.
func describeDER(der []byte, password string) keyFacts {
	if key, err := apiv3.ParsePrivateKey(der); err == nil {
		return privateFacts(key, nil)
	}
	if certificate, err := apiv3.ParseCertificate(der); err == nil {
		return certificateFacts(certificate, nil)
	}
	if key, err := apiv3.ParsePublicKey(der); err == nil {
		return publicFacts(key, nil)
	}
	own, err := pkcs12.Load(der, password)
	if err == nil {
		facts := certificateFacts(own.Certificate, nil)
		facts.Kind = kindP12
		return facts
	}
	if errors.Is(err, pkcs12.ErrPassword) {
		return keyFacts{Kind: kindP12, Error: "it cannot be opened: " + passwordRemedy(password) + " (the password of apiclient_cert.p12 is the merchant number)"}
	}
	if isP12(der) {
		return keyFacts{Kind: kindP12, Error: plainly(err)}
	}
	if _, other := pkcs12.ParseEncryptedPKCS8(der, password); other == nil || errors.Is(other, pkcs12.ErrPassword) {
		return describeEncrypted(der, password)
	}
	return keyFacts{Kind: kindUnknown, Error: "it is damaged, or no key, certificate or .p12 file: get it again from the merchant platform"}
}

// isP12 reports whether der has the outer form of a .p12 file (PFX of RFC 7292, version 3).
func isP12(der []byte) bool {
	var outer struct {
		Version int
		Safe    asn1.RawValue
		MAC     asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(der, &outer)
	return err == nil && len(rest) == 0 && outer.Version == 3
}

func describeEncrypted(der []byte, password string) keyFacts {
	key, err := pkcs12.ParseEncryptedPKCS8(der, password)
	switch {
	case err == nil:
		facts := privateFacts(key, nil)
		facts.Kind = kindEncrypted
		return facts
	case errors.Is(err, pkcs12.ErrPassword):
		return keyFacts{Kind: kindEncrypted, Error: "it is encrypted: " + passwordRemedy(password)}
	}
	return keyFacts{Kind: kindEncrypted, Error: plainly(err)}
}

func passwordRemedy(password string) string {
	const remedy = "give the password by --password-file or WXPAY_KEY_PASSWORD"
	if password == "" {
		return remedy
	}
	return "the password is wrong, or the file is damaged; " + remedy
}

func privateFacts(key crypto.Signer, err error) keyFacts {
	if err != nil {
		return keyFacts{Kind: kindPrivate, Error: damaged(err)}
	}
	facts := publicFacts(key.Public(), nil)
	facts.Kind = kindPrivate
	return facts
}

func publicFacts(key crypto.PublicKey, err error) keyFacts {
	facts := keyFacts{Kind: kindPublic}
	if err != nil {
		facts.Error = damaged(err)
		return facts
	}
	facts.Algorithm, facts.Bits = algorithm(key)
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		facts.Error = "a key of its kind has no fingerprint"
		return facts
	}
	sum := sha256.Sum256(der)
	facts.Fingerprint = hex.EncodeToString(sum[:])
	return facts
}

func certificateFacts(certificate *x509.Certificate, err error) keyFacts {
	if err != nil {
		return keyFacts{Kind: kindCert, Error: damaged(err)}
	}
	facts := publicFacts(certificate.PublicKey, nil)
	facts.Kind, facts.Serial, facts.Owner = kindCert, apiv3.Serial(certificate), issuedTo(certificate)
	if name, ok := strings.CutPrefix(facts.Owner, "merchant "); ok {
		facts.Merchant = name
	}
	facts.NotBefore, facts.NotAfter = &certificate.NotBefore, &certificate.NotAfter
	return facts
}

// damaged tells why a block is not what it says.
func damaged(err error) string {
	return "it is damaged, or not what it says: " + plainly(err)
}

// algorithm names the algorithm of a public key and its size in bits.
func algorithm(key crypto.PublicKey) (name string, bits int) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Curve.Params().BitSize
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", key), "*"), 0
}

func (f *keyFile) print(out *bytes.Buffer, c paint, now time.Time) {
	for _, key := range f.Keys {
		fmt.Fprintf(out, "%s: %s\n", c.bold(oneLine(f.File)), key.Kind)
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(out, "  %-11s  %s\n", name, text)
			}
		}
		if key.Error != "" {
			row("problem", c.mark(false)+" "+key.Error)
		}
		row("serial", key.Serial)
		row("issued to", key.Owner)
		if key.NotAfter != nil {
			row("valid", validity(*key.NotBefore, *key.NotAfter, now))
		}
		if key.Bits > 0 {
			row("key", fmt.Sprintf("%s, %d bits", key.Algorithm, key.Bits))
		} else {
			row("key", key.Algorithm)
		}
		row("fingerprint", key.Fingerprint)
	}
}

// validity tells from when to when a certificate is good, and how long that is still so.
func validity(from, to, now time.Time) string {
	text := from.In(china).Format(time.DateOnly) + " to " + to.In(china).Format(time.DateOnly)
	switch {
	case now.Before(from):
		return text + ", begins in " + days(from.Sub(now))
	case now.After(to):
		return text + ", expired " + days(now.Sub(to)) + " ago"
	}
	return text + ", " + days(to.Sub(now)) + " left"
}

// days rounds a time down to whole days.
func days(d time.Duration) string {
	switch n := int(math.Floor(d.Hours() / 24)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
