package apiv3

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// AssociatedCertificate is the associated data under which the platform encrypts its certificates.
const AssociatedCertificate = "certificate"

// OpenCertificates decrypts the body of a certificate list (GET /v3/certificates) with the APIv3 key. An entry that
// cannot be read does not spoil the others: it is reported in broken, by its place and serial. err means that nothing
// can be read at all.
//
// The decryption proves that whoever made an entry knew the APIv3 key. The documented second half of the proof, that the
// list's own signature verifies with the certificate that it names, is the caller's part.
func OpenCertificates(key, body []byte) (certificates []*x509.Certificate, broken []error, err error) {
	if err := CheckKey(key); err != nil {
		return nil, nil, err
	}
	var list struct {
		Data []certificateEntry `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, nil, fmt.Errorf("%w: the certificate list is not the documented JSON", ErrKey)
	}
	if len(list.Data) == 0 {
		return nil, nil, fmt.Errorf("%w: the certificate list is empty", ErrKey)
	}
	for i, entry := range list.Data {
		certificate, err := entry.open(key)
		if err != nil {
			serial := entry.Serial
			if !IsSerial(serial) { // it comes from outside and goes into an error text
				serial = "without a proper serial"
			}
			broken = append(broken, fmt.Errorf("certificate %d of the list (%s): %w", i+1, serial, err))
			continue
		}
		certificates = append(certificates, certificate)
	}
	return certificates, broken, nil
}

// certificateEntry is one entry of the list. The times beside the serial are left out: pages disagree on their form, and
// the certificate says the same.
type certificateEntry struct {
	Serial    string `json:"serial_no"`
	Encrypted struct {
		Algorithm  string `json:"algorithm"`
		Nonce      string `json:"nonce"`
		Associated string `json:"associated_data"`
		Ciphertext string `json:"ciphertext"`
	} `json:"encrypt_certificate"`
}

func (e certificateEntry) open(key []byte) (*x509.Certificate, error) {
	if e.Encrypted.Algorithm != AlgorithmAESGCM {
		return nil, fmt.Errorf("%w: it is not encrypted with %s", ErrDecrypt, AlgorithmAESGCM)
	}
	ciphertext, err := base64.StdEncoding.DecodeString(e.Encrypted.Ciphertext)
	if err != nil {
		return nil, fmt.Errorf("%w: the ciphertext is not base64", ErrDecrypt)
	}
	plaintext, err := OpenAESGCM(key, []byte(e.Encrypted.Nonce), []byte(e.Encrypted.Associated), ciphertext)
	if err != nil {
		return nil, fmt.Errorf("%w (is the APIv3 key the one set in the merchant platform?)", err)
	}
	certificate, err := ParseCertificate(plaintext)
	if err != nil {
		return nil, err
	}
	if Serial(certificate) != e.Serial {
		return nil, fmt.Errorf("%w: it holds the certificate %s", ErrKey, Serial(certificate))
	}
	return certificate, nil
}
