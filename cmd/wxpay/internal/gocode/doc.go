// Package gocode writes Go from facts: the call of an operation in every style of the client, and types for its request
// and response.
//
// The text is for people to read. A program calls operations with github.com/wxpay-go/wxpay and needs no generated code.
// The functions are pure: the same facts give the same text, formatted as by gofmt, and several goroutines may call them.
// The names in pure chains follow the rules of package api. Tests compile the text of every operation of the catalogue.
package gocode
