package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// parcel is what the message of a job holds.
type parcel struct {
	*Job
	Submitted time.Time `json:"submitted"`
}

// sealJob makes the message of a job.
func (q *Queue) sealJob(job *Job, key string) (*nats.Msg, error) {
	// Not json.Marshal, which would rewrite the body: & < and > have other bytes there.
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(parcel{job, time.Now()}); err != nil {
		return nil, err
	}
	return &nats.Msg{Data: q.keys.Seal("job "+key, text.Bytes()), Header: nats.Header{headerVersion: {recordVersion}}}, nil
}

// openJob reads the message of a job.
func (q *Queue) openJob(key string, header nats.Header, data []byte) (*Job, time.Time, error) {
	if err := checkVersion(header); err != nil {
		return nil, time.Time{}, err
	}
	text, _, err := q.keys.Open("job "+key, data)
	if err != nil {
		return nil, time.Time{}, err
	}
	var p parcel
	if err := json.Unmarshal(text, &p); err != nil || p.Job == nil {
		return nil, time.Time{}, errors.New("fleet: a job cannot be read")
	}
	return p.Job, p.Submitted, nil
}

// newRecord is the record of a job that waits. run is the ID of its submission, empty if nobody
// knows.
func (q *Queue) newRecord(job *Job, submitted time.Time, run string) *record {
	return &record{
		Result: Result{Number: job.Number, State: Waiting, Method: job.Method, Path: job.Path, Amounts: job.Amounts(),
			Submitted: submitted, File: job.File, Line: job.Line, Order: job.Order},
		Lane: job.lane(q.digests), content: job.content(q.digests), run: run, was: stand{State: Waiting, Run: run},
	}
}

// sealRecord makes the message of a record.
func (q *Queue) sealRecord(r *record, key string) (*nats.Msg, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	m := &nats.Msg{Subject: q.recordSubject(key), Data: q.keys.Seal("record "+key, text), Header: nats.Header{
		headerVersion: {recordVersion}, headerState: {string(r.State)}, headerContent: {r.content},
	}}
	if r.Code != "" && r.State.Ended() {
		m.Header.Set(headerCode, r.Code)
	}
	if r.run != "" {
		m.Header.Set(headerRun, r.run)
	}
	return m, nil
}

// openRecord reads the message of a record.
func (q *Queue) openRecord(key string, header nats.Header, data []byte, seq uint64) (*record, error) {
	if err := checkVersion(header); err != nil {
		return nil, err
	}
	text, _, err := q.keys.Open("record "+key, data)
	if err != nil {
		return nil, err
	}
	r := &record{content: header.Get(headerContent), run: header.Get(headerRun), seq: seq}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("fleet: reading a record: %w", err)
	}
	r.was = r.stands()
	q.distrust(r)
	return r, nil
}

// record returns what is kept under a key, nil if there is nothing.
func (q *Queue) record(ctx context.Context, key string) (*record, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	m, err := q.records.GetLastMsgForSubject(ctx, q.recordSubject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading a record: %w", q.engine.Explain(err))
	}
	return q.openRecord(key, m.Header, m.Data, m.Sequence)
}

// replace stores r in place of the record with sequence r.seq, 0 for none, and sets r.seq to its
// own.
func (q *Queue) replace(ctx context.Context, key string, r *record) error {
	m, err := q.sealRecord(r, key)
	if err != nil {
		return err
	}
	change := r.change()
	if change.Ended < 0 {
		if err := q.withdraw(ctx, change); err != nil {
			return err
		}
		change = account{}
	}
	for attempt := 0; ; attempt++ {
		if ctx.Err() != nil {
			return fmt.Errorf("fleet: storing a record: %w", context.Cause(ctx))
		}
		// Who has sent it waits for the response, or would not know whether to count it.
		ack, err := q.publish(context.WithoutCancel(ctx), m, jetstream.WithExpectLastSequencePerSubject(r.seq))
		switch {
		case err == nil:
			q.stored(r, ack.Sequence, change)
			return nil
		case ctx.Err() != nil, !jserror.WrongSequence(err) && attempt == 2:
			return fmt.Errorf("fleet: storing a record: %w", q.engine.Explain(err))
		}
		// It may have been stored although nobody said so.
		have, err := q.record(ctx, key)
		switch {
		case err != nil:
			return err
		case have != nil && have.Claim == r.Claim && have.State == r.State && r.Claim != "":
			q.stored(r, have.seq, change)
			return nil
		case have != nil && have.seq != r.seq || have == nil && r.seq != 0:
			return ErrMoved
		case !sleep(ctx, 20*time.Millisecond):
			return fmt.Errorf("fleet: storing a record: %w", context.Cause(ctx))
		}
	}
}

// stored notes that a record is stored.
func (q *Queue) stored(r *record, seq uint64, change account) {
	from := r.was
	if r.seq == 0 {
		from = stand{}
	}
	r.seq, r.was = seq, r.stands()
	q.ledger.note(change)
	q.untold.note(from, r.was)
}

// again makes a record that has ended one that waits.
func (q *Queue) again(ctx context.Context, key string, r *record) error {
	next := *r
	next.Doubt = r.doubted()
	// The last response stays until there is another: support asks for it.
	next.Result.State, next.Ended, next.Claim, next.Attempts = Waiting, time.Time{}, q.claim(), 0
	next.NotBefore, next.Since, next.Unsigned = time.Time{}, time.Time{}, 0
	err := q.replace(ctx, key, &next)
	*r = next
	return err
}

// jobMessage returns the message of a job, nil if there is none.
func (q *Queue) jobMessage(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	m, err := q.jobs.GetLastMsgForSubject(ctx, q.jobSubject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading a job: %w", q.engine.Explain(err))
	}
	return m, nil
}

// queued reports whether the message of a job is there, in its lane if it has one.
func (q *Queue) queued(ctx context.Context, key, lane string) (bool, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	s, subject := q.jobs, q.jobSubject(key)
	if lane != "" {
		s, subject = q.lanes, q.laneSubject(lane, key)
	}
	_, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("fleet: reading a job: %w", q.engine.Explain(err))
	}
	return true, nil
}

// remove removes a message, if it is there. Package jetstream passes on in words alone that it is
// not.
func (q *Queue) remove(ctx context.Context, s jetstream.Stream, seq uint64) error {
	err := s.DeleteMsg(ctx, seq)
	if err == nil {
		return nil
	}
	if _, missing := s.GetMsg(ctx, seq); errors.Is(missing, jetstream.ErrMsgNotFound) {
		return nil
	}
	return err
}

// deleteDead removes one message of those that are kept for a retry.
func (q *Queue) deleteDead(ctx context.Context, seq uint64) error {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if err := q.remove(ctx, q.dead, seq); err != nil {
		return fmt.Errorf("fleet: removing what was kept for a retry: %w", q.engine.Explain(err))
	}
	return nil
}

// unbury removes what was kept for a retry of a job that needs none any more.
func (q *Queue) unbury(ctx context.Context, key string) error {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if err := q.dead.Purge(ctx, jetstream.WithPurgeSubject(q.deadSubject(key))); err != nil {
		return fmt.Errorf("fleet: removing what was kept for a retry: %w", q.engine.Explain(err))
	}
	return nil
}
