package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/sandbox"
)

// proxy is an address that leads to another one, which may change, and can be cut.
type proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	cut    bool
	conns  map[net.Conn]bool
	done   sync.WaitGroup
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, conns: map[net.Conn]bool{}}
	p.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.forward(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.setCut(true)
		p.done.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// setCut breaks all connections and refuses new ones, or lets them through again.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

// hold notes a connection, unless all are cut.
func (p *proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) forward(near net.Conn) {
	defer near.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	if !p.hold(near) {
		return
	}
	defer p.drop(near)
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.hold(far) {
		return
	}
	defer p.drop(far)
	go func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// nodeConfig is what a node is started with.
type nodeConfig struct {
	Name, Dir string
	Routes    []string
	Advertise string // where others are told that it listens
}

func (c nodeConfig) options() *server.Options {
	o := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: c.Dir, NoSigs: true, NoLog: true,
		Cluster: server.ClusterOpts{Name: "proof", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoAdvertise: true, Advertise: c.Advertise},
	}
	for _, r := range c.Routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: r})
	}
	return o
}

// addresses are where a node listens, which is another place each time it starts.
type addresses struct{ Client, Cluster string }

func startNode(c nodeConfig) (*server.Server, addresses, error) {
	s, err := server.NewServer(c.options())
	if err != nil {
		return nil, addresses{}, err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return nil, addresses{}, fmt.Errorf("the node %s is not ready", c.Name)
	}
	return s, addresses{s.Addr().String(), s.ClusterAddr().String()}, nil
}

// runNode is a process that is a node: it tells its addresses and runs until it is killed.
func runNode(config string) error {
	var c nodeConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	_, at, err := startNode(c)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test has gone
	return nil
}

// runPlatform is a process that is a platform until its standard input ends. It tells its address and its credentials.
func runPlatform(string) error {
	s, err := sandbox.New(sandbox.WithLenientCards())
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Rules.Relax(sandbox.Rates); err != nil {
		return err
	}
	server := httptest.NewServer(s)
	defer server.Close()
	if err := json.NewEncoder(os.Stdout).Encode(append([]string{server.URL}, s.Env()...)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// node is one of a cluster, in this process or one of its own.
type node struct {
	config nodeConfig
	client *proxy
	routes []*proxy // to and from the other nodes
	in     []*proxy // those that lead to this node

	server  *server.Server
	process *exec.Cmd
	stdin   io.Closer
}

// natsCluster is three nodes that reach each other, and are reached, through proxies only.
type natsCluster struct {
	t         testing.TB
	separate  bool // each node is a process
	nodes     [3]*node
	stopped   sync.Once
	addresses string
}

func newCluster(t testing.TB, separate bool) *natsCluster {
	t.Helper()
	c := &natsCluster{t: t, separate: separate}
	dir := t.TempDir()
	// Nodes tell each other of the third. What they tell leads nowhere, else a node that is cut off would be reached by the way of another.
	nowhere := newProxy(t)
	nowhere.setCut(true)
	for i := range c.nodes {
		c.nodes[i] = &node{client: newProxy(t),
			config: nodeConfig{Name: fmt.Sprintf("node-%d", i), Dir: filepath.Join(dir, fmt.Sprint(i)), Advertise: nowhere.address()}}
	}
	var clients []string
	for i, from := range c.nodes {
		clients = append(clients, "nats://"+from.client.address())
		for j, to := range c.nodes {
			if i == j {
				continue
			}
			p := newProxy(t)
			from.config.Routes = append(from.config.Routes, p.address())
			from.routes, to.routes, to.in = append(from.routes, p), append(to.routes, p), append(to.in, p)
		}
	}
	c.addresses = strings.Join(clients, ",")
	t.Cleanup(c.stop)
	// All at once: a node is ready when it has found another.
	var wg sync.WaitGroup
	for i := range c.nodes {
		wg.Go(func() { assert.NoError(t, c.start(i)) })
	}
	wg.Wait()
	require.False(t, t.Failed())
	return c
}

func (c *natsCluster) start(i int) error {
	n := c.nodes[i]
	var at addresses
	if c.separate {
		config, err := json.Marshal(n.config)
		if err != nil {
			return err
		}
		n.process = reexec("node", string(config))
		stdin, err := n.process.StdinPipe()
		if err != nil {
			return err
		}
		n.stdin = stdin
		stdout, err := n.process.StdoutPipe()
		if err != nil {
			return err
		}
		if err := n.process.Start(); err != nil {
			return err
		}
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("the node %d does not start: %w", i, err)
		}
		if err := json.Unmarshal(line, &at); err != nil {
			return fmt.Errorf("the node %d says %q", i, line)
		}
	} else {
		var err error
		if n.server, at, err = startNode(n.config); err != nil {
			return err
		}
	}
	n.client.lead(at.Client)
	for _, p := range n.in {
		p.lead(at.Cluster)
	}
	return nil
}

// kill ends a node without notice, as far as its process allows.
func (c *natsCluster) kill(i int) {
	n := c.nodes[i]
	if n.process != nil {
		_ = n.process.Process.Kill()
		_ = n.process.Wait()
		_ = n.stdin.Close()
		n.process = nil
	}
	if n.server != nil {
		n.server.Shutdown()
		n.server.WaitForShutdown()
		n.server = nil
	}
}

// isolate cuts a node off from the others and from clients, or lets it come back.
func (c *natsCluster) isolate(i int, cut bool) {
	c.nodes[i].client.setCut(cut)
	for _, p := range c.nodes[i].routes {
		p.setCut(cut)
	}
}

func (c *natsCluster) stop() {
	c.stopped.Do(func() {
		for i := range c.nodes {
			c.kill(i)
		}
	})
}

// connect opens an engine on the cluster, once it has a leader.
func (c *natsCluster) connect(t testing.TB) *fleet.Engine {
	t.Helper()
	var e *fleet.Engine
	eventually(t, func(ctx context.Context) (err error) {
		e, err = fleet.Connect(ctx, c.addresses)
		return err
	})
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// healthy waits until the cluster is whole.
func (c *natsCluster) healthy(t testing.TB, e *fleet.Engine) {
	t.Helper()
	eventually(t, func(ctx context.Context) error { return c.whole(ctx, e) })
}

// whole reports whether all copies of all streams are there and current.
func (c *natsCluster) whole(ctx context.Context, e *fleet.Engine) error {
	list := e.JetStream().ListStreams(ctx)
	for info := range list.Info() {
		if info.Cluster == nil || info.Cluster.Leader == "" {
			return fmt.Errorf("the stream %s has no leader", info.Config.Name)
		}
		if len(info.Cluster.Replicas) != info.Config.Replicas-1 {
			return fmt.Errorf("the stream %s lacks copies", info.Config.Name)
		}
		for _, r := range info.Cluster.Replicas {
			if !r.Current || r.Offline {
				return fmt.Errorf("the stream %s is not current on %s", info.Config.Name, r.Name)
			}
		}
	}
	return list.Err()
}

// until repeats what fails while a cluster finds itself.
func until(do func(ctx context.Context) error) (err error) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err = do(ctx)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}

func eventually(t testing.TB, do func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, until(do))
}

// reexec is this test program again, in a role of its own.
func reexec(role, config string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=^TestMain$")
	c.Env = append(os.Environ(), "FLEET_TEST_ROLE="+role, "FLEET_TEST_CONFIG="+config)
	c.Stderr = os.Stderr
	return c
}

// roles are what this test program can be instead of a test.
var roles = map[string]func(config string) error{"node": runNode, "worker": runWorker, "platform": runPlatform}

func TestMain(m *testing.M) {
	role := os.Getenv("FLEET_TEST_ROLE")
	if role == "" {
		flag.Parse()
		// Nearly all of these tests wait: for leases, elections and pauses. -parallel sets another number.
		if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
			if err := parallel.Value.Set("8"); err != nil {
				panic(err)
			}
		}
		os.Exit(m.Run())
	}
	if err := roles[role](os.Getenv("FLEET_TEST_CONFIG")); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		os.Exit(1)
	}
}

// A cluster keeps streams and limits going while one of its nodes is away, and takes it back.
func TestCluster(t *testing.T) {
	t.Parallel()
	for name, separate := range map[string]bool{"one process": false, "three processes": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, separate)
			e := c.connect(t)
			assert.Equal(t, 3, e.Replicas())
			eventually(t, func(ctx context.Context) error {
				_, err := e.JetStream().CreateStream(ctx, streamConfig(e, "s"))
				return err
			})
			published := 0
			publish := func() {
				eventually(t, func(ctx context.Context) error {
					_, err := e.JetStream().Publish(ctx, "s.x", fmt.Append(nil, published))
					return err
				})
				published++
			}
			publish()
			c.healthy(t, e)
			c.kill(0)
			publish()
			require.NoError(t, c.start(0))
			c.healthy(t, e)
			c.isolate(1, true)
			if !separate {
				// Attempts to find the others by what these told are made each second.
				connected := func() bool { return c.nodes[1].server.NumRoutes() > 0 }
				require.Eventually(t, func() bool { return !connected() }, 30*time.Second, time.Millisecond)
				assert.Never(t, connected, 3*time.Second, 10*time.Millisecond, "it is cut off for as long as it is meant to be")
			}
			publish()
			c.isolate(1, false)
			c.healthy(t, e)
			eventually(t, func(ctx context.Context) error { // a leader of before may still answer
				s, err := e.JetStream().Stream(ctx, "s")
				if err == nil && s.CachedInfo().State.Msgs < uint64(published) {
					err = fmt.Errorf("of %d messages there are %d", published, s.CachedInfo().State.Msgs)
				}
				return err
			})
		})
	}
}
