package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wxpay-go/wxpay/webhook"
)

// shop keeps orders.
type shop struct {
	db    *pgxpool.Pool
	mchID string
}

// paid books a payment. It may run again for the same one, after an instance has died or lost the database: then it finds
// the order paid by that very transaction, and changes nothing.
func (s *shop) paid(ctx context.Context, e *webhook.Event) error {
	if _, err := s.db.Exec(ctx, `INSERT INTO diary (notification, instance) VALUES ($1, $2)`, e.ID, os.Getpid()); err != nil {
		return err
	}
	number, transaction := e.Get("out_trade_no").String(), e.Get("transaction_id").String()
	return pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		var total int64
		var paidBy *string
		err := tx.QueryRow(ctx, `SELECT total, transaction_id FROM shop_order WHERE out_trade_no = $1 FOR UPDATE`, number).Scan(&total, &paidBy)
		if err != nil {
			return fmt.Errorf("the order of %s: %w", e.ID, err)
		}
		// What the notification says is compared with what the shop knows, never taken from it.
		if err := (webhook.Payment{MchID: s.mchID, OutTradeNo: number, Total: total}).Check(e); err != nil {
			return err
		}
		switch {
		case paidBy != nil && *paidBy == transaction:
			return nil
		case paidBy != nil:
			return fmt.Errorf("the order of %s is paid by another transaction: refund one of them", e.ID)
		}
		if _, err := tx.Exec(ctx, `UPDATE shop_order SET transaction_id = $2, paid_at = now() WHERE out_trade_no = $1`, number, transaction); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE till SET balance = balance + $1`, total)
		return err
	})
}
