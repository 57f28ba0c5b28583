// Command wxpayvet checks calls to WeChat Pay while they are written. It runs alone, and under go vet:
//
//	wxpayvet ./...
//	go vet -vettool=$(which wxpayvet) ./...
//
// wxpayvet help lists the checks, wxpayvet help wxbody explains one in English and Chinese. Exit
// codes alone: 0 no report, 1 the packages do not load, 3 reports (0 with -json).
package main

import (
	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/wxpay-go/wxpay/contrib/vet"
)

func main() { multichecker.Main(vet.Analyzers()...) }
