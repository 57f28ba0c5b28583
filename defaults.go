package wxpay

import (
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/invoke"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// WithDefaults fills in the numbers of the caller: the fields mchid and sp_mchid (of a service
// provider) with mchid, which is the client's own number, and the fields appid and sp_appid with
// appid. It fills a field that the catalogue requires at the top of the body, or in the query, if
// the call lacks it. An empty argument fills nothing.
//
// The caller's values stay as they are: a default is added to the text that is sent, as
// [Chain.Request] shows. A body of text or bytes is never changed, a nil body stays nil, and a
// field of the call keeps its value, whatever it holds. WithDefaults fills nothing if direct and
// partner callers share one description, or if the field names somebody else, such as the recipient
// of a store's payments. A client that [Client.As] makes for another merchant has no defaults.
func WithDefaults(mchid, appid string) Option {
	return func(c *config) error {
		if mchid == "" && appid == "" {
			return errors.New("WithDefaults: both numbers are empty")
		}
		if appid != "" && !invoke.IsAppID(appid) {
			return fmt.Errorf("WithDefaults: %s is not an appid such as wx8888888888888888", redact.Quote(appid))
		}
		c.defaults = autofill.Caller{MchID: mchid, AppID: appid}
		return nil
	}
}
