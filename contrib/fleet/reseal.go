package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// Resealed is what [Queue.Reseal] did, and what is left.
type Resealed struct {
	// Records, Kept and Settings were sealed anew: the records of jobs that have ended, the jobs
	// that are kept for a retry, and what is known of runs and of the queue.
	Records, Kept, Settings int
	// Left is how many jobs that wait or run, or orders that stand, are sealed under another key.
	Left int
	// Behind names the workers that still seal under another key.
	Behind []string
}

// Done reports whether nothing was left under another key.
func (r Resealed) Done() bool { return r.Left == 0 && len(r.Behind) == 0 }

// Reseal seals all that is at rest under the first of the operator's keys. Jobs that wait or run
// stay as they are: they end, or are cancelled, and what is known of them then is sealed anew by
// the next Reseal. When it is Done, and every process of the queue has that key first, the other
// keys are no longer needed for this queue. Copies of it from before are sealed under them, and so
// may be events that a relay keeps. It reads all records, again after it changed any. The jobs
// whose record it changes count as changed for Filter.After.
func (q *Queue) Reseal(ctx context.Context) (Resealed, error) {
	const passes = 3
	defer q.postRest(ctx)
	var all Resealed
	for range passes {
		pass := &resealing{Queue: q}
		err := pass.run(ctx)
		all.Records += int(pass.resealed.Load())
		all.Kept += int(pass.kept.Load())
		all.Settings += pass.entries
		all.Left, all.Behind = int(pass.left.Load()), pass.behind
		if err != nil {
			return all, fmt.Errorf("fleet: sealing anew: %w", q.engine.Explain(err))
		}
		if pass.resealed.Load()+pass.kept.Load() == 0 && pass.entries == 0 {
			break
		}
	}
	return all, nil
}

// resealing is one pass of Reseal. It leaves records that somebody changes meanwhile to the next
// pass.
type resealing struct {
	*Queue
	resealed, kept, left atomic.Int64
	entries              int
	behind               []string
}

func (p *resealing) run(ctx context.Context) error {
	if err := p.bucket(ctx); err != nil {
		return err
	}
	if err := p.each(ctx, p.dead, p.deadSubject("*"), p.resealDead); err != nil {
		return err
	}
	if err := p.each(ctx, p.records, p.recordSubject("*"), p.resealRecord); err != nil || p.left.Load() > 0 {
		return err
	}
	// A job whose outcome is unknown has ended, and stands in its lane.
	if err := p.each(ctx, p.lanes, p.laneSubject("*", "*"), func(context.Context, jetstream.Msg, uint64) error {
		p.left.Add(1)
		return nil
	}); err != nil {
		return err
	}
	return p.countJobs(ctx)
}

// each asks about the messages that are sealed under another key.
func (p *resealing) each(ctx context.Context, s jetstream.Stream, subject string, do func(context.Context, jetstream.Msg, uint64) error) error {
	return abreast(ctx, func(ask func(func(context.Context) error) error) error {
		return p.read(ctx, s, reading{subject: subject}, func(m jetstream.Msg) error {
			if p.keys.current(m.Data()) {
				return nil
			}
			meta, err := m.Metadata()
			if err != nil {
				return err
			}
			return ask(func(ctx context.Context) error {
				return p.engine.ride(ctx, rideSetup, func(ctx context.Context) error { return do(ctx, m, meta.Sequence.Stream) })
			})
		})
	})
}

// resealRecord seals the record of a job anew that has ended. That of another one is its worker's.
func (p *resealing) resealRecord(ctx context.Context, m jetstream.Msg, seq uint64) error {
	key := lastToken(m.Subject())
	r, err := p.openRecord(key, m.Headers(), m.Data(), seq)
	if err != nil {
		return err
	}
	if !r.State.Ended() {
		p.left.Add(1)
		return nil
	}
	r.Claim = p.claim()
	if err := p.replace(ctx, key, r); err != nil {
		if errors.Is(err, ErrMoved) {
			return nil
		}
		return err
	}
	p.resealed.Add(1)
	return nil
}

// resealDead seals a job anew that is kept for a retry.
func (p *resealing) resealDead(ctx context.Context, m jetstream.Msg, seq uint64) error {
	key := lastToken(m.Subject())
	if err := checkVersion(m.Headers()); err != nil {
		return err
	}
	text, _, err := p.keys.Open("job "+key, m.Data())
	if err != nil {
		return err
	}
	again := &nats.Msg{Subject: m.Subject(), Data: p.keys.Seal("job "+key, text), Header: nats.Header{}}
	for _, name := range []string{headerVersion, headerState, headerHeld} {
		again.Header.Set(name, m.Headers().Get(name))
	}
	if _, err := p.publish(ctx, again, jetstream.WithExpectLastSequencePerSubject(seq)); err != nil {
		if jserror.WrongSequence(err) { // or the response of an earlier try got lost
			return nil
		}
		return err
	}
	p.kept.Add(1)
	return nil
}

// countJobs counts the jobs that wait or run and are sealed under another key.
func (p *resealing) countJobs(ctx context.Context) error {
	for next := uint64(1); ; {
		var m *jetstream.RawStreamMsg
		err := p.engine.ride(ctx, askMost, func(ctx context.Context) (err error) {
			m, err = p.jobs.GetMsg(ctx, next, jetstream.WithGetMsgSubject(p.jobSubject("*")))
			return err
		})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !p.keys.current(m.Data) {
			p.left.Add(1)
		}
		next = m.Sequence + 1
	}
}

// bucket seals what the control bucket has anew.
func (p *resealing) bucket(ctx context.Context) error {
	members, err := p.members(ctx)
	if err != nil {
		return err
	}
	var keys []string
	if err := p.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		keys = nil
		list, err := p.control.ListKeys(ctx)
		if err != nil {
			return err
		}
		for key := range list.Keys() {
			keys = append(keys, key)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := p.engine.ride(ctx, askMost, func(ctx context.Context) error { return p.resealEntry(ctx, key, members) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *resealing) resealEntry(ctx context.Context, key string, members map[string]Member) error {
	entry, err := p.control.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var text []byte
	switch id, worker := strings.CutPrefix(key, keyMember); {
	case worker:
		if m, there := members[id]; there && !p.keys.current(entry.Value()) {
			p.behind = append(p.behind, m.Name)
		}
		return nil
	case key == keySettings:
		var s settings
		if err := json.Unmarshal(entry.Value(), &s); err != nil {
			return err
		}
		if p.keys.current(s.Secret) {
			return nil
		}
		if s.Secret, err = p.reseal(p.settingsPlace(), s.Secret); err == nil {
			text, err = json.Marshal(s)
		}
	case key == keyPause, key == keyResumed, strings.HasPrefix(key, keyRun):
		if p.keys.current(entry.Value()) {
			return nil
		}
		text, err = p.reseal(key, entry.Value())
	default: // is not sealed
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := p.control.Update(ctx, key, text, entry.Revision()); err != nil {
		if jserror.WrongSequence(err) {
			return nil
		}
		return err
	}
	p.entries++
	return nil
}

// reseal seals what was sealed for a place.
func (p *resealing) reseal(place string, sealed []byte) ([]byte, error) {
	text, _, err := p.keys.Open(place, sealed)
	if err != nil {
		return nil, err
	}
	return p.keys.Seal(place, text), nil
}
