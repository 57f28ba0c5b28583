package file

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func TestBar(t *testing.T) {
	var out bytes.Buffer
	b, end := newBar(&shell.Shell{Stderr: &out, Bars: true}, "uploading")
	b.show(3<<20, 3<<20)
	assert.Equal(t, "\ruploading\ruploading 100% 3.0 MiB of 3.0 MiB", out.String())
	out.Reset()
	end()
	assert.Equal(t, "\r"+string(bytes.Repeat([]byte(" "), len("uploading 100% 3.0 MiB of 3.0 MiB")))+"\r", out.String(), "as long as the line was")
	out.Reset()
	b.show(1, 2)
	end()
	assert.Empty(t, out.String(), "nothing is drawn behind the end")

	none, end := newBar(&shell.Shell{Stderr: &out}, "x")
	none.show(1, 2)
	end()
	assert.Empty(t, out.String(), "none elsewhere than on a terminal")
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536 << 10: "1.5 MiB", 5 << 40: "5.0 TiB", 5 << 50: "5120.0 TiB"} {
		assert.Equal(t, want, size(n))
	}
}
