// Command wxpay calls WeChat Pay APIv3 from a shell, and contains a gateway to practise on.
//
//	wxpay demo                              one call in six styles against an embedded sandbox, with the request and the checks
//	wxpay call [METHOD] PATH                one call to any operation, by its path, checked against its documentation
//	wxpay resolve POST PATH NUMBER...       what became of a call, by its number
//	wxpay qr TEXT                           a QR code in the terminal, or as PNG
//	wxpay upload FILE --to PATH             a file to an operation that takes one
//	wxpay download URL|PATH                 a file, by its link or by its path
//	wxpay bill KIND --date DAY              the bill of a day, verified
//	wxpay search TEXT...                    operations, found by words
//	wxpay docs [METHOD] PATH                the documentation of an operation, and its call in Go
//	wxpay docs --all --output DIR           the same of every operation, as a folder of Markdown
//	wxpay gen types METHOD PATH             Go structs for the request and the response of an operation
//	wxpay catalog diff FILE...              the differences between newer facts and the catalogue
//	wxpay openapi                           the API as an OpenAPI 3.1 document
//	wxpay keys check|show|download          the keys and certificates of a merchant
//	wxpay smoke                             your own merchant, tried with one fen, which comes back
//	wxpay init [NAME]                       asks for the credentials of a merchant, checks and keeps them
//	wxpay profiles                          the merchants whose credentials are kept
//	wxpay sandbox [-- COMMAND [ARG]...]     a sandbox on this machine, for other programs or for one command
//	wxpay sandbox pay|clock|control|explain the users and the clock of the running sandbox, and its rejections explained
//	wxpay webhook listen --forward-to URL   a sandbox that forwards its notifications to a program
//	wxpay webhook trigger EVENT             any documented notification, sent by the running sandbox
//	wxpay webhook resend ID                 the same notification once more
//	wxpay webhook verify FILE               a saved notification, verified step by step
//	wxpay batch FILE PATH                   very many calls, by the program wxpay-batch
//	wxpay checkup -- COMMAND [ARG]...       production's bad days, played on a service
//	wxpay mcp                               the documentation and a sandbox for an assistant, by the program wxpay-mcp
//	wxpay vet PACKAGE...                    mistakes in the calls of a Go program, by the program wxpayvet
//	wxpay version                           the versions of this program, its client and Go
//	wxpay completion SHELL                  completion for bash, zsh, fish or powershell
//
// Responses go to stdout, everything else to stderr. The exit code tells what is known about the operation:
//
//	0  the operation succeeded
//	1  the platform rejected it (or a read has no value for --get, or a check of demo failed)
//	2  wrong usage: a bad flag or path, or credentials that are missing or unusable; nothing was sent
//	3  its outcome is unknown: it may have taken effect, so query it before you call it again
//	4  nothing was sent: there was no connection, or an interrupt came first
//	5  it succeeded, but its response could not be written, or has no value for --get: do not call it again
//	6  the rejection is unsigned: it came before authentication, or a proxy sent it, perhaps after the effect
//	7  call --ensure and resolve: some parts failed, or it waits until you act
//
// The webhook commands give the same codes the meaning in their help: 0 for a notification that is valid, or was accepted,
// and 1 for one that is not, or was not. wxpay sandbox -- COMMAND and wxpay webhook listen -- COMMAND end with the exit
// code of COMMAND instead, wxpay batch with that of wxpay-batch, and wxpay vet with that of wxpayvet.
//
// The program knows operations from a catalogue that it contains. The catalogue may be behind the platform, so call warns
// of differences and sends the request all the same, unless a flag says otherwise.
//
// Credentials come from the environment, in the variables of wxpay.FromEnv, or from a profile; the help of wxpay
// call and wxpay profiles tells more.
// Keys and passwords are never flags, but files that flags name: flags show in the list of processes and in the shell's history.
//
// It is the wrong choice inside a program: the packages of github.com/wxpay-go/wxpay do the same without a process for
// each call.
package main

import (
	"context"
	"os"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
