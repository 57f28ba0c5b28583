package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// puller takes messages from a consumer, each only when somebody is free for it: none waits in this process while its time
// runs. (The iterators of package jetstream take ahead.) It is used by one goroutine.
type puller struct {
	conn    *nats.Conn
	sub     *nats.Subscription
	arrived chan *nats.Msg
	subject string
	request []byte
	stands  time.Duration // how long a request stands at the server
	asked   time.Time     // when the request that is out was sent, zero for none
}

// pullTime bounds how long a request for a message stands at the server.
const pullTime = 5 * time.Second

// pull begins to take messages from a consumer, each of which has a lease.
func pull(conn *nats.Conn, stream, consumer string, lease time.Duration) (*puller, error) {
	stands := min(pullTime, lease/leaseTurns)
	request, err := json.Marshal(map[string]any{"batch": 1, "expires": stands})
	if err != nil {
		return nil, err
	}
	p := &puller{conn: conn, subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer, request: request, stands: stands}
	return p, p.subscribe()
}

// subscribe begins anew: what is still to come of requests before has nobody who waits for it.
func (p *puller) subscribe() (err error) {
	if p.sub != nil {
		_ = p.sub.Unsubscribe()
	}
	p.asked, p.arrived = time.Time{}, make(chan *nats.Msg, 4)
	p.sub, err = p.conn.ChanSubscribe(p.conn.NewInbox(), p.arrived)
	return err
}

// next returns a message, or nil when none came in time or ctx ended.
func (p *puller) next(ctx context.Context) (*delivery, error) {
	if p.asked.IsZero() {
		p.asked = time.Now()
		if err := p.conn.PublishRequest(p.subject, p.sub.Subject, p.request); err != nil {
			p.asked = time.Time{}
			return nil, err
		}
	}
	lost := time.NewTimer(time.Until(p.asked) + p.stands + time.Second)
	defer lost.Stop()
	select {
	case m := <-p.arrived:
		since := p.asked
		p.asked = time.Time{}
		if err := status(m); err != nil {
			return nil, err
		}
		return &delivery{m, since}, nil
	case <-lost.C: // with the connection, or the server that had it
		return nil, p.subscribe()
	case <-ctx.Done():
	}
	return nil, nil
}

// status reports what a message says that is none of the consumer's. Nothing within the time is no error.
func status(m *nats.Msg) error {
	if m.Reply != "" { // where it is acknowledged
		return nil
	}
	return &pullStatus{m.Header.Get("Status"), m.Header.Get("Description")}
}

// pullStatus is the end of a request for a message without one.
type pullStatus struct{ code, description string }

func (s *pullStatus) Error() string {
	return fmt.Sprintf("status %s %s", s.code, strings.ToLower(s.description))
}

// none reports whether there was simply no message.
func (s *pullStatus) none() bool { return s.code == "408" || s.code == "404" || s.code == "100" }

// gone reports whether there will be none any more.
func (s *pullStatus) gone() bool {
	return s.code == "409" && strings.Contains(strings.ToLower(s.description), "deleted")
}

// stop gives back what came and was not taken.
func (p *puller) stop() {
	_ = p.sub.Unsubscribe()
	select {
	case m := <-p.arrived:
		if status(m) == nil && since(p.asked, time.Now()) < 2*p.stands { // else it may be another's by now
			_ = m.Nak()
		}
	default:
	}
}
