package gocode

import (
	"go/token"
	"strings"
)

// initialisms are the words that package api writes in capitals, and no others, so that a name reads alike in both.
var initialisms = map[string]bool{
	"api": true, "etc": true, "h5": true, "hk": true, "id": true, "jsapi": true, "qq": true, "sn": true, "url": true,
}

// words returns the words of a name of the API, divided by - and _, each as it stands in an exported Go name.
func words(name string) []string {
	list := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range list {
		if initialisms[word] {
			list[i] = strings.ToUpper(word)
		} else {
			list[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return list
}

// exported returns the exported Go name of a name of the API: OutTradeNo for out_trade_no.
func exported(name string) string { return strings.Join(words(name), "") }

// variable returns the name of a Go variable for a name of the API: outTradeNo for out_trade_no. It is none of those
// that a sample uses otherwise.
func variable(name string) string {
	list := words(name)
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
	name := exported(literals[last])
	if last > 0 && (len(name) < 4 || strings.HasSuffix(path, "}") || strings.HasSuffix(path, "/")) {
		name = exported(literals[last-1]) + name // one word, often that of the placeholder behind it, says too little
	}
	if !token.IsIdentifier(name) {
		return "Operation" + name
	}
	return name
}
