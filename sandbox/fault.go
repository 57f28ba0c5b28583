package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// FaultKind is one way in which a call or a notification goes wrong. Its text is what [ParseFault] reads.
type FaultKind string

// What happens to a call before the platform has looked at it. Nothing takes effect.
const (
	// Delay waits for Fault.Delay, then goes on as if nothing had been. A caller that gives up ends the wait; the request
	// is then carried out all the same, as the platform does not see that its caller has gone.
	Delay FaultKind = "delay"
	// Refuse refuses the connection. A server that has read a request can only reset it: over a network Refuse is
	// ResetBefore, in process the error is a dial error that is [ErrRefused].
	Refuse FaultKind = "refuse"
	// ResetBefore resets the connection.
	ResetBefore FaultKind = "reset-before"
)

// What a layer in front of the platform answers, unsigned. Without "after" in the name nothing takes effect; with it the
// layer has sent the request on, and the effect is there. Fault.Status changes the status.
const (
	BadGateway      FaultKind = "502"       // 502 and an HTML page
	BadGatewayAfter FaultKind = "502-after" // the same
	SignError       FaultKind = "401"       // 401 SIGN_ERROR, as the platform itself answers whom it does not know; takes Fault.Code
	SignErrorAfter  FaultKind = "401-after" // the same
	NoBody          FaultKind = "404"       // 404 without a body, as the platform itself answers for a path that it does not know
	NoBodyAfter     FaultKind = "404-after" // the same
)

// What the platform answers after its checks. Without "after" in the name nothing takes effect; with it the effect is
// there although the answer denies it. Fault.Status and Fault.Code change the answer, which is signed.
const (
	Limited          FaultKind = "429"           // 429 FREQUENCY_LIMITED; with Fault.Delay the answer has a Retry-After of so many seconds
	LimitedAfter     FaultKind = "429-after"     // the same
	ServerError      FaultKind = "500"           // 500 SYSTEM_ERROR
	ServerErrorAfter FaultKind = "500-after"     // the same
	RefusedAfter     FaultKind = "refused-after" // 403 NOT_ENOUGH
)

// What happens to the answer. The effect is there.
const (
	// ResetAfter resets the connection in place of the answer.
	ResetAfter FaultKind = "reset-after"
	// Truncate ends the connection behind half of the body; an answer without a body is lost, as with ResetAfter.
	Truncate FaultKind = "truncate"
	// SlowBody sends the body in ten pieces, with Fault.Delay between them.
	SlowBody FaultKind = "slow-body"
	// FlipByte changes one byte in the middle of the body, behind the signature.
	FlipByte FaultKind = "flip-byte"
	// ShortFile leaves the second half of the body out, and says nothing of it: a gzip ends in the middle, say.
	ShortFile FaultKind = "short-file"
	// WrongDigest tells another hash_value than that of the file whose download_url is answered, or another
	// Wechatpay-Statement-Sha1 than that of the statement. The answer is signed rightly.
	WrongDigest FaultKind = "wrong-digest"
	// WrongSignature spoils the signature, in a way that is still base64.
	WrongSignature FaultKind = "wrong-signature"
	// UnknownSerial names a key that nobody has.
	UnknownSerial FaultKind = "unknown-serial"
	// StaleTimestamp is signed rightly, a minute too old for the window.
	StaleTimestamp FaultKind = "stale-timestamp"
	// Probe is the platform's signature test: a wrong signature behind WECHATPAY/SIGNTEST/.
	Probe FaultKind = "probe"
)

// What a proxy does that mixes up requests and answers. Every signature is genuine: nothing in it says to which request it
// belongs. The effect is there, except with Cached and ErrorAs200. Crossed, CrossedPath and Cached know the signed answers
// since a rule of theirs was added, up to four minutes old, to the same merchant; while they know none that fits, they hit nothing.
const (
	// Crossed delivers the latest answer to another call of the same operation.
	Crossed FaultKind = "crossed"
	// CrossedPath delivers the latest answer to a call of another operation.
	CrossedPath FaultKind = "crossed-path"
	// Cached delivers the first answer to the same method and target again, be it a success or a refusal. The request does
	// not reach the platform.
	Cached FaultKind = "cached"
	// Late resets the connection in place of the answer, and delivers it to the merchant's next request that no fault hits, in
	// place of that one's own. A file is only lost.
	Late FaultKind = "late"
	// Duplicate sends the request twice, and delivers the second answer.
	Duplicate FaultKind = "duplicate"
	// ErrorAs200 is a refusal of the platform under the status 200: SYSTEM_ERROR, Fault.Code changes it.
	ErrorAs200 FaultKind = "error-as-200"
	// SuccessAs403 is the success under the status 403, Fault.Status changes it.
	SuccessAs403 FaultKind = "success-as-403"
)

// NotFoundFor is a read-after-write delay: a query answers as if the order, refund or bill did not exist until it is
// Fault.Delay old, by the sandbox's clock. It is matched against queries, and together with any other fault.
const NotFoundFor FaultKind = "not-found-for"

// What else can be wrong with a notification; see [Sandbox.Notify]. WrongSignature, UnknownSerial, StaleTimestamp and
// Probe are for notifications, too.
const (
	WrongAPIv3Key       FaultKind = "wrong-apiv3-key"       // encrypted with another key
	MissingHeaders      FaultKind = "missing-headers"       // without the five Wechatpay headers, as behind a proxy that drops them
	DuplicateHeaders    FaultKind = "duplicate-headers"     // each of the five stands twice
	EmptyAssociatedData FaultKind = "empty-associated-data" // associated_data is "", which is permitted: it must be accepted
)

// traits are what is to be known of a kind of fault.
type traits struct {
	call, notification bool
	needsDelay         bool // Fault.Delay must be set
	takesDelay         bool // Fault.Delay may be set
	takesStatus        bool // Fault.Status may be set
	takesCode          bool // Fault.Code may be set
	keeps              bool // it delivers answers that were kept
}

var faultKinds = map[FaultKind]traits{
	Delay:               {call: true, needsDelay: true},
	Refuse:              {call: true},
	ResetBefore:         {call: true},
	BadGateway:          {call: true, takesStatus: true},
	BadGatewayAfter:     {call: true, takesStatus: true},
	SignError:           {call: true, takesStatus: true, takesCode: true},
	SignErrorAfter:      {call: true, takesStatus: true, takesCode: true},
	NoBody:              {call: true, takesStatus: true},
	NoBodyAfter:         {call: true, takesStatus: true},
	Limited:             {call: true, takesDelay: true, takesStatus: true, takesCode: true},
	LimitedAfter:        {call: true, takesDelay: true, takesStatus: true, takesCode: true},
	ServerError:         {call: true, takesStatus: true, takesCode: true},
	ServerErrorAfter:    {call: true, takesStatus: true, takesCode: true},
	RefusedAfter:        {call: true, takesStatus: true, takesCode: true},
	ResetAfter:          {call: true},
	Truncate:            {call: true},
	SlowBody:            {call: true, needsDelay: true},
	FlipByte:            {call: true},
	ShortFile:           {call: true},
	WrongDigest:         {call: true},
	WrongSignature:      {call: true, notification: true},
	UnknownSerial:       {call: true, notification: true},
	StaleTimestamp:      {call: true, notification: true},
	Probe:               {call: true, notification: true},
	Crossed:             {call: true, keeps: true},
	CrossedPath:         {call: true, keeps: true},
	Cached:              {call: true, keeps: true},
	Late:                {call: true},
	Duplicate:           {call: true},
	ErrorAs200:          {call: true, takesCode: true},
	SuccessAs403:        {call: true, takesStatus: true},
	NotFoundFor:         {call: true, needsDelay: true},
	WrongAPIv3Key:       {notification: true},
	MissingHeaders:      {notification: true},
	DuplicateHeaders:    {notification: true},
	EmptyAssociatedData: {notification: true},
}

// kindsFor lists the kinds that a choice takes, sorted, for messages.
func kindsFor(choice func(traits) bool) string {
	var names []string
	for kind, t := range faultKinds {
		if choice(t) {
			names = append(names, string(kind))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Fault is one rule of what goes wrong, and with which calls. Members that are not set match every call.
type Fault struct {
	Kind FaultKind
	// Method is that of the request, in upper case.
	Method string
	// Path is a path as it stands on the request line, without query, or a template in which a placeholder such as {id}
	// stands for any one segment. A final * stands for any rest.
	Path string
	// Merchant is the number that the request claims in Authorization, whether or not it proves it.
	Merchant string

	// Probability is that of a matching request to be hit, 0 to 1. It is drawn from the seed, the rule's place in the
	// list, the request (method, target and body), and how often that very request came before: the same requests
	// meet the same faults, in whatever order goroutines send them. 0 hits all, as 1 does.
	Probability float64
	// Count is how many requests are hit at most; 0 is no bound.
	Count int
	// Skip spares the first so many matching requests.
	Skip int

	// Delay belongs to Delay, SlowBody and NotFoundFor, which need it, and to Limited and LimitedAfter.
	Delay time.Duration
	// Status, 400 to 599, and Code change the answers of those kinds that say so.
	Status int
	Code   string
}

// String is the rule in the form that ParseFault reads.
func (f Fault) String() string {
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

// ParseFault reads a rule in one line: the kind, then name=value pairs divided by blanks, such as
//
//	reset-after path=/v3/refund/* p=0.3 count=5
//	429 method=POST merchant=1900000109 delay=2s
//	refused-after path=/v3/refund/domestic/refunds status=400 code=INVALID_REQUEST skip=1
//
// The names are method, path, merchant, p, count, skip, delay (as time.ParseDuration reads it), status and code.
func ParseFault(line string) (Fault, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Fault{}, errors.New("sandbox: a fault begins with its kind, one of " + kindsFor(func(t traits) bool { return t.call }))
	}
	f := Fault{Kind: FaultKind(words[0])}
	given := make(map[string]bool)
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return Fault{}, fmt.Errorf("sandbox: fault %s: %q is not of the form name=value", f.Kind, word)
		}
		if given[name] {
			return Fault{}, fmt.Errorf("sandbox: fault %s: %s is given twice", f.Kind, name)
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
			return Fault{}, fmt.Errorf("sandbox: fault %s: there is no %q; there are method, path, merchant, p, count, skip, delay, status, code", f.Kind, name)
		}
		if err != nil {
			return Fault{}, fmt.Errorf("sandbox: fault %s: %s=%s is not %s", f.Kind, name, value, map[string]string{
				"p": "a probability above 0 and up to 1", "count": "a number from 1", "skip": "a number from 1",
				"delay": "a duration such as 300ms or 2s", "status": "a status from 400 to 599",
			}[name])
		}
	}
	return f, f.check()
}

func parseCount(value string) (int, error) {
	n, err := strconv.ParseUint(value, 10, 31)
	if n == 0 && err == nil {
		err = strconv.ErrRange
	}
	return int(n), err
}

// check reports what is wrong with the rule.
func (f Fault) check() error {
	t, known := faultKinds[f.Kind]
	bad := func(format string, args ...any) error {
		return fmt.Errorf("sandbox: fault %s: %s", f.Kind, fmt.Sprintf(format, args...))
	}
	switch {
	case !known:
		return fmt.Errorf("sandbox: there is no fault %q; there are %s", string(f.Kind), kindsFor(func(t traits) bool { return t.call }))
	case !t.call:
		return bad("it is one of notifications; give it to Notify or to a plan of deliveries")
	case f.Method != strings.ToUpper(f.Method) || strings.ContainsFunc(f.Method, func(r rune) bool { return !isToken(r) }):
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
		return bad("it takes no delay; %s do", kindsFor(func(t traits) bool { return t.needsDelay || t.takesDelay }))
	case f.Status != 0 && !t.takesStatus:
		return bad("it takes no status; %s do", kindsFor(func(t traits) bool { return t.takesStatus }))
	case f.Code != "" && !t.takesCode:
		return bad("it takes no code; %s do", kindsFor(func(t traits) bool { return t.takesCode }))
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return bad("the status %d is not from 400 to 599", f.Status)
	case strings.Trim(f.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return bad("the code %q is not of upper-case letters, digits and _", f.Code)
	}
	return nil
}

// matches reports whether the rule is about the call.
func (f *Fault) matches(c *call) bool {
	return (f.Method == "" || f.Method == c.request.Method) &&
		(f.Path == "" || matchPath(f.Path, c.target)) &&
		(f.Merchant == "" || f.Merchant == claimedMerchant(c.request))
}

// matchPath matches a path, with or without query, against the form that Fault.Path documents.
func matchPath(pattern, target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for {
		want, restWant, moreWant := strings.Cut(pattern, "/")
		have, restHave, moreHave := strings.Cut(path, "/")
		prefix, open := strings.CutSuffix(want, "*")
		switch {
		case !moreWant && open:
			return strings.HasPrefix(have, prefix)
		case strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}"):
			if have == "" {
				return false
			}
		case want != have && want != unescaped(have):
			return false
		}
		if !moreWant || !moreHave {
			return moreWant == moreHave
		}
		pattern, path = restWant, restHave
	}
}

func unescaped(segment string) string {
	if s, err := url.PathUnescape(segment); err == nil {
		return s
	}
	return segment
}

// claimedMerchant is the number in Authorization, empty if that cannot be read.
func claimedMerchant(r *http.Request) string {
	a, _ := apiv3.ParseAuthorization(r.Header.Get("Authorization"))
	return a.ID
}

// faults are the rules of one sandbox.
type faults struct {
	mu    sync.Mutex
	seed  uint64
	rules []*rule
	seen  map[fingerprint]uint32 // how often each request came, kept while a rule has a probability
	fired map[FaultKind]int
	kept  kept
}

type rule struct {
	Fault
	skipped, hits int
}

// fingerprint names a request by its method, target and body.
type fingerprint [16]byte

// Inject adds rules. Of those that match a request, the first that hits it counts, in the order in which they were added.
// A rule that makes no sense is an error, and none is added then.
func (s *Sandbox) Inject(rules ...Fault) error {
	for _, f := range rules {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	for _, f := range rules {
		s.faults.rules = append(s.faults.rules, &rule{Fault: f})
		s.faults.kept.wanted = s.faults.kept.wanted || faultKinds[f.Kind].keeps
	}
	return nil
}

// Faults returns the rules as they were added.
func (s *Sandbox) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	list := make([]Fault, len(s.faults.rules))
	for i, r := range s.faults.rules {
		list[i] = r.Fault
	}
	return list
}

// ClearFaults removes all rules and forgets which requests came and what they were answered, so that the same requests meet
// the same faults again once the same rules are added. What [Sandbox.FaultCounts] counts stays.
func (s *Sandbox) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules, s.faults.seen, s.faults.kept = nil, nil, kept{}
}

// FaultCounts returns how many requests each kind of fault has hit.
func (s *Sandbox) FaultCounts() map[FaultKind]int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	counts := make(map[FaultKind]int, len(s.faults.fired))
	maps.Copy(counts, s.faults.fired)
	return counts
}

// pick returns the fault that hits the call; the zero Fault for none.
func (f *faults) pick(c *call) Fault {
	hit := f.first(c, func(r *rule) bool { return r.Kind != NotFoundFor })
	if hit.Kind == "" && f.takeLate(c) {
		hit = Fault{Kind: Late}
	}
	return hit
}

// hides reports whether a query must not find what is that old.
func (f *faults) hides(c *call, age time.Duration) bool {
	hit := f.first(c, func(r *rule) bool { return r.Kind == NotFoundFor && age < r.Delay })
	if c.fault.Kind == "" {
		c.fault = hit // for the journal
	}
	return hit.Kind != ""
}

func (f *faults) first(c *call, candidate func(*rule) bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range f.rules {
		if !candidate(r) || (r.Count > 0 && r.hits >= r.Count) || !r.matches(c) {
			continue
		}
		if r.skipped < r.Skip {
			r.skipped++
			continue
		}
		if r.Probability > 0 && f.draw(i, c) >= r.Probability {
			continue
		}
		if faultKinds[r.Kind].keeps {
			if c.instead = f.kept.find(r.Kind, c); c.instead == nil {
				continue
			}
		}
		r.hits++
		if f.fired == nil {
			f.fired = make(map[FaultKind]int)
		}
		f.fired[r.Kind]++
		return r.Fault
	}
	return Fault{}
}

// draw returns a number from 0 up to 1, exclusive; see Fault.Probability. f.mu is held.
func (f *faults) draw(place int, c *call) float64 {
	print := c.fingerprint()
	if !c.drawn {
		c.drawn = true
		if f.seen == nil {
			f.seen = make(map[fingerprint]uint32)
		}
		c.before = f.seen[print]
		f.seen[print]++
	}
	var b [len(print) + 20]byte
	binary.BigEndian.PutUint64(b[0:], f.seed)
	binary.BigEndian.PutUint64(b[8:], uint64(place))
	binary.BigEndian.PutUint32(b[16:], c.before)
	copy(b[20:], print[:])
	sum := sha256.Sum256(b[:])
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// fingerprint names the call's request. Only the one goroutine that answers the call may ask for it.
func (c *call) fingerprint() fingerprint {
	if c.print == (fingerprint{}) {
		h := sha256.New()
		fmt.Fprintf(h, "%s %s\n", c.request.Method, c.target)
		h.Write(c.body)
		c.print = fingerprint(h.Sum(nil)[:len(c.print)])
	}
	return c.print
}
