package file

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// bar shows the progress of a file on a terminal, and nothing elsewhere.
type bar struct{ *progressbar.ProgressBar }

// newBar returns a bar on stderr. end has to be called before anything else is written there.
func newBar(sh *shell.Shell, what string) (b *bar, end func()) {
	if !sh.Bars {
		return &bar{}, func() {}
	}
	b = &bar{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(sh.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetRenderBlankState(true),
	)}
	return b, sync.OnceFunc(func() {
		_ = b.Clear()
		_ = b.Exit()
	})
}

// show shows how many bytes of a total are done. A total of -1 is unknown.
func (b *bar) show(done, total int64) {
	if b.ProgressBar == nil {
		return
	}
	if total > 0 && b.GetMax64() != total {
		b.ChangeMax64(total)
	}
	_ = b.Set64(done)
}

// readingBar shows the position of the reader: once for the digest, and again each time that the file is sent.
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
