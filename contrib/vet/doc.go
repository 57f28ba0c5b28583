// Package vet checks calls to WeChat Pay while they are written: it compares constant paths, fields,
// constants and events of a program that uses wxpay with the documentation, and finds habits that
// lose money. Command wxpayvet runs it, alone or under go vet:
//
//	go install -C contrib ./vet/cmd/wxpayvet # in a clone of the repository
//	go vet -vettool=$(which wxpayvet) ./...
//
// Each check is an analyzer of golang.org/x/tools/go/analysis, so every driver of these runs it.
// A check reads constants, literals, types, local variables that are set once, and helpers of the
// package that only return a value. It is silent about the rest.
//
// A report that the documentation alone supports ends in "(hint)"; the flag hints=false of each
// check leaves them out. A comment silences its line, or the line below it, and needs a reason:
//
//	//wxpayvet:ignore the platform opened this operation to us alone
//
// Guide: docs/vet.md.
package vet
