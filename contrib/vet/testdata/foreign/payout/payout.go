// Package payout pays commissions to users, by the hundred, each once.
package payout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Job is one payout. Its number is the primary key of the table.
type Job struct {
	Number  string
	OpenID  string
	Name    string
	Fen     int64
	Remark  string
	State   string
	BillNo  string
	Package string
	Tries   int
}

// Table stores jobs.
type Table struct{ db *sql.DB }

// Claim takes up to most jobs that are due.
func (t *Table) Claim(ctx context.Context, most int) ([]*Job, error) {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, `SELECT number, openid, name, fen, remark, tries FROM payout
		WHERE state IN ('NEW', 'AGAIN') AND due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED`, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []*Job
	for rows.Next() {
		j := new(Job)
		if err := rows.Scan(&j.Number, &j.OpenID, &j.Name, &j.Fen, &j.Remark, &j.Tries); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if _, err := tx.ExecContext(ctx, `UPDATE payout SET state = 'SENDING', tries = tries + 1 WHERE number = $1`, j.Number); err != nil {
			return nil, err
		}
	}
	return jobs, tx.Commit()
}

// Mark stores the state of a job.
func (t *Table) Mark(ctx context.Context, j *Job, state string, due time.Time) error {
	_, err := t.db.ExecContext(ctx, `UPDATE payout SET state = $2, bill_no = $3, package = $4, due = $5 WHERE number = $1`,
		j.Number, state, j.BillNo, j.Package, due)
	return err
}

// Scene is a reason for payouts, as the platform wants it reported.
type Scene struct {
	ID      string
	Reports []map[string]string
}

// Commission is the scene of this program.
var Commission = Scene{
	ID: "1005",
	Reports: []map[string]string{
		{"info_type": "岗位类型", "info_content": "推广员"},
		{"info_type": "报酬说明", "info_content": "推广佣金"},
	},
}

// Payer pays jobs.
type Payer struct {
	Client  *wxpay.Client
	Table   *Table
	AppID   string
	Notify  string
	Workers int
	Log     *slog.Logger
}

// Run pays until ctx ends.
func (p *Payer) Run(ctx context.Context) error {
	jobs := make(chan *Job)
	var group sync.WaitGroup
	for range p.Workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for job := range jobs {
				if err := p.pay(ctx, job); err != nil {
					p.Log.Error("payout", "number", job.Number, "err", err)
				}
			}
		}()
	}
	defer group.Wait()
	defer close(jobs)
	for ctx.Err() == nil {
		claimed, err := p.Table.Claim(ctx, p.Workers*2)
		if err != nil {
			return err
		}
		for _, job := range claimed {
			select {
			case jobs <- job:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if len(claimed) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	return ctx.Err()
}

// pay sends one job. The same number goes out again after an unknown outcome, never another one.
func (p *Payer) pay(ctx context.Context, job *Job) error {
	body := map[string]any{
		"appid":                       p.AppID,
		"out_bill_no":                 job.Number,
		"transfer_scene_id":           Commission.ID,
		"openid":                      job.OpenID,
		"transfer_amount":             job.Fen,
		"transfer_remark":             job.Remark,
		"notify_url":                  p.Notify,
		"transfer_scene_report_infos": Commission.Reports,
	}
	if job.Fen >= 200000 {
		body["user_name"] = wxpay.Secret(job.Name)
	}
	res, err := p.Client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, body)
	var rejected *wxpay.APIError
	switch {
	case err == nil:
		job.BillNo = res.Get("transfer_bill_no").String()
		job.Package = res.Get("package_info").String()
		return p.Table.Mark(ctx, job, res.Get("state").String(), time.Now().Add(24*time.Hour))
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		return p.Table.Mark(ctx, job, "UNKNOWN", time.Now().Add(time.Minute))
	case wxpay.IsCode(err, wxcode.NotEnough), wxpay.IsCode(err, wxcode.FrequencyLimited):
		return p.Table.Mark(ctx, job, "AGAIN", time.Now().Add(time.Duration(job.Tries+1)*time.Minute))
	case wxpay.OutcomeOf(err) == wxpay.NotSent:
		return p.Table.Mark(ctx, job, "AGAIN", time.Now().Add(10*time.Second))
	case errors.As(err, &rejected):
		p.Log.Warn("a payout was rejected", "number", job.Number, "code", rejected.Code, "request", rejected.RequestID)
		return p.Table.Mark(ctx, job, "REJECTED", time.Time{})
	}
	return err
}

// bill is the part of a query that the table keeps.
type bill struct {
	OutBillNo      string `json:"out_bill_no"`
	TransferBillNo string `json:"transfer_bill_no"`
	State          string `json:"state"`
	TransferAmount int64  `json:"transfer_amount"`
	FailReason     string `json:"fail_reason"`
}

// Settle asks about a job whose outcome is unknown.
func (p *Payer) Settle(ctx context.Context, job *Job) error {
	found, err := wxpay.Into[bill](p.Client.
		Chain("v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}", job.Number).Get(ctx))
	switch {
	case wxpay.IsCode(err, wxcode.NotFound):
		return p.Table.Mark(ctx, job, "AGAIN", time.Now())
	case err != nil:
		return err
	case found.TransferAmount != job.Fen:
		return fmt.Errorf("payout %s: %d fen there, %d here", job.Number, found.TransferAmount, job.Fen)
	}
	job.BillNo = found.TransferBillNo
	return p.Table.Mark(ctx, job, found.State, time.Now().Add(time.Hour))
}

// Cancel takes a payout back that the user has not confirmed.
func (p *Payer) Cancel(ctx context.Context, job *Job) error {
	res, err := p.Client.Chain("v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel", job.Number).Post(ctx, nil)
	if err != nil {
		return err
	}
	return p.Table.Mark(ctx, job, res.Get("state").String(), time.Now().Add(time.Minute))
}

// Notified stores the end of a payout.
func (p *Payer) Notified(handler *webhook.Handler) {
	handler.On("MCHTRANSFER.BILL.FINISHED", func(ctx context.Context, e *webhook.Event) error {
		if err := e.Need("out_bill_no", "state"); err != nil {
			return err
		}
		amount, err := e.Fen("transfer_amount")
		if err != nil {
			return err
		}
		job := &Job{Number: e.Get("out_bill_no").String(), BillNo: e.Get("transfer_bill_no").String(), Fen: amount}
		switch state := e.Get("state").String(); state {
		case "SUCCESS", "FAIL", "CANCELLED":
			return p.Table.Mark(ctx, job, state, time.Time{})
		default:
			return fmt.Errorf("payout %s: state %s", job.Number, state)
		}
	})
}

// Receipt saves the electronic receipt of a payout.
func (p *Payer) Receipt(ctx context.Context, job *Job, file string) error {
	_, err := p.Client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no").
		Post(ctx, map[string]string{"out_bill_no": job.Number})
	if err != nil && !wxpay.IsCode(err, "ALREADY_EXISTS") {
		return err
	}
	_, err = p.Client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", job.Number).
		Receipt(ctx, wxpay.ToFile(file))
	return err
}
