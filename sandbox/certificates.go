package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// certificateOperations are the lists of platform certificates.
func certificateOperations() []operation {
	return []operation{
		{Operation: documented("GET", "/v3/certificates"), do: (*call).listCertificates},
		{Operation: documented("GET", "/v3/global/certificates"), do: (*call).listCertificates},
		{Operation: documented("GET", "/hk/v3/certificates"), do: (*call).listCertificates},
	}
}

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

func (c *call) listCertificates() (any, *refusal) {
	none := func(reason string) *refusal {
		return &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented, reason: reason,
			message: text{"无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥", "there is no platform certificate to use; apply for the WeChat Pay public key under API security in the merchant platform"},
		}
	}
	switch kind := c.query.Get("algorithm_type"); {
	case c.platform.mode == PublicKeyOnly:
		return nil, none("the merchant has the public key only")
	case kind == "SM2":
		return nil, none("the sandbox has RSA certificates only")
	case kind != "" && kind != "RSA" && kind != "ALL":
		return nil, memberError("query", "algorithm_type", kind, text{"应为RSA、SM2或ALL", "it must be RSA, SM2 or ALL"})
	}
	list := certificateList{Data: make([]certificateEntry, 0, len(c.platform.certificates))}
	for _, certificate := range c.platform.certificates {
		nonce := rand.Text()[:12]
		plaintext := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		ciphertext, err := apiv3.SealAESGCM([]byte(c.merchant.APIv3Key), []byte(nonce), []byte(apiv3.AssociatedCertificate), plaintext)
		if err != nil {
			panic(fmt.Sprintf("sandbox: encrypting a certificate: %v", err)) // the key was made here
		}
		list.Data = append(list.Data, certificateEntry{
			SerialNo: apiv3.Serial(certificate), EffectiveTime: platformTime(certificate.NotBefore), ExpireTime: platformTime(certificate.NotAfter),
			Encrypted: encryptedCertificate{
				Algorithm: apiv3.AlgorithmAESGCM, Nonce: nonce, AssociatedData: apiv3.AssociatedCertificate,
				Ciphertext: base64.StdEncoding.EncodeToString(ciphertext),
			},
		})
	}
	return list, nil
}

// beijing is the zone in which the platform writes times.
var beijing = time.FixedZone("", 8*60*60)

func platformTime(t time.Time) string { return t.In(beijing).Format(time.RFC3339) }
