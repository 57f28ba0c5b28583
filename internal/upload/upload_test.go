package upload_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/upload"
)

const content = "some content"

// sources are all kinds of sources of content.
func sources(t *testing.T) map[string]upload.Source {
	path := filepath.Join(t.TempDir(), "图片.PNG")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	memory := bytes.NewReader([]byte(content))
	_, err := memory.Seek(3, io.SeekStart)
	require.NoError(t, err)
	return map[string]upload.Source{
		"at":     upload.At(path),
		"from":   upload.From("图片.PNG", strings.NewReader(content+" and more"), int64(len(content))),
		"memory": upload.Memory("图片.PNG", memory),
		"once":   upload.Once("图片.PNG", iotest.OneByteReader(strings.NewReader(content))),
	}
}

func TestUpload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum := sha1.Sum([]byte(content))
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			file := &upload.File{Source: source, Part: "media", Hash: sha1.New}
			defer file.Close()
			digest, err := file.Prepare(ctx, &fact.Upload{Suffixes: "jpg png", MaxSize: int64(len(content))})
			require.NoError(t, err)
			assert.Equal(t, hex.EncodeToString(sum[:]), digest)
			body := file.Body("boundary", []byte(`{"a":1}`))
			_, params, err := mime.ParseMediaType(body.ContentType)
			require.NoError(t, err)
			for range 2 { // attempts
				r, err := body.Open(ctx)
				require.NoError(t, err)
				whole, err := io.ReadAll(r)
				require.NoError(t, err)
				require.NoError(t, r.Close())
				assert.Equal(t, body.Size, int64(len(whole)))
				form, err := multipart.NewReader(bytes.NewReader(whole), params["boundary"]).ReadForm(1 << 20)
				require.NoError(t, err)
				assert.Equal(t, []string{`{"a":1}`}, form.Value["meta"])
				require.Len(t, form.File["media"], 1)
				assert.Equal(t, "图片.PNG", form.File["media"][0].Filename)
				assert.Equal(t, "image/png", form.File["media"][0].Header.Get("Content-Type"))
				part, err := form.File["media"][0].Open()
				require.NoError(t, err)
				got, err := io.ReadAll(part)
				require.NoError(t, err)
				assert.Equal(t, content, string(got))
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	limits := &fact.Upload{Suffixes: "jpg png", MaxSize: 5}
	text := func(name, content string) upload.File {
		return upload.File{Source: upload.Memory(name, bytes.NewReader([]byte(content)))}
	}
	for says, file := range map[string]upload.File{
		"the file has no name":                          text("", "x"),
		"a quote, a slash or a line break":              text("a\"b.png", "x"),
		"is not UTF-8":                                  text("\xff.png", "x"),
		`suffix is "txt", the operation takes jpg, png`: text("a.txt", "x"),
		"the file has no bytes":                         text("a.png", ""),
		"has 6 bytes, the operation takes at most 5":    text("a.png", "123456"),
		"the name of the file's part has a quote":       {Source: text("a.png", "x").Source, Part: "a\"b"},
		"has 1 bytes instead of 2":                      {Source: upload.From("a.png", strings.NewReader("x"), 2)},
		"the file cannot be opened":                     {Source: upload.At(filepath.Join(t.TempDir(), "none.png"))},
		"the pipe cannot be read: lost":                 {Source: upload.Once("a.png", iotest.ErrReader(errors.New("lost")))},
		"the pipe has more than 67108864 bytes":         {Source: upload.Once("a.png", endless{})},
	} {
		_, err := file.Prepare(context.Background(), limits)
		assert.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "none.png")
		file.Close()
	}
	assert.True(t, upload.Source{}.IsZero())
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A read that never returns keeps nobody waiting.
func TestStuck(t *testing.T) {
	for _, once := range []bool{true, false} {
		r, w := io.Pipe()
		defer w.Close()
		file := &upload.File{Source: upload.From("a.png", readerAt{r}, 10)}
		if once {
			file.Source = upload.Once("a.png", r)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = w.Write([]byte("x")) // it is being read
			cancel()
		}()
		_, err := file.Prepare(ctx, nil)
		var ended *upload.EndedError
		require.ErrorAs(t, err, &ended)
		assert.ErrorIs(t, err, context.Canceled)
		file.Close()
		_, err = file.Prepare(ctx, nil)
		assert.ErrorAs(t, err, &ended, "it is not begun")
	}
}

type readerAt struct{ io.Reader }

func (r readerAt) ReadAt(p []byte, _ int64) (int, error) { return io.ReadFull(r, p) }

// A reader may end its goroutine.
func TestExit(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := &upload.File{Source: upload.Once("a.png", exiting{})}
	defer file.Close()
	_, err := file.Prepare(ctx, nil)
	assert.ErrorIs(t, err, fault.ErrExited)
}

type exiting struct{}

func (exiting) Read([]byte) (int, error) {
	runtime.Goexit()
	return 0, nil
}

func TestShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	file := &upload.File{Source: upload.At(path)}
	_, err := file.Prepare(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 3))
	r, err := file.Body("boundary", nil).Open(t.Context())
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	assert.ErrorContains(t, err, "the file became shorter while it was sent")
	require.NoError(t, r.Close())
}
