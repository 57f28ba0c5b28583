// Package security is the list of platform certificates, and the self-test of keys. It keeps no
// records.
package security

import (
	"maps"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant) {
	m.Serve(
		gate.Operation{Operation: gate.Documented("GET", "/v3/certificates"), Do: listCertificates},
		gate.Operation{Operation: gate.Documented("GET", "/v3/global/certificates"), Do: listCertificates},
		gate.Operation{Operation: gate.Documented("GET", "/hk/v3/certificates"), Do: listCertificates},
		gate.Operation{Operation: gate.Documented("POST", "/v3/security/echo"), Do: echo},
	)
}

// echo gives both messages back, the encrypted one encrypted for the certificate that signed the
// request: in the response and, if there is a notify_url, in a notification that calls it by
// another name.
func echo(c *gate.Call) (any, *say.Rejection) {
	if rejected := c.NeedSerial(); rejected != nil {
		return nil, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return nil, rejected
	}
	response := map[string]any{"echo_message": c.Object["echo_message"]}
	notice := maps.Clone(response)
	if decrypted, ok := c.Object["encrypted_echo_message"].(string); ok && decrypted != "" {
		response["encrypted_echo_message"] = c.EncryptToCaller(decrypted)
		notice["encrypt_echo_message"] = response["encrypted_echo_message"]
	}
	notify, _ := c.Object["notify_url"].(string)
	defer c.Begin().Commit()
	c.Post.Announce(notify, "SECURITY_ECHO.SUCCESS", notice)
	return response, nil
}
