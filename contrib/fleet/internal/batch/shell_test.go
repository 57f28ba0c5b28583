package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
)

const feedsPath = "v3/brand/partner/card-member/user-feeds"

// TestMain lets the test's program stand in for wxpay-batch, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("BATCH_TEST_PROGRAM") != "" {
		code := batch.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
		if os.Getenv("BATCH_TEST_PEAK") != "" {
			fmt.Fprintf(os.Stderr, "\npeak %d KiB\n", peak())
		}
		os.Exit(code)
	}
	fleettest.Main(m, fleettest.Roles{"engine": func(dir string) error {
		e, err := fleet.Embedded(dir)
		if err != nil {
			return err
		}
		defer func() { fmt.Fprintf(os.Stderr, "\npeak %d KiB\n", peak()) }()
		return e.Close()
	}})
}

// shell is a folder to work in and a gateway to call.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T, env ...string) *shell {
	t.Helper()
	return &shell{t: t, dir: t.TempDir(), env: env}
}

func (s *shell) path(name string) string { return filepath.Join(s.dir, name) }

// file writes a file and returns its path.
func (s *shell) file(name, text string) string {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.path(name), []byte(text), 0o600))
	return s.path(name)
}

// run runs the program.
func (s *shell) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	return s.feed(strings.NewReader(""), args...)
}

func (s *shell) feed(stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var out, notes bytes.Buffer
	code = batch.Main(ctx, args, stdin, &out, &notes, s.env)
	return code, out.String(), notes.String()
}

func feedLine(i int) string {
	return fmt.Sprintf(`{"brand_id":"1004","card_id":"pbLat","user_card_code":"4785","openid":"obLat","out_request_no":"F%05d","cell_message":"15_1200_1"}`, i)
}

func feedLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(feedLine(i) + "\n")
	}
	return b.String()
}

// results reads a file of results.
func results(t *testing.T, text string) (list []fleet.Result) {
	t.Helper()
	for line := range strings.Lines(text) {
		var r fleet.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		list = append(list, r)
	}
	return list
}

func listen(t *testing.T) *sandbox.Server {
	t.Helper()
	s := sandbox.Start(t, sandbox.WithLenientCards())
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	return s
}

// gate keeps requests from a platform once so many have come to it.
type gate struct {
	platform http.Handler
	url      string

	mu   sync.Mutex
	left int
	full chan struct{} // closed when a request waits
	open chan struct{} // closed when none waits any more
	drop bool          // what waited then has no effect
	once sync.Once
}

// keep puts a gate in front of a platform.
func keep(t *testing.T, platform http.Handler, after int) *gate {
	t.Helper()
	g := &gate{platform: platform, left: after, full: make(chan struct{}), open: make(chan struct{})}
	server := httptest.NewServer(g)
	g.url = server.URL
	t.Cleanup(func() {
		g.release(true)
		server.Close()
	})
	return g
}

// env is what leads a client to the gate.
func (g *gate) env() string { return "WXPAY_BASE_URL=" + g.url }

// release lets all requests through, or drops those that wait.
func (g *gate) release(drop bool) {
	g.once.Do(func() {
		g.drop = drop
		close(g.open)
	})
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.left--
	passes := g.left >= 0
	if g.left == -1 {
		close(g.full)
	}
	g.mu.Unlock()
	if !passes {
		if <-g.open; g.drop {
			return
		}
	}
	g.platform.ServeHTTP(w, r)
}
