package arefund

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Lock 分布式锁，多实例只跑一个任务。
type Lock interface {
	TryLock(ctx context.Context, key string, ttl time.Duration) (unlock func(), ok bool, err error)
}

// Worker 退款补偿任务。
type Worker struct {
	service *Service
	lock    Lock
	log     *slog.Logger
	every   time.Duration
}

func NewWorker(service *Service, lock Lock, every time.Duration, log *slog.Logger) *Worker {
	return &Worker{service: service, lock: lock, every: every, log: log}
}

func (w *Worker) Start(ctx context.Context) {
	go func() {
		for {
			// 加随机抖动，避免各实例同时抢锁
			pause := w.every + time.Duration(rand.Int64N(int64(w.every/5)+1))
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			w.tick(ctx)
		}
	}()
}

func (w *Worker) tick(ctx context.Context) {
	unlock, ok, err := w.lock.TryLock(ctx, "refund:recover", 10*time.Minute)
	if err != nil {
		w.log.ErrorContext(ctx, "抢锁失败", "err", err)
		return
	}
	if !ok {
		return
	}
	defer unlock()
	n, err := w.service.Recover(ctx, 50)
	if err != nil {
		w.log.WarnContext(ctx, "部分退款未能推进", "count", n, "err", err)
		return
	}
	if n > 0 {
		w.log.InfoContext(ctx, "退款补偿完成", "count", n)
	}
}
