package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Purge says what a queue is to forget: a run, or all that is old.
type Purge struct {
	// Run is the ID of a submission, which is forgotten with the jobs that were given to it.
	Run string
	// Before selects the jobs that ended before it, and the submissions from before it.
	Before time.Time
	// Dry only counts.
	Dry bool
}

// Purged is what was forgotten, or would be.
type Purged struct {
	// Forgotten are the jobs, by operation and state. Their numbers are new to the queue now.
	Forgotten []Forgotten
	// Runs is how many submissions were forgotten.
	Runs int
	// Unfinished is how many jobs stay because they have not ended, or their outcome is unknown.
	Unfinished int
	// Shared is how many jobs stay because they were also given to a submission that stays.
	Shared int
}

// Forgotten is how many jobs of an operation were forgotten that stood at a state.
type Forgotten struct {
	Method, Path string
	State        State
	Jobs         int
}

// Purge forgets jobs that have ended, and submissions. A number that is forgotten can be submitted
// and sent again, and then only the platform keeps it from taking effect twice, if it still knows
// it. So forget what no list can bring back. A job stays if it has not ended, if its outcome is
// unknown, or if it was also given to a submission that stays. A submission from before p.Before
// stays as long as one of its own jobs does. Submit nothing meanwhile: what is forgotten may be
// missing from the results of a submission that was made at that time. It returns [ErrLost] while
// records are missing, and [ErrNoRun].
//
// It reads all records. If it fails, what it returns was forgotten; say it again to go on.
func (q *Queue) Purge(ctx context.Context, p Purge) (Purged, error) {
	if (p.Run == "") == p.Before.IsZero() {
		return Purged{}, errors.New("fleet: a purge needs either a run or a time")
	}
	if l, err := q.readLoss(ctx, keyLost); err != nil {
		return Purged{}, err
	} else if l != nil {
		return Purged{}, fmt.Errorf("%w: %s", ErrLost, l.pause().Reason)
	}
	f := &forgetting{Queue: q, Purge: p, forgotten: make(map[Forgotten]int)}
	err := f.run(ctx)
	for what, jobs := range f.forgotten {
		what.Jobs = jobs
		f.purged.Forgotten = append(f.purged.Forgotten, what)
	}
	slices.SortFunc(f.purged.Forgotten, func(a, b Forgotten) int {
		if order := strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method); order != 0 {
			return order
		}
		return slices.Index(stateOrder, a.State) - slices.Index(stateOrder, b.State)
	})
	return f.purged, err
}

// forgetting is one Purge.
type forgetting struct {
	*Queue
	Purge
	shared runKeySet // of the jobs that were given to a submission that stays
	stay   runKeySet // of other jobs that stay
	batch  []forgettable

	purged    Purged
	forgotten map[Forgotten]int
}

// forgettable is a job that can be forgotten as long as its record is that one.
type forgettable struct {
	key  string
	lane string
	seq  uint64
	at   stand
	what Forgotten
}

// forgetAtOnce is how many jobs are taken off the account together.
const forgetAtOnce = 256

func (f *forgetting) run(ctx context.Context) error {
	all, err := f.Runs(ctx)
	if err != nil {
		return err
	}
	only, err := f.filter(ctx, Filter{Run: f.Run})
	if err != nil {
		return err
	}
	var leaving []Run
	for _, r := range all {
		if r.ID == f.Run || f.Run == "" && r.Since.Before(f.Before) {
			leaving = append(leaving, r)
		} else if f.shared, err = f.readRunKeys(ctx, r.ID, f.shared); err != nil {
			return err
		}
	}
	f.shared.sort()
	if err := f.scan(ctx, &only, false, func(m jetstream.Msg) error { return f.look(ctx, m) }); err != nil {
		return err
	}
	if err := f.forget(ctx); err != nil {
		return err
	}
	f.stay.sort()
	for _, r := range leaving {
		if err := f.forgetRun(ctx, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// look decides about a job.
func (f *forgetting) look(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	key := lastToken(m.Subject())
	r, err := f.openRecord(key, m.Headers(), m.Data(), meta.Sequence.Stream)
	if err != nil {
		return err
	}
	unfinished := !r.State.Ended() || r.State == Unknown
	since := r.Ended
	if !r.State.Ended() {
		since = r.Submitted
	}
	switch {
	case f.Run == "" && !since.Before(f.Before):
		f.keep(key)
	case unfinished:
		f.purged.Unfinished++
		f.keep(key)
	case f.shared.has(parseRunKey(key)):
		f.purged.Shared++
	default:
		f.batch = append(f.batch, forgettable{key, r.Lane, r.seq, r.stands(), Forgotten{Method: r.Method, Path: r.Path, State: r.State}})
		if len(f.batch) == forgetAtOnce {
			return f.forget(ctx)
		}
	}
	return nil
}

// keep notes that a job stays.
func (f *forgetting) keep(key string) {
	if k := parseRunKey(key); !f.shared.has(k) {
		f.stay = append(f.stay, k)
	}
}

// fate is what became of a job that was to be forgotten.
type fate uint8

const (
	unclear fate = iota // the engine did not tell
	stays
	gone
)

// forget forgets the jobs that were found, as far as they are still as they were.
func (f *forgetting) forget(ctx context.Context) error {
	batch := f.batch
	f.batch = f.batch[:0]
	fates := make([]fate, len(batch))
	var failed error
	if f.Dry {
		for i := range fates {
			fates[i] = gone
		}
	} else if n := int64(len(batch)); n > 0 {
		// Before, for the account must never count more than there are.
		if err := f.withdraw(ctx, account{-n, -n}); err != nil {
			return err
		}
		failed = f.forgetEach(ctx, batch, fates)
	}
	for i, j := range batch {
		if fates[i] == gone {
			f.forgotten[j.what]++
			if !f.Dry {
				f.untold.forget(j.at)
			}
			continue
		}
		f.purged.Unfinished++
		f.keep(j.key)
		if fates[i] == stays {
			f.ledger.note(account{1, 1}) // if it has left its end, whoever did that has counted it
		}
	}
	return errors.Join(failed, f.post(ctx, true))
}

func (f *forgetting) forgetEach(ctx context.Context, batch []forgettable, fates []fate) error {
	return abreast(ctx, func(ask func(func(context.Context) error) error) error {
		for i, j := range batch {
			if err := ask(func(ctx context.Context) error {
				tries := 0
				err := f.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
					tries++
					fates[i], err = f.forgetOne(ctx, j)
					return err
				})
				if tries > 1 && fates[i] == stays { // or it was forgotten at first, and submitted since
					fates[i] = unclear
				}
				if err != nil {
					return fmt.Errorf("fleet: forgetting jobs: %w", f.engine.Explain(err))
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetOne is one try to forget a job.
func (f *forgetting) forgetOne(ctx context.Context, j forgettable) (fate, error) {
	// If its message came to a worker now, the job would be one whose record vanished, and in doubt.
	if queued, err := f.queued(ctx, j.key, j.lane); err != nil || queued {
		return stays, err
	}
	// The copy for a retry goes first: else a retry would queue it without knowing how the job
	// ended. It was kept before the record was stored, so that of a later end has another sequence.
	dead, err := f.dead.GetLastMsgForSubject(ctx, f.deadSubject(j.key))
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return unclear, err
	}
	r, err := f.record(ctx, j.key)
	switch {
	case err != nil:
		return unclear, err
	case r == nil: // by an earlier try whose response got lost
		return gone, nil
	case r.seq != j.seq:
		return stays, nil
	}
	if dead != nil {
		if err := f.deleteDead(ctx, dead.Sequence); err != nil {
			return unclear, err
		}
	}
	if err = f.records.DeleteMsg(ctx, j.seq); err == nil {
		return gone, nil
	}
	if _, missing := f.records.GetMsg(ctx, j.seq); !errors.Is(missing, jetstream.ErrMsgNotFound) {
		return unclear, err
	}
	if r, err = f.record(ctx, j.key); err == nil && r == nil {
		return gone, nil
	}
	return unclear, err
}

// forgetRun forgets a submission, unless jobs of its own stay.
func (f *forgetting) forgetRun(ctx context.Context, id string) error {
	keys, err := f.readRunKeys(ctx, id, nil)
	if err != nil || slices.ContainsFunc(keys, f.stay.has) {
		return err
	}
	f.purged.Runs++
	if f.Dry {
		return nil
	}
	err = f.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		if err := f.runs.Purge(ctx, jetstream.WithPurgeSubject(f.runSubject(id))); err != nil {
			return err
		}
		if err := f.control.Delete(ctx, keyRun+id); !errors.Is(err, jetstream.ErrKeyNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("fleet: forgetting a run: %w", f.engine.Explain(err))
	}
	return nil
}
