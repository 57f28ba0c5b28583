package keyring

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// PEM writes a key that was made here.
func PEM(kind string, key any, marshal func(any) ([]byte, error)) string {
	der, err := marshal(key)
	if err != nil {
		panic(fmt.Sprintf("sandbox: a key cannot be written: %v", err)) // the keys were made here
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), "\n")
}

// Variable is an environment variable that connects a client.
type Variable struct{ Name, Value string }

// Variables are those of the merchant.
func (r *Ring) Variables() []Variable {
	p := r.platform.load()
	list := []Variable{
		{"WXPAY_MCHID", r.merchant.ID},
		{"WXPAY_SERIAL", r.merchant.Serial},
		{"WXPAY_PRIVATE_KEY", PEM("PRIVATE KEY", r.merchant.PrivateKey, x509.MarshalPKCS8PrivateKey)},
		{"WXPAY_APIV3_KEY", r.merchant.APIv3Key},
	}
	if p.Mode != CertificatesOnly {
		list = append(list, Variable{"WXPAY_PUBLIC_KEY_ID", p.PublicKeyID},
			Variable{"WXPAY_PUBLIC_KEY", PEM("PUBLIC KEY", p.PublicKey.Public(), x509.MarshalPKIXPublicKey)})
	}
	return list
}
