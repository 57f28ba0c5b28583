package wxotel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// QueueState is the state of a queue of the caller: an outbox, jobs of package fleet, stored
// notifications.
type QueueState struct {
	// Waiting is the number of entries that wait.
	Waiting int64
	// Oldest is the time of the oldest of them; zero if the queue is empty or does not know.
	Oldest time.Time
}

// WatchQueue measures a queue at each collection, until the registration is unregistered. name is
// its label: a constant of the program. read must obey its context. After an error there is no
// measurement, and the SDK's error handler gets the name and not the text of the error.
func (t *Telemetry) WatchQueue(
	name string, read func(context.Context) (QueueState, error),
) (metric.Registration, error) {
	if name == "" || read == nil {
		return nil, errors.New("wxotel: WatchQueue needs a name and a function")
	}
	about := metric.WithAttributes(keyQueue.String(name))
	return t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		state, err := read(ctx)
		if err != nil {
			return fmt.Errorf("wxotel: the queue %q could not be read", name)
		}
		age := time.Duration(0)
		if !state.Oldest.IsZero() {
			age = max(0, time.Since(state.Oldest))
		}
		o.ObserveInt64(t.queueSize, state.Waiting, about)
		if !state.Oldest.IsZero() || state.Waiting == 0 {
			o.ObserveFloat64(t.queueAge, age.Seconds(), about)
		}
		return nil
	}, t.queueAge, t.queueSize)
}
