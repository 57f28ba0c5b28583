package batch

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/middleware"
)

// A call without a response is told of, one that was never sent is not.
func TestUnanswered(t *testing.T) {
	var out bytes.Buffer
	tell := (&program{stderr: &out}).unanswered()
	for _, err := range []error{nil, middleware.ErrLimited, fmt.Errorf("limit: %w", fleet.ErrKeptBack)} {
		tell(t.Context(), middleware.Observation{Err: err})
	}
	assert.Empty(t, out.String())
	tell(t.Context(), middleware.Observation{Err: errors.New("connection reset")})
	assert.Contains(t, out.String(), "a call had no response: connection reset")
}

func TestBar(t *testing.T) {
	var out bytes.Buffer
	p := &program{stderr: &out, terminal: true}
	b := p.bar(1000)
	for i := range 100 {
		r := fleet.Result{State: fleet.Succeeded}
		if i%10 == 0 {
			r.State, r.Code = fleet.Refused, "PARAM_ERROR"
		}
		b.observe(r)
	}
	assert.Equal(t, "10 refused PARAM_ERROR", b.trouble())
	b.submitted("20260101-000000-abcd", fleet.Submission{Queued: 100, Ended: 390, Rejected: 10})
	assert.Equal(t, "10 refused PARAM_ERROR, 10 rejected", b.trouble())
	for _, code := range []string{"A", "B", "C"} {
		b.observe(fleet.Result{State: fleet.Unknown, Code: code})
	}
	assert.Equal(t, "10 refused PARAM_ERROR, 10 rejected, 1 unknown A, …", b.trouble())
	b.end()
	assert.Contains(t, out.String(), "(103/600", "what was done before is no work now")
	assert.Contains(t, out.String(), "jobs/s")

	out.Reset()
	b = p.bar(2)
	b.observe(fleet.Result{State: fleet.Accepted})
	b.observe(fleet.Result{State: fleet.Accepted})
	b.end()
	assert.Contains(t, out.String(), "(2/2")

	out.Reset()
	b = p.bar(0)
	b.observe(fleet.Result{State: fleet.Accepted})
	b.end()
	assert.Contains(t, out.String(), "1 done (", "nobody knows of how many")

	out.Reset()
	p.terminal = false
	b = p.bar(10)
	b.observe(fleet.Result{})
	b.end()
	assert.Empty(t, out.String(), "none in a pipe")
}

// Each command that works tells what workers say of the queue and of themselves, with time and level.
func TestNotices(t *testing.T) {
	o := workOptions{workers: 1, patience: time.Second, grace: time.Second}
	for form, want := range map[string]string{
		"text": `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARN: bad steps aside\n$`,
		"json": `^{"time":"[^"]+","level":"WARN","msg":"bad steps aside"}\n$`,
	} {
		var out bytes.Buffer
		p := &program{stderr: &out}
		require.NoError(t, p.logs(form))
		w, err := o.worker(p, nil)
		require.NoError(t, err)
		w.OnNotice("bad steps aside")
		assert.Regexp(t, want, out.String())
		out.Reset()
		w.OnError(errors.New("bad steps aside"))
		assert.Regexp(t, want, out.String())
	}
}

// Where nobody watches a terminal a line a minute tells how far it is.
func TestLineAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := (&program{stderr: &out}).bar(400)
		b.submitted("20260101-000000-abcd", fleet.Submission{Queued: 400})
		for range 100 {
			b.observe(fleet.Result{State: fleet.Succeeded})
		}
		time.Sleep(time.Minute + time.Second)
		b.end()
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO: run 20260101-000000-abcd:  25% \(100/400, 1\.7 jobs/s, 3m0s left\)\n$`, out.String())
		b.end()
	})
}
