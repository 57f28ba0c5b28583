package shell

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/wxpay-go/wxpay"
)

// Exit codes. They tell what is known about the operation at the platform, so that a script can decide whether to call
// it again.
const (
	ExitOK        = 0
	ExitRejected  = 1
	ExitUsage     = 2
	ExitUnknown   = 3
	ExitNotSent   = 4
	ExitConfirmed = 5 // and a later step failed
	ExitUnsigned  = 6
	ExitAction    = 7 // some parts failed, or the merchant has to act
)

// ExitCodeHelp is the text about exit codes in the help of commands that call an operation.
const ExitCodeHelp = `Exit codes:
  0  the operation succeeded
  1  the platform rejected it (or a read has no value for --get, or a check of demo failed)
  2  wrong usage: a bad flag or path, or credentials that are missing or unusable; nothing was sent
  3  its outcome is unknown: it may have taken effect, so query it before you call it again
  4  nothing was sent: there was no connection, or an interrupt came first
  5  it succeeded, but its response could not be written, or has no value for --get: do not call it again
  6  the rejection is unsigned: it came before authentication, or a proxy sent it, perhaps after the effect
  7  call --ensure and resolve: some parts failed, or it waits until you act`

// ExitError ends the program with a code.
type ExitError struct {
	Code int
	Err  error // nil: nothing is left to print
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// Usage returns an error about wrong usage, formatted as by [Say].
func Usage(format string, a ...any) error {
	return &ExitError{ExitUsage, Say(format, a...)}
}

// Exit returns the error that ends the program with a code after everything was printed.
func Exit(code int) error { return &ExitError{Code: code} }

// ExitCode returns the code for an error of a command.
func ExitCode(err error) int {
	var exit *ExitError
	var call *wxpay.CallError
	var rejection *wxpay.APIError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case errors.Is(err, wxpay.StageBuild):
		return ExitUsage
	case errors.As(err, &rejection) && unsigned(rejection):
		return ExitUnsigned
	case errors.As(err, &call), rejection != nil:
		return outcomeCode(wxpay.OutcomeOf(err))
	}
	return ExitUsage // what remains is cobra's, about flags and arguments
}

// unsigned reports whether a call had nothing but unsigned rejections. A read leaves no doubt behind.
func unsigned(rejection *wxpay.APIError) bool {
	doubts := slices.DeleteFunc(slices.Clone(rejection.History), func(a wxpay.Attempt) bool { return a.Outcome != wxpay.Unknown })
	return rejection.Unsigned() && (rejection.Method == http.MethodGet || len(doubts) <= 1)
}

func outcomeCode(outcome wxpay.Outcome) int {
	switch outcome {
	case wxpay.Confirmed:
		return ExitConfirmed
	case wxpay.Rejected:
		return ExitRejected
	case wxpay.NotSent:
		return ExitNotSent
	}
	return ExitUnknown
}
