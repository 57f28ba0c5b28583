package call

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Rejection is an unsuccessful response, in the form that this module works with.
type Rejection struct {
	Status   int
	Code     wxcode.Code
	Message  string
	Verified bool
	Outcome  middleware.Outcome
}

// Unsigned reports whether it is an unsigned 4xx. The platform signs none before it has
// authenticated the request; a machine between may have made it after it had passed the request on.
func (r *Rejection) Unsigned() bool { return !r.Verified && r.Status >= 400 && r.Status <= 499 }

// Passing reports whether the same request may soon succeed.
func (r *Rejection) Passing() bool { return wxcode.Passing(r.Status, r.Code) }

// Info returns what is known about the code.
func (r *Rejection) Info() wxcode.Info { return wxcode.Of(r.Status, r.Code) }

// OfSerial reports a rejection of the platform key that the request names. It has no separate code;
// its text names the header in every language.
func (r *Rejection) OfSerial() bool {
	return r.Verified && r.Status == http.StatusBadRequest && r.Code == wxcode.ParamError && strings.Contains(r.Message, apiv3.HeaderSerial)
}
