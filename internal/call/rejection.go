package call

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Rejection is a response that is no success, as the machinery sees it.
type Rejection struct {
	Status   int
	Code     wxcode.Code
	Message  string
	Verified bool
	Outcome  middleware.Outcome
}

// Unsigned reports whether it is a 4xx that nobody signed. The platform signs none before it has authenticated the request;
// something in between may have made it after it passed the request on.
func (r *Rejection) Unsigned() bool { return !r.Verified && r.Status >= 400 && r.Status <= 499 }

// Passing reports whether the same request may fare better in a moment.
func (r *Rejection) Passing() bool { return wxcode.Passing(r.Status, r.Code) }

// Info is what is known of the code.
func (r *Rejection) Info() wxcode.Info { return wxcode.Of(r.Status, r.Code) }

// OfSerial reports a rejection for the platform key that the request names. It has no code of its own; its text names the
// header in every language.
func (r *Rejection) OfSerial() bool {
	return r.Verified && r.Status == http.StatusBadRequest && r.Code == wxcode.ParamError && strings.Contains(r.Message, apiv3.HeaderSerial)
}
