package fleettest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
)

// NodeConfig is what a node is started with.
type NodeConfig struct {
	Name, Dir string
	Routes    []string
	Advertise string // where others are told that it listens
}

func (c NodeConfig) options() *server.Options {
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

func startNode(c NodeConfig) (*server.Server, addresses, error) {
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
	var c NodeConfig
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

// Node is one of a cluster, in this process or one of its own.
type Node struct {
	Config NodeConfig
	Client *Proxy
	Routes []*Proxy // to and from the other nodes
	in     []*Proxy // those that lead to this node

	Server  *server.Server
	process *exec.Cmd
	stdin   io.Closer
}

// Cluster is three nodes that reach each other, and are reached, through proxies only.
type Cluster struct {
	t         testing.TB
	separate  bool // each node is a process
	Nodes     [3]*Node
	stopped   sync.Once
	Addresses string
}

// NewCluster starts a cluster that ends with the test. separate makes each node a process of its own, which needs [Main].
func NewCluster(t testing.TB, separate bool) *Cluster {
	t.Helper()
	c := &Cluster{t: t, separate: separate}
	dir := t.TempDir()
	// Nodes tell each other of the third. The address leads nowhere, else other nodes would reach a
	// node that is cut off.
	nowhere := NewProxy(t)
	nowhere.SetCut(true)
	for i := range c.Nodes {
		c.Nodes[i] = &Node{Client: NewProxy(t),
			Config: NodeConfig{Name: fmt.Sprintf("node-%d", i), Dir: filepath.Join(dir, fmt.Sprint(i)), Advertise: nowhere.Address()}}
	}
	var clients []string
	for i, from := range c.Nodes {
		clients = append(clients, "nats://"+from.Client.Address())
		for j, to := range c.Nodes {
			if i == j {
				continue
			}
			p := NewProxy(t)
			from.Config.Routes = append(from.Config.Routes, p.Address())
			from.Routes, to.Routes, to.in = append(from.Routes, p), append(to.Routes, p), append(to.in, p)
		}
	}
	c.Addresses = strings.Join(clients, ",")
	t.Cleanup(c.stop)
	// All at once: a node is ready when it has found another.
	var wg sync.WaitGroup
	for i := range c.Nodes {
		wg.Go(func() { assert.NoError(t, c.Start(i)) })
	}
	wg.Wait()
	require.False(t, t.Failed())
	return c
}

// Start starts a node, for the first time or after Kill.
func (c *Cluster) Start(i int) error {
	n := c.Nodes[i]
	var at addresses
	if c.separate {
		config, err := json.Marshal(n.Config)
		if err != nil {
			return err
		}
		n.process = Reexec("node", string(config))
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
		if n.Server, at, err = startNode(n.Config); err != nil {
			return err
		}
	}
	n.Client.Lead(at.Client)
	for _, p := range n.in {
		p.Lead(at.Cluster)
	}
	return nil
}

// Kill ends a node without notice, as far as its process allows.
func (c *Cluster) Kill(i int) {
	n := c.Nodes[i]
	// Its ports are free from now on, and a node of another cluster may come to listen there.
	n.Client.Lead("")
	for _, p := range n.in {
		p.Lead("")
	}
	if n.process != nil {
		_ = n.process.Process.Kill()
		_ = n.process.Wait()
		_ = n.stdin.Close()
		n.process = nil
	}
	if n.Server != nil {
		n.Server.Shutdown()
		n.Server.WaitForShutdown()
		n.Server = nil
	}
}

// Isolate cuts a node off from the others and from clients, or lets it come back.
func (c *Cluster) Isolate(i int, cut bool) {
	c.Nodes[i].Client.SetCut(cut)
	for _, p := range c.Nodes[i].Routes {
		p.SetCut(cut)
	}
}

func (c *Cluster) stop() {
	c.stopped.Do(func() {
		for i := range c.Nodes {
			c.Kill(i)
		}
	})
}

// Connect opens an engine on the cluster, once it has a leader.
func (c *Cluster) Connect(t testing.TB) *fleet.Engine {
	t.Helper()
	var e *fleet.Engine
	Eventually(t, func(ctx context.Context) (err error) {
		e, err = fleet.Connect(ctx, c.Addresses)
		return err
	})
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Healthy waits until the cluster is whole.
func (c *Cluster) Healthy(t testing.TB, e *fleet.Engine) {
	t.Helper()
	Eventually(t, func(ctx context.Context) error { return c.Whole(ctx, e) })
}

// Whole reports whether all copies of all streams are there and current.
func (c *Cluster) Whole(ctx context.Context, e *fleet.Engine) error {
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

// Until repeats what fails while a cluster finds itself.
func Until(do func(ctx context.Context) error) (err error) {
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

// Eventually fails the test if Until does.
func Eventually(t testing.TB, do func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, Until(do))
}
