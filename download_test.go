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
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
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

// A file that is there is replaced only on demand, only by what is right, and never when it came meanwhile.
func TestToFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bill.csv")
	client := newClient(t, wxpay.WithTransport(file([]byte("new"))))
	fetch := func(to wxpay.Target, options ...wxpay.DownloadOption) error {
		_, err := client.Fetch(context.Background(), billLink, to, options...)
		names, dirErr := os.ReadDir(filepath.Dir(path))
		require.NoError(t, dirErr)
		require.LessOrEqual(t, len(names), 1)
		return err
	}
	read := func() string {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(content)
	}
	require.NoError(t, fetch(wxpay.ToFile(path)))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "only its owner reads a bill")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	require.ErrorIs(t, fetch(wxpay.ToFile(path)), fs.ErrExist)
	require.ErrorIs(t, fetch(wxpay.ToFile(path).Replace(), wxpay.Digest("SHA1", hexSHA1(nil))), wxpay.ErrDigest)
	assert.Equal(t, "old", read())
	require.NoError(t, fetch(wxpay.ToFile(path).Replace()))
	assert.Equal(t, "new", read())

	require.NoError(t, os.Remove(path))
	err = fetch(wxpay.ToFile(path), wxpay.Progress(func(int64, int64) {
		require.NoError(t, os.WriteFile(path, []byte("meanwhile"), 0o600))
	}))
	require.ErrorIs(t, err, fs.ErrExist)
	assert.ErrorIs(t, err, wxpay.StageDownload)
	assert.Equal(t, "meanwhile", read())

	_, err = wxpay.ToFile(path).Write([]byte("x"))
	assert.ErrorContains(t, err, "by downloads only")
}

// Replace is for files: what a link leads to decides, and nothing but a link itself is replaced.
func TestToFileThroughLink(t *testing.T) {
	dir := t.TempDir()
	file1, folder := filepath.Join(dir, "file"), filepath.Join(dir, "folder")
	require.NoError(t, os.WriteFile(file1, []byte("old"), 0o600))
	require.NoError(t, os.Mkdir(folder, 0o700))
	path := filepath.Join(dir, "link")
	for target, says := range map[string]string{
		file1: "", filepath.Join(dir, "missing"): "", folder: "the destination is a folder", os.DevNull: "a device or the like",
	} {
		require.NoError(t, os.Symlink(target, path))
		sent := false
		gateway := file([]byte("new"))
		gateway.trip = func(*http.Request) { sent = true }
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := client.Fetch(context.Background(), billLink, wxpay.ToFile(path))
		require.Error(t, err, target)
		require.False(t, sent)
		_, err = client.Fetch(context.Background(), billLink, wxpay.ToFile(path).Replace())
		info, statErr := os.Lstat(path)
		require.NoError(t, statErr)
		if says == "" {
			require.NoError(t, err, target)
			assert.True(t, info.Mode().IsRegular())
		} else {
			require.ErrorContains(t, err, says, target)
			assert.False(t, sent)
			assert.False(t, info.Mode().IsRegular(), "the link was replaced")
		}
		require.NoError(t, os.Remove(path))
	}
	old, err := os.ReadFile(file1)
	require.NoError(t, err)
	assert.Equal(t, "old", string(old))
}

// A name may be as long as the file system takes.
func TestToFileLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	_, err := newClient(t, wxpay.WithTransport(file([]byte("new")))).Fetch(context.Background(), billLink, wxpay.ToFile(path))
	require.NoError(t, err)
	assert.FileExists(t, path)
}

// No error tells a path, which may name a person.
func TestNoPathInErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "oSECRET")
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Setenv("TMPDIR", dir)
	path := filepath.Join(dir, "bill.csv")
	client := newClient(t, wxpay.WithTransport(file([]byte("new"))))
	_, err := client.Fetch(context.Background(), billLink, wxpay.ToFile(path).Replace(), wxpay.Progress(func(int64, int64) {
		_ = os.Mkdir(path, 0o700) // in its way
	}))
	require.ErrorContains(t, err, "the destination cannot be written")
	assert.NotContains(t, err.Error(), "SECRET")

	bill := billOf(t, tradeBill)
	require.NoError(t, bill.Close())
	_, err = bill.WriteTo(io.Discard)
	require.ErrorIs(t, err, os.ErrClosed)
	assert.ErrorContains(t, err, "the temporary file cannot be read")
	assert.NotContains(t, err.Error(), "SECRET")
	_, err = bill.Summary()
	require.ErrorIs(t, err, os.ErrClosed)
	assert.NotContains(t, err.Error(), "SECRET")
}

// A disk that is full, or a writer that fails, ends a download at once.
func TestDownloadCannotBeWritten(t *testing.T) {
	tries := 0
	gateway := file(randomText(100_000))
	gateway.trip = func(*http.Request) { tries++ }
	client := newClient(t, wxpay.WithTransport(gateway))
	full := &os.PathError{Op: "write", Path: "/home/oSECRET/bill.csv", Err: syscall.ENOSPC}
	_, err := client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return 0, full }))
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "the destination cannot be written: no space left on device")
	assert.NotContains(t, err.Error(), "SECRET")
	assert.Equal(t, 1, tries)
	_, err = client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return 10, full }))
	var failure *wxpay.DownloadError
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, int64(10), failure.Written)
	assert.Equal(t, 2, tries)

	_, err = client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return len(p) - 1, nil }))
	require.ErrorIs(t, err, io.ErrShortWrite)
	assert.ErrorIs(t, err, wxpay.StageDownload)

	if device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer device.Close()
		_, err = client.Fetch(context.Background(), billLink, device)
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
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

// What a link of no known family leads to has to be signed, unless a digest vouches for it; and a signature has to be right.
func TestFetchOfUnknownFamily(t *testing.T) {
	const link = "https://api.mch.weixin.qq.com/v3/new-thing/proof?token=oSECRET"
	var out bytes.Buffer
	fetch := func(a answer, options ...wxpay.DownloadOption) (*wxpay.DownloadResult, error) {
		out.Reset()
		return newClient(t, wxpay.WithTransport(a), wxpay.WithAttempts(1)).Fetch(context.Background(), link, &out, options...)
	}
	digest := wxpay.Digest("SHA1", hexSHA1([]byte("x")))
	for name, tt := range map[string]struct {
		answer  answer
		options []wxpay.DownloadOption
		is      error // nil: it is taken, and verified
		says    string
	}{
		"unsigned":              {file([]byte("x")), nil, apiv3.ErrUnsigned, "pass the Digest that came with the link"},
		"a digest":              {file([]byte("x")), []wxpay.DownloadOption{digest}, nil, ""},
		"another digest":        {file([]byte("y")), []wxpay.DownloadOption{digest}, wxpay.ErrDigest, "its SHA1 is"},
		"signed":                {answer{body: "x"}, nil, nil, ""},
		"signed and a digest":   {answer{body: "x"}, []wxpay.DownloadOption{digest}, nil, ""},
		"signed wrongly":        {answer{body: "x", key: testKeys().other}, nil, apiv3.ErrSignature, "cannot be trusted"},
		"a digest of what lies": {answer{body: "x", key: testKeys().other}, []wxpay.DownloadOption{digest}, apiv3.ErrSignature, "cannot be trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fetch(tt.answer, tt.options...)
			if tt.is == nil {
				require.NoError(t, err)
				assert.True(t, got.Verified)
				assert.Equal(t, "x", out.String())
				return
			}
			require.ErrorIs(t, err, tt.is)
			assert.ErrorContains(t, err, "wxpay: GET (link): ")
			assert.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "new-thing")
			assert.NotContains(t, err.Error(), "SECRET")
			if tt.is != wxpay.ErrDigest {
				assert.Empty(t, out.String())
			}
		})
	}
}

// Fapiao files are unsigned in both directions, with a catalogue and without.
func TestFapiaoIsBare(t *testing.T) {
	for _, link := range []string{
		"https://api.mch.weixin.qq.com/v3/new-tax-control-fapiao/download?token=a",
		"https://pay.wechatpay.cn/invoicing/fapiao/fapiao-file?token=a",
	} {
		for _, options := range [][]wxpay.Option{nil, {wxpay.WithCatalog(nil)}} {
			gateway := file([]byte("%PDF"))
			gateway.trip = func(req *http.Request) { assert.Empty(t, req.Header.Get("Authorization")) }
			var out bytes.Buffer
			_, err := newClient(t, append(options, wxpay.WithTransport(gateway))...).Fetch(context.Background(), link, &out)
			require.NoError(t, err)
			assert.Equal(t, "%PDF", out.String())
		}
	}
}

// The id of a complaint's image comes percent-encoded, and is not encoded once more.
func TestComplaintImage(t *testing.T) {
	image := []byte("\x89PNG\r\n")
	const id = "ChsyMDAyMDAwMDA%2FQyMDA%3D"
	gateway := file(image)
	gateway.trip = func(req *http.Request) {
		requireSigned(t, req, "/v3/merchant-service/images/"+id, "")
		assert.Equal(t, "/v3/merchant-service/images/"+id, req.URL.RequestURI())
	}
	client := newClient(t, wxpay.WithTransport(gateway))
	var out bytes.Buffer
	got, err := client.Chain("v3/merchant-service/images/{media_id}").RawVar("media_id", id).Download(context.Background(), &out)
	require.NoError(t, err)
	assert.Equal(t, image, out.Bytes())
	assert.False(t, got.Verified)
	_, err = client.Fetch(context.Background(), "https://api.mch.weixin.qq.com/v3/merchant-service/images/"+id, io.Discard)
	require.NoError(t, err)
}

// Any other answer is verified before its first byte is handed out.
func TestDownloadOfSignedAnswer(t *testing.T) {
	var out bytes.Buffer
	chain := newClient(t, wxpay.WithTransport(answer{body: `{"a":1}`})).Chain("v3/x")
	got, err := chain.Download(context.Background(), &out)
	require.NoError(t, err)
	assert.True(t, got.Verified)
	assert.Equal(t, `{"a":1}`, out.String())
	out.Reset()
	_, err = newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(answer{body: `{"a":1}`, unsigned: true})).Chain("v3/x").Download(context.Background(), &out)
	require.ErrorIs(t, err, apiv3.ErrUnsigned)
	assert.Zero(t, out.Len())
}

// statement is an overseas statement, signed through its digest.
func statement(content []byte) answer {
	digest := hexSHA1(content)
	a := answer{unsigned: true, body: string(content), header: http.Header{"Wechatpay-Statement-Sha1": {digest}, "Content-Type": {"text/plain"}}}
	a.bend = func(res *http.Response) { answer{}.sign(res.Header, `{"sha1":"`+digest+`"}`) }
	return a
}

// A statement's signature covers a digest in the header: it is verified before the first byte, and the content by the last.
func TestStatement(t *testing.T) {
	content := randomText(300_000)
	changed := statement(content)
	changed.body = "x" + changed.body[1:]
	forged := statement(content)
	forged.bend = func(res *http.Response) {
		answer{key: testKeys().other}.sign(res.Header, `{"sha1":"`+hexSHA1(content)+`"}`)
	}
	bare := file(content)
	compressed := statement(content)
	compressed.header.Set("Content-Encoding", "gzip")
	for name, tt := range map[string]struct {
		answer answer
		is     error
		out    int
	}{
		"good":                 {statement(content), nil, len(content)},
		"changed":              {changed, wxpay.ErrDigest, len(content)},
		"signed by another":    {forged, apiv3.ErrSignature, 0},
		"without digest":       {bare, apiv3.ErrUnsigned, 0},
		"compressed, unasked":  {compressed, nil, -1},
		"ordinarily signed":    {answer{body: string(content)}, nil, len(content)},
		"larger than a limit?": {statement(randomText(2 << 20)), nil, 2 << 20},
	} {
		for _, path := range []string{"v3/global/statements", "hk/v3/statements"} {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				got, err := newClient(t, wxpay.WithTransport(tt.answer), wxpay.WithMaxResponse(1<<20)).Chain(path).Query("date", "20250101").
					Download(context.Background(), &out)
				switch {
				case tt.out < 0:
					require.ErrorContains(t, err, "compressed, which the request did not ask for", name)
				case tt.is == nil:
					require.NoError(t, err, name)
					assert.True(t, got.Verified)
					assert.Equal(t, tt.out, out.Len())
				default:
					require.ErrorIs(t, err, tt.is, name)
					assert.Equal(t, tt.out, out.Len(), name)
				}
			})
		}
	}
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
