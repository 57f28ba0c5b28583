package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// OnRefusal has do called with every request that is refused, before its answer is sent; nil ends that. It is for telling a
// developer at once, in a terminal or a test's log. do is called on several goroutines and must not wait for an answer of
// the sandbox.
func (s *Sandbox) OnRefusal(do func(Entry)) {
	if do == nil {
		s.refusals.Store(nil)
		return
	}
	s.refusals.Store(&do)
}

// Explain returns why a request was refused, in several lines: what [Entry.Explanation] says if there is one, else
// [Entry.Reason], below the line that [Entry.String] gives. id is the Request-ID of the answer, or what stands before its dash;
// empty means the last request that was refused. An error says that the journal has no such request, or that it was not refused.
func (s *Sandbox) Explain(id string) (string, error) {
	entries := s.Journal()
	for _, entry := range slices.Backward(entries) {
		refused := entry.Status >= http.StatusBadRequest && entry.Reason != ""
		if id == "" {
			if refused {
				return entry.explain(), nil
			}
			continue
		}
		if bare, _, _ := strings.Cut(entry.ID, "-"); entry.ID != id && bare != id {
			continue
		}
		if !refused {
			return "", fmt.Errorf("sandbox: Explain: the request %s was not refused: %s", id, entry)
		}
		return entry.explain(), nil
	}
	if id == "" {
		return "", errors.New("sandbox: Explain: the journal has no refused request")
	}
	return "", fmt.Errorf("sandbox: Explain: the journal has no request %s; it keeps the last %d, of this sandbox only", id, journalEntries)
}

func (e Entry) explain() string {
	text := fmt.Sprintf("%s\nRequest-ID: %s", e, e.ID)
	switch _, more, ok := strings.Cut(e.Reason, "\n"); {
	case e.Explanation != "":
		text += "\n" + e.Explanation
	case ok:
		text += "\n" + more
	}
	return text
}
