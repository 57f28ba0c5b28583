//go:build go1.25

package sandbox_test

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/sandbox"
)

// receiver is a merchant's server that responds as it is told, and remembers what came.
type receiver struct {
	t       testing.TB
	s       *sandbox.Sandbox
	mu      sync.Mutex
	answers []int // statuses of the first responses; 204 after them
	delay   time.Duration
	came    []notice
	at      []time.Time
	genuine []error
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	n := receive(r.t, r.s, request)
	r.mu.Lock()
	r.came, r.at, r.genuine = append(r.came, n), append(r.at, time.Now()), append(r.genuine, genuine(r.t, r.s, request.Header, n.body))
	status := 204
	if len(r.answers) > 0 {
		status, r.answers = r.answers[0], r.answers[1:]
	}
	r.mu.Unlock()
	time.Sleep(r.delay)
	w.WriteHeader(status)
	if status >= 400 {
		io.WriteString(w, `{"code":"FAIL","message":"失败"}`)
	}
}

// waits are the times between the arrivals.
func (r *receiver) waits() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []time.Duration
	for i := range r.at[1:] {
		list = append(list, r.at[i+1].Sub(r.at[i]))
	}
	return list
}

func (r *receiver) notices() []notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.came)
}

// verdicts are what checking the signatures said.
func (r *receiver) verdicts() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.genuine)
}

func (r *receiver) answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = statuses
}

func newReceiver(t testing.TB, answers ...int) (*sandbox.Sandbox, *receiver) {
	s := newSandbox(t)
	r := &receiver{t: t, s: s, answers: answers}
	s.Deliveries.To(r)
	return s, r
}
