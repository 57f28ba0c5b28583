package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
	"github.com/wxpay-go/wxpay/internal/filelock"
)

// Errors of an engine.
var (
	// ErrUnreachable means that no server could be reached. Nothing was stored or changed.
	ErrUnreachable = errors.New("fleet: no server could be reached")
	// ErrNoSpace means that JetStream has no room left: the disk is full, or a limit on storage is
	// reached. Messages that were acknowledged before are kept; the message in hand was not stored.
	ErrNoSpace = errors.New("fleet: JetStream has no room left on disk or under its limit: make room, then run again")
)

// Engine is an open connection to JetStream: an embedded server's, made by [Embedded], or that of a
// server or cluster elsewhere, made by [Connect] or [Attach]. It is safe for concurrent use.
type Engine struct {
	js       jetstream.JetStream
	replicas int
	server   *server.Server // nil unless embedded
	dir      string         // of its files
	intact   bool           // whether those were as the last process left them
	stores   int            // how many queues they hold
	log      *serverLog
	lock     *filelock.Lock
	close    sync.Once
	queues   sync.Map // names of the queues that were opened with a client
	resting  sync.Map // of an embedded server: a func(context.Context) []byte that tells where a queue stands, by its name
	checked  sync.Map // of an embedded server: whether the records of a queue were compared, by its name

	denials    denials
	attachment *attachment // of an embedded engine to which others can attach
	attached   bool        // to such an engine
}

// JetStream is the engine underneath, for streams and consumers of your own.
func (e *Engine) JetStream() jetstream.JetStream { return e.js }

// Replicas is how many copies of a stream or bucket to ask for.
func (e *Engine) Replicas() int { return e.replicas }

// Close ends the connection, and the server if it is embedded. Messages that are not acknowledged
// yet come again when the engine is opened the next time. Close it after all that uses it; closing
// it again does nothing.
func (e *Engine) Close() error {
	var err error
	e.close.Do(func() {
		e.shut()
		standings := e.standings()
		e.js.Conn().Close()
		err = e.shutdown(standings)
	})
	return err
}

// restWait bounds how long the end of an engine takes to write down where its queues stand.
const restWait = 5 * time.Second

// standings tells where the queues of an embedded engine stand that is about to be shut down, as far
// as nobody else can change that any more.
func (e *Engine) standings() map[string][]byte {
	if e.server == nil || e.failure() != nil || e.server.NumClients() > 1 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), restWait)
	defer cancel()
	all := make(map[string][]byte)
	e.resting.Range(func(name, rest any) bool {
		if sealed := rest.(func(context.Context) []byte)(ctx); sealed != nil {
			all[name.(string)] = sealed
		}
		return true
	})
	return all
}

// shut lets no more processes attach.
func (e *Engine) shut() {
	if e.attachment != nil {
		e.attachment.shut.Store(true)
		_ = os.Remove(filepath.Join(e.dir, attachName)) // while the lock keeps the next process from writing its own
	}
}

// shutdown ends the embedded server, if there is one, and frees its directory.
func (e *Engine) shutdown(standings map[string][]byte) error {
	if e.server == nil {
		return nil
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
	var err error
	if e.failure() == nil && (e.intact || e.compared() >= e.stores) {
		err = writeManifest(e.dir, standings)
	}
	return errors.Join(err, e.lock.Release())
}

// compared is of how many queues the records were compared.
func (e *Engine) compared() (n int) {
	e.checked.Range(func(_, o any) bool {
		o.(*once).mu.Lock()
		defer o.(*once).mu.Unlock()
		if o.(*once).done {
			n++
		}
		return true
	})
	return n
}

// once is something that is done once, unless it fails.
type once struct {
	mu   sync.Mutex
	done bool
}

// Explain says what an error of JetStream means where that is more than its text.
func (e *Engine) Explain(err error) error {
	if err == nil || errors.Is(err, ErrNoSpace) {
		return err
	}
	if jserror.NoRoom(err) || errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		return fmt.Errorf("%w (%w)", ErrNoSpace, err)
	}
	if errors.Is(err, nats.ErrNoResponders) && e.server != nil && !e.server.JetStreamEnabled() {
		return fmt.Errorf("%w (JetStream has stopped: %s)", ErrNoSpace, e.log.text())
	}
	if e.ended() {
		return errHostEnded
	}
	if denied := e.denials.recent(); denied != nil && unanswered(err) {
		return denied
	}
	if failure := e.failure(); failure != nil {
		return failure
	}
	if disconnected(err) {
		return fmt.Errorf("no server is connected at the moment (%w)", err)
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

// errHostEnded is what an attached engine says when the process with the directory has ended.
var errHostEnded = errors.New("fleet: the process that had the directory open has ended")

// ended reports whether that has happened to an engine.
func (e *Engine) ended() bool { return e.attached && e.js.Conn().IsClosed() }

// disconnected reports whether something was not even sent, because no server is connected. The
// buffer that counts as exceeded is none at all (Connect).
func disconnected(err error) bool {
	return errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrReconnectBufExceeded)
}

// unanswered reports whether err is that of a question to which no response came.
func unanswered(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrAsyncPublishTimeout)
}
