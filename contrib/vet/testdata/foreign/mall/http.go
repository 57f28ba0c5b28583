package mall

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"github.com/wxpay-go/wxpay"
)

// HandlePay begins a payment.
func (s *Shop) HandlePay(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
		host = forwarded
	}
	start, err := s.Pay(r.Context(), r.PathValue("number"), host)
	s.respond(w, start, err)
}

// HandleOrder shows an order.
func (s *Shop) HandleOrder(w http.ResponseWriter, r *http.Request) {
	order, err := s.Refresh(r.Context(), r.PathValue("number"))
	s.respond(w, order, err)
}

// HandleClose ends an order.
func (s *Shop) HandleClose(w http.ResponseWriter, r *http.Request) {
	err := s.CloseOrder(r.Context(), r.PathValue("number"))
	s.respond(w, map[string]bool{"closed": err == nil}, err)
}

// HandleRefund refunds a part of an order.
func (s *Shop) HandleRefund(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		Amount string `json:"amount"` // yuan, as the clerk types it
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&wish); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fen, err := wxpay.ParseYuan(wish.Amount)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	refund, err := s.NewRefund(r.Context(), r.PathValue("number"), fen, wish.Reason)
	s.respond(w, refund, err)
}

func (s *Shop) respond(w http.ResponseWriter, result any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		status := http.StatusInternalServerError
		switch {
		case errors.Is(err, ErrNoOrder), errors.Is(err, ErrNoRefund):
			status = http.StatusNotFound
		case errors.Is(err, ErrWrongState), errors.Is(err, ErrTooMuch):
			status = http.StatusConflict
		case errors.Is(err, ErrNotAvailable):
			status = http.StatusServiceUnavailable
		case errors.Is(err, wxpay.ErrOutcomeUnknown):
			status = http.StatusAccepted
		}
		w.WriteHeader(status)
		result = map[string]string{"error": err.Error()}
	}
	if err := json.NewEncoder(w).Encode(result); err != nil {
		s.Log.Warn("the response was not written", "err", err)
	}
}
