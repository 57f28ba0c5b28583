package batch

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

func TestBar(t *testing.T) {
	var out bytes.Buffer
	p := &program{stderr: &out, terminal: true}
	b := p.bar(1000)
	now := b.began
	b.now = func() time.Time { return now }
	for i := range 100 {
		now = now.Add(200 * time.Millisecond)
		r := fleet.Result{State: fleet.Succeeded}
		if i%10 == 0 {
			r.State, r.Code = fleet.Refused, "PARAM_ERROR"
		}
		b.observe(r)
	}
	assert.Equal(t, "[##......................] 100 of 1000, 5.0/s, 3m0s left, 10 refused PARAM_ERROR", b.text(now))
	b.submitted(fleet.Submission{Queued: 100, Ended: 390, Rejected: 10})
	assert.Equal(t, "[############............] 500 of 1000, 5.0/s, 1m40s left, 10 refused PARAM_ERROR, 10 rejected", b.text(now))
	for _, code := range []string{"A", "B", "C"} {
		b.observe(fleet.Result{State: fleet.Unknown, Code: code})
	}
	assert.Contains(t, b.text(now), "10 refused PARAM_ERROR, 10 rejected, 1 unknown A, …")
	b.end()
	assert.Contains(t, out.String(), "\r\x1b[K[#")

	b = p.bar(0)
	now = b.began.Add(2 * time.Second)
	b.observe(fleet.Result{State: fleet.Accepted})
	assert.Equal(t, "1 done, 0.5/s", b.text(now))

	out.Reset()
	p.terminal = false
	b = p.bar(10)
	b.observe(fleet.Result{})
	b.end()
	assert.Empty(t, out.String(), "none in a pipe")
}

func TestRemaining(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m1s", time.Hour: "1h00m", 47*time.Hour + 59*time.Minute: "47h59m",
		55*time.Hour + 30*time.Minute: "2d7h",
	} {
		assert.Equal(t, want, remaining(d))
	}
}
