package fleet

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoRun means that a queue knows no run of an ID.
var ErrNoRun = errors.New("fleet: there is no such run")

// keyRun begins the keys under which the control bucket keeps a run.
const keyRun = "run."

// The stream of runs has the keys of the jobs of each, some thousand in a message.
const (
	runKeySize = 16
	runKeys    = 4096
)

func (q *Queue) runSubject(id string) string { return q.name + ".run." + id }

// newRun names a run that begins. The ID has 40 random bits, so that no two runs of a second share
// one: their jobs would be counted and forgotten as one.
func (q *Queue) newRun(r *Run) {
	now := time.Now()
	r.ID, r.Since, r.By = now.UTC().Format("20060102-150405")+"-"+strings.ToLower(rand.Text()[:8]), now, q.by
	r.Count, r.Complete = Submission{}, false
}

// putRun stores what is known of a run.
func (q *Queue) putRun(ctx context.Context, r *Run) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	key := keyRun + r.ID
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Put(ctx, key, q.keys.Seal(key, text))
		return err
	})
	if err != nil {
		return fmt.Errorf("fleet: storing a run: %w", q.engine.Explain(err))
	}
	return nil
}

// putRunKeys stores that jobs belong to a run. Twice is no more than once.
func (q *Queue) putRunKeys(ctx context.Context, id string, keys []byte) error {
	if len(keys) == 0 {
		return nil
	}
	m := &nats.Msg{Subject: q.runSubject(id), Data: keys, Header: nats.Header{headerVersion: {recordVersion}}}
	err := q.engine.insist(ctx, func() error {
		_, err := q.publish(ctx, m)
		return err
	})
	if err != nil {
		return fmt.Errorf("fleet: storing the jobs of a run: %w", q.engine.Explain(err))
	}
	return nil
}

// appendRunKey appends the key of a job, as the stream of runs has it.
func appendRunKey(to []byte, key string) []byte {
	to, _ = base64.RawURLEncoding.AppendDecode(to, []byte(key)) // it is one of digester's
	return to
}

// runKey is the key of a job, as the stream of runs has it.
type runKey = [runKeySize]byte

// parseRunKey returns the runKey of a key, zero if it is none.
func parseRunKey(key string) (k runKey) {
	if base64.RawURLEncoding.DecodedLen(len(key)) != runKeySize {
		return k
	}
	if _, err := base64.RawURLEncoding.Decode(k[:], []byte(key)); err != nil {
		return runKey{}
	}
	return k
}

// runKeySet takes 16 bytes of memory a job. It has to be sorted for has.
type runKeySet []runKey

func compareRunKeys(a, b runKey) int { return bytes.Compare(a[:], b[:]) }

func (s runKeySet) sort() { slices.SortFunc(s, compareRunKeys) }

func (s runKeySet) has(k runKey) bool {
	_, found := slices.BinarySearchFunc(s, k, compareRunKeys)
	return found
}

// readRunKeys appends the keys of the jobs that were given to a run.
func (q *Queue) readRunKeys(ctx context.Context, id string, to runKeySet) (runKeySet, error) {
	err := q.read(ctx, q.runs, reading{subject: q.runSubject(id)}, func(m jetstream.Msg) error {
		if err := checkVersion(m.Headers()); err != nil {
			return err
		}
		for key := range slices.Chunk(m.Data(), runKeySize) {
			if len(key) == runKeySize {
				to = append(to, runKey(key))
			}
		}
		return nil
	})
	return to, err
}

// readRun reads what is known of a run.
func (q *Queue) readRun(ctx context.Context, id string) (r Run, err error) {
	key := keyRun + id
	var entry jetstream.KeyValueEntry
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		entry, err = q.control.Get(ctx, key)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return r, fmt.Errorf("%w: %s", ErrNoRun, id)
	}
	if err == nil {
		r, err = q.openRun(key, entry.Value())
	}
	if err != nil {
		return r, fmt.Errorf("fleet: reading a run: %w", q.engine.Explain(err))
	}
	return r, nil
}

// openRun opens what is kept under the key of a run.
func (q *Queue) openRun(key string, sealed []byte) (r Run, err error) {
	text, _, err := q.keys.Open(key, sealed)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// Runs lists the submissions, the newest first.
func (q *Queue) Runs(ctx context.Context) ([]Run, error) {
	var runs []Run
	err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		runs = nil
		list, err := q.control.ListKeysFiltered(ctx, keyRun+"*")
		if err != nil {
			return err
		}
		defer func() { _ = list.Stop() }()
		for key := range list.Keys() {
			entry, err := q.control.Get(ctx, key)
			if errors.Is(err, jetstream.ErrKeyNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			r, err := q.openRun(key, entry.Value())
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fleet: listing the runs: %w", q.engine.Explain(err))
	}
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Or(b.Since.Compare(a.Since), strings.Compare(b.ID, a.ID)) })
	return runs, nil
}
