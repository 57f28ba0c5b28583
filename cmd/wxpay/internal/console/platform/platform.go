// Package platform is the platform's own side: its clock, what goes wrong, its limits, and its memory.
package platform

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Pages are the pages of the platform.
type Pages struct {
	Sandbox *sandbox.Sandbox

	mu    sync.Mutex
	shots []shot // the oldest first
	taken int
}

// shot is a snapshot that this console has taken. It lives as long as the console.
type shot struct {
	Name string
	Time time.Time
	Size int
	data []byte
}

// shots bounds how many snapshots are kept; the oldest gives way.
const shots = 10

// Register adds the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /platform", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, "", nil) })
	mux.HandleFunc("POST /platform", p.act)
}

// page is the page of the platform.
type page struct {
	Now, Wire time.Time
	Frozen    bool
	Faults    []standing
	Hits      []hit
	Kinds     []string
	Rules     []rule
	Shots     []shot
	Merchants []string
}

// standing is a rule about faults, and how often it has hit.
type standing struct {
	Rule string
	Hits int
}

type hit struct {
	Kind  string
	Count int
}

type rule struct {
	Name string
	On   bool
}

// faultKinds are the kinds of faults of requests.
var faultKinds = []string{
	"delay", "slow-body", "refuse", "reset-before", "reset-after", "truncate", "flip-byte", "short-file", "wrong-digest", "429", "429-after", "500",
	"500-after", "refused-after", "wrong-signature", "unknown-serial", "stale-timestamp", "probe", "not-found-for", "401", "401-after", "404",
	"404-after", "502", "502-after", "crossed", "crossed-path", "cached", "late", "duplicate", "error-as-200", "success-as-403",
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, done string, problem error) {
	s := p.Sandbox
	data := page{Now: s.Clock.Now(), Wire: time.Now(), Frozen: s.Clock.Frozen(), Kinds: faultKinds}
	for _, tally := range s.Faults.Tallies() {
		data.Faults = append(data.Faults, standing{tally.Rule.String(), tally.Hits})
	}
	counts := s.Faults.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		data.Hits = append(data.Hits, hit{string(kind), counts[kind]})
	}
	enforced := s.Rules.Enforced()
	for _, name := range s.Rules.All() {
		data.Rules = append(data.Rules, rule{string(name), slices.Contains(enforced, name)})
	}
	data.Merchants = send.Merchants(s)
	p.mu.Lock()
	data.Shots = slices.Clone(p.shots)
	p.mu.Unlock()
	slices.Reverse(data.Shots)
	view.Write(w, r, view.Frame{Template: "platform", Title: "Platform", Section: "platform", Done: done, Err: problem}, data)
}

// act carries one order out.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) {
	err := p.order(r)
	done := ""
	if err == nil {
		done = view.Say(r, "Done.")
	}
	p.show(w, r, done, err)
}

func (p *Pages) order(r *http.Request) error {
	s, value := p.Sandbox, strings.TrimSpace(r.PostFormValue("value"))
	switch r.PostFormValue("do") {
	case "jump":
		by, err := time.ParseDuration(strings.TrimPrefix(value, "+"))
		if err != nil {
			return errors.New("a jump is a duration such as 90s, 30m or 24h")
		}
		return s.Clock.Jump(by)
	case "freeze":
		return s.Clock.Freeze()
	case "unfreeze":
		return s.Clock.Unfreeze()
	case "inject":
		rule, err := fault.Parse(value)
		if err != nil {
			return err
		}
		return s.Faults.Inject(rule)
	case "remove":
		rule, err := fault.Parse(value)
		if err != nil {
			return err
		}
		return s.Faults.Remove(rule)
	case "clear":
		s.Faults.Clear()
		return nil
	case "enforce":
		return s.Rules.Enforce(sandbox.Rule(value))
	case "relax":
		return s.Rules.Relax(sandbox.Rule(value))
	case "snapshot":
		return p.take()
	case "restore":
		return p.restore(value)
	case "reset":
		return s.Reset()
	case "merchant":
		_, err := s.AddMerchant(value)
		return err
	}
	return errors.New("the platform knows no such order")
}

func (p *Pages) take() error {
	data, err := p.Sandbox.Snapshot()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken++
	one := shot{Name: strconv.Itoa(p.taken), Time: p.Sandbox.Clock.Now(), Size: len(data), data: data}
	p.shots = append(p.shots[max(0, len(p.shots)-shots+1):], one)
	return nil
}

func (p *Pages) restore(name string) error {
	p.mu.Lock()
	at := slices.IndexFunc(p.shots, func(one shot) bool { return one.Name == name })
	var data []byte
	if at >= 0 {
		data = p.shots[at].data
	}
	p.mu.Unlock()
	if data == nil {
		return errors.New("the console has no such snapshot any more")
	}
	return p.Sandbox.Restore(data)
}
