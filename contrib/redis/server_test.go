//go:build unix

package wxredis_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
)

// patient is a deadline that only a failure reaches.
const patient = time.Minute

// withServers runs a test with each kind of server that is installed. Without one the test is
// skipped, or fails under WXPAY_TEST_SERVERS=1.
func withServers(t *testing.T, test func(t *testing.T, program string)) {
	t.Helper()
	t.Parallel()
	found := false
	for _, name := range []string{"redis-server", "valkey-server"} {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		found = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
	if found {
		return
	}
	const missing = "neither redis-server nor valkey-server is installed: apt-get install redis-server"
	if os.Getenv("WXPAY_TEST_SERVERS") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// server is a process of a server, which can be killed and started again.
type server struct {
	t       testing.TB
	program string
	dir     string
	port    int    // 0: only the socket
	first   string // a file of configuration, if any
	args    []string
	cmd     *exec.Cmd
	output  bytes.Buffer
}

// start starts a server that listens on a socket only, without persistence unless args say so.
func start(t testing.TB, program string, args ...string) *server {
	t.Helper()
	s := newServer(t, program, 0, args...)
	s.run()
	return s
}

func newServer(t testing.TB, program string, port int, args ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "wx") // short, for the socket's path
	require.NoError(t, err)
	s := &server{t: t, program: program, dir: dir, port: port, args: args}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("%s %v said:\n%s", program, args, s.output.String())
		}
		_ = os.RemoveAll(dir)
	})
	return s
}

func (s *server) socket() string { return filepath.Join(s.dir, "s") }

func (s *server) addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// run starts the process, and waits until it answers.
func (s *server) run() {
	s.t.Helper()
	var first []string
	if s.first != "" {
		first = []string{s.first}
	}
	s.cmd = exec.Command(s.program, append(append(first,
		"--port", strconv.Itoa(s.port), "--unixsocket", s.socket(), "--dir", s.dir, "--save", "", "--bind", "127.0.0.1", "--daemonize", "no",
	), s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	require.NoError(s.t, s.cmd.Start())
	c := s.dial()
	require.Eventually(s.t, func() bool {
		err := c.Ping(context.Background()).Err()
		return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
	}, patient, 10*time.Millisecond, "%s has not started", s.program)
}

// kill ends the process as a power failure would.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// halt stops the process without ending it: connections stay, and nobody answers.
func (s *server) halt() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

func (s *server) resume() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }

// dial returns a new client, as another process would have one.
func (s *server) dial(edit ...func(*redis.Options)) *redis.Client {
	o := &redis.Options{Network: "unix", Addr: s.socket(), MaxRetries: -1, DialerRetries: 1}
	for _, e := range edit {
		e(o)
	}
	c := redis.NewClient(o)
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// store returns a Store with a client of its own.
func (s *server) store(options ...wxredis.Option) *wxredis.Store {
	s.t.Helper()
	return newStore(s.t, s.dial(), options...)
}

func newStore(t testing.TB, c redis.UniversalClient, options ...wxredis.Option) *wxredis.Store {
	t.Helper()
	store, err := wxredis.New(c, options...)
	require.NoError(t, err)
	return store
}

// bound sets the memory of a server; with one byte it is full.
func (s *server) bound(memory string) {
	s.t.Helper()
	require.NoError(s.t, s.dial().ConfigSet(s.t.Context(), "maxmemory", memory).Err())
}

// ports returns ports that nobody listens on. They lie below those that the system gives to others meanwhile, and no other test
// chooses them before this one ends: it holds the UDP ports of the same numbers, which these servers do not use.
func ports(t *testing.T, n int) (list []int) {
	t.Helper()
	for len(list) < n {
		port := 20_000 + rand.N(12_000)
		address := "127.0.0.1:" + strconv.Itoa(port)
		claim, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = claim.Close() })
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		require.NoError(t, listener.Close())
		list = append(list, port)
	}
	return list
}

// Tests that run at the same time have ports of their own.
func TestPortsAreNotShared(t *testing.T) {
	t.Parallel()
	chosen := make(map[int]bool)
	for range 400 { // of which two are all but certainly the same where nothing keeps them apart
		port := ports(t, 1)[0]
		assert.False(t, chosen[port], "%d is chosen twice", port)
		chosen[port] = true
	}
}

// eventually waits until check finds nothing to complain about.
func eventually(t *testing.T, check func(c *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, check, patient, 20*time.Millisecond)
}
