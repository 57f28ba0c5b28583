package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// appID is one that is bound to the merchant.
type appID struct {
	Since time.Time `json:"since"`
}

// BindAppID binds an appid to this merchant. From the first one on, orders with another are 400 APPID_MCHID_NOT_MATCH; before that
// the sandbox knows of no bindings and takes every appid.
func (s *Sandbox) BindAppID(id string) error {
	if err := visible.Word(id); err != nil {
		return fmt.Errorf("sandbox: BindAppID: of the appid %s, %w", redact.Quote(id), err)
	}
	if id == "" || len(id) > 32 {
		return errors.New("sandbox: BindAppID: an appid has 1 to 32 characters")
	}
	st := s.begin()
	if _, known := st.appIDs.get(id); !known {
		st.appIDs.put(id, appID{Since: s.clock()})
	}
	return st.end()
}

// checkAppID refuses an appid that is not bound.
func (s *state) checkAppID(id string) *refusal {
	if _, known := s.appIDs.get(id); known || len(s.appIDs.rows) == 0 {
		return nil
	}
	return &refusal{
		status: http.StatusBadRequest, code: "APPID_MCHID_NOT_MATCH", number: numberAppID,
		message: text{"appid和mch_id不匹配，请检查后再试", "the appid is not bound to the merchant"}, reason: "other appids are bound to the merchant; BindAppID binds this one",
	}
}
