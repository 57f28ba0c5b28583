package request

import (
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// VerdictHelp is the text about verdicts in the help of commands that end with one.
const VerdictHelp = `The verdict is a line on stderr, such as "verdict: accepted: …". The word is one of these:
  succeeded  it has taken effect
  accepted   the platform has it, and has not finished it
  taken      the platform has it; no reviewed fact tells its end
  partial    some parts have taken effect, the others never will
  failed     it ended without effect, and its number will never succeed
  action     it stands still until you act, such as an abnormal refund
Exit codes are 0 for succeeded, accepted and taken, 1 for failed, 7 for partial and action, and 3 without a verdict.`

// states are the words for the states of a verdict, and their exit codes.
var states = map[wxpay.State]struct {
	text string
	code int
}{
	wxpay.Succeeded:   {shell.Text("succeeded: it has taken effect"), shell.ExitOK},
	wxpay.Accepted:    {shell.Text("accepted: the platform has it, and has not finished it"), shell.ExitOK},
	wxpay.Taken:       {shell.Text("taken: the platform has it; no reviewed fact tells its end"), shell.ExitOK},
	wxpay.Partial:     {shell.Text("partial: some parts have taken effect, the others never will"), shell.ExitAction},
	wxpay.Failed:      {shell.Text("failed: it ended without effect, and its number will never succeed"), shell.ExitRejected},
	wxpay.NeedsAction: {shell.Text("action: it stands still until you act"), shell.ExitAction},
}

// PrintVerdict prints the response of a verdict as [PrintResponse] does, and the verdict on stderr. Its error has the exit
// code of the verdict.
func PrintVerdict(sh *shell.Shell, o *Options, v *wxpay.Verdict) error {
	state := states[v.State]
	text := sh.Words(state.text)
	if v.Inferred {
		text += sh.Words("; the platform did not say so, but that the number is used, after an earlier request of this call")
	} else if v.Unbound {
		text += sh.Words("; the response repeats no number of the call, so only the connection ties it to the call")
	}
	if len(v.Missing) > 0 {
		text += sh.Words("; only the operation itself returns %s: make the same call again for it", strings.Join(v.Missing, ", "))
	}
	sh.Note("verdict: %s", text)
	if v.Response != nil {
		if err := PrintResponse(sh, o, v.Response); err != nil && state.code == shell.ExitOK {
			return err
		} else if err != nil {
			return &shell.ExitError{Code: state.code, Err: err} // the verdict counts more than its text
		}
	}
	if state.code != shell.ExitOK {
		return shell.Exit(state.code)
	}
	return nil
}
