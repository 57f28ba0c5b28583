package sandbox

import (
	"maps"

	"github.com/wxpay-go/wxpay/apiv3"
)

// securityOperations are the self-test of keys.
func securityOperations() []operation {
	return []operation{{Operation: documented("POST", "/v3/security/echo"), do: (*call).echo}}
}

// echo gives both messages back, the encrypted one encrypted for the certificate that signed the request: in the answer and, if
// there is a notify_url, in a notification that calls it by another name.
func (c *call) echo() (any, *refusal) {
	if len(c.request.Header[apiv3.HeaderSerial]) == 0 {
		return nil, parameterError(text{"HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)", "the HTTP header lacks the platform serial (Wechatpay-Serial)"}, nil,
			"this operation needs Wechatpay-Serial")
	}
	if refused := c.checkNotifyURL(); refused != nil {
		return nil, refused
	}
	answer := map[string]any{"echo_message": c.object["echo_message"]}
	notice := maps.Clone(answer)
	if opened, ok := c.object["encrypted_echo_message"].(string); ok && opened != "" {
		answer["encrypted_echo_message"] = c.sealToCaller(opened)
		notice["encrypt_echo_message"] = answer["encrypted_echo_message"]
	}
	notify, _ := c.object["notify_url"].(string)
	s := c.begin()
	defer s.commit()
	s.announce(notify, "SECURITY_ECHO.SUCCESS", notice)
	return answer, nil
}
