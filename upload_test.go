//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// received is an upload as a gateway reads it.
type received struct {
	meta                     map[string]any
	part, name, kind, target string
	file                     []byte
	raw                      string
}

// receiving returns a gateway that checks the signature over meta, the digest and the form, and keeps the upload.
func receiving(t *testing.T, got *received) answer {
	return answer{body: `{"media_id":"6uqyGjGrCf2GtyXP8bxrbuH9-aAoTjH-rKeSl3Lf4_So6kdkQu4w8BYVP3bzLtvR38lxt4PjtCDXsQpzqge_hQEovHzOhsLleGFQVRF-U_0"}`, trip: func(req *http.Request) {
		body, err := req.GetBody()
		require.NoError(t, err)
		raw, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		assert.Equal(t, req.ContentLength, int64(len(raw)))
		kind, parameters, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
		require.NoError(t, err)
		assert.Equal(t, "multipart/form-data", kind)
		parts := multipart.NewReader(bytes.NewReader(raw), parameters["boundary"])
		first, err := parts.NextRawPart()
		require.NoError(t, err)
		assert.Equal(t, "meta", first.FormName())
		meta, err := io.ReadAll(first)
		require.NoError(t, err)
		requireSigned(t, req, req.URL.RequestURI(), string(meta))
		got.meta = nil
		require.NoError(t, json.Unmarshal(meta, &got.meta))
		second, err := parts.NextRawPart()
		require.NoError(t, err)
		got.part, got.name, got.kind = second.FormName(), second.FileName(), second.Header.Get("Content-Type")
		got.file, err = io.ReadAll(second)
		require.NoError(t, err)
		_, err = parts.NextRawPart()
		require.ErrorIs(t, err, io.EOF)
		got.target, got.raw = req.URL.RequestURI(), strings.ReplaceAll(string(raw), parameters["boundary"], "BOUNDARY")
	}}
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// The three sources of a file make the same upload.
func TestUploadSources(t *testing.T) {
	noTemporaryFiles(t)
	data := []byte("\x89PNG\r\n\x1a\n--boundary\r\n")
	path := filepath.Join(t.TempDir(), "红色.png")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	for name, file := range map[string]wxpay.File{
		"a path":        wxpay.FileAt(path),
		"a reader at":   wxpay.FileFrom("红色.png", bytes.NewReader(data), int64(len(data))),
		"one read from": wxpay.FileFrom("红色.png", half(data), int64(len(data))),
		"a pipe":        wxpay.FileReader("红色.png", iotest.OneByteReader(bytes.NewReader(data))),
		"said by hand":  wxpay.FileAt(path).Part("file").Fields("filename", "sha256"),
		"meta by hand":  wxpay.FileAt(path).Meta("filename", "红色.png"),
		"other options": wxpay.FileAt(path).Hash(sha256.New),
	} {
		t.Run(name, func(t *testing.T) {
			var got received
			res, err := newClient(t, wxpay.WithTransport(receiving(t, &got))).Chain("v3/merchant/media/upload").Upload(context.Background(), file)
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(res.Get("media_id").String(), "6uqy"))
			assert.Equal(t, map[string]any{"filename": "红色.png", "sha256": hexSHA256(data)}, got.meta)
			assert.Equal(t, "file", got.part)
			assert.Equal(t, "红色.png", got.name)
			assert.Equal(t, "image/png", got.kind)
			assert.Equal(t, data, got.file)
		})
	}
	t.Run("in the background", func(t *testing.T) {
		var got received
		client := newClient(t, wxpay.WithTransport(receiving(t, &got)))
		_, err := client.Chain("v3/merchant/media/upload").UploadAsync(context.Background(), wxpay.FileReader("红色.png", bytes.NewReader(data))).
			Then(func(*wxpay.Response) error { return nil }).Wait(context.Background())
		require.NoError(t, err)
		assert.Equal(t, data, got.file)
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = client.Chain("v3/merchant/media/upload").UploadAsync(cancelled, wxpay.FileReader("a.png", bytes.NewReader(data))).Wait(context.Background())
		require.ErrorIs(t, err, context.Canceled)
		_, err = client.Chain("v3/merchant/media/upload").UploadAsync(context.Background(), wxpay.FileReader("a.exe", bytes.NewReader(data))).
			Wait(context.Background())
		require.ErrorIs(t, err, wxpay.StageBuild)
	})
}

// The upload vector comes out byte for byte, but for the boundary, and with the same signature.
func TestUploadVector(t *testing.T) {
	set := vectors.Load(t)
	for _, v := range set.Vectors {
		if v.ID != "req-13-upload-image" {
			continue
		}
		image := vectors.File(t, v.File)
		var raw, authorization string
		client := vectorClient(t, answer{fail: func(req *http.Request) error {
			body, err := req.GetBody()
			require.NoError(t, err)
			text, err := io.ReadAll(body)
			require.NoError(t, err)
			raw, authorization = string(text), req.Header.Get("Authorization")
			return errors.New("not sent")
		}}, set.Parameters.Now(), v.Nonce)
		_, err := client.Chain(v.Target).Timeout(time.Second).Upload(context.Background(), wxpay.FileFrom("red-1x1.png", bytes.NewReader(image), int64(len(image))))
		require.Error(t, err)
		assert.Equal(t, strings.ReplaceAll(string(vectors.File(t, v.SentBodyFile)), "TestOnlyBoundary7MA4YWxkTrZu0gW", "wxpay-"+v.Nonce), raw)
		assert.Contains(t, authorization, v.Signature)
		return
	}
	t.Fatal("the vector is missing")
}

// Every documented upload: part, names and digest come from the catalogue, further members from the caller, and a member
// that is marked goes out encrypted.
func TestEveryUpload(t *testing.T) {
	data := []byte("%PDF-1.7")
	uploads := 0
	for operation := range catalog.V3().All() {
		if len(operation.In.Form) == 0 {
			continue
		}
		uploads++
		t.Run(operation.Path, func(t *testing.T) {
			var got received
			gateway := receiving(t, &got)
			if operation.Scheme == fact.BrandScheme {
				gateway.bend = func(res *http.Response) { res.Header.Set(apiv3.HeaderSignatureType, apiv3.Brand().Name()) }
			}
			client := newClientFor(t, operation.Scheme, wxpay.WithTransport(gateway),
				wxpay.WithPreflight(wxpay.PreflightStrict))
			name := "a.png"
			if strings.Contains(operation.Path, "video") {
				name = "a.mp4"
			} else if strings.Contains(operation.Path, "fapiao") {
				name = "a.pdf"
			}
			file, want, part, marked := wxpay.FileFrom(name, bytes.NewReader(data), int64(len(data))), map[string]any{}, "", ""
			other := false // the digest is not SHA-256
			for _, field := range operation.In.Form {
				if field.Type == fact.File {
					part = field.Name
				}
				for _, member := range field.Fields {
					switch {
					case member.Name == "filename" || member.Name == "file_name":
						want[member.Name] = name
					case member.Name == "sha256" || member.Name == "digest" || member.Name == "file_digest":
						want[member.Name] = hexSHA256(data)
					case member.Cipher == fact.RSA:
						marked = member.Name
						file = file.Meta(member.Name, "13800138000")
					case strings.HasPrefix(member.Name, "digest_al"):
						// SM3 is a module of its own; any other algorithm shows that the digest is the caller's.
						file = file.Hash(func() hash.Hash { return md5.New() }).Meta(member.Name, member.Enum[0])
						want[member.Name], other = member.Enum[0], true
					case member.Required || member.Type == fact.Object:
						value, ok := map[fact.Type]any{fact.String: "x", fact.Integer: 7.0, fact.Number: 7.0}[member.Type]
						if !ok {
							marked = "merchant_contact_information/consultation_phone_number"
							file = file.Meta(member.Name, wxpay.JSON{"consultation_phone_number": "13800138000"})
							continue
						}
						if len(member.Enum) > 0 {
							value = member.Enum[0]
						}
						file = file.Meta(member.Name, value)
						want[member.Name] = value
					}
				}
			}
			if other {
				sum := md5.Sum(data)
				want["digest"] = hex.EncodeToString(sum[:])
			}
			chain := client.Chain(operation.Path)
			for _, field := range operation.In.Path {
				chain = chain.Var(field.Name, "1900000110")
			}
			_, err := chain.Upload(context.Background(), file)
			require.NoError(t, err)
			assert.Equal(t, part, got.part)
			assert.Equal(t, data, got.file)
			if marked != "" {
				assert.NotContains(t, got.raw, "13800138000", "a marked member travelled in clear")
				delete(got.meta, strings.Split(marked, "/")[0])
			}
			assert.Equal(t, want, got.meta)
		})
	}
	assert.Equal(t, 16, uploads)
}

func TestUploadMistakes(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.png")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	data := bytes.Repeat([]byte{1}, 100)
	good := func(name string) wxpay.File { return wxpay.FileFrom(name, bytes.NewReader(data), 100) }
	big := make([]byte, 2<<20+1)
	const media, coupon = "v3/merchant/media/upload", "v3/marketing/favor/media/image-upload"
	tests := []struct {
		name, path string
		file       wxpay.File
		says       string
	}{
		{"no file", media, wxpay.File{}, "make one with FileAt, FileFrom or FileReader"},
		{"no such file", media, wxpay.FileAt(filepath.Join(dir, "oSECRET.png")), "cannot be opened: no such file"},
		{"a folder", media, wxpay.FileAt(dir).Fields("", "sha256"), "suffix"},
		{"zero bytes", media, wxpay.FileAt(empty), "has no bytes"},
		{"no reader", media, wxpay.FileFrom("a.png", nil, 1), "needs a reader"},
		{"no pipe", media, wxpay.FileReader("a.png", nil), "needs a reader"},
		{"shorter than said", media, wxpay.FileFrom("a.png", bytes.NewReader(data), 101), "100 bytes instead of 101"},
		{"a reader that fails half-way", media,
			wxpay.FileReader("a.png", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errors.New("cable pulled")))), "cannot be read: cable pulled"},
		{"a name with a quote", media, good(`a".png`), "quote, a slash or a line break"},
		{"a name with a line break", media, good("a\r\nB: c.png"), "quote, a slash or a line break"},
		{"a name with a slash", media, good("a/b.png"), "quote, a slash or a line break"},
		{"a name that is no text", media, good("a\xff.png"), "the file's name is not UTF-8"},
		{"no name", media, good(""), "has no name"},
		{"a suffix that is not taken", media, good("a.exe"), `the file's suffix is "exe", the operation takes jpg, jpeg, bmp, png, pdf`},
		{"no suffix", media, good("a"), "suffix"},
		{"too large", coupon, wxpay.FileFrom("a.png", bytes.NewReader(big), int64(len(big))), "the operation takes at most 2097152"},
		{"an endless pipe", "v3/x", wxpay.FileReader("a.png", endless{}), "more than 67108864 bytes"},
		{"a part with a quote", media, good("a.png").Part(`x"y`), "the name of the file's part"},
		{"SM3 wanted", "v3/taxi-invoice/cards/upload-file", good("a.png"), "requires an SM3 digest"},
		{"a mistake in the chain", "v3//x", good("a.png"), "two slashes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
			_, err := client.Chain(tt.path).Upload(context.Background(), tt.file)
			require.ErrorContains(t, err, tt.says)
			assert.ErrorIs(t, err, wxpay.StageBuild)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			assert.NotContains(t, err.Error(), "SECRET")
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A file is a value, and an upload that only costs a new id is repeated, with the whole file again.
func TestUploadIsRepeated(t *testing.T) {
	data := []byte("image")
	stem := wxpay.FileFrom("a.png", bytes.NewReader(data), int64(len(data)))
	_ = stem.Meta("a", 1).Meta("b", 2)
	var got received
	gateway, tries := receiving(t, &got), 0
	flaky := roundTrip(func(req *http.Request) (*http.Response, error) {
		if tries++; tries == 1 {
			_, _ = io.CopyN(io.Discard, req.Body, 10)
			_ = req.Body.Close()
			return nil, errors.New("connection reset")
		}
		return gateway.RoundTrip(req)
	})
	client := newClient(t, wxpay.WithTransport(flaky))
	_, err := client.Chain("v3/merchant/media/upload").Upload(context.Background(), stem)
	require.NoError(t, err)
	assert.Equal(t, 2, tries)
	assert.Equal(t, data, got.file)
	assert.Equal(t, map[string]any{"filename": "a.png", "sha256": hexSHA256(data)}, got.meta)

	// One that may do more is not.
	tries = 0
	_, err = client.Chain("v3/marketing/shopping-receipt/shoppingreceipts").Upload(context.Background(), stem)
	require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
	assert.Equal(t, 1, tries)
}

// A reader that fails half-way, when the digest is computed or when it is sent, is what the error says.
func TestUploadReaderFails(t *testing.T) {
	failing := func(good int) io.ReaderAt {
		return readerAt(func(p []byte, at int64) (int, error) {
			if good--; good < 0 {
				return 0, &os.PathError{Op: "read", Path: "/home/oSECRET.png", Err: errors.New("cable pulled")}
			}
			for i := range p {
				p[i] = 'x'
			}
			return len(p), nil
		})
	}
	const size = 100 << 10 // in four reads, of 32 KiB each at most
	taken := roundTrip(func(req *http.Request) (*http.Response, error) {
		defer req.Body.Close()
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		return answer{body: `{"media_id":"x"}`}.RoundTrip(&http.Request{})
	})
	for name, tt := range map[string]struct {
		good  int
		stage wxpay.Stage
	}{"while its digest is computed": {2, wxpay.StageBuild}, "while it is sent": {6, wxpay.StageSend}} {
		client := newClient(t, wxpay.WithTransport(taken), wxpay.WithAttempts(1))
		_, err := client.Chain("v3/merchant/media/upload").Upload(context.Background(), wxpay.FileFrom("a.png", failing(tt.good), size))
		require.ErrorContains(t, err, "cable pulled", name)
		assert.ErrorIs(t, err, tt.stage, name)
		assert.NotContains(t, err.Error(), "SECRET", name)
	}
}

// A pipe or a file that is stuck does not keep the call when its context ends, and leaves nothing.
func TestUploadOfStuckFile(t *testing.T) {
	noTemporaryFiles(t)
	reason := errors.New("the shop closes")
	const size = 100 << 10
	for name, file := range map[string]func(r io.Reader) wxpay.File{
		"a pipe": func(r io.Reader) wxpay.File { return wxpay.FileReader("a.png", r) },
		"a file": func(r io.Reader) wxpay.File {
			return wxpay.FileFrom("a.png", readerAt(func(p []byte, _ int64) (int, error) { return r.Read(p) }), size)
		},
	} {
		for _, upload := range []func(wxpay.Chain, context.Context, wxpay.File) error{
			func(c wxpay.Chain, ctx context.Context, f wxpay.File) error { _, err := c.Upload(ctx, f); return err },
			func(c wxpay.Chain, ctx context.Context, f wxpay.File) error {
				_, err := c.UploadAsync(ctx, f).Wait(context.Background())
				return err
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				defer w.Close() // so that the pending read ends with the test
				go func() { _, _ = w.Write(make([]byte, 1000)) }()
				ctx, cancel := context.WithCancelCause(context.Background())
				time.AfterFunc(time.Minute, func() { cancel(reason) })
				client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
				began := time.Now()
				err := upload(client.Chain("v3/merchant/media/upload"), ctx, file(r))
				assert.Equal(t, time.Minute, time.Since(began), name)
				require.ErrorIs(t, err, reason, name)
				assert.ErrorIs(t, err, wxpay.StageSend, name)
				assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			})
		}
	}
}

// A file that is stuck while it is sent holds the call no longer than what is allowed to stand still.
func TestUploadStuckOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 100 << 10
		r, w := io.Pipe()
		passes := 0
		file := wxpay.FileFrom("a.png", readerAt(func(p []byte, at int64) (int, error) {
			if at == 0 {
				passes++
			}
			if passes == 1 {
				return len(p), nil
			}
			return r.Read(p)
		}), size)
		var sent atomic.Bool
		taken := roundTrip(func(req *http.Request) (*http.Response, error) {
			sent.Store(true)
			_, err := io.Copy(io.Discard, req.Body)
			return nil, errors.Join(err, req.Body.Close())
		})
		began := time.Now()
		_, err := newClient(t, wxpay.WithTransport(taken), wxpay.WithAttempts(1), wxpay.WithTimeout(20*time.Second)).
			Chain("v3/merchant/media/upload").Upload(context.Background(), file)
		assert.True(t, sent.Load())
		assert.Equal(t, 20*time.Second, time.Since(began))
		require.ErrorContains(t, err, "20s")
		_ = w.Close() // what was left behind ends
	})
}

// A file that changes between its digest and its sending is not sent as if it were whole.
func TestUploadShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	require.NoError(t, os.WriteFile(path, make([]byte, 100), 0o600))
	taken := roundTrip(func(req *http.Request) (*http.Response, error) {
		require.NoError(t, os.Truncate(path, 50))
		_, err := io.Copy(io.Discard, req.Body)
		return nil, errors.Join(err, req.Body.Close())
	})
	_, err := newClient(t, wxpay.WithTransport(taken), wxpay.WithAttempts(1)).Chain("v3/merchant/media/upload").Upload(context.Background(), wxpay.FileAt(path))
	require.ErrorContains(t, err, "the file became shorter while it was sent")
}

type readerAt func(p []byte, at int64) (int, error)

func (r readerAt) ReadAt(p []byte, at int64) (int, error) { return r(p, at) }

// An upload may last, as long as it moves, and is given up when it stands still.
func TestUploadStandsStill(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 400)
	for name, tt := range map[string]struct {
		pause, last time.Duration // between the bytes that the gateway takes, and before its response
		fails       bool
	}{
		"slow": {29 * time.Second, 29 * time.Second, false}, "no answer": {time.Second, 31 * time.Second, true}, "stuck": {31 * time.Second, 0, true},
	} {
		for _, observed := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				gateway := roundTrip(func(req *http.Request) (*http.Response, error) {
					tries++
					wait := func(d time.Duration) error {
						select {
						case <-time.After(d):
							return nil
						case <-req.Context().Done():
							return context.Cause(req.Context())
						}
					}
					for buffer := make([]byte, 100); ; {
						_, err := req.Body.Read(buffer)
						if err == io.EOF {
							break
						}
						require.NoError(t, err)
						if err := wait(tt.pause); err != nil {
							return nil, err
						}
					}
					if err := wait(tt.last); err != nil {
						return nil, err
					}
					return answer{body: `{"media_id":"x"}`}.RoundTrip(&http.Request{})
				})
				options := []wxpay.Option{wxpay.WithTransport(gateway)}
				if observed {
					options = append(options, wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next }))
				}
				_, err := newClient(t, options...).Chain("v3/merchant/media/upload").Upload(context.Background(), wxpay.FileFrom("a.png", bytes.NewReader(data), 400))
				if !tt.fails {
					require.NoError(t, err, name)
					assert.Equal(t, 1, tries)
					return
				}
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
				assert.ErrorContains(t, err, "stalled for 30s")
				assert.Equal(t, 3, tries)
			})
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// half is a reader that has been read from.
func half(data []byte) *bytes.Reader {
	r := bytes.NewReader(data)
	_, _ = r.Seek(int64(len(data)/2), io.SeekStart)
	return r
}
