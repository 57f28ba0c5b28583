package middleware

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/headers"
)

// Figures of Ages. They are choices of this package; the platform documents none.
const (
	ageMinutes   = 10               // how long a sample counts
	ageSamples   = 3                // responses of a host before its clock is known
	ageTolerance = 30 * time.Second // a response this much older is not stale yet
)

// Ages measures the age of signed responses. A signature names its second by the clock of a
// platform host. Ages learns the difference to this machine's monotonic clock from the responses:
// the least difference of the last ten minutes counts, because a delayed response can only increase
// it.
//
// It is safe for concurrent use. Its zero value is ready.
type Ages struct {
	mu    sync.Mutex
	begun time.Time // start of the count of monotonic time
	hosts map[string]*[ageMinutes]ageSample
}

// ageSample is the least difference within one minute.
type ageSample struct {
	minute int64
	count  int
	least  time.Duration
}

// take records a response that a host signed at a second since 1970, and returns the time from its
// signature to its receipt. It reports false while the host's clock is not known.
func (a *Ages) take(host string, signed int64, received time.Time) (time.Duration, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hosts == nil {
		a.begun, a.hosts = received, map[string]*[ageMinutes]ageSample{}
	}
	samples := a.hosts[host]
	if samples == nil {
		samples = new([ageMinutes]ageSample)
		a.hosts[host] = samples
	}
	sinceBegun := received.Sub(a.begun)
	minute := int64(sinceBegun / time.Minute)
	difference := sinceBegun - time.Duration(signed)*time.Second
	now := &samples[minute%ageMinutes]
	if now.minute != minute || now.count == 0 {
		*now = ageSample{minute: minute, least: difference}
	}
	now.count++
	now.least = min(now.least, difference)
	count, least := 0, difference
	for _, s := range samples {
		if s.count > 0 && minute-s.minute < ageMinutes {
			count += s.count
			least = min(least, s.least)
		}
	}
	return difference - least, count >= ageSamples
}

// date sets Aged: the time from the signature of the last verified response to the sending of its
// request.
func (c *Call) date(a *Ages, host string, header http.Header, sent time.Time) {
	if signed, err := strconv.ParseInt(headers.First(header, apiv3.HeaderTimestamp), 10, 64); err == nil {
		received := time.Now()
		if age, known := a.take(host, signed, received); known {
			c.Aged = max(0, age-received.Sub(sent))
		}
	}
}

// Stale reports whether the response was signed before its request was sent, as far as the ages
// show. Such a response belongs to another request: it comes from a cache, say, or was delayed on a
// connection.
func (c *Call) Stale() bool { return c.Aged > ageTolerance }
