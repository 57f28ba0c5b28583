//go:build go1.25

package download_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/middleware"
)

// call answers with one body after another, the last one again and again.
type call struct {
	bodies   []io.Reader
	attempts int
	opened   int
	closed   int
	err      error
}

func (c *call) Open(context.Context) (*http.Response, func(), error) {
	if c.err != nil {
		return nil, nil, c.err
	}
	body := c.bodies[min(c.opened, len(c.bodies)-1)]
	c.opened++
	header := http.Header{"Request-Id": {"08F7"}}
	return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(body), ContentLength: -1}, func() { c.closed++ }, nil
}

func (c *call) Verified() bool                   { return false }
func (c *call) Attempts() int                    { return c.attempts }
func (c *call) Failed(f *download.Failure) error { return f }

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func sha1Of(text string) download.Digest {
	sum := sha1.Sum([]byte(text))
	return download.Digest{Algorithm: "SHA-1", Value: strings.ToUpper(hex.EncodeToString(sum[:]))}
}

func TestFetch(t *testing.T) {
	text := strings.Repeat("a line\n", 10)
	small := zipped(t, text)
	for name, tt := range map[string]struct {
		body string
		plan download.Plan
		want string
	}{
		"as it is":            {text, download.Plan{}, text},
		"expanded":            {small, download.Plan{Want: sha1Of(text)}, text},
		"checked, as it came": {small, download.Plan{Want: sha1Of(text), Raw: true}, small},
		// What is encrypted may begin as gzip does.
		"encrypted":   {small, download.Plan{Want: sha1Of(small), Encrypted: true}, small},
		"two digests": {text, download.Plan{Want: sha1Of(text), Demanded: sha1Of(text)}, text},
		"nothing":     {"", download.Plan{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var w strings.Builder
			tt.plan.MaxSize = int64(max(len(text), len(small)))
			c := &call{bodies: []io.Reader{strings.NewReader(tt.body)}, attempts: 1}
			got, err := download.Fetch(context.Background(), c, download.ToWriter(&w), &tt.plan)
			require.NoError(t, err)
			assert.Equal(t, tt.want, w.String())
			assert.Equal(t, int64(len(tt.body)), got.Received)
			assert.Equal(t, "08F7", got.RequestID)
			assert.Equal(t, tt.plan.Want != download.Digest{}, got.Verified)
			assert.Equal(t, 1, c.closed)
		})
	}
}

func TestFetchFails(t *testing.T) {
	text := "some text"
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader("some"), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	head := func() io.Reader { return strings.NewReader(zipped(t, text)[:6]) } // of gzip
	full := iotest.ErrReader(errors.New("lost"))
	for name, tt := range map[string]struct {
		bodies  []io.Reader
		plan    download.Plan
		err     error
		says    string
		opened  int
		written int64
	}{
		"another digest":   {[]io.Reader{strings.NewReader("")}, download.Plan{Want: sha1Of(text)}, middleware.ErrDigest, "SHA-1", 3, 0},
		"demanded":         {[]io.Reader{strings.NewReader("")}, download.Plan{Want: sha1Of(""), Demanded: sha1Of(text)}, middleware.ErrDigest, "", 1, 0},
		"cut":              {[]io.Reader{broken()}, download.Plan{}, middleware.ErrResponseTruncated, "", 1, 4},
		"lost":             {[]io.Reader{full}, download.Plan{}, nil, "lost", 3, 0},
		"too large":        {[]io.Reader{strings.NewReader(text)}, download.Plan{MaxSize: 8}, middleware.ErrResponseTooLarge, "8 bytes", 1, 0},
		"what came before": {[]io.Reader{strings.NewReader(text)}, download.Plan{MaxSize: 12, Spent: 4}, middleware.ErrResponseTooLarge, "12 bytes", 1, 0},
		"gzip cut":         {[]io.Reader{head(), head(), head()}, download.Plan{}, middleware.ErrResponseTruncated, "", 3, 0},
		"an unknown digest": {[]io.Reader{strings.NewReader(text)}, download.Plan{Want: download.Digest{Algorithm: "MD5", Value: "00"}}, nil,
			"bring it with DigestAlgorithm", 1, 0},
		"a digest of a digit": {[]io.Reader{strings.NewReader(text)}, download.Plan{Want: download.Digest{Algorithm: "SHA1", Value: "0"}}, nil,
			"is not 40 hex digits", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.plan.MaxSize == 0 {
					tt.plan.MaxSize = download.MaxSize
				}
				c := &call{bodies: tt.bodies, attempts: 3}
				var w strings.Builder
				_, err := download.Fetch(context.Background(), c, download.ToWriter(&w), &tt.plan)
				var failure *download.Failure
				require.ErrorAs(t, err, &failure)
				if tt.err != nil {
					assert.ErrorIs(t, err, tt.err)
				}
				assert.ErrorContains(t, err, tt.says)
				assert.Equal(t, tt.opened, c.opened)
				assert.Equal(t, c.opened, c.closed)
				assert.Equal(t, tt.written, failure.Written)
			})
		})
	}
}

// A destination that takes back what it got gets the content of the next try alone, after a pause.
func TestFetchStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		file, err := atomicfile.Create(path, false)
		require.NoError(t, err)
		dst := download.ToFile(file)
		cut := func() io.Reader {
			return io.MultiReader(strings.NewReader("cut"), iotest.ErrReader(io.ErrUnexpectedEOF))
		}
		c := &call{bodies: []io.Reader{cut(), cut(), strings.NewReader("whole")}, attempts: 3}
		began := time.Now()
		got, err := download.Fetch(context.Background(), c, dst, &download.Plan{MaxSize: 100})
		require.NoError(t, err)
		assert.Equal(t, int64(5), got.Size)
		assert.Equal(t, 600*time.Millisecond, time.Since(began))
		_, err = os.Stat(path)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, dst.Commit())
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "whole", string(text))
	})
}

func TestFetchIsNotSent(t *testing.T) {
	c := &call{err: errors.New("not sent"), attempts: 3}
	_, err := download.Fetch(context.Background(), c, download.ToWriter(io.Discard), &download.Plan{})
	assert.Equal(t, c.err, err)
}

func TestAlgorithms(t *testing.T) {
	one := download.Algorithms(nil).With("md5", md5.New)
	two := one.With("MD-5", sha1.New)
	want := download.Digest{Algorithm: "MD5", Value: strings.Repeat("0", 32)}
	_, err := one.New(want)
	require.NoError(t, err)
	_, err = two.New(want)
	assert.ErrorContains(t, err, "is not 40 hex digits", "the later one counts")
}

// No writer gets away with less than it was given.
func TestShortWrites(t *testing.T) {
	c := &call{bodies: []io.Reader{strings.NewReader("text")}, attempts: 3}
	_, err := download.Fetch(context.Background(), c, download.ToWriter(short{}), &download.Plan{MaxSize: 100})
	assert.ErrorIs(t, err, io.ErrShortWrite)
	assert.Equal(t, 1, c.opened)
}

type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) - 1, nil }
