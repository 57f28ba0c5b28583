package journal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Match says which entries of the journal are meant. Fields that are not set match every entry.
type Match struct {
	Merchant string     `json:"merchant,omitempty"`
	Method   string     `json:"method,omitempty"`   // in upper case
	Path     string     `json:"path,omitempty"`     // without query, in the form of fault.Rule.Path: {x} is any segment, a final * any rest
	Status   int        `json:"status,omitempty"`   // of the response
	Fault    fault.Kind `json:"fault,omitempty"`    // that hit
	Body     string     `json:"body,omitempty"`     // is a part of the request's body
	Rejected bool       `json:"rejected,omitempty"` // only those that were not carried out: the status is 400 or above
}

func (m Match) matches(e *Entry) bool {
	return (m.Merchant == "" || m.Merchant == e.Merchant) &&
		(m.Method == "" || m.Method == e.Method) &&
		(m.Path == "" || say.MatchPath(m.Path, e.Target)) &&
		(m.Status == 0 || m.Status == e.Status) &&
		(m.Fault == "" || m.Fault == e.Fault) &&
		strings.Contains(string(e.Body), m.Body) &&
		(!m.Rejected || e.Status >= 400)
}

// String is what is asked for.
func (m Match) String() string {
	text := strings.Join(strings.Fields(fmt.Sprint(m.Merchant, " ", m.Method, " ", m.Path, " ", m.Fault)), " ")
	if text == "" {
		text = "any request"
	}
	if m.Status != 0 {
		text += fmt.Sprintf(" answered %d", m.Status)
	}
	if m.Rejected {
		text += " rejected"
	}
	if m.Body != "" {
		text += fmt.Sprintf(" with %q in the body", m.Body)
	}
	return text
}

// Find returns the entries of the journal that match, the oldest first.
func (j *Journal) Find(m Match) []Entry {
	entries, _ := j.All()
	var found []Entry
	for i := range entries {
		if m.matches(&entries[i]) {
			found = append(found, entries[i])
		}
	}
	return found
}

// shownInstead bounds how many entries the error of Expect lists.
const shownInstead = 20

// Expect returns an error unless exactly so many requests since the last Reset match. The error
// lists the requests that came. It is an error, too, if the journal has grown over its bounds
// meanwhile, so that nobody can tell.
func (j *Journal) Expect(m Match, times int) error {
	entries, dropped := j.All()
	count := 0
	for i := range entries {
		if m.matches(&entries[i]) {
			count++
		}
	}
	switch {
	case dropped > 0 && count <= times:
		return fmt.Errorf("sandbox: expect: the journal has dropped its %d oldest entries, so it is not known whether %d came of %s; call Reset before", dropped, times, m)
	case count == times:
		return nil
	}
	var instead strings.Builder
	if more := len(entries) - shownInstead; more > 0 {
		fmt.Fprintf(&instead, "\n… %d more before", more)
		entries = entries[more:]
	}
	for _, e := range entries {
		instead.WriteString("\n" + e.String())
	}
	if len(entries) == 0 {
		instead.WriteString(" no request at all")
	}
	return fmt.Errorf("sandbox: expect: %w: %d of %s, wanted %d; the journal has%s", ErrExpectation, count, m, times, instead.String())
}

// ErrExpectation is inside the error of Expect where the expectation is not met.
var ErrExpectation = errors.New("not as expected")
