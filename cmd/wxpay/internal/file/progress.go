package file

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// bar shows the progress of a file on a terminal, in one line that it writes again, and nothing elsewhere. It says what
// happens, and nothing before anything does.
type bar struct {
	sh   *shell.Shell
	line *shell.Status // nil if nothing is shown
	what string        // what happens, as in [shell.Text]

	mu    sync.Mutex
	drawn time.Time
	tick  *time.Timer // draws the wait again; nil without one
}

// newBar returns a bar on stderr. end has to be called before anything else is written there.
func newBar(sh *shell.Shell, what string) (b *bar, end func()) {
	if !sh.Bars {
		return &bar{}, func() {}
	}
	b = &bar{sh: sh, line: sh.Status(), what: what}
	return b, b.end
}

// show shows how many bytes of a total are done, at most ten times a second. A total of -1 is unknown.
func (b *bar) show(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	if b.line == nil || time.Since(b.drawn) < 100*time.Millisecond && done != total {
		return
	}
	if total > 0 {
		b.draw(b.sh.Words("%s %3d%% %s of %s", b.sh.Words(b.what), 100*min(done, total)/total, size(done), size(total)))
	} else {
		b.draw(b.sh.Words(b.what) + " " + size(done))
	}
}

// rename says what happens from here on.
func (b *bar) rename(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.what = what
}

// wait shows that the platform is still making the file, and counts down until it is asked again.
func (b *bar) wait(pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	if b.line == nil {
		return
	}
	until := time.Now().Add(pause)
	line := func() {
		left := time.Until(until).Round(time.Second)
		b.draw(b.sh.Words("the bill is being made, asked again in %s", left))
	}
	line()
	b.drawn = time.Time{} // what comes next is news
	var tick *time.Timer
	tick = time.AfterFunc(time.Second, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.tick == tick && time.Until(until) > 0 {
			line()
			b.drawn = time.Time{}
			tick.Reset(time.Second)
		}
	})
	b.tick = tick
}

// stop ends the counting down.
func (b *bar) stop() {
	if b.tick != nil {
		b.tick.Stop()
		b.tick = nil
	}
}

// end takes the line away, and ends the drawing.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	if b.line == nil {
		return
	}
	b.line.Clear()
	b.line = nil
}

func (b *bar) draw(text string) {
	b.line.Draw(text)
	b.drawn = time.Now()
}

// size writes a number of bytes in the largest unit that it reaches.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for ; value >= 1<<10 && unit < 3; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGT"[unit])
}

// readingBar shows the position of the reader: once for the digest, and again each time that the file is sent.
type readingBar struct {
	io.ReaderAt
	bar   *bar
	total int64
	begun atomic.Int32
}

func (r *readingBar) ReadAt(p []byte, at int64) (int, error) {
	if at == 0 && r.begun.Add(1) == 2 {
		r.bar.rename(shell.Text("uploading"))
	}
	n, err := r.ReaderAt.ReadAt(p, at)
	r.bar.show(at+int64(n), r.total)
	return n, err
}
