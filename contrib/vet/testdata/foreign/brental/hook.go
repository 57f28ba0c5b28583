package brental

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// Table is a map with a lock, for values by number.
type Table[V any] struct {
	mu sync.Mutex
	m  map[string]V
}

// Update changes the value of a number.
func (t *Table[V]) Update(no string, f func(V) V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[string]V{}
	}
	t.m[no] = f(t.m[no])
}

// Get reads a value.
func (t *Table[V]) Get(no string) (V, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.m[no]
	return v, ok
}

// Server has the HTTP side.
type Server struct {
	Desk
	Rentals Table[Rental]
	Paid    Table[string]
}

// Routes of the server.
func (s *Server) Routes(key string) (http.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: s.C.MchID(), APIv3Key: key, Keys: s.C})
	if err != nil {
		return nil, err
	}
	h.On(webhook.PayScoreUserConfirm, s.confirmed)
	h.On(webhook.PayScoreUserPaid, s.paid)
	mux := http.NewServeMux()
	mux.Handle("POST /rental/notify", h)
	mux.HandleFunc("POST /rental", s.post)
	mux.HandleFunc("POST /rental/{no}/return", s.giveBack)
	return mux, nil
}

func (s *Server) confirmed(_ context.Context, e *webhook.Event) error {
	no := e.Get("out_order_no").String()
	from := e.CreateTime
	if t, err := time.ParseInLocation(layout, e.Get("time_range.start_time").String(), time.Local); err == nil {
		from = t
	}
	s.Rentals.Update(no, func(r Rental) Rental { r.From = from; return r })
	return nil
}

func (s *Server) paid(_ context.Context, e *webhook.Event) error {
	no, err := e.Text("out_order_no")
	if err != nil {
		return err
	}
	id := e.Get("collection.details.0.transaction_id").String()
	s.Paid.Update(no, func(string) string { return id })
	return nil
}

func (s *Server) post(w http.ResponseWriter, q *http.Request) {
	var r Rental
	if err := json.NewDecoder(http.MaxBytesReader(w, q.Body, 1<<14)).Decode(&r); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	s.Rentals.Update(r.No, func(Rental) Rental { return r })
	view, err := s.Start(q.Context(), r)
	if err != nil {
		fail(w, err)
		return
	}
	json.NewEncoder(w).Encode(view)
}

func (s *Server) giveBack(w http.ResponseWriter, q *http.Request) {
	r, ok := s.Rentals.Get(q.PathValue("no"))
	if !ok {
		http.NotFound(w, q)
		return
	}
	fee, err := s.Return(q.Context(), r, q.FormValue("place"))
	if err != nil {
		fail(w, err)
		return
	}
	json.NewEncoder(w).Encode(map[string]int64{"fee": fee})
}

// statuses by what is known of the call.
var statuses = map[wxpay.Outcome]int{
	wxpay.NotSent:  http.StatusServiceUnavailable,
	wxpay.Rejected: http.StatusUnprocessableEntity,
	wxpay.Unknown:  http.StatusGatewayTimeout,
}

func fail(w http.ResponseWriter, err error) {
	code, ok := statuses[wxpay.OutcomeOf(err)]
	if !ok {
		code = http.StatusInternalServerError
	}
	http.Error(w, http.StatusText(code), code)
}
