package middleware

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Figures of Hosts. They are choices of this package; the platform documents none.
const (
	hostFailures  = 3                // failures in a row after which the backup goes first
	hostProbe     = 30 * time.Second // between two looks whether the primary is back
	hostProbeLate = 5 * time.Minute  // after which any call may be the look, not only one that can be repeated
)

// Hosts are the hosts of one gateway: a primary and its backups, which serve the same resources. After repeated failures
// of the primary the backup goes first, and single calls look now and then whether the primary is back.
//
// It is safe for concurrent use.
type Hosts struct {
	names []string // the primary first
	clock func() time.Time

	mu       sync.Mutex
	failures int       // of the primary, in a row
	away     time.Time // since when the backup goes first; zero while the primary does
	looked   time.Time // the last look
}

// NewHosts returns the hosts, each as in a URL, with a port where it needs one. clock is time.Now outside tests.
func NewHosts(clock func() time.Time, primary string, backups ...string) *Hosts {
	return &Hosts{names: append([]string{primary}, backups...), clock: clock}
}

// first chooses the host of a call's first attempt. repeatable says that the call could be repeated, so that it is the
// better one to look with.
func (h *Hosts) first(repeatable bool) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away.IsZero() || len(h.names) == 1 {
		return h.names[0]
	}
	now := h.clock()
	wait := hostProbeLate
	if repeatable {
		wait = hostProbe
	}
	if now.Sub(h.looked) >= wait {
		h.looked = now
		return h.names[0]
	}
	return h.names[1]
}

// other returns the host that comes after one that failed.
func (h *Hosts) other(failed string) string {
	return h.names[(slices.Index(h.names, failed)+1)%len(h.names)]
}

// has reports whether name is one of the hosts.
func (h *Hosts) has(name string) bool { return slices.Contains(h.names, name) }

// report takes in how a host did.
func (h *Hosts) report(name string, failed bool) {
	if name != h.names[0] {
		return // only the primary's health decides who goes first
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !failed {
		h.failures, h.away = 0, time.Time{}
		return
	}
	if h.failures++; h.failures >= hostFailures && h.away.IsZero() {
		h.away = h.clock()
		h.looked = h.away
	}
}

// hostFailed reports whether a result speaks against the host rather than against the request.
func hostFailed(res *http.Response, err error) bool {
	if err != nil {
		var refused *VerifyError
		return !asVerifyError(err, &refused)
	}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
