// Package dparking 停车服务：入场、扣费、查单、退款、对账。
package dparking

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ParkingEntry 对应表 parking_entry。
type ParkingEntry struct {
	ID           int64     `db:"id" json:"id"`
	OutParkingNo string    `db:"out_parking_no" json:"out_parking_no"`
	ParkingID    string    `db:"parking_id" json:"parking_id"`
	PlateNumber  string    `db:"plate_number" json:"plate_number"`
	PlateColor   string    `db:"plate_color" json:"plate_color"`
	LotID        int64     `db:"lot_id" json:"lot_id"`
	StartTime    time.Time `db:"start_time" json:"start_time"`
	State        string    `db:"state" json:"state"`
	BlockReason  string    `db:"block_reason" json:"block_reason"`
}

// ParkingLot 对应表 parking_lot。
type ParkingLot struct {
	ID           int64  `db:"id" json:"id"`
	Name         string `db:"name" json:"name"`
	SubMchID     string `db:"sub_mchid" json:"sub_mchid"`
	FreeSeconds  int    `db:"free_seconds" json:"free_seconds"`
	FenPerHour   int64  `db:"fen_per_hour" json:"fen_per_hour"`
	FenPerDayMax int64  `db:"fen_per_day_max" json:"fen_per_day_max"`
}

// ParkingOrder 对应表 parking_order。金额一律为分。
type ParkingOrder struct {
	ID            int64     `db:"id" json:"id"`
	OutTradeNo    string    `db:"out_trade_no" json:"out_trade_no"`
	EntryID       int64     `db:"entry_id" json:"entry_id"`
	Total         int64     `db:"total" json:"total"`
	Status        int       `db:"status" json:"status"`
	TransactionID string    `db:"transaction_id" json:"transaction_id"`
	EndTime       time.Time `db:"end_time" json:"end_time"`
	DeviceID      string    `db:"device_id" json:"device_id"`
}

// ParkingRefund 对应表 parking_refund。
type ParkingRefund struct {
	ID          int64  `db:"id" json:"id"`
	OutRefundNo string `db:"out_refund_no" json:"out_refund_no"`
	OutTradeNo  string `db:"out_trade_no" json:"out_trade_no"`
	Amount      int64  `db:"amount" json:"amount"`
	Status      int    `db:"status" json:"status"`
	Reason      string `db:"reason" json:"reason"`
}

// 订单状态。
const (
	OrderCreated  = 0
	OrderAccepted = 1
	OrderPaid     = 2
	OrderFailed   = 3
	OrderRefunded = 4
	OrderDoubt    = 9 // 结果未知
)

// 退款状态。
const (
	RefundCreated  = 0
	RefundDone     = 1
	RefundClosed   = 2
	RefundAbnormal = 3
	RefundDoubt    = 9
)

// ErrNoRow 没有记录。
var ErrNoRow = errors.New("dparking: 没有记录")

// Dao 数据库访问。
type Dao struct{ db *sql.DB }

// NewDao 新建。
func NewDao(db *sql.DB) *Dao { return &Dao{db: db} }

// GetLot 查停车场。
func (d *Dao) GetLot(ctx context.Context, id int64) (*ParkingLot, error) {
	var l ParkingLot
	err := d.db.QueryRowContext(ctx, "SELECT id,name,sub_mchid,free_seconds,fen_per_hour,fen_per_day_max FROM parking_lot WHERE id=?", id).
		Scan(&l.ID, &l.Name, &l.SubMchID, &l.FreeSeconds, &l.FenPerHour, &l.FenPerDayMax)
	if err == sql.ErrNoRows {
		return nil, ErrNoRow
	}
	return &l, err
}

// InsertEntry 入场。
func (d *Dao) InsertEntry(ctx context.Context, e *ParkingEntry) error {
	r, err := d.db.ExecContext(ctx, "INSERT INTO parking_entry(out_parking_no,plate_number,plate_color,lot_id,start_time,state) VALUES(?,?,?,?,?,?)",
		e.OutParkingNo, e.PlateNumber, e.PlateColor, e.LotID, e.StartTime, "INIT")
	if err != nil {
		return err
	}
	e.ID, err = r.LastInsertId()
	return err
}

// UpdateEntry 记录平台的入场 id 和状态。
func (d *Dao) UpdateEntry(ctx context.Context, id int64, parkingID, state, reason string) error {
	_, err := d.db.ExecContext(ctx, "UPDATE parking_entry SET parking_id=?,state=?,block_reason=? WHERE id=?", parkingID, state, reason, id)
	return err
}

// GetEntry 查入场。
func (d *Dao) GetEntry(ctx context.Context, outParkingNo string) (*ParkingEntry, error) {
	var e ParkingEntry
	err := d.db.QueryRowContext(ctx, "SELECT id,out_parking_no,parking_id,plate_number,plate_color,lot_id,start_time,state,block_reason FROM parking_entry WHERE out_parking_no=?", outParkingNo).
		Scan(&e.ID, &e.OutParkingNo, &e.ParkingID, &e.PlateNumber, &e.PlateColor, &e.LotID, &e.StartTime, &e.State, &e.BlockReason)
	if err == sql.ErrNoRows {
		return nil, ErrNoRow
	}
	return &e, err
}

// InsertOrder 插入订单，out_trade_no 有唯一索引。
func (d *Dao) InsertOrder(ctx context.Context, o *ParkingOrder) error {
	_, err := d.db.ExecContext(ctx, "INSERT INTO parking_order(out_trade_no,entry_id,total,status,end_time,device_id) VALUES(?,?,?,?,?,?)",
		o.OutTradeNo, o.EntryID, o.Total, o.Status, o.EndTime, o.DeviceID)
	return err
}

// SetOrderStatus 改状态。已支付、已退款的不会退回去。
func (d *Dao) SetOrderStatus(ctx context.Context, outTradeNo string, status int, transactionID string) error {
	_, err := d.db.ExecContext(ctx, "UPDATE parking_order SET status=?,transaction_id=? WHERE out_trade_no=? AND status NOT IN (?,?)",
		status, transactionID, outTradeNo, OrderPaid, OrderRefunded)
	return err
}

// MarkRefunded 已退款。
func (d *Dao) MarkRefunded(ctx context.Context, outTradeNo string) error {
	_, err := d.db.ExecContext(ctx, "UPDATE parking_order SET status=? WHERE out_trade_no=?", OrderRefunded, outTradeNo)
	return err
}

// GetOrder 查订单。
func (d *Dao) GetOrder(ctx context.Context, outTradeNo string) (*ParkingOrder, error) {
	var o ParkingOrder
	err := d.db.QueryRowContext(ctx, "SELECT id,out_trade_no,entry_id,total,status,transaction_id,end_time,device_id FROM parking_order WHERE out_trade_no=?", outTradeNo).
		Scan(&o.ID, &o.OutTradeNo, &o.EntryID, &o.Total, &o.Status, &o.TransactionID, &o.EndTime, &o.DeviceID)
	if err == sql.ErrNoRows {
		return nil, ErrNoRow
	}
	return &o, err
}

// ListOrders 按状态查。
func (d *Dao) ListOrders(ctx context.Context, limit int, status ...int) ([]ParkingOrder, error) {
	var list []ParkingOrder
	for _, s := range status {
		rows, err := d.db.QueryContext(ctx, "SELECT id,out_trade_no,entry_id,total,status,end_time FROM parking_order WHERE status=? ORDER BY id LIMIT ?", s, limit)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var o ParkingOrder
			if err := rows.Scan(&o.ID, &o.OutTradeNo, &o.EntryID, &o.Total, &o.Status, &o.EndTime); err != nil {
				rows.Close()
				return nil, err
			}
			list = append(list, o)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// InsertRefund 插入退款单。
func (d *Dao) InsertRefund(ctx context.Context, r *ParkingRefund) error {
	_, err := d.db.ExecContext(ctx, "INSERT INTO parking_refund(out_refund_no,out_trade_no,amount,status,reason) VALUES(?,?,?,?,?)",
		r.OutRefundNo, r.OutTradeNo, r.Amount, r.Status, r.Reason)
	return err
}

// SetRefundStatus 改退款状态。
func (d *Dao) SetRefundStatus(ctx context.Context, outRefundNo string, status int) error {
	_, err := d.db.ExecContext(ctx, "UPDATE parking_refund SET status=? WHERE out_refund_no=?", status, outRefundNo)
	return err
}

// Fee 计费：免费时长内不收，按小时进位，每天封顶。
func Fee(l *ParkingLot, from, to time.Time) int64 {
	seconds := int64(to.Sub(from) / time.Second)
	if seconds <= int64(l.FreeSeconds) {
		return 0
	}
	days := seconds / 86400
	hours := (seconds%86400 + 3599) / 3600
	rest := hours * l.FenPerHour
	if rest > l.FenPerDayMax {
		rest = l.FenPerDayMax
	}
	return days*l.FenPerDayMax + rest
}
