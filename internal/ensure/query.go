package ensure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

var (
	// ErrNumberConflict means that the merchant's number stands for something else at the platform.
	ErrNumberConflict = fault.New("the number stands for something else at the platform")
	// ErrMissing means that a query found nothing.
	ErrMissing = fault.New("the platform knows of no such thing yet")
)

// Responses that prove nothing.
var (
	errUnbound  = errors.New("the response does not show the call's number, so it may be another call's")
	errStale    = errors.New("the response was signed before its request was sent, so it may belong to another request")
	errNoEffect = errors.New("the query's response does not show the effect")
)

// question is the reviewed query about one write.
type question struct {
	write *call.Call
	sent  call.Sent
	link  *fact.Link // nil: there is none
	lacks string     // why a reviewed query cannot be used

	times int
	put   time.Time // time of its last request
	heard time.Time // the moment that the last response describes
}

func newQuestion(write *call.Call) *question {
	q := &question{write: write, sent: write.Sent()}
	if o := write.Operation; o != nil && o.Link != nil {
		q.link = o.Link
		for _, pair := range o.Link.Copy {
			if !pair.Optional && q.sent.Text(pair.From) == "" {
				q.link, q.lacks = nil, "its body lacks a field that the query needs"
				break
			}
		}
	}
	return q
}

// spec returns the query with the values of the write.
func (q *question) spec() *call.Spec {
	path := q.link.Query
	s := &call.Spec{Path: path, Header: []call.Header{{Name: "Cache-Control", Value: "no-cache"}}}
	for _, pair := range q.link.Copy {
		value := q.sent.Text(pair.From)
		switch {
		case strings.Contains(path, "{"+pair.To+"}"):
			s.Variables = append(s.Variables, target.Variable{Name: pair.To, Value: value})
		case value != "":
			s.Query = slices.Insert(s.Query, 0, target.Param{Name: pair.To, Values: []string{value}})
		}
	}
	return s
}

// ask sends the query on line, to the host that took the write. If the query finds nothing, the
// error is ErrMissing.
func (q *question) ask(ctx context.Context, line *call.Line) (*call.Response, error) {
	q.times++
	q.put = time.Now()
	query, err := line.Prepare(ctx, q.spec(), http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	if facts := q.write.Line().Facts(); facts != nil { // the facts of the write, on any line
		query.Operation, _ = facts.Lookup(http.MethodGet, q.link.Query)
	}
	host := takenBy(q.write)
	query.Host = host
	res, err := query.Send(ctx)
	if err == nil && !res.Verified {
		return nil, query.Failed(call.StageSend, query.Outcome(), call.ErrMadeUp)
	}
	rejection := line.Errors.Rejection(err)
	if rejection != nil && query.Stale() {
		q.hear(query)
		return nil, errStale
	}
	if rejection != nil && rejection.Verified && rejection.Status == http.StatusNotFound && slices.Contains(q.link.Missing, string(rejection.Code)) {
		q.hear(query)
		if host != "" && query.ServedBy != host {
			return nil, fmt.Errorf("%s does not know the write, but did not take it either", query.ServedBy)
		}
		return nil, fmt.Errorf("%w: %w", ErrMissing, &briefError{err, line})
	}
	return res, err
}

// hear stores the moment that a query's response describes: when the query was sent, or when the
// response was signed if that is earlier.
func (q *question) hear(query *call.Call) { q.heard = q.put.Add(-query.Aged) }

// read reads a verdict from the response of a query. A response that proves nothing is an error.
func (q *question) read(res *call.Response) (*Verdict, error) {
	query := res.Call
	q.hear(query)
	if query.Binding == call.Unbound || query.Binding == call.Unbindable && query.Stale() {
		return nil, errors.New("the query's response does not show that it is about this call")
	}
	found := call.Read(res.Raw)
	for _, pair := range q.link.Same {
		if !call.Agree(q.sent.Value(pair.From), found.Field(pair.To)) {
			return nil, fmt.Errorf("%w: %s differs", ErrNumberConflict, pair.To)
		}
	}
	state, proven := ofQuery(q.link, q.sent, found)
	if !proven {
		return nil, errNoEffect
	}
	return &Verdict{State: state, Response: res, Unbound: query.Binding != call.Bound}, nil
}

// takenBy returns the host that may have taken a write last, empty if there is none.
func takenBy(write *call.Call) string {
	for _, a := range slices.Backward(write.History) {
		if a.Outcome == middleware.Unknown {
			return a.Host
		}
	}
	if write.Answered != nil {
		return write.ServedBy
	}
	return ""
}
