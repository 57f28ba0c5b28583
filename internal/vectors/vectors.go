// Package vectors reads the test vectors in testdata/vectors for the tests of every package. It is of no use outside
// tests. A missing or malformed vector fails the test: a test that finds no vectors must not pass.
//
// Loaded vectors are shared between tests and must not be changed. It is safe for concurrent use.
package vectors

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Set is the whole of vectors.json.
type Set struct {
	Warning    string     `json:"warning"`
	Format     int        `json:"format"`
	Parameters Parameters `json:"parameters"`
	Vectors    []Vector   `json:"vectors"`
}

// Parameters are the identities and keys that the vectors share.
type Parameters struct {
	MchID                    string `json:"mchid"`
	AppID                    string `json:"appid"`
	MerchantSerial           string `json:"merchant_serial_no"`
	APIv3Key                 string `json:"apiv3_key"`
	APIv2Key                 string `json:"apiv2_key"`
	PublicKeyID              string `json:"public_key_id"`
	CertificateASerial       string `json:"platform_cert_a_serial"`
	CertificateBSerial       string `json:"platform_cert_b_serial"`
	CertificateExpiredSerial string `json:"platform_cert_expired_serial"`
	Clock                    string `json:"clock"` // decimal seconds since 1970
}

// Now is the clock of every vector that brings none of its own.
func (p Parameters) Now() time.Time { return seconds(p.Clock) }

// Vector is one vector; which members are there depends on its Kind.
type Vector struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Description string `json:"description"`
	Expect      string `json:"expect"` // valid or invalid
	Reason      string `json:"reason"`
	Note        string `json:"note"`

	// What is signed, and by whom.
	Key           string `json:"key"`
	Method        string `json:"method"`
	Target        string `json:"canonical_url"`
	Timestamp     string `json:"timestamp"`
	Nonce         string `json:"nonce_str"`
	SignedBody    string `json:"signed_body"`
	Message       string `json:"message"`
	MessageLength int    `json:"message_length"`
	MessageSHA256 string `json:"message_sha256"`
	Signature     string `json:"signature"`
	Authorization string `json:"authorization"`

	// Uploads.
	SentBodyFile   string `json:"sent_body_file"`
	SentBodySHA256 string `json:"sent_body_sha256"`
	ContentType    string `json:"content_type"`
	File           string `json:"file"`
	FileSHA256     string `json:"file_sha256"`

	// Answers and notifications.
	VerifyWith     string            `json:"verify_with"`
	SignedBy       string            `json:"signed_by"`
	Status         int               `json:"status"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	BodyFile       string            `json:"body_file"`
	VerifierClock  string            `json:"verifier_clock"`
	DecryptedFiles []string          `json:"decrypted_files"`
	NewestSerial   string            `json:"newest_serial"`

	// Ciphers.
	APIv3Key        string `json:"apiv3_key"`
	GCMNonce        string `json:"nonce"`
	AssociatedData  string `json:"associated_data"`
	Ciphertext      string `json:"ciphertext"`
	Plaintext       string `json:"plaintext"`
	PlaintextLength int    `json:"plaintext_length"`
	TagHex          string `json:"tag_hex"`
	Direction       string `json:"direction"`
	EncryptWith     string `json:"encrypt_with"`
	DecryptWith     string `json:"decrypt_with"`
	WechatpaySerial string `json:"wechatpay_serial"` // empty where the message names no key

	// Front ends.
	Lines   []string          `json:"lines"`
	Params  map[string]string `json:"params"`
	HMACKey string            `json:"hmac_key"`

	// Bills.
	ApplyResponse  json.RawMessage `json:"apply_response"`
	DataKey        string          `json:"data_key_utf8"`
	DownloadedFile string          `json:"downloaded_file"`
	DownloadedSHA1 string          `json:"sha1_of_downloaded_bytes"`
	Compressed     bool            `json:"compressed"`
	PlainFile      string          `json:"plain_file"`

	// SM algorithms.
	Scheme    string `json:"scheme"`
	DistID    string `json:"distid"`
	SM4KeyHex string `json:"sm4_key_hex"`
}

// Valid reports whether the vector must be accepted.
func (v Vector) Valid() bool { return v.Expect == "valid" }

// Now is the verifier's clock: the vector's own, else that of the parameters.
func (v Vector) Now(p Parameters) time.Time {
	if v.VerifierClock != "" {
		return seconds(v.VerifierClock)
	}
	return p.Now()
}

func seconds(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("vectors: a clock is not a number: " + text)
	}
	return time.Unix(n, 0).UTC()
}

// Load returns all vectors.
func Load(t testing.TB) *Set {
	t.Helper()
	set, err := load()
	if err != nil {
		t.Fatalf("vectors: %v", err)
	}
	return set
}

var load = sync.OnceValues(func() (*Set, error) {
	data, err := read("vectors.json")
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // a member that is not read is a member that is not tested
	set := new(Set)
	if err := decoder.Decode(set); err != nil {
		return nil, err
	}
	if len(set.Vectors) == 0 {
		return nil, fmt.Errorf("vectors.json holds no vectors")
	}
	return set, nil
})

// File returns a file by its name relative to testdata/vectors, as the vectors give it: files/bill.csv.
func File(t testing.TB, name string) []byte {
	t.Helper()
	data, err := read(name)
	if err != nil {
		t.Fatalf("vectors: %v", err)
	}
	return data
}

// Key returns a private key by its file name (keys/merchant_private_key.jwk.json), or by its role: merchant, platform_a,
// platform_b, platform_expired, wechatpay_pub_key.
func Key(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	var jwk struct {
		Kty                 string
		N, E, D, P, Q       integer
		DP, DQ, QI, Warning json.RawMessage
	}
	if err := json.Unmarshal(either(t, name, "keys/"+name+"_private_key.jwk.json", "keys/"+name+"_private.jwk.json"), &jwk); err != nil {
		t.Fatalf("vectors: the key %s: %v", name, err)
	}
	if jwk.Kty != "RSA" {
		t.Fatalf("vectors: the key %s is of the type %q, not RSA", name, jwk.Kty)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: jwk.N.Int(), E: int(jwk.E.Int().Int64())},
		D:         jwk.D.Int(), Primes: []*big.Int{jwk.P.Int(), jwk.Q.Int()},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		t.Fatalf("vectors: the key %s: %v", name, err)
	}
	return key
}

// integer is a JSON integer in base64url, as JWK writes it.
type integer []byte

func (i *integer) UnmarshalText(text []byte) (err error) {
	*i, err = base64.RawURLEncoding.AppendDecode(nil, text)
	return err
}

func (i integer) Int() *big.Int { return new(big.Int).SetBytes(i) }

// Certificate returns a certificate by its file name (keys/platform_a_cert.pem), or by its role: merchant, platform_a,
// platform_b, platform_expired, test_ca.
func Certificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(either(t, name, "keys/"+name+"_cert.pem"))
	if block == nil {
		t.Fatalf("vectors: the certificate %s is not PEM", name)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("vectors: the certificate %s: %v", name, err)
	}
	return certificate
}

// PublicKey returns the key of a certificate or a public key file by its file name (keys/platform_a_cert.pem,
// keys/wechatpay_pub_key.pem).
func PublicKey(t testing.TB, name string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode(File(t, name))
	if block == nil {
		t.Fatalf("vectors: %s is not PEM", name)
	}
	if block.Type == "CERTIFICATE" {
		return Certificate(t, name).PublicKey.(*rsa.PublicKey)
	}
	if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatalf("vectors: the public key %s: %v", name, err)
	}
	return key.(*rsa.PublicKey)
}

// either returns the first file that exists.
func either(t testing.TB, names ...string) []byte {
	t.Helper()
	for _, name := range names {
		if data, err := read(name); err == nil {
			return data
		}
	}
	t.Fatalf("vectors: none of the files %q is in testdata/vectors", names)
	return nil
}

func read(name string) ([]byte, error) {
	folder, err := folder()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
}

// folder finds testdata/vectors, walking up from the folder of the package under test.
var folder = sync.OnceValues(func() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := start; ; at = filepath.Dir(at) {
		found := filepath.Join(at, "testdata", "vectors")
		if _, err := os.Stat(filepath.Join(found, "vectors.json")); err == nil {
			return found, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("testdata/vectors is nowhere above %s", start)
		}
	}
})
