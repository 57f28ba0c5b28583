package smoke

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/rivo/uniseg"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// The names of the steps.
const (
	stepKeys         = "keys"
	stepEcho         = "echo"
	stepOrder        = "order"
	stepPayment      = "payment"
	stepRefund       = "refund"
	stepNotification = "notification"
	stepBill         = "bill"
)

// result is how a step ended.
type result string

const (
	done    result = "done"
	failed  result = "failed"
	unknown result = "unknown"
	skipped result = "skipped"
)

// resultWords are the results for [shell.Shell.Words].
var resultWords = map[result]string{
	done: shell.Text("done"), failed: shell.Text("failed"), unknown: shell.Text("unknown"), skipped: shell.Text("skipped"),
}

// step is one step as it was seen.
type step struct {
	Name   string `json:"name"`
	Result result `json:"result"`
	text   error
}

// money is what is known of the fen.
type money int

const (
	notAsked money = iota
	untouched
	back        // it was taken and given back
	outstanding // it was taken, and is not given back
	uncertain   // not known
)

// report is the result of a run.
type report struct {
	sh     *shell.Shell
	steps  []step
	money  money
	unsent bool    // nothing reached the platform, or an interrupt came before the order
	urgent []error // what the user has to know and do about the money
	broken error   // stdout
}

// add prints a step. A result that cannot be written does not end the run.
func (r *report) add(name string, result result, text error) {
	s := step{name, result, text}
	r.steps = append(r.steps, s)
	r.line("%s", s.line(r.sh))
}

// line is the line of a step.
func (s *step) line(sh *shell.Shell) string {
	c := sh.Colours()
	mark := c.Dash()
	switch s.Result {
	case done, failed:
		mark = c.Mark(s.Result == done)
	case unknown:
		mark = c.Bold("?")
	}
	word := sh.Words(resultWords[s.Result])
	return fmt.Sprintf("%s %s%s  %-12s  %s", mark, word, strings.Repeat(" ", max(0, 7-uniseg.StringWidth(word))), s.Name,
		shell.OneLine(sh.ErrorText(s.text)))
}

func (r *report) line(format string, a ...any) {
	var out bytes.Buffer
	fmt.Fprintf(&out, format+"\n", a...)
	if err := r.sh.Write(out.Bytes()); err != nil && r.broken == nil {
		r.broken = err
	}
}

// result prints what is left to say, and returns the error with the exit code.
func (r *report) result() error {
	for _, line := range r.conclusion(r.sh) {
		r.line("%s", line)
	}
	if code := r.code(); code != shell.ExitOK {
		return shell.Exit(code)
	}
	return r.broken
}

// conclusion is what there is to say about the money.
func (r *report) conclusion(sh *shell.Shell) (lines []string) {
	for i, text := range r.urgent {
		line := shell.Printable(sh.ErrorText(text))
		if i == 0 {
			line = sh.Colours().Bold(line)
		}
		lines = append(lines, line)
	}
	switch {
	case len(r.urgent) > 0:
	case r.money == back:
		lines = append(lines, sh.Words("One fen was taken and given back."))
	case r.money == untouched:
		lines = append(lines, sh.Words("No money moved."))
	}
	return lines
}

func (r *report) code() int {
	has := func(results ...result) bool {
		return slices.ContainsFunc(r.steps, func(s step) bool { return slices.Contains(results, s.Result) })
	}
	switch {
	case r.money == outstanding:
		return shell.ExitAction
	case r.money == uncertain:
		return shell.ExitUnknown
	case r.unsent:
		return shell.ExitNotSent
	case has(failed, unknown):
		return shell.ExitRejected
	}
	return shell.ExitOK
}

// ignorePipes keeps a reader that has gone from ending the program, until the returned function is called.
func ignorePipes() func() {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}
