package journal

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Explain returns why a request was rejected, in several lines: [Entry.Explanation] if there is
// one, else [Entry.Reason], below the line that [Entry.String] gives. id is the Request-ID of the
// response, or the part before its dash; empty means the last request that was rejected. An error
// says that the journal has no such request, or that it was not rejected.
func (j *Journal) Explain(id string) (string, error) {
	entries, _ := j.All()
	for _, entry := range slices.Backward(entries) {
		rejected := entry.Status >= http.StatusBadRequest && entry.Reason != ""
		if id == "" {
			if rejected {
				return entry.explain(), nil
			}
			continue
		}
		if bare, _, _ := strings.Cut(entry.ID, "-"); entry.ID != id && bare != id {
			continue
		}
		if !rejected {
			return "", fmt.Errorf("sandbox: Explain: the request %s was not rejected: %s", id, entry)
		}
		return entry.explain(), nil
	}
	if id == "" {
		return "", errors.New("sandbox: Explain: the journal has no rejected request")
	}
	return "", fmt.Errorf("sandbox: Explain: the journal has no request %s; it keeps the last %d, of this sandbox only", id, j.entries)
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
