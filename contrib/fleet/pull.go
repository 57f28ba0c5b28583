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
	asked   time.Time // when the request that is out was sent, zero for none
}

// pullTime is how long a request for a message stands at the server.
const pullTime = 5 * time.Second

// pull begins to take messages from a consumer.
func pull(conn *nats.Conn, stream, consumer string) (*puller, error) {
	request, err := json.Marshal(map[string]any{"batch": 1, "expires": pullTime})
	if err != nil {
		return nil, err
	}
	p := &puller{
		conn: conn, arrived: make(chan *nats.Msg, 64), subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer, request: request,
	}
	p.sub, err = conn.ChanSubscribe(conn.NewInbox(), p.arrived)
	return p, err
}

// next returns a message, or nil when none came within pullTime or ctx ended.
func (p *puller) next(ctx context.Context) (*nats.Msg, error) {
	if p.asked.IsZero() {
		p.asked = time.Now()
		if err := p.conn.PublishRequest(p.subject, p.sub.Subject, p.request); err != nil {
			p.asked = time.Time{}
			return nil, err
		}
	}
	lost := time.NewTimer(time.Until(p.asked) + pullTime + time.Second)
	defer lost.Stop()
	select {
	case m := <-p.arrived:
		p.asked = time.Time{}
		return m, status(m)
	case <-lost.C: // with the connection, or the server that had it
		p.asked = time.Time{}
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
	for {
		select {
		case m := <-p.arrived:
			if status(m) == nil {
				_ = m.Nak()
			}
		default:
			return
		}
	}
}
