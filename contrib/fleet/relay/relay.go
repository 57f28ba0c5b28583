// Package relay puts verified notifications into a stream of JetStream. Each of any number of
// consumers takes every event, and gets one again if it ends before it is done with it.
//
// It is experimental: a minor version may change it.
//
// Guide: docs/fleet.md.
package relay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/webhook"
)

const (
	// streamName is the stream of events.
	streamName    = "wxpay-events"
	subjectPrefix = "wxpay.events."

	// keepDefault is how long events are kept unless WithRetention says otherwise, and keepLeast the least: three days are
	// longer than any schedule of redeliveries, and a weekend.
	keepDefault = 7 * 24 * time.Hour
	keepLeast   = 3 * 24 * time.Hour

	// silence is how long a consumer's process may be silent before an event goes to another.
	silence = 30 * time.Second

	// ackTime bounds the wait until it is stored that an event is done with.
	ackTime = 2 * time.Second
)

// pauses are the times before an event is given again to a function that failed, by attempt; the last one repeats.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// Relay puts the events of package webhook into a stream of JetStream, where any number of consumers find them:
//
//	events, err := relay.New(ctx, engine, keys)
//	handler.OnDefault(events.Store)          // in the processes that receive notifications
//	err = events.Consume(ctx, "books", book) // in those that deal with them
//
// The platform gets its 204 when the event is stored, not when it is dealt with. A redelivery of an event that is
// stored is not stored again, whatever process it reaches and however often they restarted, for as long as events are
// kept: a week, unless [WithRetention] says otherwise. Events are stored encrypted.
//
// Besides the disk, the server has an index in memory of the events that are kept.
//
// It is the wrong choice for questions, which want a response at once: register those with OnInquiry.
type Relay struct {
	engine *fleet.Engine
	keys   *fleet.Keys
	keep   time.Duration
	stream jetstream.Stream
}

// Event is a notification as a consumer of a [Relay] gets it; see [webhook.Event] for its fields. It was verified before it
// was stored.
type Event struct {
	ID           string    `json:"id"`
	Key          string    `json:"key"` // what it is known by; consumers that must not repeat anything keep it
	Type         string    `json:"type"`
	OriginalType string    `json:"original_type"`
	ResourceType string    `json:"resource_type"`
	Summary      string    `json:"summary"`
	CreateTime   time.Time `json:"create_time"`
	Merchant     string    `json:"merchant"`
	Serial       string    `json:"serial"`
	RequestID    string    `json:"request_id"`
	Resource     []byte    `json:"resource"` // decrypted

	// Sequence counts the events of the stream, and Attempt how often this one was given to the consumer, from 1.
	Sequence uint64 `json:"-"`
	Attempt  int    `json:"-"`
}

// Decode unmarshals the decrypted resource into v, as encoding/json does. The error's text contains
// no value.
func (e *Event) Decode(v any) error {
	err := json.Unmarshal(e.Resource, v)
	if err == nil {
		return nil
	}
	return fmt.Errorf("relay: decoding the resource of %s: %w", redact.Printable(e.Type), &jsonwalk.DecodeError{Err: err})
}

// Format prints type and id, whatever the verb: the resource names people.
func (e Event) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "event %s %s of %s", e.Type, e.ID, e.Merchant)
}

// Option changes what [New] does.
type Option func(*Relay) error

// WithRetention sets how long events are kept, for replaying and for knowing redeliveries; at least 72 hours. It is taken
// when the stream is made; one that exists keeps what it has.
func WithRetention(keep time.Duration) Option {
	return func(r *Relay) error {
		if keep < keepLeast {
			return fmt.Errorf("relay: WithRetention(%v): events are kept for at least %v", keep, keepLeast)
		}
		r.keep = keep
		return nil
	}
}

// New returns a relay on the engine's stream of events, which it makes if there is none. keys seal what is stored;
// give all processes the same. e must stay open while it is used.
func New(ctx context.Context, e *fleet.Engine, keys *fleet.Keys, opts ...Option) (*Relay, error) {
	r := &Relay{engine: e, keys: keys, keep: keepDefault}
	for _, opt := range opts {
		if err := opt(r); err != nil {
			return nil, err
		}
	}
	if keys == nil {
		return nil, errors.New("relay: a relay needs keys, since notifications name people")
	}
	var err error
	r.stream, err = e.JetStream().CreateStream(ctx, jetstream.StreamConfig{
		Name: streamName, Description: "verified notifications", Subjects: []string{subjectPrefix + ">"}, Replicas: e.Replicas(),
		MaxAge: r.keep, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		Compression: jetstream.NoCompression, // it is sealed
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		r.stream, err = e.JetStream().Stream(ctx, streamName)
	}
	if err != nil {
		return nil, fmt.Errorf("relay: the stream of events: %w", e.Explain(err))
	}
	switch c := r.stream.CachedInfo().Config; {
	case c.MaxMsgsPerSubject != 1 || c.Discard != jetstream.DiscardNew || !c.DiscardNewPerSubject || !slices.Equal(c.Subjects, []string{subjectPrefix + ">"}):
		return nil, fmt.Errorf("relay: the stream %s was made with other settings: it must keep one message a subject of %s> and discard new ones, or redeliveries are stored twice", streamName, subjectPrefix)
	case c.MaxAge != 0 && c.MaxAge < keepLeast:
		return nil, fmt.Errorf("relay: the stream %s keeps events for %v only, which is less than %v", streamName, c.MaxAge, keepLeast)
	}
	return r, nil
}

// Store is a [webhook.Func]: it returns nil when the event is stored, now or by an earlier delivery. Any error makes the
// platform deliver again.
func (r *Relay) Store(ctx context.Context, e *webhook.Event) error {
	subject := eventSubject(e.Merchant, e.Type, e.Key())
	value, err := json.Marshal(&Event{
		ID: e.ID, Key: e.Key(), Type: e.Type, OriginalType: e.OriginalType, ResourceType: e.ResourceType, Summary: e.Summary,
		CreateTime: e.CreateTime, Merchant: e.Merchant, Serial: e.Serial, RequestID: e.RequestID, Resource: e.Resource(),
	})
	if err != nil {
		return fmt.Errorf("relay: writing an event: %w", err)
	}
	_, err = r.engine.JetStream().Publish(ctx, subject, r.keys.Seal(subject, value))
	if jserror.SubjectFull(err) {
		// A leader says that also of what is still on its way to the other copies, and may be lost with it.
		if _, err = r.stream.GetLastMsgForSubject(ctx, subject); errors.Is(err, jetstream.ErrMsgNotFound) {
			return errors.New("relay: storing an event: an earlier delivery of it is not stored yet")
		}
	}
	if err != nil {
		return fmt.Errorf("relay: storing an event: %w", r.engine.Explain(err))
	}
	return nil
}

// eventSubject is where an event is stored: merchant and type, by which consumers choose, and the hash of its key.
func eventSubject(merchant, kind, key string) string {
	sum := sha256.Sum256([]byte(key))
	return subjectPrefix + subjectToken(merchant) + "." + subjectTokens(kind) + "." + hex.EncodeToString(sum[:16])
}

// subjectTokens makes tokens of a subject of the parts of an event type.
func subjectTokens(kind string) string {
	parts := strings.Split(kind, ".")
	for i := range parts {
		parts[i] = subjectToken(parts[i])
	}
	return strings.Join(parts, ".")
}

// subjectToken replaces what cannot stand in a token.
func subjectToken(text string) string {
	token := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, text)
	if token == "" {
		return "_"
	}
	return token
}

// Consume gives events to fn, one after the other, until ctx ends; it returns the cause of that then. name is what the
// consumer is known by (letters, digits, - and _): processes that consume under one name share its events, and each name
// gets all of them. A new name begins with the oldest event that is kept. types restrict that to event types, such as
// TRANSACTION.SUCCESS, or beginnings with a star, such as REFUND.*; none means all.
//
// An event is done with when fn returns nil. After an error or a panic it comes again, a second later at first, ten minutes
// in the end, for as long as it is kept. Others go on meanwhile, so order is that of the stream only while nothing fails.
// One whose process dies goes to another after half a minute. In rare cases (a connection that breaks at the wrong moment)
// fn gets an event again that it was done with: note Event.Key where that matters. Nothing is reported of errors of fn; an
// event that no key opens ([fleet.ErrSealed]) ends Consume.
func (r *Relay) Consume(ctx context.Context, name string, fn func(ctx context.Context, e *Event) error, types ...string) error {
	consumer, err := r.consumer(ctx, name, types)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1), jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return fmt.Errorf("relay: the consumer %s: %w", name, r.engine.Explain(err))
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("relay: the consumer %s: %w", name, r.engine.Explain(err))
		}
		if err := r.handle(ctx, message, fn); err != nil {
			return fmt.Errorf("relay: the consumer %s: %w", name, err)
		}
	}
}

// consumer finds or makes a durable consumer.
func (r *Relay) consumer(ctx context.Context, name string, types []string) (jetstream.Consumer, error) {
	if name == "" || name != subjectToken(name) {
		return nil, fmt.Errorf("relay: the name of a consumer has letters, digits, - and _: %q", name)
	}
	var filters []string
	for _, kind := range types {
		beginning, open := strings.CutSuffix(kind, ".*")
		if beginning == "" || beginning != subjectTokens(beginning) {
			return nil, fmt.Errorf("relay: the consumer %s: %q is neither an event type nor the beginning of one with .* behind it", name, kind)
		}
		filter := subjectPrefix + "*." + beginning + ".*"
		if open {
			filter = subjectPrefix + "*." + beginning + ".>"
		}
		filters = append(filters, filter)
	}
	slices.Sort(filters)
	existing, err := r.stream.Consumer(ctx, name)
	if err == nil {
		have := existing.CachedInfo().Config.FilterSubjects
		slices.Sort(have)
		if !slices.Equal(have, filters) {
			return nil, fmt.Errorf("relay: the consumer %s was made for other event types: use another name, or Forget it", name)
		}
		return existing, nil
	}
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		existing, err = r.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: name, FilterSubjects: filters, DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: silence, MaxDeliver: -1,
			MaxAckPending: -1, // each process takes one at a time; those that wait to come again must not hold up the others
		})
	}
	if err != nil {
		return nil, fmt.Errorf("relay: the consumer %s: %w", name, r.engine.Explain(err))
	}
	return existing, nil
}

// Forget removes what is known of a consumer, so that its name gets all events again that are kept. Nothing happens if
// there is none.
func (r *Relay) Forget(ctx context.Context, name string) error {
	if err := r.stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("relay: forgetting the consumer %s: %w", name, r.engine.Explain(err))
	}
	return nil
}

// handle gives one event to fn, and acknowledges it or gives it back. An error is one of the consumer's, not of fn.
func (r *Relay) handle(ctx context.Context, message jetstream.Msg, fn func(context.Context, *Event) error) error {
	// A lost message does no harm: the event comes again after silence.
	again := func(attempt int) { _ = message.NakWithDelay(pauses[min(attempt, len(pauses))-1]) }
	meta, err := message.Metadata()
	if err != nil {
		return err
	}
	e := &Event{}
	value, _, err := r.keys.Open(message.Subject(), message.Data())
	if err == nil {
		err = json.Unmarshal(value, e)
	}
	if err != nil {
		again(1)
		return fmt.Errorf("the event %d: %w", meta.Sequence.Stream, err)
	}
	e.Sequence, e.Attempt = meta.Sequence.Stream, int(meta.NumDelivered)

	ended := make(chan struct{})
	var alive sync.WaitGroup
	alive.Go(func() {
		ticker := time.NewTicker(silence / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = message.InProgress()
			case <-ended:
				return
			}
		}
	})
	stop := sync.OnceFunc(func() { close(ended); alive.Wait() })
	defer stop() // also when fn ends the goroutine
	err = protect(func() error { return fn(ctx, e) })
	stop()
	if err != nil {
		again(e.Attempt)
		return nil
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTime)
	defer cancel()
	_ = message.DoubleAck(own)
	return nil
}

// protect turns a panic into an error.
func protect(fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("relay: the function panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return fn()
}
