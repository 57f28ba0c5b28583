package fleet

import (
	"context"
	"sync"
)

// abreast carries out the questions that feed asks, 16 at once. The first that fails ends it.
func abreast(ctx context.Context, feed func(ask func(func(context.Context) error) error) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	err := feed(func(question func(context.Context) error) error {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		all.Go(func() {
			defer func() { <-slots }()
			if err := question(ctx); err != nil {
				stop(err)
			}
		})
		return nil
	})
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
