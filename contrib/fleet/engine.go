package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors of an engine.
var (
	// ErrInUse means that another process has the directory of an embedded engine open.
	ErrInUse = errors.New("fleet: the directory is in use")
	// ErrUnreachable means that no server could be reached. Nothing was stored or changed.
	ErrUnreachable = errors.New("fleet: no server could be reached")
	// ErrNoSpace means that JetStream has no room left: the disk is full, or a limit on storage is reached. What was
	// acknowledged before is kept; the message in hand was not stored.
	ErrNoSpace = errors.New("fleet: JetStream has no room left on disk or under its limit: make room, then run again")
)

// lockName is the file in the directory of an embedded engine that its process holds.
const lockName = "lock"

// startTime bounds the start of the embedded server, which reads its files: a few seconds for tens of millions of messages.
const startTime = 2 * time.Minute

// Engine is an open connection to JetStream: an embedded server's, made by [Embedded], or that of a server or cluster
// elsewhere, made by [Connect]. It is safe for concurrent use.
type Engine struct {
	js       jetstream.JetStream
	replicas int
	server   *server.Server // nil unless embedded
	log      *serverLog
	lock     *dirLock
	close    sync.Once
	queues   sync.Map // names of the queues that were opened
}

// JetStream is the engine underneath, for streams and consumers of your own.
func (e *Engine) JetStream() jetstream.JetStream { return e.js }

// Replicas is how many copies of a stream or bucket to ask for.
func (e *Engine) Replicas() int { return e.replicas }

// Close ends the connection, and the server if it is embedded. Messages that are not acknowledged yet come again when the
// engine is opened the next time. Close it after all that uses it; closing it again does nothing.
func (e *Engine) Close() error {
	var err error
	e.close.Do(func() {
		e.js.Conn().Close()
		err = e.shutdown()
	})
	return err
}

// shutdown ends the embedded server, if there is one, and frees its directory.
func (e *Engine) shutdown() error {
	if e.server == nil {
		return nil
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return e.lock.release()
}

// EmbeddedOption changes what [Embedded] does.
type EmbeddedOption func(*embedded) error

type embedded struct {
	sync     time.Duration
	maxStore int64
}

// defaultSync is how often written data is forced onto the disk, unless WithSync says otherwise.
const defaultSync = time.Second

// WithSync sets how often what was written is forced onto the disk; a second is the default, and 0 forces every message
// before it is acknowledged. Shorter than 10 ms, but for 0, is an error.
//
// A process that is killed loses nothing, whatever the interval, since the operating system has the data then. When the
// machine itself dies (power, kernel), up to an interval of acknowledged messages may be gone: submitted jobs, which can be
// submitted again; results, whose jobs are then carried out once more under the same number, which repeats nothing where
// the platform keeps numbers apart, and is the reason for 0 where it does not. With 0 nothing acknowledged is lost, at the
// price of one or two disk flushes a message.
func WithSync(interval time.Duration) EmbeddedOption {
	return func(o *embedded) error {
		if interval != 0 && interval < 10*time.Millisecond {
			return fmt.Errorf("fleet: WithSync(%v): the interval is 0 (every message) or at least 10ms", interval)
		}
		o.sync = interval
		return nil
	}
}

// WithMaxStore bounds what the engine stores, in bytes, at least 1 MiB. The default is three quarters of the free disk.
// Beyond it publishing fails with [ErrNoSpace].
func WithMaxStore(bytes int64) EmbeddedOption {
	return func(o *embedded) error {
		if bytes < 1<<20 {
			return fmt.Errorf("fleet: WithMaxStore(%d): at least 1048576 bytes are needed", bytes)
		}
		o.maxStore = bytes
		return nil
	}
}

// Embedded opens an engine inside this process, with its files in dir, which is made if it does not exist, readable by
// its owner only. It listens on no socket, and belongs to one process at a time: another gets [ErrInUse]. Reading the
// files of a large queue may take seconds.
func Embedded(dir string, opts ...EmbeddedOption) (*Engine, error) {
	o := embedded{sync: defaultSync}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return nil, errors.New("fleet: Embedded needs a directory for its files")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("fleet: making the directory of the engine: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s, log, err := startServer(dir, o)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	e := &Engine{replicas: 1, server: s, log: log, lock: lock}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Name("wxpay fleet"), nats.MaxReconnects(-1), quiet)
	if err == nil {
		e.js, err = jetstream.New(conn)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fleet: connecting to the embedded server: %w", err), e.shutdown())
	}
	return e, nil
}

// startServer runs JetStream on dir, without a socket.
func startServer(dir string, o embedded) (*server.Server, *serverLog, error) {
	opts := &server.Options{
		ServerName:             "wxpay-fleet",
		DontListen:             true,
		JetStream:              true,
		StoreDir:               dir,
		JetStreamMaxStore:      o.maxStore,
		SyncInterval:           o.sync,
		SyncAlways:             o.sync == 0,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, nil, fmt.Errorf("fleet: the embedded server: %w", err)
	}
	log := &serverLog{fatal: make(chan struct{})}
	s.SetLoggerV2(log, false, false, false)
	ready := make(chan bool, 1)
	go func() {
		s.Start()
		ready <- s.ReadyForConnections(startTime)
	}()
	select {
	case ok := <-ready:
		if ok {
			return s, log, nil
		}
	case <-log.fatal:
	}
	s.Shutdown()
	s.WaitForShutdown()
	return nil, nil, fmt.Errorf("fleet: the embedded server does not start on %s: %s", dir, log.text())
}

// serverLog keeps the last complaint of the embedded server, which is silent otherwise.
type serverLog struct {
	fatal chan struct{}

	mu   sync.Mutex
	last string
	dead bool
}

// writeError is in what the server logs when it could not write a file of a stream. It stores nothing more in that stream
// then, and does not answer who publishes to it.
const writeError = "critical write error: "

func (l *serverLog) keep(format string, v []any, fatal bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return
	}
	l.last = fmt.Sprintf(format, v...)
	if fatal || strings.Contains(l.last, writeError) {
		l.dead = true
		close(l.fatal)
	}
}

func (l *serverLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return fmt.Sprintf("it was not ready within %v", startTime)
	}
	return l.last
}

func (l *serverLog) Fatalf(format string, v ...any) { l.keep(format, v, true) }
func (l *serverLog) Errorf(format string, v ...any) { l.keep(format, v, false) }
func (*serverLog) Warnf(string, ...any)             {}
func (*serverLog) Noticef(string, ...any)           {}
func (*serverLog) Debugf(string, ...any)            {}
func (*serverLog) Tracef(string, ...any)            {}

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

// WithCredentials names the file with the user's JWT and key, as nsc and the operator of a NATS cluster hand it out.
func WithCredentials(file string) ConnectOption {
	return func(o *connection) error {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("fleet: the credentials: %w", err)
		}
		o.nats = append(o.nats, nats.UserCredentials(file))
		return nil
	}
}

// WithReplicas sets how many copies of streams and buckets the cluster keeps: 1, 3 or 5. The default is 3 in a cluster
// and 1 otherwise. It is taken when a stream or bucket is made; those that exist keep what they have.
func WithReplicas(n int) ConnectOption {
	return func(o *connection) error {
		if n != 1 && n != 3 && n != 5 {
			return fmt.Errorf("fleet: WithReplicas(%d): there can be 1, 3 or 5", n)
		}
		o.replicas = n
		return nil
	}
}

// WithConnection adds settings of the connection, such as nats.RootCAs for a certificate authority of your own.
func WithConnection(opts ...nats.Option) ConnectOption {
	return func(o *connection) error {
		o.nats = append(o.nats, opts...)
		return nil
	}
}

// Connect opens an engine on a NATS server or cluster with JetStream. servers is one address or several, divided by
// commas, such as "tls://nats-1:4222,tls://nats-2:4222". Each is tried once until one answers; [ErrUnreachable] lists what
// was tried. A connection that breaks later is made again, for as long as it takes.
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
	// Nothing is kept to be said once the connection is back: whom it concerns may have given up waiting for it, and a job may be in
	// other hands, from which a word of before would take it.
	conn, err := nats.Connect(servers, append([]nats.Option{
		nats.Name("wxpay fleet"), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, time.Second), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.SetCustomDialer(dialer), quiet,
	}, o.nats...)...)
	tried := dialer.end()
	if err != nil {
		if tried != "" {
			return nil, fmt.Errorf("%w (tried %s): %w", ErrUnreachable, tried, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	e := &Engine{replicas: o.replicas}
	if e.js, err = jetstream.New(conn); err == nil {
		err = e.ride(ctx, askMost, func(ctx context.Context) error {
			_, err := e.js.AccountInfo(ctx)
			return err
		})
	}
	if err != nil {
		address := conn.ConnectedAddr()
		conn.Close()
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

// explain says what an error of JetStream means where that is more than its text.
func (e *Engine) explain(err error) error {
	if err == nil || errors.Is(err, ErrNoSpace) {
		return err
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && (slices.Contains(noRoomCodes, api.ErrorCode) || slices.Contains(noRoomTexts, api.Description)) ||
		errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		return fmt.Errorf("%w (%w)", ErrNoSpace, err)
	}
	if errors.Is(err, nats.ErrNoResponders) && e.server != nil && !e.server.JetStreamEnabled() {
		return fmt.Errorf("%w (JetStream has stopped: %s)", ErrNoSpace, e.log.text())
	}
	if failure := e.failure(); failure != nil {
		return failure
	}
	return err
}

// failed is closed when an embedded engine can write no more.
func (e *Engine) failed() <-chan struct{} {
	if e.server == nil {
		return nil
	}
	return e.log.fatal
}

// failure tells why an embedded engine can write no more, nil if it can.
func (e *Engine) failure() error {
	select {
	case <-e.failed():
	default:
		return nil
	}
	text := e.log.text()
	if _, reason, ok := strings.Cut(text, writeError); ok {
		text = reason
	}
	for _, room := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if strings.Contains(text, room.Error()) {
			return fmt.Errorf("%w (%s)", ErrNoSpace, text)
		}
	}
	return fmt.Errorf("fleet: the embedded engine can write no more: %s: mend that, then run again; what was acknowledged is kept", text)
}

// Codes of JetStream's errors for lack of room (see nats-server's errors.json): of the account, of the server, of its disk.
// The limits of a single stream have a text and no code of their own.
var (
	noRoomCodes = []jetstream.ErrorCode{10002, 10023, 10047}
	noRoomTexts = []string{server.ErrMaxBytes.Error(), server.ErrMaxMsgs.Error()}
)
