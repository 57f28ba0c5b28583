package batch

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// bar shows on a terminal how far the work is: done, rate, remaining time, and trouble by code. Elsewhere it shows nothing.
type bar struct {
	drawing *progressbar.ProgressBar // nil in a pipe
	total   int                      // lines; 0 if nobody knows

	mu     sync.Mutex
	passed int // lines that need no work now
	lines  int // read
	ended  int // jobs
	wrong  map[string]int
	drawn  time.Time
}

func (p *program) bar(total int) *bar {
	b := &bar{total: total, wrong: make(map[string]int)}
	if p.terminal {
		b.drawing = newDrawing(p.stderr)
	}
	return b
}

func newDrawing(to io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(to), progressbar.OptionSetWidth(24),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("jobs"),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionSetSpinnerChangeInterval(0), // or a goroutine of its own would draw, beside what is drawn here
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(to) }))
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
	b.mu.Lock()
	b.ended = s.Queued + s.Again
	b.mu.Unlock()
	b.submitted(s)
}

// end draws it for the last time.
func (b *bar) end() {
	if b.drawing == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
	if !b.drawing.IsFinished() {
		_ = b.drawing.Exit() // which leaves the line as it is, with a line break behind
	}
}

// draw shows how much of the work there is now is done. What was done before does not count, or rate and remaining time
// would lie. It draws no more than five times a second, but for the last time.
func (b *bar) draw(last bool) {
	now := time.Now()
	if b.drawing == nil || !last && now.Sub(b.drawn) < 200*time.Millisecond {
		return
	}
	b.drawn = now
	if work := int64(max(b.total, b.lines) - b.passed); b.total > 0 && work > int64(b.ended) && work != b.drawing.GetMax64() {
		b.drawing.ChangeMax64(work)
	}
	b.drawing.Describe(b.trouble())
	_ = b.drawing.Set(b.ended)
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
