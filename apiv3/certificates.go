package apiv3

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// AssociatedCertificate is the associated data of the platform's encrypted certificates.
const AssociatedCertificate = "certificate"

// OpenCertificates decrypts the body of a certificate list (GET /v3/certificates) with the APIv3
// key. broken names the unreadable entries by place and serial; the others are still returned. err
// means that the list itself is unreadable.
//
// The decryption proves that the author of an entry knew the APIv3 key. The caller must add the
// documented second half of the proof: the list's own signature verifies with the certificate that
// it names.
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

// certificateEntry is one entry of the list, without its times: pages disagree on their form, and
// the certificate contains them.
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
