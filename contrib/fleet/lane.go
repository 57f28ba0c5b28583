package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// A lane holds the jobs with one order, first in, first out. It has one token in the work queue,
// never more, which goes to one worker at a time. That worker carries out the head of the lane and
// removes it, again and again. A head whose outcome is unknown stays, and holds up what is
// behind it: the token goes, and comes back with Retry.

// head returns the first job of a lane, nil if the lane is empty.
func (q *Queue) head(ctx context.Context, lane string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	m, err := q.lanes.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(q.laneSubject(lane, "*")))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading a lane: %w", q.engine.Explain(err))
	}
	return m, nil
}

// wakeLane puts the token of a lane into the queue, unless the lane is empty or held up. It reports
// whether there is one now.
func (q *Queue) wakeLane(ctx context.Context, lane string) (bool, error) {
	m, err := q.head(ctx, lane)
	if m == nil {
		return false, err
	}
	r, err := q.record(ctx, lastToken(m.Subject))
	if err != nil || r != nil && r.State == Unknown {
		return false, err
	}
	_, err = q.publish(ctx, q.token(lane))
	if err != nil && !jserror.SubjectFull(err) {
		return false, fmt.Errorf("fleet: waking a lane: %w", q.engine.Explain(err))
	}
	return true, nil
}

// wake puts the tokens of all lanes that can go on into the queue, and returns how many those are.
// A token is missing only where a process died between two steps; it is looked for here when
// nothing else is to be done, and by sweep all the time.
func (q *Queue) wake(ctx context.Context) (int, error) {
	ask, answered := context.WithTimeout(ctx, rideSetup)
	defer answered()
	lanes, err := q.laneLengths(ask)
	if err != nil {
		return 0, err
	}
	woken := 0
	for lane := range lanes {
		awake, err := q.wakeLane(ctx, lane)
		if err != nil {
			return woken, err
		}
		if awake {
			woken++
		}
	}
	return woken, nil
}

// laneLengths lists the lanes, and how many jobs each has.
func (q *Queue) laneLengths(ctx context.Context) (map[string]int, error) {
	info, err := q.lanes.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("fleet: reading the state of the lanes: %w", q.engine.Explain(err))
	}
	if info.State.Msgs == 0 {
		return nil, nil
	}
	if info, err = q.lanes.Info(ctx, jetstream.WithSubjectFilter(q.laneSubject("*", "*"))); err != nil {
		return nil, fmt.Errorf("fleet: listing the lanes: %w", q.engine.Explain(err))
	}
	lengths := make(map[string]int)
	for subject := range info.State.Subjects {
		parts := strings.Split(subject, ".")
		lengths[parts[len(parts)-2]]++
	}
	return lengths, nil
}

// token is the message that brings a lane to a worker.
func (q *Queue) token(lane string) *nats.Msg {
	return &nats.Msg{Subject: q.tokenSubject(lane), Header: nats.Header{headerVersion: {recordVersion}}}
}
