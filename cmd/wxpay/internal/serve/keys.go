package serve

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// WriteKeys writes the keys of a sandbox's first merchant to a folder, in the files in which merchants have theirs. The
// folder is made for its owner alone. Files of the same names are replaced.
func WriteKeys(folder string, s *sandbox.Sandbox) error {
	m := s.Merchant()
	private, err := x509.MarshalPKCS8PrivateKey(m.PrivateKey)
	if err != nil {
		return err
	}
	bundle, err := pkcs12.LegacyDES.Encode(m.PrivateKey, m.Certificate, nil, m.ID)
	if err != nil {
		return err
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	files := map[string][]byte{
		"apiclient_key.pem": block("PRIVATE KEY", private), "apiclient_cert.pem": block("CERTIFICATE", m.Certificate.Raw),
		"apiclient_cert.p12": bundle,
	}
	mode := s.Keys.Mode()
	if mode != sandbox.CertificatesOnly {
		public, err := x509.MarshalPKIXPublicKey(s.Keys.PublicKey())
		if err != nil {
			return err
		}
		files["pub_key.pem"] = block("PUBLIC KEY", public)
	}
	if mode != sandbox.PublicKeyOnly {
		for _, c := range s.Keys.Certificates() {
			files["wechatpay_"+apiv3.Serial(c)+".pem"] = block("CERTIFICATE", c.Raw)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for name, content := range files {
		if err := shell.ReplaceFile(filepath.Join(folder, name), content); err != nil {
			return shell.Say("%s: %w", name, err)
		}
	}
	return nil
}

// KeyMode reads the value of --keys.
func KeyMode(text string) (sandbox.KeyMode, error) {
	switch text {
	case "public":
		return sandbox.PublicKeyOnly, nil
	case "certificates":
		return sandbox.CertificatesOnly, nil
	case "both":
		return sandbox.BothKeys, nil
	}
	return 0, shell.Usage("--keys: there is no kind %q; there are public, certificates and both", text)
}
