package aorder

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// CloseWorker 定时关闭超时未支付的订单。
type CloseWorker struct {
	repo     Repository
	service  Service
	interval time.Duration
	batch    int
	log      *slog.Logger
}

func NewCloseWorker(repo Repository, service Service, interval time.Duration, log *slog.Logger) *CloseWorker {
	return &CloseWorker{repo: repo, service: service, interval: interval, batch: 100, log: log}
}

// Run 阻塞直到 ctx 结束。
func (w *CloseWorker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			if err := w.once(ctx); err != nil {
				w.log.ErrorContext(ctx, "关单任务失败", "err", err)
			}
		}
	}
}

func (w *CloseWorker) once(ctx context.Context) error {
	orders, err := w.repo.Expired(ctx, time.Now(), w.batch)
	if err != nil {
		return err
	}
	var closed, paid, failed int
	for _, o := range orders {
		err := w.service.Cancel(ctx, o.No)
		switch {
		case err == nil:
			closed++
		case errors.Is(err, ErrAlreadyPaid):
			paid++
		default:
			failed++
			w.log.WarnContext(ctx, "关单失败", "no", o.No, "err", err)
		}
	}
	if len(orders) > 0 {
		w.log.InfoContext(ctx, "关单任务", "closed", closed, "paid", paid, "failed", failed)
	}
	return nil
}
