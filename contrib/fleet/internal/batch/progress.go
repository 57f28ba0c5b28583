package batch

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// bar shows how far the work is: done, rate, remaining time, and trouble by code. On a terminal it is one line that is drawn again,
// elsewhere a line a minute.
type bar struct {
	to    io.Writer     // nil in a pipe
	over  chan struct{} // closed when there are to be no more lines
	stop  sync.Once
	start time.Time
	total int // lines; 0 if nobody knows

	mu     sync.Mutex
	run    string // the ID of the submission, empty if nothing is submitted
	passed int    // lines that need no work now
	lines  int    // read
	ended  int    // jobs
	wrong  map[string]int
	drawn  time.Time
	width  int // of the line on the terminal, in runes
}

func (p *program) bar(total int) *bar {
	b := &bar{start: time.Now(), total: total, wrong: make(map[string]int), over: make(chan struct{})}
	if p.terminal {
		b.to = p.stderr
		return b
	}
	go func() {
		minute := time.NewTicker(time.Minute)
		defer minute.Stop()
		for {
			select {
			case now := <-minute.C:
				b.mu.Lock()
				line := b.line(now.Sub(b.start).Seconds())
				if b.run != "" {
					line = "run " + b.run + ": " + line
				}
				b.mu.Unlock()
				p.log(slog.LevelInfo, "%s", line)
			case <-b.over:
				return
			}
		}
	}()
	return b
}

// observe is told of a result.
func (b *bar) observe(r fleet.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended++
	switch r.State {
	case fleet.Succeeded, fleet.Accepted, fleet.Taken:
	default:
		b.wrong[strings.TrimSpace(string(r.State)+" "+r.Code)]++
	}
	b.draw(false)
}

// submitted is told how far the file of a submission is read, while jobs are carried out beside.
func (b *bar) submitted(run string, s fleet.Submission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run = run
	b.lines, b.passed = s.Read(), s.Ended+s.Rejected
	if s.Rejected > 0 {
		b.wrong["rejected"] = s.Rejected
	}
	b.draw(false)
}

// read is told how far the file is read, where reading is the work.
func (b *bar) read(run string, s fleet.Submission) {
	b.mu.Lock()
	b.ended = s.Queued + s.Corrected + s.Again
	b.mu.Unlock()
	b.submitted(run, s)
}

// end draws it for the last time, and ends the line.
func (b *bar) end() {
	b.stop.Do(func() { close(b.over) })
	if b.to == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
	fmt.Fprintln(b.to)
}

// draw shows how much of the work there is now is done. Jobs that were done before do not count, or rate and remaining
// time would be wrong. It draws no more than five times a second, but for the last time.
func (b *bar) draw(last bool) {
	now := time.Now()
	if b.to == nil || !last && now.Sub(b.drawn) < 200*time.Millisecond {
		return
	}
	b.drawn = now
	line := []rune(b.line(now.Sub(b.start).Seconds()))
	if len(line) > lineWidth {
		line = append(line[:lineWidth-1], '…')
	}
	fmt.Fprintf(b.to, "\r%s%s", string(line), strings.Repeat(" ", max(b.width-len(line), 0)))
	b.width = len(line)
}

// lineWidth is how long a line gets, in runes: the usual terminal has 80 columns, and a longer line could not be overwritten.
const lineWidth = 79

// line is the text after so many seconds.
func (b *bar) line(seconds float64) string {
	rate := float64(b.ended) / max(seconds, 1e-3)
	text := fmt.Sprintf("%d done (%.1f jobs/s)", b.ended, rate)
	if b.total > 0 {
		work := max(b.total-b.passed, b.lines-b.passed, b.ended)
		text = fmt.Sprintf("%3d%% (%d/%d, %.1f jobs/s", 100*b.ended/max(work, 1), b.ended, work, rate)
		if left := work - b.ended; left > 0 && b.ended > 0 {
			text += ", " + (time.Duration(float64(left)/rate) * time.Second).String() + " left"
		}
		text += ")"
	}
	return strings.TrimRight(text+" "+b.trouble(), " ")
}

// trouble counts what went wrong, the most frequent first.
func (b *bar) trouble() string {
	var parts []string
	for _, what := range slices.SortedFunc(maps.Keys(b.wrong), func(x, y string) int { return cmp.Or(b.wrong[y]-b.wrong[x], strings.Compare(x, y)) }) {
		if len(parts) == 3 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, fmt.Sprintf("%d %s", b.wrong[what], printable(what)))
	}
	return strings.Join(parts, ", ")
}
