package file

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func TestBar(t *testing.T) {
	var out bytes.Buffer
	b, end := newBar(&shell.Shell{Stderr: &out, Bars: true}, "downloading")
	assert.Empty(t, out.String(), "nothing happens yet")
	b.show(3<<20, 3<<20)
	assert.Equal(t, "\rdownloading 100% 3.0 MiB of 3.0 MiB", out.String())
	out.Reset()
	end()
	assert.Equal(t, "\r"+strings.Repeat(" ", len("downloading 100% 3.0 MiB of 3.0 MiB"))+"\r", out.String(), "as long as the line was")
	out.Reset()
	b.show(1, 2)
	b.wait(time.Second)
	end()
	assert.Empty(t, out.String(), "nothing is drawn behind the end")

	none, end := newBar(&shell.Shell{Stderr: &out}, "x")
	none.show(1, 2)
	none.wait(time.Second)
	end()
	assert.Empty(t, out.String(), "none elsewhere than on a terminal")
}

// A file that the platform has not made is not being downloaded.
func TestBarWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b, end := newBar(&shell.Shell{Stderr: &out, Bars: true}, "downloading")
		b.wait(30 * time.Second)
		lines := func() []string {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			all := strings.Split(out.String(), "\r")[1:]
			out.Reset()
			return all
		}
		assert.Equal(t, []string{"the bill is being made, asked again in 30s"}, lines())
		time.Sleep(2500 * time.Millisecond)
		assert.Equal(t, []string{"the bill is being made, asked again in 29s", "the bill is being made, asked again in 28s"}, lines())
		time.Sleep(time.Hour)
		last := lines()
		assert.Len(t, last, 27, "down to one second, and no further")
		assert.Equal(t, "the bill is being made, asked again in 1s", last[26])
		b.wait(time.Minute)
		b.show(1, 2)
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"the bill is being made, asked again in 1m0s", "downloading  50% 1 B of 2 B"},
			trimmed(lines()), "the wait is over")
		b.wait(time.Minute)
		end()
		assert.Len(t, lines(), 3)
		time.Sleep(time.Hour)
		assert.Empty(t, out.String())
	})
}

func trimmed(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, strings.TrimRight(line, " "))
	}
	return all
}

// A file is read for its digest before it is sent.
func TestReadingBar(t *testing.T) {
	var out bytes.Buffer
	b, end := newBar(&shell.Shell{Stderr: &out, Bars: true}, "reading")
	file := &readingBar{ReaderAt: strings.NewReader("abc"), bar: b, total: 3}
	for range 3 {
		_, err := io.Copy(io.Discard, io.NewSectionReader(file, 0, 3))
		assert.NoError(t, err)
	}
	end()
	assert.Contains(t, out.String(), "\rreading 100% 3 B of 3 B\r")
	assert.Contains(t, out.String(), "\ruploading 100% 3 B of 3 B\r")
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536 << 10: "1.5 MiB", 5 << 40: "5.0 TiB", 5 << 50: "5120.0 TiB"} {
		assert.Equal(t, want, size(n))
	}
}
