package aorder

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"
)

// Repository 订单仓储。
type Repository interface {
	Create(ctx context.Context, o *Order) error
	Find(ctx context.Context, no string) (*Order, error)
	// Save 以乐观锁更新，版本不符返回 ErrConflict。
	Save(ctx context.Context, o *Order) error
	// Expired 返回已过支付时间仍未支付的订单。
	Expired(ctx context.Context, now time.Time, limit int) ([]*Order, error)
}

// MemoryRepository 单测与本地联调用。
type MemoryRepository struct {
	mu   sync.RWMutex
	rows map[string]Order
}

var _ Repository = (*MemoryRepository)(nil)

func NewMemoryRepository() *MemoryRepository {
	return &MemoryRepository{rows: make(map[string]Order)}
}

func (r *MemoryRepository) Create(_ context.Context, o *Order) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.rows[o.No]; ok {
		return ErrConflict
	}
	o.Version = 1
	r.rows[o.No] = *o
	return nil
}

func (r *MemoryRepository) Find(_ context.Context, no string) (*Order, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	o, ok := r.rows[no]
	if !ok {
		return nil, ErrNotFound
	}
	return &o, nil
}

func (r *MemoryRepository) Save(_ context.Context, o *Order) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.rows[o.No]
	if !ok {
		return ErrNotFound
	}
	if old.Version != o.Version {
		return ErrConflict
	}
	o.Version++
	r.rows[o.No] = *o
	return nil
}

func (r *MemoryRepository) Expired(_ context.Context, now time.Time, limit int) ([]*Order, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*Order
	for _, o := range r.rows {
		if o.Status == StatusCreated && now.After(o.ExpireAt) {
			out = append(out, &o)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ExpireAt.Before(out[j].ExpireAt) })
	if len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

// MySQLRepository 生产实现。
type MySQLRepository struct {
	db *sql.DB
}

var _ Repository = (*MySQLRepository)(nil)

func NewMySQLRepository(db *sql.DB) *MySQLRepository { return &MySQLRepository{db: db} }

func (r *MySQLRepository) Create(ctx context.Context, o *Order) error {
	dishes, err := json.Marshal(o.Dishes)
	if err != nil {
		return err
	}
	o.Version = 1
	_, err = r.db.ExecContext(ctx, `INSERT INTO t_order
		(no, store_id, store_name, user_id, openid, channel, dishes, pack_fee, delivery_fee, discount, total, status, created_at, expire_at, version)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		o.No, o.StoreID, o.StoreName, o.UserID, o.OpenID, o.Channel, dishes, o.PackFee, o.DeliveryFee, o.Discount,
		o.Total, o.Status, o.CreatedAt, o.ExpireAt, o.Version)
	if err != nil {
		return fmt.Errorf("写入订单 %s: %w", o.No, err)
	}
	return nil
}

const selectOrder = `SELECT no, store_id, store_name, user_id, openid, channel, dishes, pack_fee, delivery_fee, discount,
	total, payer_total, status, transaction_id, created_at, expire_at, paid_at, version FROM t_order`

func scanOrder(scan func(...any) error) (*Order, error) {
	var (
		o             Order
		dishes        []byte
		payerTotal    sql.NullInt64
		transactionID sql.NullString
		paidAt        sql.NullTime
	)
	err := scan(&o.No, &o.StoreID, &o.StoreName, &o.UserID, &o.OpenID, &o.Channel, &dishes, &o.PackFee, &o.DeliveryFee,
		&o.Discount, &o.Total, &payerTotal, &o.Status, &transactionID, &o.CreatedAt, &o.ExpireAt, &paidAt, &o.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	o.PayerTotal, o.TransactionID, o.PaidAt = payerTotal.Int64, transactionID.String, paidAt.Time
	if err := json.Unmarshal(dishes, &o.Dishes); err != nil {
		return nil, fmt.Errorf("订单 %s 的菜品: %w", o.No, err)
	}
	return &o, nil
}

func (r *MySQLRepository) Find(ctx context.Context, no string) (*Order, error) {
	return scanOrder(r.db.QueryRowContext(ctx, selectOrder+" WHERE no = ?", no).Scan)
}

func (r *MySQLRepository) Save(ctx context.Context, o *Order) error {
	res, err := r.db.ExecContext(ctx, `UPDATE t_order SET status = ?, transaction_id = ?, payer_total = ?, paid_at = ?,
		version = version + 1 WHERE no = ? AND version = ?`,
		o.Status, sql.NullString{String: o.TransactionID, Valid: o.TransactionID != ""}, o.PayerTotal,
		sql.NullTime{Time: o.PaidAt, Valid: !o.PaidAt.IsZero()}, o.No, o.Version)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrConflict
	}
	o.Version++
	return nil
}

func (r *MySQLRepository) Expired(ctx context.Context, now time.Time, limit int) ([]*Order, error) {
	rows, err := r.db.QueryContext(ctx, selectOrder+" WHERE status = ? AND expire_at < ? ORDER BY expire_at LIMIT ?",
		StatusCreated, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*Order
	for rows.Next() {
		o, err := scanOrder(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
