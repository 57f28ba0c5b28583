// Package gocode writes Go from facts: the call of an operation in every style that the client has, and types for what it
// takes and answers.
//
// It is for printing. A program calls operations with github.com/wxpay-go/wxpay and needs none of this. Its functions are
// pure: the same facts give the same text, formatted as gofmt does, and may be used by several goroutines. The names in
// pure chains follow the rules that package api documents; tests compile all that is written for every operation of the
// catalogue.
package gocode
