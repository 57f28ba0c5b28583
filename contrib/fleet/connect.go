package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrAddress means that the address of a server is no URL.
var ErrAddress = errors.New("fleet: the address of a server cannot be read")

// quiet keeps nats.go from printing to stderr what it could not deliver to a callback.
func quiet(o *nats.Options) error {
	o.AsyncErrorCB = func(*nats.Conn, *nats.Subscription, error) {}
	return nil
}

// ConnectOption changes what [Connect] does.
type ConnectOption func(*connection) error

type connection struct {
	replicas int
	nats     []nats.Option
}

// WithCredentials names the file with the user's JWT and key, as nsc and the operator of a NATS
// cluster hand it out.
func WithCredentials(file string) ConnectOption {
	return func(o *connection) error {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("fleet: the credentials: %w", err)
		}
		o.nats = append(o.nats, nats.UserCredentials(file))
		return nil
	}
}

// WithReplicas sets how many copies of streams and buckets the cluster keeps: 1, 3 or 5. The
// default is 3 in a cluster and 1 otherwise. It is taken when a stream or bucket is made; those
// that exist keep what they have.
func WithReplicas(n int) ConnectOption {
	return func(o *connection) error {
		if n != 1 && n != 3 && n != 5 {
			return fmt.Errorf("fleet: WithReplicas(%d): there can be 1, 3 or 5", n)
		}
		o.replicas = n
		return nil
	}
}

// WithConnection adds settings of the connection, such as nats.RootCAs for a certificate authority
// of your own.
func WithConnection(opts ...nats.Option) ConnectOption {
	return func(o *connection) error {
		o.nats = append(o.nats, opts...)
		return nil
	}
}

// Connect opens an engine on a NATS server or cluster with JetStream. servers is one address or
// several, divided by commas, such as "tls://nats-1:4222,tls://nats-2:4222". Each is tried once
// until one answers; [ErrUnreachable] lists what was tried. A connection that breaks later is made
// again, for as long as it takes.
func Connect(ctx context.Context, servers string, opts ...ConnectOption) (*Engine, error) {
	var o connection
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(servers) == "" {
		return nil, errors.New("fleet: Connect needs the address of a server, such as nats://127.0.0.1:4222")
	}
	for i, address := range strings.Split(servers, ",") {
		if address = strings.TrimSpace(address); address == "" {
			continue
		}
		if !strings.Contains(address, "://") {
			address = "nats://" + address
		}
		// The reason would say what stands there, and that may be a password.
		if hidden := unseen(address); hidden != "" {
			return nil, fmt.Errorf("%w: number %d is not right%s", ErrAddress, i+1, hidden)
		}
		if at, err := url.Parse(address); err != nil || at.Hostname() == "" {
			return nil, fmt.Errorf("%w: number %d is not of the form nats://HOST:PORT (characters that mean something in a URL have to be escaped in a password)", ErrAddress, i+1)
		}
	}
	dialer := &firstDial{ctx: ctx}
	// Nothing is kept to be said once the connection is back. Whom it concerns may have given up
	// waiting for it, and a job may be in other hands, from which a word of before would take it.
	e := &Engine{replicas: o.replicas}
	conn, err := nats.Connect(servers, append([]nats.Option{
		nats.Name("wxpay fleet"), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, time.Second), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.SetCustomDialer(dialer), nats.ErrorHandler(e.denials.note),
	}, o.nats...)...)
	tried := dialer.end()
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) {
		return nil, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if err != nil {
		if tried != "" {
			return nil, fmt.Errorf("%w (tried %s): %w", ErrUnreachable, tried, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if e.js, err = jetstream.New(conn); err == nil {
		err = e.ride(ctx, askMost, func(ctx context.Context) error {
			_, err := e.js.AccountInfo(ctx)
			return err
		})
	}
	if err != nil {
		address, err := conn.ConnectedAddr(), e.Explain(err)
		conn.Close()
		if errors.Is(err, ErrDenied) {
			return nil, err
		}
		return nil, fmt.Errorf("fleet: the server %s gives no access to JetStream: %w", address, err)
	}
	if e.replicas == 0 {
		e.replicas = 1
		if conn.ConnectedClusterName() != "" {
			e.replicas = 3
		}
	}
	return e, nil
}

// firstDial dials within a context until the first connection stands, and notes what it tried.
type firstDial struct {
	mu    sync.Mutex
	ctx   context.Context // nil after the first connection
	tried []string
}

func (d *firstDial) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	first := ctx != nil
	if !first {
		ctx = context.Background()
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
	if first {
		outcome := address + ": connected"
		if err != nil {
			outcome = address + ": " + err.Error()
		}
		d.mu.Lock()
		d.tried = append(d.tried, outcome)
		d.mu.Unlock()
	}
	return conn, err
}

func (d *firstDial) end() (tried string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx = nil
	return strings.Join(d.tried, "; ")
}
