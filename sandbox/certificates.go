package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// certificateOperations is the list of platform certificates.
func certificateOperations() []operation {
	return []operation{{
		Operation: &fact.Operation{
			Method: "GET", Path: "/v3/certificates", Name: "获取平台证书列表", Answer: fact.JSONAnswer, Success: 200,
			In:   fact.Request{Query: []fact.Field{{Name: "algorithm_type", Type: fact.String, Enum: []any{"SM2", "RSA", "ALL"}}}},
			Docs: []string{"v3/merchant/4012551764"},
		},
		do: (*call).listCertificates,
	}}
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
	switch kind := c.query.Get("algorithm_type"); kind {
	case "", "RSA", "ALL":
	case "SM2":
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"无可用的平台证书", "there is no platform certificate to use"}, reason: "the sandbox has RSA certificates only",
		}
	default:
		return nil, memberError("query", "algorithm_type", kind, text{"应为RSA、SM2或ALL", "it must be RSA, SM2 or ALL"})
	}
	const associated = "certificate"
	list := certificateList{Data: make([]certificateEntry, 0, len(c.platform.certificates))}
	for _, certificate := range c.platform.certificates {
		nonce := rand.Text()[:12]
		plaintext := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		ciphertext, err := apiv3.SealAESGCM([]byte(c.merchant.APIv3Key), []byte(nonce), []byte(associated), plaintext)
		if err != nil {
			panic(fmt.Sprintf("sandbox: encrypting a certificate: %v", err)) // the key was made here
		}
		list.Data = append(list.Data, certificateEntry{
			SerialNo: apiv3.Serial(certificate), EffectiveTime: platformTime(certificate.NotBefore), ExpireTime: platformTime(certificate.NotAfter),
			Encrypted: encryptedCertificate{
				Algorithm: apiv3.AlgorithmAESGCM, Nonce: nonce, AssociatedData: associated,
				Ciphertext: base64.StdEncoding.EncodeToString(ciphertext),
			},
		})
	}
	return list, nil
}

// beijing is the zone in which the platform writes times.
var beijing = time.FixedZone("", 8*60*60)

func platformTime(t time.Time) string { return t.In(beijing).Format(time.RFC3339) }
