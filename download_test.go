//go:build go1.25

package wxpay_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
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

	"github.com/wxpay-go/wxpay"
)

const billLink = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=TestOnly%2Ftoken%3d&tartype=gzip"

func hexSHA1(data []byte) string {
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// file is an unsigned answer with this content.
func file(content []byte) answer { return answer{body: string(content), unsigned: true} }

// broken is a file whose body ends with err after n bytes, under a header that announces all of them.
func broken(content []byte, n int, err error) answer {
	a := file(content)
	a.bend = func(res *http.Response) {
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(content[:n]), iotest.ErrReader(err)))
	}
	return a
}

// Where a download goes, and what is left there when it fails.
type where struct {
	name string
	to   func(t *testing.T) (w io.Writer, content func() (string, bool))
}

func destinations() []where {
	return []where{
		{"a writer", func(*testing.T) (io.Writer, func() (string, bool)) {
			b := new(bytes.Buffer)
			return b, func() (string, bool) { return b.String(), b.Len() > 0 }
		}},
		{"a file", func(t *testing.T) (io.Writer, func() (string, bool)) {
			path := filepath.Join(t.TempDir(), "bill.csv")
			return wxpay.ToFile(path), func() (string, bool) {
				content, err := os.ReadFile(path)
				if err != nil {
					require.ErrorIs(t, err, fs.ErrNotExist)
				}
				names, err := os.ReadDir(filepath.Dir(path))
				require.NoError(t, err)
				for _, name := range names {
					assert.Equal(t, "bill.csv", name.Name(), "a half file was left behind")
				}
				return string(content), len(names) > 0
			}
		}},
	}
}

// A link travels and is signed byte for byte as it was given, and what it brings is expanded and checked on the way.
func TestFetch(t *testing.T) {
	plain := bytes.Repeat([]byte("交易时间,商户号\r\n`2025-01-01,`1900000109\r\n"), 9000)
	small := zipped(t, plain)
	coded := file(small)
	coded.header = http.Header{"Content-Encoding": {"gzip"}}
	for name, tt := range map[string]struct {
		answer   answer
		options  []wxpay.DownloadOption
		want     []byte
		received int
		verified bool
	}{
		"plain":               {file(plain), nil, plain, len(plain), false},
		"checked":             {file(plain), []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(plain))}, plain, len(plain), true},
		"another spelling":    {file(plain), []wxpay.DownloadOption{wxpay.Digest("sha-256", strings.ToUpper(hexSHA256(plain)))}, plain, len(plain), true},
		"expanded, unchecked": {file(small), nil, plain, len(small), false},
		"expanded":            {file(small), []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(plain))}, plain, len(small), true},
		"not compressed":      {file(plain), []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(plain))}, plain, len(plain), true},
		"a coded answer":      {coded, []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(plain))}, plain, len(small), true},
		"empty":               {file(nil), []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(nil))}, nil, 0, true},
		"one byte":            {file([]byte("x")), nil, []byte("x"), 1, false},
		"another algorithm": {file(plain), []wxpay.DownloadOption{wxpay.Digest("MD5", hexMD5(plain)), wxpay.DigestAlgorithm("md5", md5.New)},
			plain, len(plain), true},
		"just small enough":  {file(plain), []wxpay.DownloadOption{wxpay.MaxSize(int64(len(plain)))}, plain, len(plain), false},
		"the header is read": {answer{body: string(plain), unsigned: true, header: http.Header{"Content-Type": {"text/plain"}}}, nil, plain, len(plain), false},
	} {
		for _, place := range destinations() {
			t.Run(name+" to "+place.name, func(t *testing.T) {
				w, content := place.to(t)
				a, requests := tt.answer, 0
				a.trip = func(req *http.Request) {
					requests++
					target := strings.TrimPrefix(billLink, "https://api.mch.weixin.qq.com")
					assert.Equal(t, target, req.URL.RequestURI())
					requireSigned(t, req, target, "")
					assert.Equal(t, "*/*", req.Header.Get("Accept"))
					assert.Empty(t, req.Header.Get("Accept-Encoding"))
				}
				got, err := newClient(t, wxpay.WithTransport(a)).Fetch(context.Background(), billLink, w, tt.options...)
				require.NoError(t, err)
				text, _ := content()
				assert.Equal(t, string(tt.want), text)
				assert.Equal(t, int64(len(tt.want)), got.Size)
				assert.Equal(t, int64(tt.received), got.Received)
				assert.Equal(t, tt.verified, got.Verified)
				assert.Equal(t, "08F78BB5AF0610D302189F8FCC5A20AA2D28D6E0E1048901-0", got.RequestID)
				assert.Equal(t, 1, requests)
			})
		}
	}
}

func hexMD5(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

// Whatever goes wrong with the content, nothing is left of a file, a plain writer's error says what is out, and no
// half-read bill looks like a whole one.
func TestFetchGoesWrong(t *testing.T) {
	plain := []byte(strings.Repeat("`2025-01-01,`1900000109\r\n", 9000))
	small := zipped(t, randomText(300_000))
	bomb := zipped(t, make([]byte, 65<<20))
	spoiled := bytes.Clone(small)
	spoiled[len(spoiled)-5] ^= 1
	full := errors.New("no space left on device")
	for name, tt := range map[string]struct {
		answer  answer
		options []wxpay.DownloadOption
		is      error
		says    string
		tries   int // into a file
	}{
		"cut short":   {broken(plain, 100_000, io.EOF), nil, wxpay.ErrTruncated, "cut off", 3},
		"reset":       {broken(plain, 100_000, full), nil, full, "no space", 3}, // any error of the network
		"cut at once": {broken(plain, 0, io.ErrUnexpectedEOF), nil, wxpay.ErrTruncated, "cut off", 3},
		"wrong digest": {file(plain), []wxpay.DownloadOption{wxpay.Digest("SHA1", hexSHA1(small))}, wxpay.ErrDigest,
			"its SHA1 is " + hexSHA1(plain) + " instead of " + hexSHA1(small), 3},
		"a gzip bomb":          {file(bomb), nil, wxpay.ErrTooLarge, "expand to more than 200 times", 1},
		"too large":            {file(plain), []wxpay.DownloadOption{wxpay.MaxSize(1000)}, wxpay.ErrTooLarge, "MaxSize", 1},
		"gzip cut in two":      {file(small[:len(small)/2]), nil, wxpay.ErrTruncated, "cut off", 3},
		"gzip without its end": {file(small[:len(small)-1]), nil, wxpay.ErrTruncated, "cut off", 3},
		"gzip with two bytes":  {file(small[:2]), nil, wxpay.ErrTruncated, "cut off", 3},
		"gzip that is spoiled": {file(spoiled), nil, gzip.ErrChecksum, "gzip", 3},
		"gzip and more":        {file(append(bytes.Clone(small), "more"...)), nil, nil, "", 3},
	} {
		for _, place := range destinations() {
			t.Run(name+" to "+place.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // for the pauses
					w, content := place.to(t)
					a, tries := tt.answer, 0
					a.trip = func(*http.Request) { tries++ }
					_, err := newClient(t, wxpay.WithTransport(a)).Fetch(context.Background(), billLink, w, tt.options...)
					require.Error(t, err)
					if tt.is != nil {
						require.ErrorIs(t, err, tt.is)
					}
					assert.ErrorIs(t, err, wxpay.StageDownload)
					assert.ErrorContains(t, err, tt.says)
					assert.ErrorContains(t, err, "wxpay: GET /v3/billdownload/file: ")
					assert.NotContains(t, err.Error(), "token")
					var failure *wxpay.DownloadError
					require.ErrorAs(t, err, &failure)
					text, there := content()
					assert.Equal(t, int64(len(text)), failure.Written)
					if place.name == "a file" {
						assert.False(t, there)
						assert.Equal(t, tt.tries, tries)
					} else if there {
						assert.Equal(t, 1, tries, "bytes are out, so it cannot begin again")
						assert.ErrorContains(t, err, fmt.Sprintf("%d bytes went to the writer before the failure was found and must not be used", len(text)))
					} else {
						assert.Equal(t, tt.tries, tries, "nothing is out, so it can begin again")
					}
				})
			})
		}
	}
}

// A download that breaks off begins again, from the start and signed afresh.
func TestFetchBeginsAgain(t *testing.T) {
	plain := randomText(200_000)
	for name, trouble := range map[string]answer{
		"cut short": broken(plain, 150_000, io.EOF), "reset": broken(plain, 150_000, errors.New("reset")),
		"spoiled": file(append([]byte("x"), plain[1:]...)), "502": badGateway, "no connection": refusedConnection,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, content := destinations()[1].to(t)
				nonces := map[string]bool{}
				good := file(plain)
				good.trip = func(req *http.Request) { requireSigned(t, req, req.URL.RequestURI(), "") }
				var counts []int64
				gateway := play(trouble, good)
				_, err := newClient(t, wxpay.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
					nonces[req.Header.Get("Authorization")] = true
					return gateway.RoundTrip(req)
				}))).Fetch(context.Background(), billLink, w, wxpay.Digest("SHA1", hexSHA1(plain)), wxpay.Progress(func(received, total int64) {
					assert.Equal(t, int64(len(plain)), total)
					counts = append(counts, received)
				}))
				require.NoError(t, err)
				text, _ := content()
				assert.Equal(t, string(plain), text)
				assert.Len(t, nonces, 2)
				assert.Equal(t, int64(len(plain)), counts[len(counts)-1])
			})
		})
	}
}

// A download may last, as long as it moves; the limit is on standing still.
func TestDownloadStandsStill(t *testing.T) {
	plain := randomText(100)
	slow := func(pause, last time.Duration) answer {
		a := file(plain)
		a.bend = func(res *http.Response) {
			r, w := io.Pipe()
			res.Body, res.ContentLength = r, -1
			ctx := res.Request.Context()
			go func() {
				for i := range plain {
					wait := pause
					if i == len(plain)-1 {
						wait = last
					}
					select {
					case <-time.After(wait):
					case <-ctx.Done():
						w.CloseWithError(ctx.Err())
						return
					}
					if _, err := w.Write(plain[i : i+1]); err != nil {
						return
					}
				}
				w.Close()
			}()
		}
		return a
	}
	for name, tt := range map[string]struct {
		answer  answer
		options []wxpay.Option
		fails   string
		takes   time.Duration
	}{
		"an hour and more":   {slow(29*time.Second, 29*time.Second), nil, "", 2900 * time.Second},
		"stands still":       {slow(time.Second, 31*time.Second), nil, "the transfer stalled for 30s (WithTimeout sets the limit)", 129 * time.Second},
		"a limit of its own": {slow(time.Second, 31*time.Second), []wxpay.Option{wxpay.WithTimeout(40 * time.Second)}, "", 130 * time.Second},
		"no header": {answer{fail: func(req *http.Request) error { <-req.Context().Done(); return context.Cause(req.Context()) }}, nil,
			"no response within", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				began := time.Now()
				_, err := newClient(t, append(tt.options, wxpay.WithTransport(tt.answer))...).Fetch(context.Background(), billLink, &out)
				assert.Equal(t, tt.takes, time.Since(began).Round(time.Second))
				if tt.fails == "" {
					require.NoError(t, err)
					assert.Equal(t, plain, out.Bytes())
					return
				}
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, tt.fails)
			})
		})
	}
	t.Run("a slow writer is no standing still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := writer(func(p []byte) (int, error) { time.Sleep(time.Hour); return len(p), nil })
			_, err := newClient(t, wxpay.WithTransport(file(plain))).Fetch(context.Background(), billLink, w)
			require.NoError(t, err)
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, content := destinations()[1].to(t)
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(10*time.Second, cancel)
			_, err := newClient(t, wxpay.WithTransport(slow(time.Second, 0))).Fetch(ctx, billLink, w)
			require.ErrorIs(t, err, context.Canceled)
			_, there := content()
			assert.False(t, there)
		})
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// A link is followed to this gateway only, and to nothing that is no link.
func TestFetchHosts(t *testing.T) {
	sent := ""
	gateway := file(nil)
	gateway.trip = func(req *http.Request) { sent = req.URL.Scheme + "://" + req.URL.Host + req.URL.RequestURI() }
	platform := newClient(t, wxpay.WithTransport(gateway))
	local := newClient(t, wxpay.WithTransport(gateway), wxpay.WithBaseURL("http://127.0.0.1:8080", "http://127.0.0.1:8081"))
	proxied := newClient(t, wxpay.WithTransport(gateway), wxpay.WithBaseURL("https://wxpay.shop.example"))
	ported := newClient(t, wxpay.WithTransport(gateway), wxpay.WithBaseURL("https://wxpay.shop.example:443"))
	_, err := proxied.Fetch(context.Background(), "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a|b", io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "https://wxpay.shop.example/v3/billdownload/file?token=a|b", sent)
	for _, tt := range []struct {
		client *wxpay.Client
		from   string
		to     string
	}{ // the port that a scheme has anyway makes no other host
		{platform, "https://API.mch.weixin.qq.com:443", "https://api.mch.weixin.qq.com"},
		{proxied, "https://wxpay.shop.example:443", "https://wxpay.shop.example"},
		{proxied, "https://api.mch.weixin.qq.com:443", "https://wxpay.shop.example"},
	} {
		_, err := tt.client.Fetch(context.Background(), tt.from+"/v3/billdownload/file?token=a", io.Discard)
		require.NoError(t, err, tt.from)
		assert.Equal(t, tt.to+"/v3/billdownload/file?token=a", sent)
	}
	for _, tt := range []struct {
		client  *wxpay.Client
		address string
		says    string // empty: it is sent
	}{
		{proxied, "https://wxpay.shop.example/v3/billdownload/file?token=a", ""},
		{proxied, "https://evil.example/v3/billdownload/file?token=a", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a", ""},
		{platform, "https://api2.mch.weixin.qq.com/v3/billdownload/file?token=a", ""},
		{platform, "https://api.wechatpay.cn/v3/billdownload/file?token=a", ""},
		{platform, "https://pay.wechatpay.cn/invoicing/fapiao/fapiao-file?token=a", ""},
		{platform, "https://api.mch.weixin.qq.com/v3/merchant-service/images/a|b*c%2f%E5%9B%BE?x=|&y=%20?", ""},
		{platform, "https://api.mch.weixin.qq.com/v3/billdownload/file?", ""},
		{local, "http://127.0.0.1:8080/v3/billdownload/file?token=a", ""},
		{local, "http://127.0.0.1:8081/v3/billdownload/file?token=a", ""},
		{ported, "https://wxpay.shop.example/v3/billdownload/file?token=a", ""},
		{platform, "http://api.mch.weixin.qq.com/v3/billdownload/file?token=a", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com.evil.example/v3/billdownload/file?token=a",
			`leads to "https://api.mch.weixin.qq.com.evil.example", which is not this client's gateway (https://api.mch.weixin.qq.com)`},
		{platform, "https://evil.example/v3/billdownload/file?token=a", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com:8443/v3/billdownload/file?token=a", "is not sent there"},
		{platform, "http://127.0.0.1:8080/v3/x", "is not sent there"},
		{local, "https://api.mch.weixin.qq.com/v3/x", "is not sent there"},
		{local, "http://127.0.0.1:8082/v3/x", "is not sent there"},
		{platform, "https://user:token@api.mch.weixin.qq.com/v3/x", "not of the form"},
		{platform, "https://@api.mch.weixin.qq.com/v3/x?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com@evil.example/v3/x?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/v3/x#token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/v3/x?token#", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com\\@evil.example/v3/x?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/\\evil.example/v3/x?token", "not of the form"},
		{platform, "https://%61pi.mch.weixin.qq.com/v3/x?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com?token", "not of the form"},
		{platform, "https:/api.mch.weixin.qq.com/v3/x?token", "not of the form"},
		{platform, "https:api.mch.weixin.qq.com/v3/x?token", "not of the form"},
		{platform, "https:///v3/x?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/v3/%zz?token", "not of the form"},
		{platform, "https://ａpi.mch.weixin.qq.com/v3/x?token", "not of the form"},
		{platform, "https://xn--pi-0ia.mch.weixin.qq.com/v3/x?token", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com./v3/x?token", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com:/v3/x?token", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com:0443/v3/x?token", "is not sent there"},
		{platform, "https://api.mch.weixin.qq.com//evil.example/a?token", "begins with two slashes"},
		{platform, "https://api.mch.weixin.qq.com///evil.example/a?token", "begins with two slashes"},
		{platform, "https://api.mch.weixin.qq.com/%2Fevil.example/a?token", "begins with two slashes"},
		{proxied, "https://wxpay.shop.example//evil.example/a?token", "begins with two slashes"},
		{platform, "https://api.mch.weixin.qq.com/v3/merchant-service/images/..?token", "a segment of dots"},
		{platform, "https://api.mch.weixin.qq.com/v3/./billdownload/file?token", "a segment of dots"},
		{platform, "https://api.mch.weixin.qq.com/v3/merchant-service/images/%2e%2E?token", "a segment of dots"},
		{platform, "https://api.mch.weixin.qq.com/v3/merchant-service/images/a%2F..%2Fb?token", "a segment of dots"},
		{platform, "https://api.mch.weixin.qq.com/v3/x y?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/图?token", "not of the form"},
		{platform, "https://api.mch.weixin.qq.com/v3/x\r\nA: token", "not of the form"},
		{platform, "/v3/billdownload/file?token=a", "not of the form"},
		{platform, "", "not of the form"},
	} {
		sent = ""
		_, err := tt.client.Fetch(context.Background(), tt.address, io.Discard)
		if tt.says == "" {
			require.NoError(t, err, tt.address)
			assert.Equal(t, tt.address, sent)
			continue
		}
		require.ErrorContains(t, err, tt.says, tt.address)
		assert.ErrorIs(t, err, wxpay.StageBuild)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		assert.NotContains(t, err.Error(), "token")
		assert.Empty(t, sent)
	}
}

// Mistakes of the caller are found before anything is sent.
func TestDownloadMistakes(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there")
	require.NoError(t, os.WriteFile(there, []byte("old"), 0o600))
	for name, tt := range map[string]struct {
		w       io.Writer
		options []wxpay.DownloadOption
		says    string
	}{
		"no writer":         {nil, nil, "the destination is nil"},
		"no path":           {wxpay.ToFile(""), nil, "ToFile needs a path"},
		"it is there":       {wxpay.ToFile(there), nil, "file already exists (Replace overwrites it)"},
		"a folder":          {wxpay.ToFile(filepath.Dir(there)).Replace(), nil, "is a folder"},
		"a device":          {wxpay.ToFile(os.DevNull).Replace(), nil, "is a device"},
		"no folder":         {wxpay.ToFile(filepath.Join(there, "x")), nil, "not a directory"},
		"no such folder":    {wxpay.ToFile(there + "s/x"), nil, "no such file"},
		"no such algorithm": {io.Discard, []wxpay.DownloadOption{wxpay.Digest("SM3", "00")}, "DigestAlgorithm"},
		"no digest":         {io.Discard, []wxpay.DownloadOption{wxpay.Digest("SHA1", "")}, "Digest needs"},
		"a short digest":    {io.Discard, []wxpay.DownloadOption{wxpay.Digest("SHA1", "00")}, `the "SHA1" digest is not 40 hex digits`},
		"no hex":            {io.Discard, []wxpay.DownloadOption{wxpay.Digest("SHA1", strings.Repeat("x", 40))}, "hex digits"},
		"no hash":           {io.Discard, []wxpay.DownloadOption{wxpay.DigestAlgorithm("SM3", nil)}, "needs a name and a hash"},
		"no size":           {io.Discard, []wxpay.DownloadOption{wxpay.MaxSize(0)}, "must be positive"},
		"no option":         {io.Discard, []wxpay.DownloadOption{nil}, "an option is nil"},
	} {
		client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
		_, err := client.Fetch(context.Background(), billLink, tt.w, tt.options...)
		require.ErrorContains(t, err, tt.says, name)
		assert.ErrorIs(t, err, wxpay.StageBuild)
		assert.NotContains(t, err.Error(), filepath.Dir(there))
	}
	old, err := os.ReadFile(there)
	require.NoError(t, err)
	assert.Equal(t, "old", string(old))
	var none context.Context
	_, err = newClient(t).Fetch(none, billLink, io.Discard)
	assert.ErrorContains(t, err, "the context is nil")
	_, err = newClient(t).Chain("v3//x").Download(context.Background(), io.Discard)
	assert.ErrorContains(t, err, "two slashes")
}

// What the platform says to links.
func TestFetchIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		answer answer
		says   string
	}{
		"expired": {answer{status: 400, body: `{"code":"INVALID_REQUEST","message":"链接已过期"}`},
			"链接已过期; a download link lives for half a minute: ask for a new one and download at once"},
		"foreign": {answer{status: 403, unsigned: true, body: `{"code":"NO_AUTH","message":"无权限"}`},
			"无权限; the link belongs to another merchant: download with the client that got it"},
		"other": {answer{status: 400, body: `{"code":"PARAM_ERROR","message":"错误"}`}, "错误 (request id"},
	} {
		w, content := destinations()[1].to(t)
		_, err := newClient(t, wxpay.WithTransport(tt.answer)).Fetch(context.Background(), billLink, w)
		require.ErrorContains(t, err, tt.says, name)
		assert.ErrorIs(t, err, wxpay.StageResponse)
		_, there := content()
		assert.False(t, there)
	}
	_, err := newClient(t, wxpay.WithTransport(answer{status: 204})).Fetch(context.Background(), billLink, io.Discard)
	assert.ErrorContains(t, err, "the response has status 204, which is not that of a file")
	odd := file([]byte("x"))
	odd.header = http.Header{"Content-Encoding": {"br"}}
	_, err = newClient(t, wxpay.WithTransport(odd)).Fetch(context.Background(), billLink, io.Discard)
	assert.ErrorContains(t, err, "compressed, which the request did not ask for (br)")
}

// randomText is text that does not compress much.
func randomText(n int) []byte {
	source := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = "0123456789abcdef`,\n"[source.IntN(19)]
	}
	return text
}
