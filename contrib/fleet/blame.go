package fleet

import (
	"context"
	"fmt"
)

// still reports whether nothing is to be begun now.
func (r *running) still() bool {
	_, rests := r.aside.state()
	return rests || r.paused.Load() != nil || r.lost.Load() != nil
}

// announceSelf tells the queue that this worker is at work, and whether it stands back.
func (r *running) announceSelf(ctx context.Context) error {
	why, _ := r.aside.state()
	return r.announce(ctx, r.id, Member{Name: r.Name, Since: r.began, Aside: why})
}

// halt pauses the queue, and this worker at once. It reports whether that could be stored.
func (r *running) halt(ctx context.Context, p *Pause) bool {
	// In this order, or a Resume in between would be missed. Where it cannot be stored nobody could
	// end it.
	r.paused.Store(p)
	if err := r.pause(context.WithoutCancel(ctx), *p); err != nil {
		r.paused.CompareAndSwap(p, nil)
		r.trouble(err)
		return false
	}
	return true
}

// breakAfter is how many jobs may end one after another without a usable answer before the worker
// steps aside or the queue pauses.
const breakAfter = 20

// suspectAfter is how many jobs one after another may end with a rejection that nobody signed. Then
// the worker steps aside or the queue pauses. It is also how often one job may end so.
const suspectAfter = 5

// blame deals with trouble that may be this host's own. If a worker of another name is at work and
// has not met the like, this one steps aside. If another one stands aside already, or there is
// none, the queue pauses. Until others had time to tell that they are at work, after this worker has
// begun and after the engine was away, there may be some. It reports whether it came to either.
func (r *running) blame(ctx context.Context, p Pause) bool {
	ctx = context.WithoutCancel(ctx)
	if r.still() {
		return true
	}
	others, told := 0, r.announceSelf(ctx) == nil // so that its age is that of nothing
	if told {
		members, err := r.members(ctx)
		r.trouble(err)
		for _, m := range members {
			switch {
			case m.Name == r.Name:
			case m.Aside != nil:
				p.Reason += fmt.Sprintf("; before, %s stepped aside: %s", m.Name, m.Aside.Reason)
				return r.halt(ctx, &p)
			default:
				others++
			}
		}
	}
	left := fmt.Sprintf("leaves the work to %d other workers", others)
	switch {
	case others == 0 && (!told || r.engine.server != nil || r.leases.settled()):
		return r.halt(ctx, &p)
	case others == 0:
		left = "gives others, if there are any, time to say that they are at work"
	case others == 1:
		left = "leaves the work to 1 other worker"
	}
	p.By = r.by
	rest := r.aside.step(p)
	r.failures.Store(breakAfter - 1) // one more is enough after the rest
	r.unsigned.Store(suspectAfter - 1)
	r.notice(fmt.Sprintf("%s steps aside for %v, and %s: %s", r.Name, rest, left, p.Reason))
	if err := r.announceSelf(ctx); err != nil {
		r.trouble(err) // the next turn of the leases tells it
	}
	return true
}
