package fleet

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// EmbeddedOption changes what [Embedded] does.
type EmbeddedOption func(*embedded) error

type embedded struct {
	sync     time.Duration
	maxStore int64
	attach   bool
}

// defaultSync is how often written data is forced onto the disk, unless WithSync says otherwise.
const defaultSync = time.Second

// WithSync sets how often what was written is forced onto the disk; a second is the default, and 0
// forces every message before it is acknowledged. Shorter than 10 ms, but for 0, is an error.
//
// A process that is killed loses nothing, whatever the interval, since the operating system has the
// data then. When the machine itself dies (power, kernel), the acknowledged messages of up to an
// interval may be gone. Lost jobs can be submitted again. The jobs of lost results are carried out
// once more under the same number. That repeats nothing where the platform keeps numbers apart, and
// is the reason for 0 where it does not. With 0 nothing acknowledged is lost, at the price of one
// or two disk flushes a message.
func WithSync(interval time.Duration) EmbeddedOption {
	return func(o *embedded) error {
		if interval != 0 && interval < 10*time.Millisecond {
			return fmt.Errorf("fleet: WithSync(%v): the interval is 0 (every message) or at least 10ms", interval)
		}
		o.sync = interval
		return nil
	}
}

// WithMaxStore bounds what the engine stores, in bytes, at least 1 MiB. The default is three
// quarters of the free disk. Beyond it publishing fails with [ErrNoSpace].
func WithMaxStore(bytes int64) EmbeddedOption {
	return func(o *embedded) error {
		if bytes < 1<<20 {
			return fmt.Errorf("fleet: WithMaxStore(%d): at least 1048576 bytes are needed", bytes)
		}
		o.maxStore = bytes
		return nil
	}
}

// WithAttach lets other processes on this machine reach the engine while it is open: see [Attach].
// It listens on a port of the loopback interface for those who know a token. Port and token are in
// a file in the directory, which only its owner can read.
func WithAttach() EmbeddedOption {
	return func(o *embedded) error {
		o.attach = true
		return nil
	}
}

// Embedded opens an engine inside this process, with its files in dir, which is made if it does not
// exist, readable by its owner only. It listens on no socket, unless [WithAttach] says so, and
// belongs to one process at a time: another gets [ErrInUse]. Reading the files of a large queue may
// take seconds.
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
	intact, stores, err := takeManifest(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fleet: the files of the engine: %w", err), lock.Release())
	}
	var a *attachment
	if o.attach {
		a = new(attachment)
	}
	s, log, err := startServer(dir, o, a)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	e := &Engine{replicas: 1, server: s, dir: dir, intact: intact, stores: stores, log: log, lock: lock, attachment: a}
	options := []nats.Option{nats.InProcessServer(s), nats.Name("wxpay fleet"), nats.MaxReconnects(-1), quiet}
	if a != nil {
		options = append(options, nats.Token(a.Token))
	}
	conn, err := nats.Connect("", options...)
	if err == nil {
		e.js, err = jetstream.New(conn)
	}
	if err == nil && a != nil {
		err = a.publish(dir, s)
	}
	if err != nil {
		e.shut()
		return nil, errors.Join(fmt.Errorf("fleet: connecting to the embedded server: %w", err), e.shutdown(nil))
	}
	return e, nil
}

// startServer runs JetStream on dir, without a socket unless a is one to listen for.
func startServer(dir string, o embedded, a *attachment) (*server.Server, *serverLog, error) {
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
	if a != nil {
		a.listen(opts)
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
