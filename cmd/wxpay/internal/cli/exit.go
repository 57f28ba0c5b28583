package cli

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay"
)

// Exit codes. They tell what is known about the operation at the platform, so that a script can decide on repeating.
const (
	exitOK        = 0
	exitRefused   = 1
	exitUsage     = 2
	exitUnknown   = 3
	exitNotSent   = 4
	exitConfirmed = 5 // and a later step failed
	exitUnsigned  = 6
)

const exitCodeHelp = `Exit codes:
  0  the operation succeeded
  1  the platform refused it (or, for demo, a check failed)
  2  wrong usage: a bad flag or path, or credentials that are missing or unusable; nothing was sent
  3  its outcome is unknown: it may have taken effect, so query it before repeating
  4  nothing was sent: no connection, or it was interrupted before
  5  it succeeded, but its answer could not be written out: do not repeat it
  6  nobody signed the refusal: it came before authentication, unless something on the way made it, perhaps after the effect`

// exitError ends the program with a code. Without err nothing is printed, because that was done or is not needed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, a ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, a...)}
}

// exitCode returns the code for an error of a command.
func exitCode(err error) int {
	var exit *exitError
	var call *wxpay.CallError
	var refusal *wxpay.APIError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, wxpay.StageBuild):
		return exitUsage
	case errors.As(err, &refusal) && refusedUnsigned(refusal):
		return exitUnsigned
	case errors.As(err, &call), refusal != nil:
		return outcomeCode(wxpay.OutcomeOf(err))
	}
	return exitUsage // what remains is cobra's, about flags and arguments
}

// refusedUnsigned reports whether all that came of a call is a refusal that nobody signed. A read leaves no doubt behind.
func refusedUnsigned(refusal *wxpay.APIError) bool {
	doubts := slices.DeleteFunc(slices.Clone(refusal.History), func(a wxpay.Attempt) bool { return a.Outcome != wxpay.Unknown })
	return refusal.Unsigned() && (refusal.Method == http.MethodGet || len(doubts) <= 1)
}

func outcomeCode(outcome wxpay.Outcome) int {
	switch outcome {
	case wxpay.Confirmed:
		return exitConfirmed
	case wxpay.Rejected:
		return exitRefused
	case wxpay.NotSent:
		return exitNotSent
	}
	return exitUnknown
}

// report prints an error of the command and returns the exit code.
func (p *program) report(command string, err error) int {
	code := exitCode(err)
	var exit *exitError
	if code == exitOK || errors.As(err, &exit) && exit.err == nil {
		return code
	}
	text, refused := refusedByChecks(err)
	if !refused {
		text = strings.TrimPrefix(err.Error(), "wxpay: ")
	}
	p.note("wxpay: %s", text)
	if errors.Is(err, wxpay.StageBuild) && !refused {
		// The client speaks to who writes Go.
		p.note("Here Var is --var, RawVar is --raw-var, Query is --query, Header is --header, Encrypt is --encrypt,\n" +
			"Plain is --plain, and the body is --data or fields.")
	}
	if code == exitUsage {
		p.note("See %q.", command+" --help")
	}
	return code
}
