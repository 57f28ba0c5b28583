package security

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

type certificateList struct {
	Data []certificateEntry `json:"data"`
}

type certificateEntry struct {
	SerialNo      string               `json:"serial_no"`
	EffectiveTime string               `json:"effective_time"`
	ExpireTime    string               `json:"expire_time"`
	Encrypted     encryptedCertificate `json:"encrypt_certificate"`
}

type encryptedCertificate struct {
	Algorithm      string `json:"algorithm"`
	Nonce          string `json:"nonce"`
	AssociatedData string `json:"associated_data"`
	Ciphertext     string `json:"ciphertext"`
}

// listCertificates tells the platform certificates, encrypted with the APIv3 key.
func listCertificates(c *gate.Call) (any, *say.Rejection) {
	none := func(reason string) *say.Rejection {
		return say.NotFound("RESOURCE_NOT_EXISTS", say.Both("无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
			"there is no platform certificate to use; apply for the WeChat Pay public key under API security in the merchant platform"), reason)
	}
	switch kind := c.Query.Get("algorithm_type"); {
	case c.Platform.Mode == keyring.PublicKeyOnly:
		return nil, none("the merchant has the public key only")
	case kind == "SM2":
		return nil, none("the sandbox has RSA certificates only")
	case kind != "" && kind != "RSA" && kind != "ALL":
		return nil, say.FieldError("query", "algorithm_type", kind, say.Unfitting("应为RSA、SM2或ALL", "it must be RSA, SM2 or ALL"))
	}
	issued := c.Platform.Issued()
	list := certificateList{Data: make([]certificateEntry, 0, len(issued))}
	for _, certificate := range issued {
		nonce := rand.Text()[:12]
		plaintext := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		ciphertext, err := apiv3.SealAESGCM([]byte(c.Keys.Merchant().APIv3Key), []byte(nonce), []byte(apiv3.AssociatedCertificate), plaintext)
		if err != nil {
			panic(fmt.Sprintf("sandbox: encrypting a certificate: %v", err)) // the key was made here
		}
		list.Data = append(list.Data, certificateEntry{
			SerialNo: apiv3.Serial(certificate), EffectiveTime: say.Time(certificate.NotBefore), ExpireTime: say.Time(certificate.NotAfter),
			Encrypted: encryptedCertificate{
				Algorithm: apiv3.AlgorithmAESGCM, Nonce: nonce, AssociatedData: apiv3.AssociatedCertificate,
				Ciphertext: base64.StdEncoding.EncodeToString(ciphertext),
			},
		})
	}
	return list, nil
}
