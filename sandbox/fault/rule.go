package fault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Rule is one rule of what goes wrong, and with which calls. Members that are not set match every
// call.
type Rule struct {
	Kind Kind
	// Method is that of the request, in upper case.
	Method string
	// Path is a path as it stands on the request line, without query, or a template in which a
	// placeholder such as {id} stands for any one segment. A final * stands for any rest.
	Path string
	// Merchant is the number that the request claims in Authorization, whether or not it proves it.
	Merchant string

	// Probability is that of a matching request to be hit, 0 to 1. It is drawn from the seed, the
	// rule's place in the list, the request (method, target and body), and how often that very
	// request came before: the same requests meet the same faults, in whatever order goroutines
	// send them. 0 hits all, as 1 does.
	Probability float64
	// Count is how many requests are hit at most; 0 is no bound.
	Count int
	// Skip spares the first so many matching requests.
	Skip int

	// Delay belongs to Delay, SlowBody and NotFoundFor, which need it, and to Limited and
	// LimitedAfter.
	Delay time.Duration
	// Status, 400 to 599, and Code change the responses of those kinds that say so.
	Status int
	Code   string
}

// String is the rule in the form that Parse reads.
func (f Rule) String() string {
	var b strings.Builder
	b.WriteString(string(f.Kind))
	put := func(name, value string, set bool) {
		if set {
			b.WriteString(" " + name + "=" + value)
		}
	}
	put("method", f.Method, f.Method != "")
	put("path", f.Path, f.Path != "")
	put("merchant", f.Merchant, f.Merchant != "")
	put("p", strconv.FormatFloat(f.Probability, 'g', -1, 64), f.Probability != 0)
	put("count", strconv.Itoa(f.Count), f.Count != 0)
	put("skip", strconv.Itoa(f.Skip), f.Skip != 0)
	put("delay", f.Delay.String(), f.Delay != 0)
	put("status", strconv.Itoa(f.Status), f.Status != 0)
	put("code", f.Code, f.Code != "")
	return b.String()
}

// Parse reads a rule in one line: the kind, then name=value pairs divided by blanks, such as
//
//	reset-after path=/v3/refund/* p=0.3 count=5
//	429 method=POST merchant=1900000109 delay=2s
//	refused-after path=/v3/refund/domestic/refunds status=400 code=INVALID_REQUEST skip=1
//
// The names are method, path, merchant, p, count, skip, delay (as time.ParseDuration reads it),
// status and code.
func Parse(line string) (Rule, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Rule{}, errors.New("sandbox: a fault begins with its kind, one of " + kinds(func(t traits) bool { return t.call }))
	}
	f := Rule{Kind: Kind(words[0])}
	given := make(map[string]bool)
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return Rule{}, fmt.Errorf("sandbox: fault %s: %q is not of the form name=value", f.Kind, word)
		}
		if given[name] {
			return Rule{}, fmt.Errorf("sandbox: fault %s: %s is given twice", f.Kind, name)
		}
		given[name] = true
		var err error
		switch name {
		case "method":
			f.Method = strings.ToUpper(value)
		case "path":
			f.Path = value
		case "merchant":
			f.Merchant = value
		case "p":
			if f.Probability, err = strconv.ParseFloat(value, 64); err == nil && f.Probability == 0 {
				err = errors.New("zero")
			}
		case "count":
			f.Count, err = parseCount(value)
		case "skip":
			f.Skip, err = parseCount(value)
		case "delay":
			f.Delay, err = time.ParseDuration(value)
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "code":
			f.Code = value
		default:
			return Rule{}, fmt.Errorf("sandbox: fault %s: there is no %q; there are method, path, merchant, p, count, skip, delay, status, code", f.Kind, name)
		}
		if err != nil {
			return Rule{}, fmt.Errorf("sandbox: fault %s: %s=%s is not %s", f.Kind, name, value, map[string]string{
				"p": "a probability above 0 and up to 1", "count": "a number from 1", "skip": "a number from 1",
				"delay": "a duration such as 300ms or 2s", "status": "a status from 400 to 599",
			}[name])
		}
	}
	return f, f.Check()
}

func parseCount(value string) (int, error) {
	n, err := strconv.ParseUint(value, 10, 31)
	if n == 0 && err == nil {
		err = strconv.ErrRange
	}
	return int(n), err
}

// check reports what is wrong with the rule.
func (f Rule) Check() error {
	t, known := all[f.Kind]
	bad := func(format string, args ...any) error {
		return fmt.Errorf("sandbox: fault %s: %s", f.Kind, fmt.Sprintf(format, args...))
	}
	switch {
	case !known:
		return fmt.Errorf("sandbox: there is no fault %q; there are %s", string(f.Kind), kinds(func(t traits) bool { return t.call }))
	case !t.call:
		return bad("it is one of notifications; give it to Notify or to a plan of deliveries")
	case f.Method != strings.ToUpper(f.Method) || !say.IsToken(f.Method):
		return bad("the method %q is not one in upper case", f.Method)
	case f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return bad("the path %q does not begin with a slash", f.Path)
	case strings.ContainsAny(f.Path, "? \t\n"):
		return bad("the path %q has a query or a blank; rules match the path alone", f.Path)
	case strings.Contains(strings.TrimSuffix(f.Path, "*"), "*"):
		return bad("the path %q has a * before its end; use {x} for one segment", f.Path)
	case strings.Trim(f.Merchant, "0123456789") != "":
		return bad("the merchant number has something else than digits")
	case !(f.Probability >= 0 && f.Probability <= 1): // NaN is refused, too
		return bad("the probability %v is not between 0 and 1", f.Probability)
	case f.Count < 0 || f.Skip < 0:
		return bad("count and skip must not be negative")
	case f.Delay < 0:
		return bad("the delay must not be negative")
	case t.needsDelay && f.Delay == 0:
		return bad("it needs a delay")
	case f.Delay != 0 && !t.needsDelay && !t.takesDelay:
		return bad("it takes no delay; %s do", kinds(func(t traits) bool { return t.needsDelay || t.takesDelay }))
	case f.Status != 0 && !t.takesStatus:
		return bad("it takes no status; %s do", kinds(func(t traits) bool { return t.takesStatus }))
	case f.Code != "" && !t.takesCode:
		return bad("it takes no code; %s do", kinds(func(t traits) bool { return t.takesCode }))
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return bad("the status %d is not from 400 to 599", f.Status)
	case strings.Trim(f.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return bad("the code %q is not of upper-case letters, digits and _", f.Code)
	}
	return nil
}

// Errors of sandbox.Sandbox.Transport where a fault ends the connection. They come inside a
// net.OpError, and are syscall.ECONNREFUSED and syscall.ECONNRESET, as a network's are.
var (
	ErrRefused = errors.New("sandbox: the connection was refused by a fault")
	ErrReset   = errors.New("sandbox: the connection was reset by a fault")
)

// CheckNotification returns an error if notifications cannot have one of the faults.
func CheckNotification(faults []Kind) error {
	for _, kind := range faults {
		if !all[kind].notification {
			return fmt.Errorf("sandbox: a notification cannot have the fault %q; there are %s", string(kind), kinds(func(t traits) bool { return t.notification }))
		}
	}
	return nil
}
