package batch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// bar shows on a terminal how far the work is: done, rate, remaining time, and trouble by code. Elsewhere it shows nothing.
type bar struct {
	p     *program
	total int // 0 if it is not known
	began time.Time

	mu     sync.Mutex
	passed int // lines that need no work now
	lines  int // read
	ended  int // jobs
	wrong  map[string]int
	drawn  time.Time
	shown  bool
	now    func() time.Time
}

func (p *program) bar(total int) *bar {
	return &bar{p: p, total: total, began: time.Now(), wrong: make(map[string]int), now: time.Now}
}

// observe is told of a result.
func (b *bar) observe(r fleet.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended++
	switch r.State {
	case fleet.Succeeded, fleet.Accepted:
	default:
		b.wrong[strings.TrimSpace(string(r.State)+" "+r.Code)]++
	}
	b.draw(false)
}

// submitted is told how far the file is read, while jobs are carried out beside.
func (b *bar) submitted(s fleet.Submission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines, b.passed = s.Read(), s.Ended+s.Rejected
	if s.Rejected > 0 {
		b.wrong["rejected"] = s.Rejected
	}
	b.draw(false)
}

// read is told how far the file is read, where reading is the work.
func (b *bar) read(s fleet.Submission) {
	b.submitted(s)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = s.Queued + s.Again
}

// end draws it for the last time.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
	if b.shown {
		fmt.Fprintln(b.p.stderr)
	}
}

func (b *bar) draw(last bool) {
	now := b.now()
	if !b.p.terminal || !last && now.Sub(b.drawn) < 200*time.Millisecond {
		return
	}
	b.drawn, b.shown = now, true
	fmt.Fprintf(b.p.stderr, "\r\x1b[K%s", b.text(now))
}

const barWidth = 24

// text is the bar on one line.
func (b *bar) text(now time.Time) string {
	done, total := b.ended+b.passed, max(b.total, b.lines)
	rate := float64(b.ended) / max(now.Sub(b.began).Seconds(), 0.001)
	var out strings.Builder
	if b.total > 0 {
		full := min(barWidth, barWidth*done/total)
		fmt.Fprintf(&out, "[%s%s] %d of %d", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done, total)
	} else {
		fmt.Fprintf(&out, "%d done", done)
	}
	fmt.Fprintf(&out, ", %.1f/s", rate)
	if b.total > 0 && b.ended > 0 && done < total {
		left := time.Duration(float64(total-done) / rate * float64(time.Second))
		fmt.Fprintf(&out, ", %s left", remaining(left))
	}
	most := slices.SortedFunc(maps.Keys(b.wrong), func(x, y string) int { return cmp.Or(b.wrong[y]-b.wrong[x], strings.Compare(x, y)) })
	for i, what := range most {
		if i == 3 {
			fmt.Fprintf(&out, ", …")
			break
		}
		fmt.Fprintf(&out, ", %d %s", b.wrong[what], printable(what))
	}
	return out.String()
}

// remaining is a duration as one would say it.
func remaining(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.Round(time.Second).String()
}
