// Command wxpay calls WeChat Pay APIv3 from a shell, and brings a gateway to practise on.
//
//	wxpay demo                              one call in six styles against an embedded sandbox, with what was sent and checked
//	wxpay call [METHOD] PATH                one call to any operation, by its path, checked by what is documented of it
//	wxpay search TEXT...                    operations, found by words
//	wxpay docs [METHOD] PATH                what is documented of an operation, and how to call it in Go
//	wxpay docs --all --out DIR              the same of every operation, as a folder of Markdown
//	wxpay gen types METHOD PATH             Go structs for the request and the answer of an operation
//	wxpay openapi                           the API as an OpenAPI 3.1 document
//	wxpay sandbox [-- COMMAND [ARG]...]     a sandbox on this machine, for other programs or for one command
//	wxpay webhook listen --forward-to URL   a sandbox that forwards its notifications to a program
//	wxpay webhook trigger EVENT             any of the documented notifications, sent by the sandbox that runs
//	wxpay webhook resend ID                 the same once more
//	wxpay webhook verify FILE               whether a saved notification is valid, step by step
//	wxpay batch FILE PATH                   very many calls, by the program wxpay-batch
//	wxpay version                           what this program is made of
//	wxpay completion SHELL                  completion for bash, zsh, fish or powershell
//
// Answers go to stdout, everything else to stderr. The exit code tells what is known about the operation:
//
//	0  the operation succeeded
//	1  the platform refused it (or, for demo, a check failed)
//	2  wrong usage: a bad flag or path, or credentials that are missing or unusable; nothing was sent
//	3  its outcome is unknown: it may have taken effect, so query it before repeating
//	4  nothing was sent: no connection, or it was interrupted before
//	5  it succeeded, but its answer could not be written out: do not repeat it
//	6  nobody signed the refusal: it came before authentication, unless something on the way made it, perhaps after the effect
//
// The webhook commands give the same codes the meaning that their help tells: 0 for a notification that is valid, or was
// accepted, 1 for one that is or was not. wxpay sandbox -- COMMAND and wxpay webhook listen -- COMMAND end with the exit
// code of COMMAND instead, and wxpay batch with that of wxpay-batch.
//
// What it knows of operations is a catalogue inside the program. It may be behind the platform, so call warns of what does
// not fit it and sends all the same, unless it is told otherwise.
//
// Credentials come from the environment: WXPAY_MCHID, WXPAY_SERIAL, WXPAY_PRIVATE_KEY, WXPAY_PUBLIC_KEY_ID,
// WXPAY_PUBLIC_KEY, and if need be WXPAY_APIV3_KEY and WXPAY_BASE_URL; a key is a file's path or the PEM text itself.
// Never as flags: those show in the list of processes and in the shell's history.
//
// It is the wrong choice inside a program, where the packages of github.com/wxpay-go/wxpay do the same without a
// process for every call.
package main

import (
	"context"
	"os"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
