package cli

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how far a file has got, and nothing elsewhere.
type bar struct{ *progressbar.ProgressBar }

// newBar returns a bar on stderr. end has to be called before anything else is written there.
func (p *program) newBar(what string) (b *bar, end func()) {
	if !p.bars {
		return &bar{}, func() {}
	}
	b = &bar{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30), progressbar.OptionSpinnerType(14), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSetRenderBlankState(true))}
	return b, sync.OnceFunc(func() {
		_ = b.Clear()
		_ = b.Exit()
	})
}

// show shows so many bytes of a total, which is -1 where nobody knows it.
func (b *bar) show(done, total int64) {
	if b.ProgressBar == nil {
		return
	}
	if total > 0 && b.GetMax64() != total {
		b.ChangeMax64(total)
	}
	_ = b.Set64(done)
}

// readingBar shows how far the reader is: once for the digest, and again for each time that it is sent.
type readingBar struct {
	io.ReaderAt
	bar   *bar
	total int64
}

func (r readingBar) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	r.bar.show(at+int64(n), r.total)
	return n, err
}
