package middleware

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Figures of Hosts. They are choices of this package; the platform documents none.
const (
	hostFailures  = 3                // failures in a row before the backup goes first
	hostProbe     = 30 * time.Second // between two tests of the primary
	hostProbeLate = 5 * time.Minute  // after this, any call may test the primary, not only an idempotent one
)

// Hosts are the hosts of one gateway: a primary and its backups, which serve the same resources.
// After repeated failures of the primary the backup goes first, and single calls test the primary
// from time to time.
//
// It is safe for concurrent use.
type Hosts struct {
	names []string // the primary first
	clock func() time.Time

	mu       sync.Mutex
	failures int       // of the primary, in a row
	away     time.Time // start of the backup's turn; zero while the primary goes first
	looked   time.Time // the last test of the primary
}

// NewHosts takes the hosts as in a URL, with a port if needed. clock is time.Now outside tests.
func NewHosts(clock func() time.Time, primary string, backups ...string) *Hosts {
	return &Hosts{names: append([]string{primary}, backups...), clock: clock}
}

// first chooses the host of a call's first attempt. An idempotent call is a better test of the
// primary than another one.
func (h *Hosts) first(idempotent bool) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away.IsZero() || len(h.names) == 1 {
		return h.names[0]
	}
	now := h.clock()
	wait := hostProbeLate
	if idempotent {
		wait = hostProbe
	}
	if now.Sub(h.looked) >= wait {
		h.looked = now
		return h.names[0]
	}
	return h.names[1]
}

// other returns the host after a failed one.
func (h *Hosts) other(failed string) string {
	return h.names[(slices.Index(h.names, failed)+1)%len(h.names)]
}

// has reports whether name is one of the hosts.
func (h *Hosts) has(name string) bool { return slices.Contains(h.names, name) }

// report records the success or failure of a host.
func (h *Hosts) report(name string, failed bool) {
	if name != h.names[0] {
		return // only the health of the primary matters
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

// hostFailed reports whether a result is a failure of the host rather than of the request.
func hostFailed(res *http.Response, err error) bool {
	if err != nil {
		var untrusted *VerifyError
		return !asVerifyError(err, &untrusted)
	}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
