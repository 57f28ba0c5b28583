package trouble

import (
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// SignedAt is the time that a signature tells.
func SignedAt(k fault.Kind, now time.Time) time.Time {
	if k == fault.StaleTimestamp {
		return now.Add(-apiv3.Window - time.Minute)
	}
	return now
}

// Spoil changes the headers of a signature as the kind wants it.
func Spoil(k fault.Kind, header http.Header) {
	signature := header[apiv3.HeaderSignature]
	if len(signature) != 1 {
		return // not signed
	}
	switch k {
	case fault.WrongSignature:
		first := "A"
		if strings.HasPrefix(signature[0], first) {
			first = "B"
		}
		header[apiv3.HeaderSignature] = []string{first + signature[0][1:]}
	case fault.UnknownSerial:
		header[apiv3.HeaderSerial] = []string{"7F" + say.Hex(38)} // no key of a sandbox begins so
	case fault.Probe:
		header[apiv3.HeaderSignature] = []string{"WECHATPAY/SIGNTEST/" + signature[0]}
	}
}

// Digest is the hex digest as the kind tells it.
func Digest(k fault.Kind, sum string) string {
	if k != fault.WrongDigest || sum == "" {
		return sum
	}
	first := "0"
	if sum[0] == '0' {
		first = "f"
	}
	return first + sum[1:]
}

// spoils reports whether Spoil and SignedAt change a signature of the kind.
func spoils(k fault.Kind) bool {
	return k == fault.WrongSignature || k == fault.UnknownSerial || k == fault.StaleTimestamp || k == fault.Probe
}
