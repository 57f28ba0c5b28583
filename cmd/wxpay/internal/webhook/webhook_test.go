package webhook_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/webhook"
)

// listening is a wxpay webhook listen that runs in this process.
type listening struct {
	t       *testing.T
	environ []string // what it has printed
	address string   // what is posted there is forwarded
	ended   chan int
	stop    context.CancelFunc
	stderr  *iotest.Buffer
}

func listen(t *testing.T, args ...string) *listening {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	l := &listening{t: t, ended: make(chan int, 1), stop: cancel, stderr: new(iotest.Buffer)}
	go func() {
		l.ended <- cli.Main(ctx, append([]string{"webhook", "listen"}, args...), strings.NewReader(""), out, l.stderr, nil)
		out.Close()
	}()
	var text strings.Builder
	for lines := bufio.NewScanner(in); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "export WXPAY_SANDBOX_URL=") {
			break
		}
	}
	for _, variable := range regexp.MustCompile(`(?s)export (\w+)='(.*?)'\n`).FindAllStringSubmatch(text.String(), -1) {
		l.environ = append(l.environ, variable[1]+"="+variable[2])
	}
	require.Len(t, l.environ, 8, l.stderr.String())
	posted := regexp.MustCompile(`posted to (\S+),`).FindStringSubmatch(l.stderr.String())
	require.Len(t, posted, 2, l.stderr.String())
	l.address = posted[1]
	t.Cleanup(func() {
		l.stop()
		assert.Zero(t, <-l.ended, "an interrupt is a good end")
	})
	return l
}

func (l *listening) variable(name string) string {
	for _, v := range l.environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// run runs another command with the variables that were printed.
func (l *listening) run(args ...string) (code int, stdout, stderr string) {
	l.t.Helper()
	return clitest.Run(l.t, l.environ, args...)
}

// handler is one that verifies with the keys that were printed.
func (l *listening) handler(fn webhook.Func) *webhook.Handler {
	l.t.Helper()
	public, err := apiv3.ParsePublicKey([]byte(l.variable("WXPAY_PUBLIC_KEY")))
	require.NoError(l.t, err)
	private, err := apiv3.ParsePrivateKey([]byte(l.variable("WXPAY_PRIVATE_KEY")))
	require.NoError(l.t, err)
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: l.variable("WXPAY_PUBLIC_KEY_ID"), Key: public})
	require.NoError(l.t, err)
	h, err := webhook.New(webhook.Merchant{
		ID: l.variable("WXPAY_MCHID"), Serial: l.variable("WXPAY_SERIAL"), APIv3Key: l.variable("WXPAY_APIV3_KEY"),
		Keys: webhook.Static(keys), PrivateKey: private,
	})
	require.NoError(l.t, err)
	h.OnDefault(fn)
	return h
}

func ignore(context.Context, *webhook.Event) error { return nil }

// receiver is a program that receives: a handler which may be set after its address is known.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	handler  http.Handler
	requests []*http.Request
	bodies   []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{handler: http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		request.Body = io.NopCloser(bytes.NewReader(body))
		r.mu.Lock()
		r.requests, r.bodies = append(r.requests, request), append(r.bodies, string(body))
		handler := r.handler
		r.mu.Unlock()
		handler.ServeHTTP(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// brandHandler is one that verifies with the keys of the sandbox's brand.
func (l *listening) brandHandler(fn webhook.Func) *webhook.Handler {
	l.t.Helper()
	res, err := http.Get(l.variable("WXPAY_BASE_URL") + "/_sandbox/brand")
	require.NoError(l.t, err)
	defer res.Body.Close()
	var brand struct {
		ID          string `json:"brand_id"`
		PrivateKey  string `json:"private_key"`
		Key         string `json:"apiv3_key"`
		PublicKeyID string `json:"public_key_id"`
		PublicKey   string `json:"public_key"`
	}
	require.NoError(l.t, json.NewDecoder(res.Body).Decode(&brand))
	public, err := apiv3.ParsePublicKey([]byte(brand.PublicKey))
	require.NoError(l.t, err)
	private, err := apiv3.ParsePrivateKey([]byte(brand.PrivateKey))
	require.NoError(l.t, err)
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: brand.PublicKeyID, Key: public})
	require.NoError(l.t, err)
	h, err := webhook.New(webhook.Merchant{ID: brand.ID, APIv3Key: brand.Key, Keys: webhook.Static(keys),
		Scheme: apiv3.Brand(), PrivateKey: private})
	require.NoError(l.t, err)
	h.OnDefault(fn)
	return h
}

func (r *receiver) setHandler(h http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handler = h
}

func (r *receiver) last() (*http.Request, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requests) == 0 {
		return nil, ""
	}
	return r.requests[len(r.requests)-1], r.bodies[len(r.bodies)-1]
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// idOf is the id in what webhook trigger has printed.
func idOf(t *testing.T, stdout string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^id +(\S+)$`).FindStringSubmatch(stdout)
	require.Len(t, found, 2, stdout)
	return found[1]
}

func TestWebhookEveryEventArrives(t *testing.T) {
	t.Parallel()
	program := newReceiver(t)
	l := listen(t, "--forward-to", program.URL+"/notify")
	var mu sync.Mutex
	arrived := make(map[string]bool)
	arrive := func(_ context.Context, e *webhook.Event) error {
		mu.Lock()
		defer mu.Unlock()
		arrived[e.Type] = json.Valid(e.Resource())
		return nil
	}
	merchants, brands := l.handler(arrive), l.brandHandler(arrive)
	program.setHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(apiv3.HeaderSignatureType) == apiv3.Brand().SignatureType() {
			brands.ServeHTTP(w, r)
			return
		}
		merchants.ServeHTTP(w, r)
	}))
	events, questions := 0, 0
	for e := range catalog.V3().Events() {
		events++
		code, stdout, stderr := l.run("webhook", "trigger", e.Type)
		if code != 0 && strings.Contains(stdout, "no function is registered for this event") {
			// It is verified and read; only the handler can respond.
			questions++
			continue
		}
		assert.Zero(t, code, "%s: %s%s", e.Type, stdout, stderr)
		mu.Lock()
		assert.True(t, arrived[e.Type], "%s has not arrived", e.Type)
		mu.Unlock()
	}
	assert.Equal(t, 109, events)
	assert.Equal(t, 109, len(arrived)+questions)
	assert.Less(t, questions, 10)
}

func TestWebhookListenForwardsToTheByte(t *testing.T) {
	t.Parallel()
	program := newReceiver(t)
	l := listen(t, "--forward-to", program.URL+"/a%2Fb/notify?shop=1&x=%20")

	t.Run("of the sandbox", func(t *testing.T) {
		code, stdout, stderr := l.run("webhook", "trigger", "REFUND.SUCCESS", "--set", "amount.refund=1")
		require.Zero(t, code, stdout+stderr)
		got, body := program.last()
		assert.Equal(t, "/a%2Fb/notify?shop=1&x=%20", got.RequestURI)
		assert.Equal(t, strings.TrimPrefix(program.URL, "http://"), got.Host)
		assert.Equal(t, "Mozilla/4.0", got.UserAgent())
		assert.NotContains(t, got.Header, "Accept-Encoding", "the forwarder adds nothing")
		event, err := l.handler(ignore).Parse(context.Background(), got.Header, []byte(body))
		require.NoError(t, err)
		assert.EqualValues(t, 1, event.Get("amount.refund").Int())
		assert.Equal(t, idOf(t, stdout), event.ID)
		assert.Regexp(t, `\d\d:\d\d:\d\d  204 +\d+ms  REFUND.SUCCESS  `+event.ID+"\n", l.stderr.String())
	})

	t.Run("of anybody", func(t *testing.T) {
		content := "{\"id\":\"EV-1\",\"event_type\":\"A.\\u001b[31mB\"}\r\n\x00\xff"
		request, err := http.NewRequest(http.MethodPost, l.address+"/elsewhere?y=2", strings.NewReader(content))
		require.NoError(t, err)
		request.Header = http.Header{
			"Wechatpay-Nonce": {"a", "b"}, "X-Empty": {""}, "Content-Type": {"text/odd"}, "User-Agent": nil,
			"Connection": {"X-Hop"}, "X-Hop": {"1"}, "Accept-Encoding": {"br"},
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusNoContent, response.StatusCode)
		got, body := program.last()
		assert.Equal(t, content, body)
		assert.Equal(t, "/a%2Fb/notify?shop=1&x=%20", got.RequestURI)
		assert.Equal(t, http.Header{
			"Wechatpay-Nonce": {"a", "b"}, "X-Empty": {""}, "Content-Type": {"text/odd"}, "Accept-Encoding": {"br"},
			"Content-Length": {strconv.Itoa(len(content))},
		}, got.Header)
		assert.Contains(t, l.stderr.String(), "(not a notification)")
	})

	t.Run("the response comes back", func(t *testing.T) {
		program.setHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Mine", "1")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusFound)
			io.WriteString(w, "moved\x1b[31m")
		}))
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.Post(l.address+"//any//../path", "", strings.NewReader("{}"))
		require.NoError(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusFound, response.StatusCode, "no redirect is followed")
		assert.Equal(t, "1", response.Header.Get("X-Mine"))
		assert.Equal(t, "moved\x1b[31m", string(content))
		code, stdout, _ := l.run("webhook", "trigger", "TRANSACTION.SUCCESS")
		assert.Equal(t, 1, code)
		assert.Regexp(t, `(?m)^response 302 Found, after \d+ms\nbody     moved\[31m\nagain    in \d+s$`, stdout)
	})

	t.Run("only POST", func(t *testing.T) {
		before := program.count()
		response, err := http.Get(l.address)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
		assert.Equal(t, before, program.count())
	})
}

func TestWebhookResend(t *testing.T) {
	t.Parallel()
	program := newReceiver(t)
	l := listen(t, "--forward-to", program.URL)
	runs := 0
	program.setHandler(l.handler(func(context.Context, *webhook.Event) error { runs++; return nil }))
	code, stdout, stderr := l.run("webhook", "trigger", "TRANSACTION.SUCCESS")
	require.Zero(t, code, stdout+stderr)
	first, body := program.last()
	id := idOf(t, stdout)
	for range 3 {
		code, stdout, stderr = l.run("webhook", "resend", id)
		require.Zero(t, code, stdout+stderr)
		assert.Equal(t, id, idOf(t, stdout))
	}
	again, same := program.last()
	assert.Equal(t, body, same)
	assert.NotEqual(t, first.Header.Get(apiv3.HeaderSignature), again.Header.Get(apiv3.HeaderSignature), "it is signed anew")
	assert.Equal(t, 4, program.count())
	assert.Equal(t, 1, runs, "the handler knows the id")

	for _, id := range []string{"nonesuch", "../notifications", "a/b", "."} {
		code, _, stderr = l.run("webhook", "resend", id)
		assert.Equal(t, 2, code, id)
		assert.NotEmpty(t, stderr, id)
	}
	assert.Equal(t, 4, program.count())
}

// A call to the sandbox sends its notification to the program, with any notify_url.
func TestWebhookListenIsTheSandbox(t *testing.T) {
	t.Parallel()
	program := newReceiver(t)
	l := listen(t, "--forward-to", program.URL+"/notify")
	arrived := make(chan *webhook.Event, 1)
	program.setHandler(l.handler(func(_ context.Context, e *webhook.Event) error { arrived <- e; return nil }))
	code, stdout, stderr := l.run("call", "POST", "v3/security/echo", "-f", "notify_url=https://shop.example.com/notify",
		"-f", "echo_message=hello", "-f", "encrypted_echo_message=a secret")
	require.Zero(t, code, stdout+stderr)
	select {
	case e := <-arrived:
		assert.Equal(t, "SECURITY_ECHO.SUCCESS", e.Type)
		assert.Equal(t, "hello", e.Get("echo_message").String())
	case <-time.After(time.Minute):
		t.Fatal("nothing has arrived")
	}
}

// The control serves nobody without its secret path.
func TestWebhookControlIsSecret(t *testing.T) {
	t.Parallel()
	program := newReceiver(t)
	l := listen(t, "--forward-to", program.URL)
	secret := l.variable("WXPAY_SANDBOX_URL")
	require.Greater(t, len(secret), len(l.address)+20)
	assert.NotContains(t, l.stderr.String(), secret)
	order := `{"event":"TRANSACTION.SUCCESS","dry_run":true}`
	response, err := http.Post(l.address+"/trigger", "application/json", strings.NewReader(order))
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusNoContent, response.StatusCode, "it is forwarded like anything else")
	_, body := program.last()
	assert.Equal(t, order, body)
	for _, variable := range l.environ {
		if strings.HasPrefix(variable, "WXPAY_PRIVATE_KEY=") || strings.HasPrefix(variable, "WXPAY_APIV3_KEY=") {
			_, value, _ := strings.Cut(variable, "=")
			assert.NotContains(t, l.stderr.String(), value)
		}
	}
}

// TestWebhookRelaysForProgramsAlone: the port that forwards takes nothing from a page in a browser, nor
// under the name of another machine, as the control API of the sandbox does.
func TestWebhookRelaysForProgramsAlone(t *testing.T) {
	var got atomic.Int32
	program := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	defer program.Close()
	l := listen(t, "--forward-to", program.URL)
	post := func(edit func(*http.Request)) int {
		request, err := http.NewRequest(http.MethodPost, l.address, strings.NewReader("{}"))
		require.NoError(t, err)
		edit(request)
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		require.NoError(t, err)
		response.Body.Close()
		return response.StatusCode
	}
	for name, edit := range map[string]func(*http.Request){
		"a page's origin":  func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"a page's referer": func(r *http.Request) { r.Header.Set("Referer", "https://evil.example/") },
		"cookies":          func(r *http.Request) { r.Header.Set("Cookie", "session=1") },
		"a page's fetch":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a foreign name":   func(r *http.Request) { r.Host = "evil.example" },
		"a local name":     func(r *http.Request) { r.Host = "localhost.evil.example:80" },
	} {
		assert.Equal(t, http.StatusForbidden, post(edit), name)
	}
	assert.Zero(t, got.Load())
	assert.Equal(t, http.StatusOK, post(func(*http.Request) {}))
	assert.Equal(t, http.StatusOK, post(func(r *http.Request) { r.Host = "localhost:1" }))
	assert.EqualValues(t, 2, got.Load())
}
