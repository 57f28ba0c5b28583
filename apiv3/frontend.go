package apiv3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// SignHMAC signs parameters for front ends that still use HMAC-SHA256, such as the pay-score
// confirmation. The message is the non-empty pairs sorted by name, joined as k=v with "&", then
// "&key=" and the key; it omits a parameter named sign. The signature is upper-case hex. Most
// sources name the APIv2 key as the key.
func SignHMAC(params map[string]string, key string) string {
	var message strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "sign" || params[name] == "" {
			continue
		}
		message.WriteString(name + "=" + params[name] + "&")
	}
	message.WriteString("key=" + key)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message.String()))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}
