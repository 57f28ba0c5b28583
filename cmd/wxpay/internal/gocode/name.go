package gocode

import (
	"go/token"
	"strings"

	"github.com/wxpay-go/wxpay/internal/gosource"
)

// variable returns the name of a Go variable for a name of the API: outTradeNo for out_trade_no. It is none of those
// that a sample uses otherwise.
func variable(name string) string {
	list := gosource.Words(name)
	list[0] = strings.ToLower(list[0])
	short := strings.Join(list, "")
	switch short {
	case "api", "body", "client", "ctx", "err", "file", "res", "wxpay":
		return short + "Value"
	}
	if token.IsKeyword(short) {
		return short + "Value"
	}
	return short
}

// Prefix returns a name for the types of an operation, from the last literal segments of its path: Native for
// /v3/pay/transactions/native, TransactionsID for /v3/pay/transactions/id/{transaction_id}.
func Prefix(path string) string {
	var literals []string
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			literals = append(literals, segment)
		}
	}
	if len(literals) == 0 {
		return "Operation"
	}
	last := len(literals) - 1
	name := gosource.Exported(literals[last])
	if last > 0 && (len(name) < 4 || strings.HasSuffix(path, "}") || strings.HasSuffix(path, "/")) {
		name = gosource.Exported(literals[last-1]) + name // one word, often that of the placeholder behind it, says too little
	}
	if !token.IsIdentifier(name) {
		return "Operation" + name
	}
	return name
}
